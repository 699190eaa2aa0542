"""Desk bookings: days and halves of days at the location, open ends, and the switch that allows them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrations.errors import NotBought, RecordRejected
from integrations.values import Booking, BookingKind, BookingStatus
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.desk_bookings import DeskBookings
from tests.integrations.vendor_access import vendor_access

CHICAGO = {"desk": "Desk 1-04", "location": "Lakeshore Centre", "zone": "America/Chicago"}
PAYLOAD = {
    "bookingID": 52_003,
    "deskID": 501,
    "locationId": 102,
    "userId": 2_001,
    "userName": "Grace Novak",
    "userEmail": "grace.novak@northlight.example",
    "date": "2026-03-18T00:00:00",
    "bookingType": 2,
    "untilFurtherNotice": False,
    "deleted": 0,
    "lastModifiedOn": "2026-03-12T16:45:00",
}


def interpret(context: dict[str, str] = CHICAGO, **changes: object) -> Booking:
    value = connector.stream("desk-bookings").interpret(json.dumps(PAYLOAD | changes).encode(), context)
    assert isinstance(value, Booking)
    return value


def test_a_desk_booking_says_which_desk_whose_and_which_day():
    assert interpret() == Booking(
        kind=BookingKind.DESK,
        title="Desk 1-04",
        status=BookingStatus.CONFIRMED,
        vendor_status="whole day",
        starts_at=datetime(2026, 3, 18, 5, tzinfo=UTC),
        ends_at=datetime(2026, 3, 19, 5, tzinfo=UTC),
        zone="America/Chicago",
        resource="Desk 1-04",
        location="Lakeshore Centre",
        organiser="Grace Novak",
        organiser_email="grace.novak@northlight.example",
        changed_at=datetime(2026, 3, 12, 21, 45, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("part", "starts", "ends", "word"),
    [(0, 5, 17, "morning"), (1, 17, 29, "afternoon"), (2, 5, 29, "whole day"), (7, 5, 29, "whole day")],
)
def test_halves_of_a_day_meet_at_noon_at_the_location(part, starts, ends, word):
    booking, midnight = interpret(bookingType=part), datetime(2026, 3, 18, tzinfo=UTC)

    assert (booking.starts_at, booking.ends_at) == (
        midnight + timedelta(hours=starts),
        midnight + timedelta(hours=ends),
    )
    assert booking.vendor_status == word


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Australia/Melbourne", "2026-10-04", 23),
        ("Australia/Melbourne", "2026-04-05", 25),
        ("America/Chicago", "2026-03-08", 23),
        ("America/Chicago", "2026-11-01", 25),
        ("Europe/London", "2026-03-29", 23),
        ("Europe/London", "2026-10-25", 25),
        ("Asia/Calcutta", "2026-03-29", 24),
    ],
)
def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is(zone, day, hours):
    booking = interpret({**CHICAGO, "zone": zone}, date=f"{day}T00:00:00")

    assert booking.ends_at
    assert booking.ends_at - booking.starts_at == timedelta(hours=hours)


def test_a_booking_until_further_notice_has_no_end():
    booking = interpret(untilFurtherNotice=True)

    assert booking.ends_at is None
    assert booking.vendor_status == "until further notice"


@pytest.mark.parametrize(
    ("changes", "context", "status"),
    [
        ({}, {}, BookingStatus.CONFIRMED),
        ({}, {"ended": "yes"}, BookingStatus.COMPLETED),
        ({"deleted": 1}, {"ended": "yes"}, BookingStatus.CANCELLED),
    ],
)
def test_the_status_is_read_from_the_mark_and_the_day(changes, context, status):
    assert interpret({**CHICAGO, **context}, **changes).status == status


def test_a_desk_without_a_name_is_called_by_its_number():
    assert interpret({**CHICAGO, "desk": ""}).title == "Desk 501"


@pytest.mark.parametrize(
    ("changes", "context", "reason"),
    [
        ({"bookingID": None}, CHICAGO, "no bookingID"),
        ({"date": "some day"}, CHICAGO, "date cannot be read"),
        ({"date": None}, CHICAGO, "date cannot be read"),
        ({}, {**CHICAGO, "zone": ""}, "time zone is not known"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_the_reason(changes, context, reason):
    with pytest.raises(RecordRejected, match=reason):
        interpret(context, **changes)


def test_field_names_are_read_whatever_their_case():
    payload = json.dumps({name.upper(): value for name, value in PAYLOAD.items()}).encode()

    assert connector.stream("desk-bookings").interpret(payload, CHICAGO) == interpret()


def test_every_desk_booking_is_read_with_the_name_of_its_desk(condeco):
    stream = DeskBookings(now=condeco.clock.now)
    with vendor_access(connector, condeco) as access:
        found = {record.external_id: record for page in access.read_all(stream) for record in page.records}

    assert set(found) == condeco.holdings("desk-bookings")
    assert {record.parent_id for record in found.values()} <= condeco.holdings("desks")
    titles = {stream.interpret(record.payload, record.context).title for record in found.values()}
    assert all(title.startswith("Desk ") and "-" in title for title in titles)


def test_open_bookings_from_before_the_window_are_still_read(condeco):
    stream, book = DeskBookings(now=condeco.clock.now), condeco.desks[0]
    book.edit(0, condeco.clock.now(), day=condeco.epoch.date() - timedelta(days=200), is_open=True)

    with vendor_access(connector, condeco) as access:
        (found,) = [
            record
            for page in stream.sweep(access, "")
            for record in page.records
            if record.external_id == str(book.id_of(0))
        ]

    assert stream.interpret(found.payload, found.context).ends_at is None


def test_without_the_switch_desk_bookings_are_never_asked_for(condeco):
    stream = DeskBookings()
    with vendor_access(connector, condeco, reads_desk_bookings=False) as access:
        with pytest.raises(NotBought, match="switched off in the settings"):
            access.read_all(stream)
        with pytest.raises(NotBought):
            stream.look_up(access, "52003")

    assert condeco.requests == {}
