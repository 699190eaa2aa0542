"""Finding what is gone: sweeps, looking up, and what moved meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from integrations.contract import Page, Record, Span
from integrations.errors import RecordRejected, VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.bookings import RoomBookings
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.desk_bookings import DeskBookings
from integrations.vendors.condeco.sandbox import Emulator
from integrations.vendors.condeco.visitors import Visitors
from tests.integrations.vendor_access import VendorAccess, vendor_access

STREAMS = (RoomBookings, DeskBookings, Visitors)


@pytest.fixture
def access(condeco: Emulator) -> Iterator[VendorAccess]:
    with vendor_access(connector, condeco) as opened:
        yield opened


def records_of(pages: list[Page]) -> dict[str, Record]:
    return {record.external_id: record for page in pages for record in page.records}


def covered(records: dict[str, Record], span: Span | None) -> set[str]:
    assert span
    return {
        key
        for key, record in records.items()
        if record.position >= span.since and (not span.until or record.position < span.until)
    }


def ahead(condeco: Emulator) -> int:
    """The number of a room booking of the days to come."""
    account, now = condeco.accounts[0], condeco.clock.now()
    return next(n for n in range(len(account.diary)) if account.times_of(n)[0] > now and not account.is_deleted(n))


@pytest.mark.parametrize("make", STREAMS)
def test_a_sweep_sees_everything_in_its_window_and_says_so_with_its_last_page(condeco, access, make):
    stream = make(now=condeco.clock.now)
    kept = records_of(access.read_all(stream))

    pages = list(stream.sweep(access, ""))

    assert [page.covers for page in pages[:-1]] == [None] * (len(pages) - 1)
    assert covered(kept, pages[-1].covers)
    assert covered(kept, pages[-1].covers) <= set(records_of(pages))


@pytest.mark.parametrize("make", STREAMS)
def test_a_sweep_that_goes_on_later_covers_what_it_began_with(condeco, access, make):
    stream = make(now=condeco.clock.now)
    pages = list(stream.sweep(access, ""))
    condeco.clock.advance(timedelta(minutes=30))

    for number in range(0, len(pages) - 1, 5):
        assert list(stream.sweep(access, pages[number].cursor))[-1].covers == pages[-1].covers


@pytest.mark.parametrize("make", STREAMS)
def test_a_finished_sweep_has_nothing_more_to_say(condeco, access, make):
    stream = make(now=condeco.clock.now)
    end = list(stream.sweep(access, ""))[-1].cursor

    (page,) = stream.sweep(access, end)

    assert (page.records, page.covers, page.cursor) == ((), None, end)


def test_a_booking_that_vanished_is_missed_and_does_not_exist(condeco, access):
    stream = RoomBookings(now=condeco.clock.now)
    kept, number = records_of(access.read_all(stream)), ahead(condeco)
    key = str(condeco.accounts[0].booking_id(number))
    condeco.accounts[0].erased.add(number)

    pages = list(stream.sweep(access, ""))

    assert covered(kept, pages[-1].covers) - set(records_of(pages)) == {key}
    assert stream.look_up(access, key) is None


def test_a_booking_that_moved_to_another_room_is_seen_there(condeco, access):
    stream, account, number = RoomBookings(now=condeco.clock.now), condeco.accounts[0], ahead(condeco)
    kept = records_of(access.read_all(stream))
    account.settle(number, condeco.clock.now(), (account.place_of(number)[0] + 1) % account.rooms)
    account.diary.mark(number, condeco.clock.now())

    pages = list(stream.sweep(access, ""))
    key = str(account.booking_id(number))

    assert key in records_of(pages)
    assert records_of(pages)[key].parent_id != kept[key].parent_id


def test_a_booking_that_moves_while_the_sweep_goes_on_is_found_by_its_number(condeco, access):
    """It leaves a room that was not read yet for one that was."""
    stream, account = RoomBookings(now=condeco.clock.now), condeco.accounts[0]
    sweep = stream.sweep(access, "")
    pages = [next(sweep) for _ in range(5)]
    (first,) = {record.parent_id for page in pages for record in page.records}
    room, far_away = account.room_of(first), account.rooms - 1  # the rooms beside the first are asked for with it
    number = next(
        n
        for n in range(len(account.diary))
        if account.times_of(n)[0] > condeco.clock.now() and account.place_of(n)[0] == far_away
    )
    account.settle(number, condeco.clock.now(), room)
    account.diary.mark(number, condeco.clock.now())

    pages += list(sweep)
    key = str(account.booking_id(number))
    found = stream.look_up(access, key)

    assert key not in records_of(pages)
    assert found
    assert found.parent_id == first


def test_a_booking_looked_up_is_the_same_as_the_one_that_was_read(condeco, access):
    for make in (RoomBookings, DeskBookings):
        stream = make(now=condeco.clock.now)
        for key, record in list(records_of(access.read_all(stream)).items())[::9]:
            assert stream.look_up(access, key) == record


def test_many_looked_up_in_a_row_cost_one_call_each_and_the_way_to_their_places_once(condeco, access):
    stream = RoomBookings(now=condeco.clock.now)
    keys = list(records_of(access.read_all(stream)))
    before = len(access.exchanges)

    for key in keys:
        stream.look_up(access, key)

    assert len(access.exchanges) - before == len(keys) + 6 + 4  # countries and below, then the rooms of each location


def test_a_booking_that_left_the_places_to_copy_is_gone_for_us(condeco):
    with vendor_access(connector, condeco, places="India") as access:
        number = next(n for n in range(60) if condeco.accounts[0].place_of(n)[0] % 4 != 3)

        assert RoomBookings().look_up(access, str(condeco.accounts[0].booking_id(number))) is None


BARE = b'{"bookingID":5,"roomID":501,"locationId":101,"timeFromUTC":"2026-03-17T09:00:00","privateMeeting":false}'


@pytest.mark.parametrize(
    "body", [BARE, b'{"booking":' + BARE + b"}", b'{"bookings":[' + BARE + b"]}", b'{"Data":[' + BARE + b"]}"]
)
def test_one_booking_is_read_out_of_every_wrapper(condeco, access, body):
    condeco.weather.add(Fault(path="/bookings/5", status=200, body=body))

    found = RoomBookings().look_up(access, "5")

    assert found
    assert (found.external_id, found.payload, found.position) == ("5", BARE, "2026-03-17T09:00:00Z")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=400, body=b'{"IsError":true,"Message":"Booking Id does not exist.","Data":null}'),
        Fault(status=400, body=b'{"message":"Booking Id does not exist."}'),
        Fault(status=400, body=b"Booking Id does not exist."),
        Fault(status=200, body=b'{"IsError":true,"Message":"Booking Id does not exist.","Data":null}'),
        Fault(status=404, body=b'{"Message":"No such booking"}'),
        Fault(status=404, body=b""),
        Fault(status=200, body=b'{"bookings":[]}'),
        Fault(status=200, body=b'{"booking":null}'),
    ],
)
def test_a_booking_that_does_not_exist_is_gone(condeco, access, fault):
    fault.path = "/bookings/"
    condeco.weather.add(fault)

    assert RoomBookings().look_up(access, "310007") is None


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=404, body=b'{"statusCode":404,"message":"Resource not found"}'),
        Fault(status=400, body=b'{"message":"Bad"}'),
        Fault(status=200, body=b'{"IsError":true,"Message":"Bad"}'),
    ],
)
def test_another_refusal_makes_nothing_gone(condeco, access, fault):
    fault.path = "/bookings/"
    condeco.weather.add(fault)

    with pytest.raises(VendorChanged):
        RoomBookings().look_up(access, "310007")


@pytest.mark.parametrize("make", [RoomBookings, DeskBookings])
def test_what_is_looked_up_and_cannot_be_read_is_set_aside_by_the_house(condeco, access, make):
    stream = make(now=condeco.clock.now)
    condeco.weather.add(Fault(path="/310007", status=200, body=b'{"bookingID":{"odd":1}}'))

    found = stream.look_up(access, "310007")

    assert found
    assert found.external_id == "310007"
    with pytest.raises(RecordRejected):
        stream.interpret(found.payload, found.context)
