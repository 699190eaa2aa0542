"""What each payload means, told field by field."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import fields

from integrations.errors import RecordRejected
from integrations.values import Priority, WorkOrder, WorkOrderStatus
from integrations.vendors.corrigopro import connector, records, wire

PAYLOADS = Path(__file__).parent / "payloads"


def interpret(name: str) -> WorkOrder:
    order = connector.stream("work-orders").interpret((PAYLOADS / f"{name}.json").read_bytes(), {})
    assert isinstance(order, WorkOrder)
    return order


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_new_request_is_read_whole() -> None:
    assert interpret("new_request") == WorkOrder(
        number="53010737",
        title="Not cooling – Walk-in Cooler",
        status=WorkOrderStatus.NEW,
        vendor_status="New",
        priority=Priority.HIGH,
        vendor_priority="HIGH",
        description="Walk-in is at 52 degrees.\nPlease hurry.\n\nBehind the bakery",
        customer="Acme Stores",
        location="Store 0114, 12 Main Street, Denver, CO 80202, US",
        category="Corrective",
        currency="USD",
        limit_amount=Decimal("499.99"),
        opened_at=at("2026-03-26T18:01:24.123456"),
        changed_at=at("2026-03-26T18:05:00"),
        due_at=at("2026-03-28T08:00:00"),
        scheduled_at=at("2026-03-27T16:30:00.5"),
    )


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (
            "planned_verified",
            {
                "number": "WN73243",
                "title": "Preventive Maintenance",
                "status": WorkOrderStatus.VERIFIED,
                "priority": Priority.LOW,
                "vendor_priority": "P3 - Low",
                "limit_amount": None,
                "currency": "GBP",
                "location": "Café Zürich, 5 Mill Lane, Rear unit, Leeds, West Yorkshire LS1 4QT, GB",
                "completed_at": at("2026-04-02T07:00:00.25"),
            },
        ),
        (
            "completion_details_missing",
            {
                "status": WorkOrderStatus.COMPLETED,
                "vendor_status": "NeedsCompletionDetails",
                "priority": Priority.EMERGENCY,
                "title": "Walk-in is at 52 degrees.",
                "category": "Request",
                "due_at": None,
                "completed_at": at("2026-03-26T18:05:00"),
            },
        ),
        (
            "recalled_years_ago",
            {"status": WorkOrderStatus.CANCELLED, "scheduled_at": None, "limit_amount": None, "completed_at": None},
        ),
        (
            "other_letter_case",
            {
                "number": "53010741",
                "status": WorkOrderStatus.IN_PROGRESS,
                "vendor_status": "CHECKEDIN",
                "customer": "Acme Stores",
                "priority": Priority.NORMAL,
                "due_at": at("2026-03-28T08:00:00"),
                "changed_at": at("2026-03-26T16:05:00"),
                "limit_amount": Decimal("1200.50"),
                "currency": "USD",
            },
        ),
        (
            "only_an_id",
            {"number": "15855", "title": "Work order 15855", "status": WorkOrderStatus.UNKNOWN, "customer": ""},
        ),
    ],
)
def test_a_payload_is_interpreted(payload: str, expected: dict[str, object]) -> None:
    order = interpret(payload)

    assert {name: getattr(order, name) for name in expected} == expected


def test_a_status_we_do_not_know_survives_with_the_vendors_word() -> None:
    order = interpret("unknown_status")

    assert (order.status, order.vendor_status) == (WorkOrderStatus.UNKNOWN, "AwaitingParts")


def test_texts_are_freed_of_nul_and_cut() -> None:
    order = interpret("nul_and_overlong")

    assert order.customer == "Acme Stores"
    assert len(order.description) == 10_000
    assert all(len(getattr(order, f.name)) <= 500 for f in fields(order) if f.type is str and f.name != "description")


def test_half_a_surrogate_pair_does_not_reach_the_database() -> None:
    order = records.work_order(rb'{"WorkOrderId": 1, "AccompanyingMessage": "caf\ud83d"}')

    assert order.description == "caf?"


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("New", WorkOrderStatus.NEW),
        ("Accepted", WorkOrderStatus.ACCEPTED),
        ("CheckedIn", WorkOrderStatus.IN_PROGRESS),
        ("Paused", WorkOrderStatus.ON_HOLD),
        ("OnHold", WorkOrderStatus.ON_HOLD),
        ("CheckedOut", WorkOrderStatus.COMPLETED),
        ("NeedsCompletionDetails", WorkOrderStatus.COMPLETED),
        ("Verified", WorkOrderStatus.VERIFIED),
        ("Rejected", WorkOrderStatus.REJECTED),
        ("Recalled", WorkOrderStatus.CANCELLED),
    ],
)
def test_every_documented_status_has_our_word(word: str, status: WorkOrderStatus) -> None:
    order = records.work_order(f'{{"WorkOrderId": 1, "Status": "{word}"}}'.encode())

    assert (order.status, order.vendor_status) == (status, word)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"<html>", "not readable JSON"),
        (b"[]", "a bare value"),
        (b"\xff", "not readable JSON"),
        (b'{"WorkOrderId": 1, "Created": "yesterday"}', "moment in Created"),
        (b'{"WorkOrderId": 1, "LastUpdate": 17}', "form we do not know"),
        (b'{"WorkOrderId": 1, "Nte": {"Amount": "much"}}', "form we do not know"),
        (b'{"WorkOrderId": 1, "Nte": {"Amount": 1e400}}', "not a sum of money"),
        (b'{"WorkOrderId": 1, "Customer": "Acme"}', "form we do not know"),
        (b'{"Status": "New"}', "form we do not know"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(payload: bytes, reason: str) -> None:
    with pytest.raises(RecordRejected, match=reason):
        records.work_order(payload)


@pytest.mark.parametrize("digits", range(8))
def test_moments_come_with_any_number_of_fractional_digits(digits: int) -> None:
    text = "2026-03-26T18:01:24" + ("." + "1234567"[:digits] if digits else "") + "Z"

    assert wire.instant(text) == datetime(2026, 3, 26, 18, 1, 24, int("123456"[:digits].ljust(6, "0")), UTC)


def test_a_customer_is_told_by_its_id() -> None:
    assert records.customer((PAYLOADS / "customer.json").read_bytes()).id == 100160
    assert records.customer(b'{"ID": "7"}').id == 7
    with pytest.raises(RecordRejected):
        records.customer(b'{"Name": "Acme"}')
