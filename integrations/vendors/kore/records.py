"""KORE's rows in, our frozen values out; pure.

A missing key means null (KORE leaves null fields out), and every name is a guess (assumption K-7): so a row is read
through candidate names, never through one fixed shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from integrations.errors import RecordRejected
from integrations.sources import Sources, at
from integrations.values import Billing, BillingStatus
from integrations.vendors.kore import assumptions, fieldmap

MAX_TEXT = 499
MAX_MONEY = Decimal(10) ** 15
# Money comes as JSON numbers, and as floats they would lose cents.
_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Picklist:
    """One choice of a list: its code, its word, or both."""

    code: str = ""
    value: str = ""


def parse_system_time(text: str) -> datetime:
    """A SystemDateTime, to the second; raises ValueError. Without a zone it is UTC: the guide's samples lack the Z."""
    moment = datetime.fromisoformat(text.strip())
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as mistake:
        raise ValueError(text) from mistake
    return moment.replace(microsecond=0)


def parse_picklist(given: object) -> Picklist:
    """A choice from any of its shapes: `{"code", "value"}`, bare code, bare word; empty for anything else."""
    if isinstance(given, dict):
        return Picklist(code=_text(given.get("code")), value=_text(given.get("value")))
    return Picklist(value=_text(given)) if isinstance(given, str) else Picklist(code=_text(given))


def is_active(state: Picklist) -> bool:
    """Whether a record counts: no state at all means active, for null is never sent."""
    return (state.code or state.value or assumptions.ACTIVE_CODE).lower() in {
        assumptions.ACTIVE_CODE,
        assumptions.ACTIVE_WORD,
    }


def is_draft(deal_status: str) -> bool:
    """Whether nothing of a deal is owed yet. Bills exist even then (Billing Manager page)."""
    return deal_status.strip().lower() in assumptions.DRAFT_WORDS


def currency_of(text: str) -> str:
    """An ISO 4217 code, or "" for anything else: a currency is never guessed from a name or a sign."""
    return text.upper() if len(text) == 3 and text.isascii() and text.isalpha() else ""


def interpret_billing(payload: bytes, context: Mapping[str, str]) -> Billing:
    """A bill as a Billing.

    `context` has, where known: `deal_status`; `account` and `currency` where the bill itself names none (from its deal,
    the currency also from the connection, see `currency_from`); and the connection's own names of fields.
    """
    fields = Fields(payload, fieldmap.from_context(context, "billings"))
    amount, paid = fields.money("amount"), fields.money("paid")
    balance = fields.money("balance")
    if balance is None and amount is not None and paid is not None:
        balance = amount - paid
    state = parse_picklist(fields.find("state"))
    word = fields.text("payment status")
    status = _status(word, is_active=is_active(state), amount=amount, paid=paid, invoiced=fields.money("invoiced"))
    if status != BillingStatus.VOID and is_draft(context.get("deal_status", "")):
        status = BillingStatus.DRAFT
    return Billing(
        number=fields.text("number"),
        title=fields.text("title"),
        status=status,
        vendor_status=word or state.value or state.code,
        account=fields.text("account") or context.get("account", "") or fields.text("account id"),
        deal_id=fields.text("deal").lower(),
        currency=currency_of(fields.text("currency")) or context.get("currency", ""),
        amount=amount,
        tax_amount=fields.money("tax"),
        paid_amount=paid,
        balance=balance,
        billed_date=fields.date("billed date"),
        due_date=fields.date("due date"),
        paid_date=fields.date("paid date"),
        opened_at=fields.system_time("created"),
        changed_at=fields.system_time("changed"),
    )


def sources(context: Mapping[str, str]) -> Sources:
    """Where `interpret_billing` finds things, under the connection's own names of fields."""
    names = fieldmap.from_context(context, "billings")
    amount, paid, word = names["amount"], names["paid"], names["payment status"]
    return {
        "number": at(*names["number"]),
        "title": at(*names["title"]),
        "status": at(
            *(*word, *names["state"], *amount, *paid, *names["invoiced"]),
            beside=("deal_status",),
            how="the money where it is told, else the word; a draft while its deal is one; void once it is not active",
        ),
        "vendor_status": at(*word, *names["state"], how="the first that says anything"),
        "account": at(*names["account"], *names["account id"], beside=("account",), how="its own, else its deal's"),
        "deal_id": at(*names["deal"]),
        "currency": at(*names["currency"], beside=("currency",), how="its own, else its deal's or the connection's"),
        "amount": at(*amount),
        "tax_amount": at(*names["tax"]),
        "paid_amount": at(*paid),
        "balance": at(*names["balance"], *amount, *paid, how="as told, else the amount less what is paid"),
        "billed_date": at(*names["billed date"]),
        "due_date": at(*names["due date"]),
        "paid_date": at(*names["paid date"]),
        "opened_at": at(*names["created"]),
        "changed_at": at(*names["changed"]),
    }


class Fields:
    """A row's values by our names. Raises RecordRejected where a value is not of its kind."""

    def __init__(self, payload: bytes, names: fieldmap.Names) -> None:
        self._names = names
        try:
            self._values = _DECODER.decode(payload)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as mistake:
            raise RecordRejected(
                "This record is not a JSON object we can read.", detail=str(mistake)[:200]
            ) from mistake

    def find(self, name: str) -> object:
        """The value of the first candidate that has one."""
        for key in self._names[name]:
            value = self._values.get(key)
            if value is not None and value != "":
                return value
        return None

    def text(self, name: str) -> str:
        given = self.find(name)
        if isinstance(given, str):
            return _text(given)
        choice = parse_picklist(given)
        return choice.value or choice.code

    def money(self, name: str) -> Decimal | None:
        given = self.find(name)
        if given is None:
            return None
        try:
            value = Decimal(str(given).strip())
        except ArithmeticError as mistake:
            raise _rejection(name, given, "a number") from mistake
        if not (value.is_finite() and abs(value) < MAX_MONEY):
            raise _rejection(name, given, "a sensible sum")
        return value

    def date(self, name: str) -> date | None:
        given = self.find(name)
        try:
            # A date is never moved by a zone, and a time behind it counts for nothing (guide: "Dates").
            return None if given is None else date.fromisoformat(str(given).strip()[:10])
        except ValueError as mistake:
            raise _rejection(name, given, "a date") from mistake

    def system_time(self, name: str) -> datetime | None:
        given = self.find(name)
        try:
            return None if given is None else parse_system_time(str(given))
        except ValueError as mistake:
            raise _rejection(name, given, "a time") from mistake


def _text(given: object) -> str:
    """Words and numbers as text; nothing for lists and the like."""
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        return ""
    return str(given).replace("\x00", "").strip()[:MAX_TEXT]


def _rejection(name: str, given: object, wanted: str) -> RecordRejected:
    return RecordRejected(f"The bill's {name} is not {wanted}: {str(given)[:80]}")


def _status(
    word: str, *, is_active: bool, amount: Decimal | None, paid: Decimal | None, invoiced: Decimal | None
) -> BillingStatus:
    """The money says how far a bill is, where it is told; the word decides what the money leaves open."""
    meant = assumptions.PAYMENT_WORDS.get(word.lower())
    if not is_active or meant == BillingStatus.VOID:
        return BillingStatus.VOID
    if meant == BillingStatus.DRAFT:
        return BillingStatus.DRAFT
    if amount is not None and paid is not None and amount > 0:
        if paid > 0:
            return BillingStatus.PAID if paid >= amount else BillingStatus.PARTIALLY_PAID
    elif meant in {BillingStatus.PAID, BillingStatus.PARTIALLY_PAID}:
        return BillingStatus(meant)
    if invoiced is not None and invoiced > 0:
        return BillingStatus.BILLED
    if meant:
        return BillingStatus(meant)
    return BillingStatus.UNKNOWN if word else BillingStatus.SCHEDULED
