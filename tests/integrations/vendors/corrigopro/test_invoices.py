"""What an invoice means as a billing, told field by field."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from integrations.errors import RecordRejected
from integrations.values import Billing, BillingStatus
from integrations.vendors.corrigopro import connector, invoices

PAYLOADS = Path(__file__).parent / "payloads"
CONTEXT = {"order": "15849", "number": "WN73243", "customer": "Acme Stores"}


def interpret(payload: bytes) -> Billing:
    bill = connector.stream("invoices").interpret(payload, CONTEXT)
    assert isinstance(bill, Billing)
    return bill


def invoice(**members: object) -> bytes:
    return json.dumps(members).encode()


def test_an_invoice_is_read_whole() -> None:
    assert interpret((PAYLOADS / "invoice_disputed.json").read_bytes()) == Billing(
        number="INV-15849",
        title="Invoice INV-15849",
        status=BillingStatus.BILLED,
        vendor_status="Disputed",
        account="Acme Stores",
        deal_id="15849",
        currency="USD",
        amount=Decimal("345.60"),
        tax_amount=Decimal("25.60"),
        paid_amount=Decimal(0),
        balance=Decimal("345.60"),
        billed_date=date(2026, 3, 29),
        changed_at=datetime(2026, 3, 30, 1, 2, 3, 123456, UTC),
    )


@pytest.mark.parametrize(
    ("word", "paid", "status", "balance"),
    [
        ("Draft", 0, BillingStatus.DRAFT, None),
        ("Submitted", 0, BillingStatus.BILLED, 100),
        ("PendingVerification", 0, BillingStatus.BILLED, 100),
        ("Authorized", 0, BillingStatus.BILLED, 100),
        ("Authorized", 40, BillingStatus.PARTIALLY_PAID, 60),
        ("Disputed", 0, BillingStatus.BILLED, 100),
        ("Paid", 100, BillingStatus.PAID, 0),
        ("PAID", None, BillingStatus.PAID, 0),
        ("OnItsWay", 0, BillingStatus.UNKNOWN, None),
    ],
)
def test_every_status_has_our_word_and_its_own(
    word: str, paid: int | None, status: BillingStatus, balance: int | None
) -> None:
    bill = interpret(invoice(Status=word, TotalAmount=100, PaymentAmount=paid))

    assert (bill.status, bill.vendor_status, bill.balance) == (status, word, balance)


def test_a_draft_is_named_after_its_work_order() -> None:
    assert interpret(invoice(Status="Draft", TotalAmount=5)).title == "Invoice for work order WN73243"


@pytest.mark.parametrize(
    ("members", "is_begun"),
    [
        ({}, False),
        ({"Status": "Draft", "TotalAmount": 0, "LineItems": [], "InvoiceNumber": None}, False),
        ({"Status": "Draft", "InvoiceNumber": " "}, False),
        ({"Status": "Draft", "InvoiceNumber": "1"}, True),
        ({"Status": "Draft", "TotalAmount": 0.5}, True),
        ({"status": "draft", "lineitems": [{"Subtotal": 0}]}, True),
        ({"Status": "Submitted", "TotalAmount": 0}, True),
    ],
)
def test_the_empty_draft_of_every_order_is_no_billing_yet(members: dict[str, object], is_begun: bool) -> None:
    assert invoices.is_begun(invoice(**members)) is is_begun


# Both nights on which clocks are changed, as seen from three places; UTC on the wire and a business date do not care.
NIGHTS = [
    datetime(2026, month, day, hour, 30, tzinfo=timezone(timedelta(hours=offset)))
    for month, day, offsets in (
        (4, 5, (11, 10)),  # Australia/Melbourne, back
        (10, 4, (10, 11)),  # and forward
        (3, 8, (-6, -5)),  # America/Chicago, forward
        (11, 1, (-5, -6)),  # and back
        (3, 29, (0, 1)),  # Europe/London, forward
        (10, 25, (1, 0)),  # and back
    )
    for hour in (0, 1, 2, 3)
    for offset in offsets
]


@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_no_clock_change_shifts_a_date_or_a_moment(night: datetime) -> None:
    text = night.isoformat()
    bill = interpret(invoice(Status="Paid", InvoiceDate=text, PaymentDate=text[:10], LastUpdateDate=text))

    assert (bill.billed_date, bill.paid_date) == (night.date(), night.date())
    assert bill.changed_at == night


@pytest.mark.parametrize("text", [None, "", "0001-01-01T00:00:00Z"])
def test_no_date_is_none(text: str | None) -> None:
    assert interpret(invoice(Status="Draft", InvoiceDate=text)).billed_date is None


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"TotalAmount": "much"}, "form we do not know"),
        ({"InvoiceDate": "tomorrow"}, "date in InvoiceDate"),
        ({"LastUpdateDate": "tomorrow"}, "moment in LastUpdateDate"),
        ({"PaymentAmount": 1e300}, "amount in PaymentAmount"),
        ({"LineItems": [{"Category": "Tax", "Subtotal": 1e300}]}, "amount in Subtotal"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(members: dict[str, object], reason: str) -> None:
    with pytest.raises(RecordRejected, match=reason):
        interpret(invoice(**members))
