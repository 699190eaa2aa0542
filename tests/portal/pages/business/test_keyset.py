from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.records.models import WorkOrder
from integrations.records.queries import OPEN_STATUSES, work_orders
from integrations.values import WorkOrderStatus
from portal.pages.keyset import BadCursor, Keyset, Order
from portal.tenancy.models import Tenant
from tests import sample_data
from tests.page_fixtures import House

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
# Few values, so that ties are the rule; None among them.
DUE = st.lists(st.none() | st.integers(0, 3), max_size=14)
SIZES = st.integers(1, 6)


@pytest.fixture
def stored(house: House, neighbour: House):
    with neighbour.scope:
        sample_data.work_order(sample_data.connect(neighbour.tenant, "fieldwork"), due_at=NOON)
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")

    def store(due: list[int | None], statuses: list[WorkOrderStatus] | None = None) -> None:
        rows = [
            {
                "due_at": None if hours is None else NOON + timedelta(hours=hours),
                "status": statuses[number % len(statuses)] if statuses else WorkOrderStatus.NEW,
            }
            for number, hours in enumerate(due)
        ]
        WorkOrder.objects.filter(tenant=house.tenant).delete()
        sample_data.work_orders(connection, rows)

    return store


def in_order(tenant: Tenant, *, is_descending: bool) -> list[int]:
    """The list as Python sorts it: by the day, then by the id, rows without a day at the end."""
    rows = list(work_orders(tenant.pk))
    dated = sorted((row for row in rows if row.due_at), key=lambda row: (row.due_at, row.pk), reverse=is_descending)
    undated = sorted((row for row in rows if not row.due_at), key=lambda row: row.pk, reverse=is_descending)
    return [row.pk for row in [*dated, *undated]]


def walk(keyset: Keyset) -> tuple[list[list[int]], list[list[int]], list[int]]:
    """All pages by Next, then all pages back by Previous, then the positions the pages said they begin at."""
    page = keyset.page()
    forward, positions = [[row.pk for row in page.rows]], [page.first]
    while page.next:
        page = keyset.page(after=page.next)
        forward.append([row.pk for row in page.rows])
        positions.append(page.first)
    backward = [[row.pk for row in page.rows]]
    while page.previous:
        page = keyset.page(before=page.previous)
        backward.append([row.pk for row in page.rows])
    return forward, backward[::-1], positions


@given(due=DUE, size=SIZES, is_descending=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_pages_forward_are_the_sorted_list_and_backward_the_same(house: House, stored, due, size, is_descending):
    with house.scope:
        stored(due, list(OPEN_STATUSES))
        order = Order(column="due_at", is_descending=is_descending)
        keyset = Keyset(work_orders(house.tenant.pk), order, size=size, is_counted=True)

        forward, backward, positions = walk(keyset)

        assert [pk for page in forward for pk in page] == in_order(house.tenant, is_descending=is_descending)
        assert forward == backward
        assert positions == list(range(0, max(len(due), 1), size))
        assert keyset.page().total == len(due)


@given(due=DUE, size=SIZES, is_descending=st.booleans(), at=st.integers(0, 20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_from_any_row_the_page_before_ends_right_before_it(house: House, stored, due, size, is_descending, at):
    with house.scope:
        stored(due)
        expected = in_order(house.tenant, is_descending=is_descending)
        order = Order(column="due_at", is_descending=is_descending)
        keyset = Keyset(work_orders(house.tenant.pk), order, size=size)
        if at >= len(expected):
            return
        row = WorkOrder.objects.get(pk=expected[at])
        cursor = keyset._cursor(row, at).encode(order)

        before = [one.pk for one in keyset.page(before=cursor).rows]
        after = [one.pk for one in keyset.page(after=cursor).rows]

        # Near the beginning the first page is shown full, rather than what is left of one.
        assert before == (expected[at - size : at] if at >= size else expected[:size])
        assert after == expected[at + 1 : at + 1 + size]


def test_a_row_that_came_meanwhile_neither_doubles_nor_hides_another(house: House, stored):
    with house.scope:
        stored([0, 1, 2, 3])
        keyset = Keyset(work_orders(house.tenant.pk), Order(column="due_at"), size=2)
        first = keyset.page()
        connection = first.rows[0].connection
        sample_data.work_order(connection, due_at=NOON - timedelta(days=1))

        second = keyset.page(after=first.next)

        assert [row.due_at for row in second.rows] == [NOON + timedelta(hours=2), NOON + timedelta(hours=3)]


def test_the_count_stops_one_above_the_cap(house: House, stored, monkeypatch):
    monkeypatch.setattr("portal.pages.keyset.COUNT_CAP", 3)
    with house.scope:
        stored([0] * 9)
        keyset = Keyset(work_orders(house.tenant.pk), Order(column="due_at"), size=2, is_counted=True)
        first = keyset.page()
        assert first.total == 4
        assert keyset.page(after=first.next).total == 4


@given(text=st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=200, deadline=None)
def test_a_cursor_made_by_hand_is_refused(text):
    keyset = Keyset(work_orders(1), Order(column="due_at"))
    if text:
        with pytest.raises(BadCursor):
            keyset.page(after=text)


def test_a_cursor_of_another_order_is_refused(house: House, stored):
    with house.scope:
        stored([0, 1, 2])
        rows = work_orders(house.tenant.pk)
        cursor = Keyset(rows, Order(column="due_at"), size=1).page().next
        for other in (Order(column="due_at", is_descending=True), Order(column="opened_at")):
            with pytest.raises(BadCursor):
                Keyset(rows, other, size=1).page(after=cursor)


def test_deep_pages_are_read_along_the_index_without_offset(house: House, stored, statements):
    with house.scope:
        stored([0, 1, 2, 3])
        keyset = Keyset(work_orders(house.tenant.pk), Order(column="due_at"), size=1)
        cursor = keyset.page().next
        asked = statements(lambda: keyset.page(after=cursor))
    assert len(asked) <= 2
    assert "OFFSET" not in asked[0]
    assert "ROW(" in asked[0]
