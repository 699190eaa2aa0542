"""What becomes of each kind of booking."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import RecordRejected
from integrations.values import Booking, BookingStatus
from integrations.vendors.condeco import records
from integrations.vendors.condeco.connector import connector

PAYLOADS = Path(__file__).parent / "payloads"
CONTEXT = {"room": "Ash 1.01", "location": "Hudson Yard House", "zone": "America/New_York"}


def interpret(name: str, context: dict[str, str] = CONTEXT, **changes: object) -> Booking:
    payload = {**json.loads((PAYLOADS / f"{name}.json").read_bytes()), **changes}
    value = connector.stream("room-bookings").interpret(json.dumps(payload).encode(), context)
    assert isinstance(value, Booking)
    return value


def test_a_booking_says_what_where_when_and_who():
    booking = interpret("confirmed")

    assert booking == Booking(
        kind=booking.kind.ROOM,
        title="Lease renewal call",
        status=BookingStatus.CONFIRMED,
        vendor_status="status 0, progress 0",
        starts_at=datetime(2026, 3, 16, 13, 30, tzinfo=UTC),
        ends_at=datetime(2026, 3, 16, 14, 15, tzinfo=UTC),
        zone="America/New_York",
        resource="Ash 1.01",
        location="Hudson Yard House",
        organiser="Grace Novak",
        organiser_email="grace.novak@northlight.example",
        changed_at=datetime(2026, 3, 12, 20, 45, tzinfo=UTC),  # written in New York's time
    )


@pytest.mark.parametrize(
    ("payload", "ahead", "once_over"),
    [
        ("confirmed", BookingStatus.CONFIRMED, BookingStatus.COMPLETED),
        ("cancelled", BookingStatus.CANCELLED, BookingStatus.CANCELLED),
        ("running", BookingStatus.IN_PROGRESS, BookingStatus.COMPLETED),
        ("stopped", BookingStatus.COMPLETED, BookingStatus.COMPLETED),
        ("waiting", BookingStatus.WAITING, BookingStatus.WAITING),
        ("pending", BookingStatus.TENTATIVE, BookingStatus.TENTATIVE),
        ("private", BookingStatus.CONFIRMED, BookingStatus.COMPLETED),
    ],
)
def test_the_status_is_read_from_the_marks_of_the_booking(payload, ahead, once_over):
    assert interpret(payload).status == ahead
    assert interpret(payload, {**CONTEXT, "ended": "yes"}).status == once_over


def test_a_private_meeting_tells_neither_title_nor_people():
    booking = interpret("private")

    assert (booking.title, booking.organiser, booking.organiser_email) == ("Private booking", "", "")
    assert booking.is_private


def test_a_private_meeting_is_kept_without_what_it_is_about_and_who_is_there():
    payload = json.loads((PAYLOADS / "private.json").read_bytes())
    people = {"attendees": [{"firstName": "Grace"}], "hostPhone": "+1 212 555 0100", "MeetingTitle": "Lease"}

    kept = records.without_what_is_private(json.dumps({**payload, **people}).encode())

    assert not any(word in kept for word in (b"Grace", b"Owen", b"Khan", b"ease", b"northlight", b"555"))
    assert json.loads(kept).keys() < payload.keys()
    booking = connector.stream("room-bookings").interpret(kept, CONTEXT)
    assert booking == interpret("private")


@pytest.mark.parametrize("name", ["privateMeeting", "PrivateMeeting", "PRIVATEMEETING"])
@pytest.mark.parametrize("value", [True, 1, "true", "1"])
def test_a_private_meeting_is_recognised_however_it_is_written(name, value):
    head = records.booking_head(json.dumps({"bookingID": 9, "roomID": 1, name: value}).encode())

    assert head.is_private


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Australia/Melbourne", "2026-10-04T02:30:00", "2026-10-03T16:30:00Z"),  # left out that night
        ("Australia/Melbourne", "2026-04-05T02:30:00", "2026-04-04T15:30:00Z"),  # comes twice
        ("America/Chicago", "2026-03-08T02:30:00", "2026-03-08T08:30:00Z"),
        ("America/Chicago", "2026-11-01T01:30:00", "2026-11-01T06:30:00Z"),
        ("Europe/London", "2026-03-29T01:30:00", "2026-03-29T01:30:00Z"),
        ("Europe/London", "2026-10-25T01:30:00", "2026-10-25T00:30:00Z"),
    ],
)
def test_local_times_are_read_in_the_nights_when_the_clocks_change(zone, wall, instant):
    booking = interpret("local_times_only", {**CONTEXT, "zone": zone}, bookingStart=wall, bookingEnd=wall)

    assert booking.starts_at == booking.ends_at == datetime.fromisoformat(instant)


@pytest.mark.parametrize("zone", ["Australia/Melbourne", "America/Chicago", "Europe/London"])
def test_utc_times_stay_what_they_are_whatever_the_zone(zone):
    booking = interpret(
        "confirmed", {**CONTEXT, "zone": zone}, timeFromUTC="2026-10-25T01:30:00", timeToUTC="2026-10-25T02:00:00"
    )

    assert booking.starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_booking_lies_where_it_starts_in_utc():
    head = records.booking_head((PAYLOADS / "confirmed.json").read_bytes())

    assert head.position == "2026-03-16T13:30:00Z"


def test_numbers_nobody_explained_are_kept_and_do_no_harm():
    booking = interpret("unknown_numbers")

    assert booking.vendor_status == "status 6, progress 9"
    assert booking.status == BookingStatus.CONFIRMED


def test_without_utc_times_the_local_ones_are_read_in_the_zone_of_the_location():
    booking = interpret("local_times_only")

    assert booking.starts_at == datetime(2026, 3, 16, 13, 30, tzinfo=UTC)
    assert booking.ends_at == datetime(2026, 3, 16, 14, 15, tzinfo=UTC)


def test_the_zone_beside_the_booking_serves_where_the_location_has_none():
    assert interpret("local_times_only", {**CONTEXT, "zone": ""}).zone == "America/New_York"


def test_an_unknown_zone_leaves_the_utc_times():
    booking = interpret("confirmed", {**CONTEXT, "zone": ""}, locationTimeZone="Moon Standard Time")

    assert booking.zone == ""
    assert booking.starts_at == datetime(2026, 3, 16, 13, 30, tzinfo=UTC)
    assert booking.changed_at is None  # it came in local time


def test_local_times_in_an_unknown_zone_set_the_booking_aside():
    with pytest.raises(RecordRejected, match="time zone is not known"):
        interpret("local_times_only", {**CONTEXT, "zone": "No/Where"}, locationTimeZone=None)


def test_the_requestor_stands_in_for_a_missing_host():
    assert interpret("requested_for_nobody").organiser == "Owen Khan"


def test_field_names_are_read_whatever_their_case():
    booking = interpret("mixed_case")

    assert booking.ends_at == datetime(2026, 3, 16, 14, 15, tzinfo=UTC)
    assert (booking.status, booking.is_private) == (BookingStatus.CONFIRMED, False)
    assert records.booking_head((PAYLOADS / "mixed_case.json").read_bytes()).id == "99"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timeFromUTC": None, "bookingStart": None, "timeFrom": "0001-01-01T00:00:00"}, "no start time"),
        ({"timeFromUTC": "yesterday"}, "start time cannot be read: yesterday"),
        ({"timeToUTC": "2026-03-16T13:00:00"}, "ends before it starts"),
        ({"hostName": {"first": "Grace"}}, "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_the_reason(changes, reason):
    with pytest.raises(RecordRejected, match=reason):
        interpret("confirmed", **changes)


def test_text_is_without_nul_characters_and_not_too_long():
    assert interpret("confirmed", meetingTitle="A\x00B" * 400).title == ("AB" * 400)[:499]


def test_a_meeting_without_a_title_still_has_one():
    assert interpret("confirmed", meetingTitle=" ").title == "Untitled meeting"


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_no_bytes_whatever_break_more_than_their_own_record(payload):
    for read in (records.booking_head, records.node, lambda raw: records.booking(raw, CONTEXT)):
        with pytest.raises(RecordRejected):
            read(payload)


_TEXTS = st.none() | st.text() | st.sampled_from(["9999-12-31T23:59:59", "0001-01-01T00:00:00", "2026-03-16T13:30:00"])


@given(
    st.dictionaries(
        st.sampled_from(sorted(json.loads((PAYLOADS / "confirmed.json").read_bytes()))),
        _TEXTS | st.integers() | st.booleans() | st.floats(allow_nan=False),
    ),
    st.sampled_from(["America/New_York", "Asia/Calcutta", "", "../etc", "\x00"]),
)
def test_any_values_give_a_booking_or_set_it_aside(changes, zone):
    with suppress(RecordRejected):
        booking = interpret("confirmed", {**CONTEXT, "zone": zone}, **changes)
        assert max(len(booking.title), len(booking.organiser), len(booking.vendor_status)) < 500
