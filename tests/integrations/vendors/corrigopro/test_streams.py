"""Paging, resuming and catching up, against the sandbox on a real port."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.contract import Page
from integrations.errors import ReconnectNeeded, VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.corrigopro import connector
from integrations.vendors.corrigopro.orders import WorkOrders
from integrations.vendors.corrigopro.sandbox import Emulator
from integrations.vendors.corrigopro.streams import Customers
from tests.integrations.vendor_access import VendorAccess, vendor_access

SMALL = WorkOrders(suspicious_rows=20, batch=7)  # as the sandbox of these tests, which gives at most 20 rows
FIRST_ID = 15_849


def held(pages: Iterable[Page]) -> dict[str, bytes]:
    """What is stored after these pages: the last form of each order."""
    return {record.external_id: record.payload for page in pages for record in page.records}


def test_every_order_comes_once_in_the_order_of_its_creation(corrigopro: Emulator, access: VendorAccess) -> None:
    pages = access.read_all(SMALL)

    ids = [int(record.external_id) for page in pages for record in page.records]
    assert ids == list(range(FIRST_ID, FIRST_ID + 130))
    assert all(len(page.records) <= 7 for page in pages)


def test_a_record_is_the_vendors_own_bytes(corrigopro: Emulator, access: VendorAccess) -> None:
    records = [record for page in access.read_all(SMALL) for record in page.records]

    book = corrigopro.accounts[0].book
    assert json.loads(records[4].payload) == book.detail(4)
    assert all(SMALL.interpret(record.payload, record.context).number for record in records)


def test_a_search_that_comes_back_cut_is_asked_again_in_smaller_windows(corrigopro: Emulator) -> None:
    corrigopro.search_cap = 8
    with vendor_access(connector, corrigopro) as access:
        assert len(held(access.read_all(WorkOrders(suspicious_rows=8)))) == 130


def test_more_changes_in_one_second_than_a_search_gives_all_come(corrigopro: Emulator, access: VendorAccess) -> None:
    cursor = access.read_all(SMALL)[-1].cursor
    corrigopro.clock.freeze(datetime.now(UTC))
    changed = {str(corrigopro.change(0, number)) for number in range(60, 120)}

    pages = access.read_all(SMALL, cursor)

    assert held(pages).keys() >= changed
    for index, page in enumerate(pages[:-1]):
        assert held(access.read_all(SMALL, page.cursor)) == held(pages[index + 1 :])


def test_only_the_chosen_history_is_read(corrigopro: Emulator) -> None:
    with vendor_access(connector, corrigopro, history_days=30) as access:
        orders = [SMALL.interpret(payload, {}) for payload in held(access.read_all(SMALL)).values()]

    assert 30 < len(orders) < 60
    assert min(order.opened_at for order in orders if order.opened_at) > datetime.now(UTC) - timedelta(
        days=30, minutes=1
    )


def test_the_number_of_orders_is_guessed_at_first_and_known_at_the_end(access: VendorAccess) -> None:
    pages = access.read_all(SMALL)

    assert pages[-1].expected == 130
    assert all(page.expected and 65 < page.expected < 260 for page in pages if page.records)


def test_reading_on_from_any_page_gives_the_rest(access: VendorAccess) -> None:
    pages = access.read_all(SMALL)

    for index, page in enumerate(pages[:-1]):
        assert access.read_all(SMALL, page.cursor)[:-1] == pages[index + 1 : -1]
        assert held(access.read_all(SMALL, page.cursor)) == held(pages[index + 1 :])


def test_the_next_reading_asks_only_for_changes(corrigopro: Emulator, access: VendorAccess) -> None:
    cursor = access.read_all(SMALL)[-1].cursor
    changed, created = corrigopro.change(0, 3), corrigopro.create(0)
    corrigopro.requests.clear()

    pages = access.read_all(SMALL, cursor)

    assert held(pages).keys() >= {str(changed), str(created)}
    assert sum(corrigopro.requests.values()) <= 4


def test_nothing_new_is_one_search_and_one_empty_page() -> None:
    now = datetime.now(UTC)
    sandbox = Emulator(sizes=(50, 5), epoch=now - timedelta(days=3))
    since = now - timedelta(days=1)
    with sandbox.serve(), vendor_access(connector, sandbox) as access:
        (page,) = access.read_all(SMALL, json.dumps({"next": since.isoformat()}))

    assert page.records == ()
    assert sandbox.requests == {"POST /OAuth/Token": 1, "POST /am/Direct/api/workOrder/search": 1}
    assert datetime.fromisoformat(json.loads(page.cursor)["next"]) > since


def test_changes_during_an_interrupted_first_reading_are_not_lost(corrigopro: Emulator, access: VendorAccess) -> None:
    reading = SMALL.read(access, "")
    pages = [next(reading) for _ in range(8)]
    for number in (1, 60, 125):
        corrigopro.change(0, number)
    corrigopro.create(0)

    pages += access.read_all(SMALL, pages[-1].cursor)
    pages += access.read_all(SMALL, pages[-1].cursor)

    assert held(pages) == held(access.read_all(SMALL))


def test_an_order_that_changes_between_search_and_detail_comes_again(
    corrigopro: Emulator, access: VendorAccess
) -> None:
    cursor = access.read_all(SMALL)[-1].cursor
    for number in range(20):
        corrigopro.change(0, number)
    reading = SMALL.read(access, cursor)
    pages = [next(reading)]  # its window is searched; the rows of later pages are known
    for number in range(5, 18):
        corrigopro.change(0, number)
    pages += list(reading)
    pages += access.read_all(SMALL, pages[-1].cursor)

    full = held(access.read_all(SMALL))
    assert {key: full[key] for key in held(pages)} == held(pages)


def test_a_vendor_clock_some_hours_ahead_hides_nothing(corrigopro: Emulator, access: VendorAccess) -> None:
    cursor = access.read_all(SMALL)[-1].cursor
    corrigopro.clock.advance(timedelta(hours=5))
    first, second = corrigopro.change(0, 1), corrigopro.create(0)

    pages = access.read_all(SMALL, cursor)
    assert held(pages).keys() >= {str(first), str(second)}

    corrigopro.clock.advance(timedelta(hours=-4))
    third = corrigopro.change(0, 2)
    assert str(third) in held(access.read_all(SMALL, pages[-1].cursor))


def test_a_server_that_does_not_search_by_change_is_searched_by_creation(
    corrigopro: Emulator, access: VendorAccess
) -> None:
    pages = access.read_all(SMALL)
    corrigopro.refuses_last_update = True
    changed, created = corrigopro.change(0, 120), corrigopro.create(0)

    later = access.read_all(SMALL, pages[-1].cursor)

    assert held(later).keys() >= {str(changed), str(created)}
    assert len(held(later)) < 20
    assert held(pages + later) == held(access.read_all(SMALL))
    for index, page in enumerate(later[:-1]):
        assert held(access.read_all(SMALL, page.cursor)) == held(later[index + 1 :])


def test_each_company_sees_only_its_own_orders(corrigopro: Emulator, access: VendorAccess) -> None:
    with vendor_access(connector, corrigopro, 1) as other:
        theirs, ours = held(other.read_all(SMALL)), held(access.read_all(SMALL))
        assert held(other.read_all(Customers())).keys().isdisjoint(held(access.read_all(Customers())))

    assert len(theirs) == 40
    assert theirs.keys().isdisjoint(ours)


def test_a_detail_without_its_id_is_set_aside_and_the_rest_goes_on(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.broken.add(FIRST_ID + 40)

    pages = access.read_all(SMALL)

    assert len(held(pages)) == 129
    (rejected,) = [item for page in pages for item in page.rejected]
    assert "without a readable id" in rejected.reason
    assert json.loads(rejected.payload)["WorkOrderNumber"]


def test_an_order_that_is_listed_but_not_given_is_set_aside(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.withheld.add(FIRST_ID + 40)

    (rejected,) = [item for page in access.read_all(SMALL) for item in page.rejected]

    assert json.loads(rejected.payload)["WorkOrderId"] == FIRST_ID + 40


def test_a_row_without_its_id_is_set_aside_once(corrigopro: Emulator, access: VendorAccess) -> None:
    body = b'{"WorkOrders":[{"WorkOrderNumber":"A1"},{"WorkOrderId":1,"Created":null}],"MessageId":"x"}'
    corrigopro.weather.add(Fault(path="search", status=200, body=body))

    pages = access.read_all(SMALL)

    assert [item.payload for page in pages for item in page.rejected] == [
        b'{"WorkOrderNumber":"A1"}',
        b'{"WorkOrderId":1,"Created":null}',  # listed, but no such order is given
    ]


def test_most_details_kept_back_is_the_vendors_change(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.withheld.update(range(FIRST_ID, FIRST_ID + 130))

    with pytest.raises(VendorChanged, match="keeps back"):
        access.read_all(WorkOrders(suspicious_rows=20))


def test_a_search_that_ignores_the_span_ends_at_once(corrigopro: Emulator, access: VendorAccess) -> None:
    row = corrigopro.accounts[0].book.row
    body = json.dumps({"WorkOrders": [row(number) for number in range(100)]}).encode()
    corrigopro.weather.add(Fault(path="search", status=200, body=body, times=1000))

    with pytest.raises(VendorChanged, match="outside the time"):
        access.read_all(SMALL)


def test_a_token_that_ends_during_a_reading_is_renewed(corrigopro: Emulator, access: VendorAccess) -> None:
    reading = SMALL.read(access, "")
    pages = [next(reading)]
    corrigopro.clock.advance(timedelta(seconds=1200))
    pages += list(reading)

    assert len(held(pages)) == 130
    assert corrigopro.requests["POST /OAuth/Token"] == 2


def test_revoked_access_stops_the_reading_and_asks_for_a_reconnect(corrigopro: Emulator, access: VendorAccess) -> None:
    reading = SMALL.read(access, "")
    page = next(reading)
    corrigopro.revoke()

    with pytest.raises(ReconnectNeeded) as stop:
        list(reading)

    assert stop.value.code == "credentials"
    with vendor_access(connector, corrigopro) as reconnected:
        assert len(held([page])) + len(held(reconnected.read_all(SMALL, page.cursor))) == 130


def test_customers_come_whole_and_in_the_order_of_their_ids(access: VendorAccess) -> None:
    stream = Customers(batch=4)
    pages = access.read_all(stream)

    ids = [int(record.external_id) for page in pages for record in page.records]
    assert ids == sorted(ids)
    assert len(ids) == 14 == pages[0].expected
    for index, page in enumerate(pages[:-1]):
        assert access.read_all(stream, page.cursor) == pages[index + 1 :]
    assert access.read_all(stream, pages[-1].cursor) == pages


def test_a_company_without_customers_gives_one_empty_page(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="customers", status=200, body=b'{"customers":[],"MessageId":"x"}'))

    assert [page.records for page in access.read_all(Customers())] == [()]


def test_a_sweep_sees_every_order_but_the_lost_one(corrigopro: Emulator, access: VendorAccess) -> None:
    stored = {record.external_id: record for page in access.read_all(SMALL) for record in page.records}
    corrigopro.requests.clear()
    corrigopro.lose_order()

    pages = list(SMALL.sweep(access, ""))

    seen = {external_id for page in pages for external_id in page.seen}
    (lost,) = stored.keys() - seen
    spans = [page.covers for page in pages if page.covers]
    assert any(span.since <= stored[lost].position < span.until for span in spans)
    assert SMALL.look_up(access, lost) is None
    assert not any("workOrder" in path and "search" not in path for path in list(corrigopro.requests)[:-1])
    for page in pages[:-1]:
        rest = {external_id for onward in SMALL.sweep(access, page.cursor) for external_id in onward.seen}
        assert rest <= seen


def test_a_window_that_may_be_cut_is_not_said_to_be_covered() -> None:
    epoch = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    sandbox = Emulator(sizes=(5, 0), search_cap=10, epoch=epoch)
    for _ in range(12):
        sandbox.accounts[0].book.add(epoch)
    with sandbox.serve(), vendor_access(connector, sandbox) as access:
        pages = list(WorkOrders(suspicious_rows=10).sweep(access, ""))

    spans = [page.covers for page in pages if page.covers]
    moment = epoch.strftime("%Y-%m-%dT%H:%M:%S")
    assert spans
    assert not any(span.since <= f"{moment}.000000Z" < span.until for span in spans)


def test_an_order_is_looked_up_by_its_id(access: VendorAccess) -> None:
    record = access.read_all(SMALL)[0].records[0]

    assert SMALL.look_up(access, record.external_id) == record


class TestLaws:
    @settings(max_examples=15, deadline=None)
    @given(
        stop=st.integers(0, 12),
        meanwhile=st.lists(st.integers(0, 59), max_size=6),
        created=st.integers(0, 2),
        afterwards=st.lists(st.integers(0, 59), max_size=25),
    )
    def test_an_interrupted_and_resumed_reading_stores_what_a_full_one_stores(
        self,
        shared: tuple[Emulator, VendorAccess],
        stop: int,
        meanwhile: list[int],
        created: int,
        afterwards: list[int],
    ) -> None:
        sandbox, access = shared
        reading = SMALL.read(access, "")
        pages = [page for _, page in zip(range(stop + 1), reading, strict=False)]
        for number in meanwhile:
            sandbox.change(0, number)
        for _ in range(created):
            sandbox.create(0)
        pages += access.read_all(SMALL, pages[-1].cursor)
        for number in afterwards:
            sandbox.change(0, number)
        reading = SMALL.read(access, pages[-1].cursor)
        pages.append(next(reading))
        pages += access.read_all(SMALL, pages[-1].cursor)
        pages += access.read_all(SMALL, pages[-1].cursor)

        assert held(pages) == held(access.read_all(SMALL))
