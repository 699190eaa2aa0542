"""CorrigoPro's invoices in, our billings out. Pure.

Every work order has one invoice from the start, at first an empty draft (hub, "Retrieving invoices"). It is a billing
of ours to the customer once it has a number or an amount.
"""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from integrations.sources import Sources, at, told
from integrations.values import Billing, BillingStatus
from integrations.vendors.corrigopro import assumptions, wire
from integrations.vendors.corrigopro.wire import squash, text


class _Line(msgspec.Struct, rename=squash):
    category: str | None = None
    subtotal: Decimal | None = None


class _Invoice(msgspec.Struct, rename=squash):
    invoice_number: str | int | None = None
    invoice_date: str | None = None
    status: str | None = None
    total_amount: Decimal | None = None
    currency: str | None = None
    last_update_date: str | None = None
    payment_amount: Decimal | None = None
    payment_date: str | None = None
    line_items: list[_Line] | None = None


def is_begun(payload: bytes) -> bool:
    """Whether there is anything in it yet. Raises RecordRejected when that cannot be read."""
    invoice = wire.shaped(payload, _Invoice)
    is_draft = text(invoice.status).casefold() in {"", "draft"}
    return bool(not is_draft or text(invoice.invoice_number) or invoice.total_amount or invoice.line_items)


SOURCES: Sources = {
    "number": at("InvoiceNumber"),
    "title": at("InvoiceNumber", beside=("number", "order"), how="its number, else that of its work order"),
    "status": at("Status", "TotalAmount", "PaymentAmount", how="the word, and whether all of the total is paid"),
    "vendor_status": at("Status"),
    "account": told("the customer of its work order", "customer"),
    "deal_id": told("its work order", "order"),
    "currency": at("Currency"),
    "amount": at("TotalAmount"),
    "tax_amount": at("LineItems[].Category", "LineItems[].Subtotal", how="the sum of the lines that are a tax"),
    "paid_amount": at("PaymentAmount"),
    "balance": at("Status", "TotalAmount", "PaymentAmount", how="what is not paid of the total of a bill that is owed"),
    "billed_date": at("InvoiceDate"),
    "paid_date": at("PaymentDate"),
    "changed_at": at("LastUpdateDate"),
}


def billing(payload: bytes, context: Mapping[str, str]) -> Billing:
    """One invoice; `context` tells its work order. Raises RecordRejected with what cannot be read."""
    invoice = wire.shaped(payload, _Invoice)
    word = text(invoice.status)
    amount = wire.money(invoice.total_amount, "TotalAmount")
    paid = wire.money(invoice.payment_amount, "PaymentAmount")
    status = _status(word, amount, paid)
    number, order = text(invoice.invoice_number), context.get("number") or context.get("order", "")
    return Billing(
        number=number,
        title=f"Invoice {number}" if number else f"Invoice for work order {order}",
        status=status,
        vendor_status=word,
        account=context.get("customer", ""),
        deal_id=context.get("order", ""),
        currency=wire.currency(invoice.currency),
        amount=amount,
        tax_amount=_tax(invoice.line_items or []),
        paid_amount=paid,
        balance=_balance(status, amount, paid),
        billed_date=wire.day_of(invoice.invoice_date, "InvoiceDate"),
        paid_date=wire.day_of(invoice.payment_date, "PaymentDate"),
        changed_at=wire.moment_of(invoice.last_update_date, "LastUpdateDate"),
    )


def _status(word: str, amount: Decimal | None, paid: Decimal | None) -> BillingStatus:
    status = assumptions.INVOICE_STATUSES.get(word.casefold(), BillingStatus.UNKNOWN)
    if status is BillingStatus.BILLED and amount and paid and 0 < paid < amount:
        return BillingStatus.PARTIALLY_PAID
    return status


def _balance(status: BillingStatus, amount: Decimal | None, paid: Decimal | None) -> Decimal | None:
    """What is still owed, where that can be said."""
    if status is BillingStatus.PAID:
        return Decimal(0)
    if status in {BillingStatus.BILLED, BillingStatus.PARTIALLY_PAID} and amount is not None:
        return amount - (paid or 0)
    return None


def _tax(lines: list[_Line]) -> Decimal | None:
    taxes = [line.subtotal for line in lines if assumptions.TAX_WORD in text(line.category).casefold()]
    sums = [wire.money(amount, "Subtotal") or Decimal(0) for amount in taxes]
    return sum(sums, Decimal(0)) if sums else None
