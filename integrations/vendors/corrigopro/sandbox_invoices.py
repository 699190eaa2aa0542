"""The invoices of the sandbox's orders: worked out from the order's number, then whatever people made of them."""

from collections import Counter
from datetime import timedelta
from typing import Any

from integrations.vendors.corrigopro.sandbox_data import OrderBook
from integrations.vendors.corrigopro.sandbox_story import is_pre_billed, written

# What follows when the customer's people go on with it.
STAGES = {
    "Draft": "Submitted",
    "Submitted": "PendingVerification",
    "PendingVerification": "Authorized",
    "Authorized": "Paid",
    "Disputed": "Submitted",
}
TAX = "Tax"  # the category of a line that is tax
TAX_RATE = 0.08


class Ledger:
    """One company's invoices: one an order, there from the start."""

    def __init__(self, book: OrderBook) -> None:
        self.book = book
        self._moved: Counter[int] = Counter()  # steps an invoice went on
        self.entered: dict[int, dict[str, Any]] = {}  # what was put in its place, by order
        self._set: dict[int, tuple[str, int]] = {}  # a status somebody set, and after how many steps
        self._revisions: Counter[int] = Counter()

    def status(self, number: int) -> str:
        return self._stage(number)[0]

    def set_status(self, number: int, status: str) -> None:
        self._set[number] = (status, self._moved[number])
        self._revisions[number] += 1

    def go_on(self, number: int) -> None:
        self._moved[number] += 1

    def enter(self, number: int, content: dict[str, Any]) -> None:
        """Put this in the invoice's place; its status stays."""
        self.set_status(number, self.status(number))
        self.entered[number] = content

    def invoice(self, number: int) -> dict[str, Any]:
        book, dice = self.book, self.book.dice(number, "invoice")
        status, is_begun = self._stage(number)
        changed = book.last_update(number)
        day = changed.replace(hour=0, minute=0, second=0, microsecond=0)
        entered = self.entered.get(number, {})
        lines = entered["LineItems"] if entered else self._lines(number) if is_begun else []
        total = round(sum(line["Subtotal"] for line in lines), 2)
        is_paid = status == "Paid"
        return {
            "InvoiceNumber": f"INV-{book.first_id + number}" if status != "Draft" else None,
            "InvoiceDate": written(day) if status != "Draft" else None,
            "ServiceDate": written(day - timedelta(days=1)) if is_begun else None,
            "Status": status,
            "TotalAmount": total,
            "DiscountAmount": 0,
            "Nte": 0,
            "Currency": book.world.currency,
            "IsPrebilled": is_pre_billed(number),
            "IsValid": status != "Draft",
            "CustomerComment": "Hours are not what was agreed." if status == "Disputed" else None,
            "LastUpdateDate": written(changed),
            "SubmissionDeadline": written(day + timedelta(days=30)),
            "CheckNumber": f"{dice.randrange(10_000, 99_999)}" if is_paid else None,
            "PaymentAmount": total if is_paid else 0,
            "PaymentDate": written(day + timedelta(days=3)) if is_paid else None,
            "HasAttachments": False,
            "ConcurrencyId": 1 + self._moved[number] + self._revisions[number],
            "TaxIdPrimary": None,
            "TaxIdSecondary": None,
            "LineItems": lines,
        } | entered

    def _stage(self, number: int) -> tuple[str, bool]:
        """The invoice's status, and whether anything is written in it."""
        order, dice = self.book.status(number), self.book.dice(number, "stage")
        stage, is_begun = "Draft", False
        if order == "Verified":
            age = self.book.epoch - self.book.last_update(number)
            young = ("PendingVerification", "Authorized", "Disputed", "Authorized")
            old = ("Paid", "Paid", "Paid", "Paid", "Paid", "Authorized", "Disputed")
            stage, is_begun = dice.choice(young if age < timedelta(days=7) else old), True
        elif order == "CheckedOut":
            stage, is_begun = dice.choice(("Draft", "Submitted", "PendingVerification")), True
        elif order == "NeedsCompletionDetails" or (order == "CheckedIn" and number % 4 == 0):
            is_begun = True
        since = 0
        if number in self._set:
            (stage, since), is_begun = self._set[number], True
        for _ in range(self._moved[number] - since):
            stage, is_begun = STAGES.get(stage, stage), True
        return stage, is_begun

    def _lines(self, number: int) -> list[dict[str, Any]]:
        dice = self.book.dice(number, "lines")
        hours, rate = dice.randrange(2, 24) / 4, dice.choice((65, 78.5, 92, 110))
        wanted = [
            ("Labor", "Labor on site", hours, rate),
            ("Travel", "Travel", 1, dice.choice((25, 40, 55))),
            ("Material", "Parts", dice.randrange(1, 5), dice.choice((9.99, 24.5, 80, 149.9))),
        ]
        sums = [round(quantity * price, 2) for _, _, quantity, price in wanted]
        wanted.append((TAX, "Sales tax", 1, round(sum(sums) * TAX_RATE, 2)))
        return [
            {
                "Id": number * 10 + n,
                "Category": category,
                "Description": words,
                "Quantity": quantity,
                "Rate": price,
                "Subtotal": round(quantity * price, 2),
                "IsRateReadOnly": False,
                "TaxCode": None,
            }
            for n, (category, words, quantity, price) in enumerate(wanted)
        ]
