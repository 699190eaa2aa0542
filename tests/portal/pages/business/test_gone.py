"""What a vendor no longer has stays readable, is marked, and no longer counts."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache

from integrations.connections.models import Connection
from integrations.records.models import Booking, Record, Typed
from integrations.values import BillingStatus
from portal.pages.overview.queries import nav_counts
from tests import sample_data
from tests.page_fixtures import House


def lose(*things: Typed | Record) -> None:
    """What two sweeps in a row did not find."""
    Record.objects.filter(pk__in=[one.pk for one in things]).update(missing_since=datetime.now(UTC))


def words(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", text).split())


@pytest.fixture
def half_gone(house: House, neighbour: House) -> House:
    """Two of everything, the second of each gone; of the neighbour's nothing is gone, and nothing may show."""
    cache.clear()
    soon = datetime.now(UTC) + timedelta(minutes=1)
    for owner, names in ((neighbour, ("THEIRS", "THEIRS-TOO")), (house, ("KEPT", "LOST"))):
        with owner.scope:
            fieldwork = sample_data.connect(owner.tenant, "fieldwork")
            ledger, rooms = sample_data.connect(owner.tenant, "ledger"), sample_data.connect(owner.tenant, "roombook")
            past = soon - timedelta(days=3)
            orders = sample_data.work_orders(fieldwork, [{"number": name, "due_at": past} for name in names])
            owed = {"amount": Decimal(100), "balance": Decimal(100), "due_date": past.date()}
            bills = sample_data.billings(ledger, [owed | {"number": name} for name in names])
            when = {"starts_at": soon, "ends_at": soon + timedelta(hours=1)}
            booked = sample_data.bookings(rooms, [when | {"title": name, "resource": name} for name in names])
            sites = [sample_data.store(fieldwork, "sites", {"Name": name}) for name in names]
    with house.scope:
        lose(orders[1], bills[1], booked[1], sites[1])
    return house


@pytest.mark.parametrize(
    ("everything", "gone", "vendor"),
    [
        ("work-orders/?status=all", "work-orders/?status=gone", "Fieldwork"),
        ("billings/?status=all", "billings/?status=gone", "Ledger"),
        ("bookings/?view=list", "bookings/?view=list&status=gone", "Roombook"),
        ("records/fieldwork/sites/", "records/fieldwork/sites/?gone=yes", "Fieldwork"),
    ],
)
def test_what_is_gone_is_marked_in_the_lists_and_can_be_asked_for(half_gone: House, everything, gone, vendor):
    both, only = words(half_gone.text(everything)), words(half_gone.text(gone))
    assert both.count(f"No longer at {vendor}") == only.count(f"No longer at {vendor}") == 1
    assert ("KEPT" in both, "LOST" in both) == (True, True)
    assert ("KEPT" in only, "LOST" in only) == (False, True)
    assert "THEIRS" not in both + only


@pytest.mark.parametrize(
    "path", ["work-orders/?status=gone", "billings/?status=gone", "bookings/?view=list&status=gone"]
)
def test_what_is_gone_is_asked_for_alike_where_it_is_much(half_gone: House, path, monkeypatch: pytest.MonkeyPatch):
    few = words(half_gone.text(path))
    monkeypatch.setattr("portal.pages.business.common._FEW", 0)
    assert words(half_gone.text(path)) == few
    assert ("KEPT" in few, "LOST" in few, "THEIRS" in few) == (False, True, False)


def test_what_came_from_a_vendor_whose_folder_is_gone_can_be_asked_for(half_gone: House):
    with half_gone.scope:
        Connection.objects.filter(tenant=half_gone.tenant, vendor="fieldwork").update(vendor="closed-down")
    text = words(half_gone.text("work-orders/?status=gone"))
    assert ("LOST" in text, "KEPT" in text, "THEIRS" in text) == (True, False, False)


def test_a_generic_list_can_leave_out_what_is_gone(half_gone: House):
    text = half_gone.text("records/fieldwork/sites/?gone=no")
    assert "KEPT" in text
    assert "LOST" not in text


@pytest.mark.parametrize(
    "path", ["work-orders/", "work-orders/?status=past-due", "billings/", "billings/?status=overdue"]
)
def test_what_is_gone_is_neither_open_nor_owed(half_gone: House, path):
    text = half_gone.text(path)
    assert ">KEPT<" in text
    assert ">LOST<" not in text


def test_a_gone_billing_is_in_no_sum_and_not_overdue(half_gone: House):
    text = words(half_gone.text("billings/?status=all"))
    assert "$100 in 1 billing · $100 outstanding" in text
    assert words(half_gone.text("billings/?status=gone")).count("Overdue") == 1  # the filter's own choice
    assert "are not added up" in words(half_gone.text("billings/?status=gone"))


def test_a_gone_booking_leaves_the_week(half_gone: House):
    with half_gone.scope:
        day = Booking.objects.get(title="KEPT").starts_at.astimezone(ZoneInfo(half_gone.tenant.time_zone)).date()
    text = half_gone.text(f"bookings/?week={day}")
    drawn = re.findall(r'<a class="ev.*?</a>', text, re.S)
    assert "KEPT" in "".join(drawn)
    assert "LOST" not in "".join(drawn)


def test_the_overview_and_the_navigation_do_not_count_what_is_gone(half_gone: House):
    text = words(half_gone.text())
    assert "Open work orders 1 1 past due" in text
    assert "Outstanding billings $100 1 billing · $100 overdue" in text
    assert "LOST" not in text
    with half_gone.scope:
        counts = nav_counts(half_gone.tenant.pk).pages
    assert (counts["work-orders"], counts["billings"]) == (1, 1)


def test_each_detail_says_since_when_it_is_gone(half_gone: House):
    with half_gone.scope:
        gone = Record.objects.exclude(missing_since=None)
        pages = [
            {"work-orders": "work-orders", "billings": "billings", "bookings": "bookings"}.get(one.stream, "records")
            + f"/{one.pk}/"
            for one in gone
        ]
    assert len(pages) == 4
    for page in pages:
        text = words(half_gone.text(page))
        assert "No longer at" in text
        assert "This is what we last saw" in text
        assert "Past due" not in text


def test_an_export_says_since_when_each_is_gone(half_gone: House):
    response = half_gone.get("work-orders/export.csv?status=gone")
    heads, row = b"".join(response.streaming_content).decode().splitlines()
    assert heads.endswith("No longer at the vendor since (America/Chicago)")
    assert "LOST" in row
    assert not row.endswith(",")


def test_drafts_are_hidden_until_asked_for_and_never_added_up(house: House, neighbour: House):
    with house.scope:
        ledger = sample_data.connect(house.tenant, "ledger")
        sample_data.billing(ledger, number="OWED", amount=Decimal(70), balance=Decimal(70))
        facts = {"status": BillingStatus.DRAFT, "amount": Decimal(5_000), "balance": Decimal(5_000)}
        sample_data.billing(ledger, number="DRAFTED", **facts)
    assert "DRAFTED" not in house.text("billings/")
    assert "DRAFTED" in house.text("billings/?status=draft")
    text = house.text("billings/?status=all")
    assert "DRAFTED" in text
    assert "5,000" not in text.split("<table")[0]


def test_the_lists_ask_no_more_for_many_that_are_gone(half_gone: House, statements):
    with half_gone.scope:
        fieldwork = Record.objects.filter(stream="sites")[0].connection
        lose(*sample_data.work_orders(fieldwork, [{} for _ in range(60)]))
    asked = statements(lambda: half_gone.text("work-orders/?status=gone"))
    assert len(asked) <= 8, asked
