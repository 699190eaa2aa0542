"""However much a page shows, it asks the database the same number of questions."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import sample_data
from tests.page_fixtures import House

pytestmark = [pytest.mark.server, pytest.mark.django_db]

LISTS = (
    "",
    "work-orders/?status=all",
    "work-orders/?status=all&q=roof",
    "billings/?status=all",
    "bookings/",
    "bookings/?view=list&day_from=all",
    "records/",
    "records/fieldwork/sites/",
)


def fill(house: House, number: int) -> None:
    """So many of everything."""
    now = timezone.now()
    with house.scope:
        fieldwork = sample_data.connect(house.tenant, "fieldwork", synced_at=now)
        sample_data.work_orders(fieldwork, ({"title": "Roof", "due_at": now} for _ in range(number)))
        for one in range(number):
            sample_data.store(fieldwork, "sites", {"Name": f"Site {one}"})
        roombook = sample_data.connect(house.tenant, "roombook", synced_at=now)
        sample_data.bookings(roombook, ({"starts_at": now, "ends_at": now + timedelta(hours=1)} for _ in range(number)))
        ledger = sample_data.connect(house.tenant, "ledger", synced_at=now)
        sample_data.billings(ledger, ({"due_date": now.date()} for _ in range(number)))


def test_no_list_asks_more_for_fifty_rows_than_for_one(
    house: House, neighbour: House, statements: Callable[[Callable[[], object]], list[str]]
):
    fill(house, 1)
    fill(neighbour, 50)
    for path in LISTS:
        few = statements(lambda path=path: house.text(path))
        many = statements(lambda path=path: neighbour.text(path))
        assert len(few) == len(many), path


def test_a_detail_asks_the_same_for_one_and_for_fifty_things_and_versions(
    house: House, statements: Callable[[Callable[[], object]], list[str]]
):
    with house.scope:
        fieldwork = sample_data.connect(house.tenant, "fieldwork")
        short, long = (sample_data.work_order(fieldwork, number=name) for name in ("SHORT", "LONG"))
        for order, number in ((short, 1), (long, 50)):
            for one in range(number):
                sample_data.store(fieldwork, "notes", {"Text": f"{one}"}, parent_id=order.record.external_id)
                sample_data.replaced(order.record, {"Number": f"{one}"})
    few, many = (statements(lambda pk=pk: house.text(f"work-orders/{pk}/")) for pk in (short.pk, long.pk))
    assert len(few) == len(many)
