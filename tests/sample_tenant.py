"""A tenant in the middle of its work, for the browser tests and for the eye."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from integrations.records.models import Record, WorkOrder
from integrations.sync.models import StreamState
from integrations.values import BillingStatus, BookingKind, Priority, WorkOrderStatus
from portal.tenancy.models import Tenant
from tests.sample_data import billings, bookings, connect, replaced, store, work_orders

_CUSTOMERS = ("Qa EPL CallCenter", "APAC Demo", "Meridian Retail", "Harbor Foods", "Lindqvist Clinics", "Northgate")
_LOCATIONS = ("Dallas HQ, roof", "Sydney DC1", "Austin 2", "Store 118", "Store 027", "Chicago Loop", "Leeds depot")
_PEOPLE = ("Dana Reyes", "Priya Nair", "Tom Beale", "", "Ingrid Solberg", "Kofi Mensah")
_TASKS = (
    "Rooftop unit 3 not cooling",
    "Loading dock door sensor",
    "Emergency light, stairwell B",
    "Quarterly fire panel test",
    "Leak under sink, kitchen 3",
    "HVAC filter replacement",
    "Parking gate arm stuck",
)
_MEETINGS = ("Quarterly review", "Design crit", "Vendor call", "Stand-up", "Interview", "Board prep", "Workshop")
_ACCOUNTS = ("Apex Beverages", "City Transit", "Blue Harbor Bank", "Nimbus Air", "Summit Outdoor", "Orchard Foods")


def fill(tenant: Tenant, *, rows: int = 200, seed: int = 1) -> None:
    """A tenant in the middle of its work: three connections with `rows` work orders, bookings and billings each."""
    chance, now = random.Random(seed), timezone.now()
    fieldwork = connect(tenant, "fieldwork", synced_at=now - timedelta(minutes=1))
    roombook = connect(tenant, "roombook", synced_at=now - timedelta(minutes=6))
    ledger = connect(tenant, "ledger", name="Ledger Sponsorship", synced_at=now - timedelta(minutes=3))
    made = work_orders(fieldwork, (_some_work_order(chance, now, number) for number in range(rows)))
    for one in made[:20]:
        store(
            fieldwork,
            "notes",
            {"Text": "Called the site; access after 07:00.", "Author": {"Name": "Dana Reyes"}},
            parent_id=one.record.external_id,
        )
        replaced(one.record, {"Number": one.number, "Status": {"DisplayAs": "New"}, "Priority": "P3"})
    for number in range(12):
        store(
            fieldwork,
            "sites",
            {
                "Name": _LOCATIONS[number % len(_LOCATIONS)],
                "Address": {"City": "Dallas"},
                "Opened": "2019-04-01",
                "CheckedAt": "2026-11-20T15:00:00Z",
                "Rent": 12500.5,
                "Floors": number + 1,
                "IsStaffed": number % 2 == 0,
            },
        )
    bookings(roombook, _some_bookings(chance, now, ZoneInfo(tenant.time_zone), rows))
    for one in billings(ledger, (_some_billing(chance, now, number) for number in range(rows)))[:20]:
        store(
            ledger,
            "billing-payments",
            {"reference": f"P-{one.number}", "amount": 250.0, "date": "2026-11-02"},
            parent_id=one.record.external_id,
        )
    store(ledger, "deals", {"name": "Season 2026/27", "account": {"name": "Apex Beverages"}}, external_id="deal-1")
    for state in StreamState.objects.filter(tenant=tenant):
        state.records = Record.objects.filter(
            tenant=tenant, connection_id=state.connection_id, stream=state.stream
        ).count()
        state.save()


def _some_work_order(chance: random.Random, now: datetime, number: int) -> dict[str, Any]:
    status = chance.choice(list(WorkOrderStatus)) if number % 3 else WorkOrderStatus.ACCEPTED
    due = now + timedelta(hours=chance.randint(-48, 24 * 20))
    is_closed = status in WorkOrder.CLOSED
    return {
        "number": str(53010000 + number),
        "title": chance.choice(_TASKS),
        "description": "Reported by the tenant by phone.\nPlease call before you come.",
        "status": status,
        "vendor_status": {"in_progress": "On Site", "accepted": "Open: Accepted"}.get(status, status.capitalize()),
        "priority": chance.choice(list(Priority)),
        "customer": chance.choice(_CUSTOMERS),
        "location": chance.choice(_LOCATIONS),
        "assignee": chance.choice(_PEOPLE),
        "category": "HVAC",
        "limit_amount": Decimal(chance.randint(5, 90) * 50),
        "opened_at": now - timedelta(hours=chance.randint(1, 24 * 30)),
        "due_at": None if number % 17 == 0 else due - timedelta(days=30 if is_closed else 0),
        "completed_at": now - timedelta(days=3) if is_closed else None,
        "changed_at": now - timedelta(hours=chance.randint(1, 72)),
    }


def _some_bookings(chance: random.Random, now: datetime, zone: ZoneInfo, rows: int) -> Iterable[dict[str, Any]]:
    monday = timezone.localdate(now, zone) - timedelta(days=timezone.localdate(now, zone).weekday())
    for _number in range(rows):
        day = monday + timedelta(days=chance.randint(-7, 13))
        if day.weekday() > 4:
            continue
        kind = chance.choices(list(BookingKind), weights=(3, 5, 2))[0]
        is_desk = kind == BookingKind.DESK
        hour = chance.choice((8, 9)) if is_desk else chance.randint(8, 16)
        start = datetime.combine(day, time(hour, 0 if is_desk else chance.choice((0, 15, 30))), zone)
        lasts = timedelta(minutes=8 * 60 if is_desk else chance.choice((30, 45, 60, 90)))
        is_private = chance.random() < 0.1
        name = {
            BookingKind.ROOM: chance.choice(("Board room 4A", "Studio 1", "Studio 2", "Huddle 3")),
            BookingKind.DESK: f"Desk {chance.randint(1, 80)}",
            BookingKind.APPOINTMENT: chance.choice(("Dr. Lindqvist", "Dr. Shah")),
        }[kind]
        yield {
            "kind": kind,
            "title": "Board: sale of the company" if is_private else chance.choice(_MEETINGS),
            "resource": name,
            "location": f"Level {chance.randint(2, 3)}",
            "is_private": is_private,
            "starts_at": start.astimezone(UTC),
            "ends_at": (start + lasts).astimezone(UTC),
            "zone": zone.key,
        }


def _some_billing(chance: random.Random, now: datetime, number: int) -> dict[str, Any]:
    status = chance.choice(list(BillingStatus))
    billed = now.date() - timedelta(days=chance.randint(0, 175))
    amount = Decimal(chance.randint(200, 40_000))
    paid = {BillingStatus.PAID: amount, BillingStatus.PARTIALLY_PAID: amount / 4}.get(status, Decimal(0))
    return {
        "number": f"INV-{20000 + number}",
        "title": chance.choice(("Season package", "LED board", "Hospitality", "Naming rights, instalment")),
        "account": chance.choice(_ACCOUNTS),
        "deal_id": "deal-1",
        "status": status,
        "vendor_status": status.replace("_", " ").capitalize(),
        "currency": chance.choices(("USD", "EUR", ""), weights=(8, 2, 1))[0],
        "amount": amount,
        "tax_amount": amount / 10,
        "paid_amount": paid,
        "balance": amount - paid,
        "billed_date": billed,
        "due_date": None if number % 19 == 0 else billed + timedelta(days=30),
        "paid_date": billed + timedelta(days=20) if status == BillingStatus.PAID else None,
    }
