import re
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.values import Priority, WorkOrderStatus
from tests import sample_data
from tests.page_fixtures import House


@pytest.fixture
def orders(house: House, neighbour: House):
    now = timezone.now()
    with neighbour.scope:
        theirs = sample_data.connect(neighbour.tenant, "fieldwork")
        sample_data.work_orders(theirs, [{"number": f"THEIRS-{n}", "customer": "Harbor"} for n in range(3)])
    with house.scope:
        first = sample_data.connect(house.tenant, "fieldwork", name="North")
        second = sample_data.connect(house.tenant, "fieldwork", name="South")
        sample_data.work_orders(
            first,
            [
                {"number": "LATE", "due_at": now - timedelta(days=2), "opened_at": now - timedelta(days=9)},
                {"number": "SOON", "due_at": now + timedelta(days=1), "opened_at": now, "customer": "Harbor"},
                {"number": "UNDATED", "priority": Priority.EMERGENCY, "title": "Roof 100% LEAKS_now"},
                {"number": "DONE", "status": WorkOrderStatus.COMPLETED, "due_at": now - timedelta(days=2)},
                {"number": "HELD", "status": WorkOrderStatus.ON_HOLD, "due_at": now + timedelta(days=30)},
            ],
        )
        sample_data.work_order(second, number="SOUTH", due_at=now + timedelta(days=2))
    return {"first": first, "second": second}


def listed(house: House, query: str = "") -> list[str]:
    text = house.text(f"work-orders/?{query}")
    assert "THEIRS" not in text
    return re.findall(r'/work-orders/\d+/">([^<]+)</a>', text)


def test_open_work_orders_come_first_due_first_undated_last(house: House, orders):
    assert listed(house) == ["LATE", "SOON", "SOUTH", "HELD", "UNDATED"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=past-due", {"LATE"}),
        ("status=closed", {"DONE"}),
        ("status=on_hold", {"HELD"}),
        ("status=all", {"LATE", "SOON", "SOUTH", "HELD", "UNDATED", "DONE"}),
        ("priority=emergency", {"UNDATED"}),
        ("customer=Harbor", {"SOON"}),
        ("q=leaks_NOW", {"UNDATED"}),
        ("q=100%25", {"UNDATED"}),
        ("q=no%25thing", set()),
        ("status=all&priority=normal&q=done", {"DONE"}),
    ],
)
def test_each_filter_and_the_search_narrow_the_list(house: House, orders, query, expected):
    assert set(listed(house, query)) == expected


def test_the_connection_and_the_days_narrow_the_list(house: House, orders):
    day = timezone.localdate(timezone=timezone.get_fixed_timezone(-360))
    assert listed(house, f"connection={orders['second'].pk}") == ["SOUTH"]
    assert "SOUTH" in listed(house, f"due_from={day}&due_to={day + timedelta(days=4)}")
    assert "HELD" not in listed(house, f"due_from={day}&due_to={day + timedelta(days=4)}")


def test_a_connection_with_many_rows_narrows_the_list_alike(house: House, orders, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("portal.pages.business.common._FEW", 0)
    assert listed(house, f"connection={orders['second'].pk}") == ["SOUTH"]


def test_a_connection_with_many_rows_in_a_long_list_is_not_counted(house: House, orders, monkeypatch):
    with house.scope:
        sample_data.work_orders(orders["second"], [{} for _ in range(60)])
    monkeypatch.setattr("portal.pages.business.common._FEW", 0)
    path = f"work-orders/?status=all&connection={orders['second'].pk}"
    assert "1–50 of 61" in house.text(path)
    monkeypatch.setattr("portal.pages.lists.MOST_WALKED", 60)
    assert "1–50, more follow" in house.text(path)


def test_the_neighbours_connection_is_no_choice(house: House, neighbour: House, orders):
    with neighbour.scope:
        theirs = sample_data.connect(neighbour.tenant, "fieldwork", name="Their site")
    text = house.text(f"work-orders/?connection={theirs.pk}")
    assert "is not a choice for connection" in text
    assert "Their site" not in text


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("due", ["LATE", "SOON", "SOUTH", "HELD", "UNDATED"]),
        ("-due", ["HELD", "SOUTH", "SOON", "LATE", "UNDATED"]),
        ("opened", ["LATE", "SOON"]),
        ("-opened", ["SOON", "LATE"]),
    ],
)
def test_each_sort_puts_rows_without_a_value_last(house: House, orders, sort, expected):
    assert listed(house, f"sort={sort}")[: len(expected)] == expected


def test_the_detail_says_our_word_the_vendors_word_and_how_we_know(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork", name="North")
        run = sample_data.start_run(connection, "work-orders", kind="backfill")
        order = sample_data.work_order(
            connection,
            {"Number": "77", "State": {"Word": "Open: On Site"}, "Tags": ["a", "c"]},
            number="77",
            status=WorkOrderStatus.IN_PROGRESS,
            vendor_status="Open: On Site",
        )
        type(order.record).objects.filter(pk=order.pk).update(first_run_id=run.pk, missing_since=timezone.now())
        sample_data.replaced(order.record, {"Number": "77", "State": {"Word": "New"}, "Tags": ["a", "b"], "Old": None})
        note = sample_data.store(
            connection,
            "notes",
            {"Text": "Bring a ladder", "Author": {"Name": "Tom"}},
            parent_id=order.record.external_id,
        )
        sample_data.store(connection, "notes", {"Text": "Of another one"}, parent_id="another")
    text = " ".join(house.text(f"work-orders/{order.pk}/").split())
    assert "In progress" in text
    assert "Fieldwork says “Open: On Site”" in text
    assert f'by <a href="/t/{house.tenant.slug}/connections/{connection.pk}/runs/{run.pk}/">the first copy</a>' in text
    assert "No longer at Fieldwork since" in text
    assert 'State.Word</dt><dd><del class="was">New</del>' in text
    assert '<ins class="now">Open: On Site</ins>' in text
    assert "Tags[2]" in text
    assert "Tags[1]" not in text
    assert "Bring a ladder" in text
    assert "Of another one" not in text
    assert f"/connections/{connection.pk}/" in text
    back = house.text(f"records/{note.pk}/")
    assert "Belongs to" in back
    assert f"/work-orders/{order.pk}/" in back


def test_a_work_order_of_the_neighbour_does_not_exist(house: House, neighbour: House):
    with neighbour.scope:
        theirs = sample_data.work_order(sample_data.connect(neighbour.tenant, "fieldwork"))
    for pk in (theirs.pk, 999_999_999, 2**63, 10**30):
        assert house.get(f"work-orders/{pk}/").status_code == 404
    assert neighbour.get(f"work-orders/{theirs.pk}/").status_code == 200
    assert neighbour.client.get(f"/t/{house.tenant.slug}/work-orders/").status_code == 404


def test_the_detail_asks_few_questions_however_long_the_history(house: House, neighbour: House, statements):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        order = sample_data.work_order(connection)
        for number in range(30):
            sample_data.replaced(order.record, {"n": number})
            sample_data.store(connection, "notes", {"Text": str(number)}, parent_id=order.record.external_id)
    asked = statements(lambda: house.text(f"work-orders/{order.pk}/"))
    assert len(asked) <= 6, asked
