"""Locations, practitioners, appointment types and clients."""

import json
import threading

import msgspec
import pytest

from integrations.contract import Page
from integrations.errors import VendorChanged
from integrations.http import Http
from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus import connector, paging
from integrations.vendors.coreplus.client import Listing
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

CLIENTS = connector.stream("clients")


def ids(pages: list[Page]) -> list[str]:
    return [record.external_id for page in pages for record in page.records]


@pytest.mark.parametrize("key", ["locations", "practitioners", "appointment-types", "clients"])
def test_a_list_is_read_whole_and_again(coreplus: Emulator, access: VendorAccess, key: str) -> None:
    stream = connector.stream(key)
    pages = access.read_all(stream)

    assert set(ids(pages)) == coreplus.holdings(key)
    assert len(ids(pages)) == len(set(ids(pages)))
    assert access.read_all(stream, pages[-1].cursor) == pages


def test_a_type_carries_its_specialty(access: VendorAccess) -> None:
    (page,) = access.read_all(connector.stream("appointment-types"))

    assert {json.loads(record.payload)["specialty"] for record in page.records} == {
        "Physiotherapy",
        "Podiatry",
        "Nutrition",
    }


def test_a_specialty_of_another_shape_is_set_aside(coreplus: Emulator, access: VendorAccess) -> None:
    body = b'{"specialtyTypes": [7, {"appointmentTypes": [{"appointmentTypeId": "A-1", "description": "Check"}]}]}'
    coreplus.weather.add(Fault(path="SpecialtyType", status=200, body=body))
    (page,) = access.read_all(connector.stream("appointment-types"))

    assert ids([page]) == ["a-1"]
    assert len(page.rejected) == 1


def test_a_list_that_is_longer_than_its_answer_is_not_taken_for_whole(coreplus: Emulator, access: VendorAccess) -> None:
    body = b'{"locations": [{"locationId": "1", "name": "A"}], "paging": {"totalRows": 2}}'
    coreplus.weather.add(Fault(path="Location", status=200, body=body))
    with pytest.raises(VendorChanged):
        access.read_all(connector.stream("locations"))


def test_without_names_no_client_is_even_asked_for(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, 1) as access:
        (page,) = access.read_all(CLIENTS)

        assert page.records == ()
        assert access.exchanges == []


def test_clients_come_without_birth_dates(coreplus: Emulator, access: VendorAccess) -> None:
    payloads = b"".join(record.payload for page in access.read_all(CLIENTS) for record in page.records)

    assert b"lastName" in payloads
    assert not [word for word in (b"dateOfBirth", b"gender", b"pronouns", b"culture") if word in payloads]


def test_what_is_no_client_is_set_aside_without_a_word_of_it(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.weather.add(Fault(path="Client", status=200, body=b'{"clients": [{"lastName": "Whitcombe"}, "Mara"]}'))
    (page,) = access.read_all(CLIENTS)

    assert len(page.rejected) == 2
    assert "Whitcombe" not in str(page.rejected)
    assert "Mara" not in str(page.rejected)


def test_a_reading_goes_on_at_any_page() -> None:
    big = Emulator(sizes=(520,))
    with big.serve(), vendor_access(connector, big) as access:
        pages = access.read_all(CLIENTS)

        assert [len(page.records) for page in pages] == [50, 50, 50, 10]
        for place, page in enumerate(pages[:-1]):
            assert access.read_all(CLIENTS, page.cursor) == pages[place + 1 :]


def test_a_client_who_goes_while_pages_are_turned_takes_nobody_along() -> None:
    big = Emulator(sizes=(520,))
    with big.serve(), vendor_access(connector, big) as access:
        big.after_page = lambda path: big.worlds[0].gone_clients.add(3)
        pages = access.read_all(CLIENTS)

        assert set(ids(pages)) >= big.holdings("clients")


@pytest.mark.parametrize("has_total", [True, False])
def test_pages_are_turned_until_the_total_or_a_short_page(has_total: bool) -> None:
    place = paging.Place()
    for number, size in enumerate((3, 3, 1), start=1):
        assert place.page == number
        place = paging.turn(place, listing(number, size, total=7 if has_total else None), 3)

    assert place.is_end
    assert not place.is_torn


def test_without_a_total_a_full_last_page_is_followed_by_an_empty_one() -> None:
    place = paging.turn(paging.turn(paging.Place(), listing(1, 3), 3), listing(2, 0), 3)

    assert place.is_end


def test_a_list_whose_total_changes_is_begun_again_some_times_and_then_counts_for_nothing() -> None:
    place, total = paging.Place(), 10
    for _ in range(3):
        place = paging.turn(paging.turn(place, listing(1, 3, total=total), 3), listing(2, 3, total=total + 1), 3)
        assert place.page == 1
        total += 1
    place = paging.turn(paging.turn(place, listing(1, 3, total=total), 3), listing(2, 3, total=total + 1), 3)

    assert place.page == 3
    assert place.is_torn


def test_a_list_that_ends_before_its_total_is_begun_again() -> None:
    place = paging.turn(paging.turn(paging.Place(), listing(1, 3, total=7), 3), listing(2, 0, total=7), 3)

    assert place == paging.Place(restarts=1)


@pytest.mark.parametrize("page", [None, 1])
def test_the_same_page_again_is_no_progress(page: int | None) -> None:
    again = Listing(rows=listing(1, 3).rows, total=9, page=page)
    with pytest.raises(VendorChanged) as stop:
        paging.turn(paging.turn(paging.Place(), again, 3), again, 3)

    assert stop.value.code == "endless"


def listing(page: int, size: int, total: int | None = None) -> Listing:
    body = [{"clientId": f"{page}-{number}"} for number in range(size)]
    rows = [msgspec.Raw(json.dumps(row).encode()) for row in body]
    return Listing(rows=rows, total=total, page=None if total is None else page)


@pytest.mark.parametrize("moment", range(2, 6))
def test_a_row_that_goes_while_pages_are_under_way_hides_no_other(moment: int) -> None:
    rows, lock = list(range(50)), threading.Lock()

    def fetch(number: int) -> Listing:
        with lock:
            if number == moment and 0 in rows:
                rows.remove(0)  # every later row slips one place towards the beginning
            page = rows[(number - 1) * 10 : number * 10]
            return Listing(rows=[msgspec.Raw(str(row).encode()) for row in page], total=len(rows), page=number)

    pages = list(paging.read(Http(parallel=4), fetch, paging.Place(), 10))

    assert {int(bytes(row)) for listing, _ in pages for row in listing.rows} >= set(range(1, 50))
    assert not pages[-1][1].is_torn
