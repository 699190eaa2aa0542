"""Reading the three lists from the running emulator with the real client."""

import re
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.contract import Page, Record
from integrations.errors import VendorChanged
from integrations.sandbox.kit import Fault
from integrations.values import BookingStatus
from integrations.vendors.condeco.bookings import RoomBookings
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

from .conftest import MID_MORNING, MONDAY

KEYS = ("locations", "rooms", "room-bookings")
NAMELESS_ROOM = b'{"IsError":false,"Data":[{"ResourceName":"Nameless"},{"ResourceName":"Ash","InternalId":501}]}'


@pytest.fixture
def access(condeco: Emulator) -> Iterator[VendorAccess]:
    with vendor_access(connector, condeco) as opened:
        yield opened


def stream_of(sandbox: Emulator, key: str):
    """The stream of that key, with the emulator's idea of today."""
    return RoomBookings(now=sandbox.clock.now) if key == "room-bookings" else connector.stream(key)


def records_of(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def by_id(pages: list[Page]) -> dict[str, tuple[bytes, dict[str, str]]]:
    return {record.external_id: (record.payload, dict(record.context)) for record in records_of(pages)}


def read(sandbox: Emulator, key: str, account: int = 0, cursor: str = "", **changes: object) -> list[Page]:
    with vendor_access(connector, sandbox, account, **changes) as access:
        return access.read_all(stream_of(sandbox, key), cursor)


@pytest.mark.parametrize(("key", "count"), [("locations", 4), ("rooms", 8), ("room-bookings", 60)])
def test_a_list_is_read_completely_and_each_record_once(condeco, key, count):
    ids = [record.external_id for record in records_of(read(condeco, key))]

    assert len(ids) == len(set(ids)) == count


def test_every_record_but_private_ones_is_the_vendors_own_bytes(condeco):
    for record in records_of(read(condeco, "room-bookings")):
        booking = msgspec.json.decode(record.payload)
        assert record.external_id == str(booking["bookingID"])
        assert record.parent_id == str(booking["roomID"])
        number = condeco.accounts[0].number_of(booking["bookingID"])
        assert booking["privateMeeting"] or record.payload == condeco.accounts[0].booking_json(number)


def test_what_is_private_about_a_meeting_never_comes_to_us(condeco):
    account = condeco.accounts[0]
    for number in range(len(account.diary)):
        condeco.edit(account, number).is_private = True

    found = records_of(read(condeco, "room-bookings"))

    assert len(found) == 60
    assert not any(b"meetingTitle" in record.payload or b"northlight.example" in record.payload for record in found)


def test_rooms_know_their_location_and_bookings_their_room_location_and_zone(condeco):
    rooms = {record.external_id: record for record in records_of(read(condeco, "rooms"))}
    locations = by_id(read(condeco, "locations"))

    for booking in records_of(read(condeco, "room-bookings")):
        room = rooms[booking.parent_id]
        assert room.parent_id in locations
        assert booking.context["room"] == msgspec.json.decode(room.payload)["ResourceName"]
        assert booking.context["location"] == room.context["location"]
        assert booking.context["zone"] == room.context["zone"] != ""


def test_rooms_are_asked_in_the_order_of_their_ids_within_a_location(condeco):
    with vendor_access(connector, condeco) as access:
        pages = access.read_all(stream_of(condeco, "room-bookings"))
    rooms = [int(page.records[0].parent_id) for page in pages if page.records]

    assert rooms == sorted(rooms, key=lambda room: ((room - 501) % 4, room))


def test_the_first_copy_goes_back_by_the_days_of_the_setting(condeco):
    early = records_of(read(condeco, "room-bookings", history_days=1))
    yesterday = (MID_MORNING - timedelta(days=1)).date().isoformat()

    assert 0 < len(early) < 60
    assert all(msgspec.json.decode(record.payload)["timeToUTC"][:10] >= yesterday for record in early)


def test_the_next_run_asks_from_the_day_before_the_last_one(condeco):
    cursor = read(condeco, "room-bookings")[-1].cursor
    first = msgspec.json.decode(read(condeco, "room-bookings", cursor=cursor)[0].cursor)
    condeco.clock.advance(timedelta(days=3))
    after_a_pause = msgspec.json.decode(read(condeco, "room-bookings", cursor=cursor)[0].cursor)

    assert (first["since"], first["until"]) == ("2026-03-15", "2026-03-30")
    assert (after_a_pause["since"], after_a_pause["until"]) == ("2026-03-15", "2026-04-02")


def test_the_second_account_sees_only_its_own(condeco):
    first, second = (records_of(read(condeco, "room-bookings", account)) for account in (0, 1))

    assert len(second) == 30
    assert not {record.external_id for record in first} & {record.external_id for record in second}
    assert any(b"harbourfinch.example" in record.payload for record in second)
    assert not any(b"northlight.example" in record.payload for record in second)
    assert not any(b"harbourfinch.example" in record.payload for record in first)


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_reading_on_from_any_page_gives_the_rest(condeco, access, key, data):
    stream = stream_of(condeco, key)
    pages = access.read_all(stream)
    number = data.draw(st.integers(0, len(pages) - 2))

    assert access.read_all(stream, pages[number].cursor) == pages[number + 1 :]


def test_reading_on_later_still_gives_what_the_uninterrupted_reading_began(condeco):
    pages = read(condeco, "room-bookings")
    condeco.clock.freeze(MID_MORNING + timedelta(seconds=90))

    assert read(condeco, "room-bookings", cursor=pages[6].cursor) == pages[7:]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 99), hours=st.integers(1, 60), touched=st.sets(st.integers(0, 39), max_size=15))
def test_an_incremental_run_brings_the_copy_to_what_a_full_reading_shows(seed, hours, touched):
    condeco = Emulator(sizes=(40, 8), epoch=MONDAY, seed=seed)
    condeco.clock.freeze(MID_MORNING)
    with condeco.serve(), vendor_access(connector, condeco) as access:
        stream = stream_of(condeco, "room-bookings")
        first = access.read_all(stream)
        condeco.clock.advance(timedelta(hours=hours))
        for number in touched:
            condeco.accounts[0].diary.touch(number, condeco.clock.now())
        condeco.accounts[0].diary.add(condeco.clock.now())

        later = access.read_all(stream, first[-1].cursor)

        assert by_id(first) | by_id(later) == by_id(access.read_all(stream))


def test_a_cancelled_booking_is_told_by_its_mark(condeco):
    diary, stream = condeco.accounts[0].diary, stream_of(condeco, "room-bookings")
    for number in range(len(diary)):
        for _ in range(6):
            diary.touch(number, condeco.clock.now())

    statuses = [
        stream.interpret(record.payload, record.context).status for record in records_of(read(condeco, "room-bookings"))
    ]

    assert BookingStatus.CANCELLED in statuses
    assert BookingStatus.COMPLETED in statuses
    assert BookingStatus.CONFIRMED in statuses


def test_one_bad_booking_is_set_aside_and_the_rest_goes_on(condeco):
    condeco.accounts[0].spoilt.add(3)

    pages = read(condeco, "room-bookings")

    assert len(records_of(pages)) == 59
    (rejected,) = [rejected for page in pages for rejected in page.rejected]
    assert rejected.reason == "There is no bookingID."
    assert b"meetingTitle" in rejected.payload


def test_a_room_without_an_id_is_set_aside_among_the_rooms(condeco):
    condeco.weather.add(Fault(path="/rooms", status=200, body=NAMELESS_ROOM))

    (rejected,) = [rejected for page in read(condeco, "rooms") for rejected in page.rejected]

    assert rejected.reason == "There is no InternalId."


def test_a_room_without_an_id_is_passed_over_for_bookings(condeco):
    condeco.weather.add(Fault(path="/rooms", status=200, body=NAMELESS_ROOM))

    assert {record.parent_id for record in records_of(read(condeco, "room-bookings"))} >= {"501", "502", "503", "504"}


def test_a_region_without_an_id_stops_the_walk_for_nobody_else_would_tell(condeco):
    body = b'{"IsError":false,"Data":[{"ResourceName":"Nowhere"}]}'
    condeco.weather.add(Fault(path="/regions", status=200, body=body))

    with pytest.raises(VendorChanged, match="country or region without an id"):
        read(condeco, "locations")


def test_a_booking_of_another_room_than_asked_is_set_aside(condeco):
    body = b'{"bookings":[{"bookingID":5,"roomID":777}]}'
    condeco.weather.add(Fault(path="/bookings", status=200, body=body))

    pages = read(condeco, "room-bookings")

    (rejected,) = [rejected for page in pages for rejected in page.rejected]
    # Rooms are asked side by side: whichever call came first got the odd answer.
    assert re.fullmatch(r"Room 50\d was asked for, but the booking names room 777\.", rejected.reason)


def test_what_is_set_aside_of_a_private_meeting_is_without_what_is_private(condeco):
    body = b'{"bookings":[{"bookingID":5,"roomID":777,"meetingTitle":"Merger","PrivateMeeting":1}]}'
    condeco.weather.add(Fault(path="/bookings", status=200, body=body))

    (rejected,) = [rejected for page in read(condeco, "room-bookings") for rejected in page.rejected]

    assert b"777" in rejected.payload
    assert b"Merger" not in rejected.payload


def test_desks_among_the_rooms_are_not_asked_for_room_bookings(condeco):
    body = b'{"IsError":false,"Data":[{"ResourceName":"Desk 1","InternalId":9,"WorkspaceTypeId":2}]}'
    condeco.weather.add(Fault(path="/rooms", status=200, body=body, times=4))

    assert records_of(read(condeco, "room-bookings")) == []
    assert not any("bookings" in asked for asked in condeco.requests)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="/rooms", status=404, body=b'{"Message":"Location does not exist."}'),
        Fault(path="/rooms", status=400, body=b'{"IsError":true,"Message":"Location does not exist.","Data":null}'),
        Fault(path="/rooms", status=200, body=b'{"IsError":true,"Message":"Location does not exist.","Data":null}'),
        Fault(path="/rooms", status=200, body=b'{"IsError":false,"Message":"","Data":null}'),
    ],
    ids=["404", "400", "IsError", "null"],
)
def test_a_location_that_went_away_during_the_walk_has_no_rooms(condeco, fault):
    condeco.weather.add(fault)

    assert 0 < len(records_of(read(condeco, "rooms"))) < 8


def test_an_empty_condeco_gives_a_checkpoint_without_records(condeco):
    body = b'{"IsError":false,"Status":false,"Message":"","Data":[]}'
    condeco.weather.add(Fault(path="/countries", status=200, body=body, times=3))

    for key in KEYS:
        (page,) = read(condeco, key)
        assert page.records == ()


def test_cursors_hold_no_secrets_and_stay_small(condeco):
    with vendor_access(connector, condeco) as access:
        cursors = [page.cursor for page in access.read_all(stream_of(condeco, "room-bookings"))]

        assert max(map(len, cursors)) < 1000
        assert not any(secret in cursor for secret in access.secrets.values() for cursor in cursors)
