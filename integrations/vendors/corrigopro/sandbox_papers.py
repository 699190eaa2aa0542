"""What hangs on the sandbox's work orders: worked out from the order's number, and what people did since."""

import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

from integrations.vendors.corrigopro.sandbox_data import OrderBook, is_pre_billed, written

DONE = frozenset({"CheckedOut", "Verified"})
STAGES = {
    "Draft": "Submitted",
    "Submitted": "PendingVerification",
    "PendingVerification": "Authorized",
    "Authorized": "Paid",
    "Disputed": "Submitted",
}
FILES = (
    ("before.jpg", "image/jpeg", "Picture"),
    ("after.jpg", "image/jpeg", "Picture"),
    ("signature.png", "image/png", "Signature"),
    ("service report.pdf", "application/pdf", "Document"),
    ("invoice.pdf", "application/pdf", "InvoicePrintout"),
)
TALK = (
    ("Customer", "When can you come? The manager is on site until 4 pm."),
    ("CorrigoPro", "Our technician is on his way."),
    ("CorrigoPro", "Parts are ordered and arrive on Thursday."),
    ("Customer", "Please call before you enter the building."),
    ("CorrigoPro", "Work is done. Photos are attached."),
)
STEPS = ("Isolate the unit", "Clean and inspect", "Measure and note the value", "Test the safety cut-out", "Tidy up")


class Cabinet:
    """The papers of one company's orders. Whatever is counted here was added, taken away or moved on by people."""

    def __init__(self, book: OrderBook) -> None:
        self.book = book
        self.stages: Counter[int] = Counter()  # steps an invoice went on
        self.disputed: set[int] = set()
        self.files: Counter[int] = Counter()  # attachments added
        self.removed: set[str] = set()  # attachments deleted, by id
        self.talk: Counter[int] = Counter()  # messages added
        self.ticks: Counter[int] = Counter()  # steps of a procedure done
        self.fields: Counter[int] = Counter()  # custom fields a customer added
        self.hired: Counter[int] = Counter()  # associates a branch took on
        self.let_go: set[tuple[int, int]] = set()  # branch and associate

    def invoice(self, number: int) -> dict[str, Any]:
        book, dice = self.book, self.book.dice(number, "invoice")
        status, is_begun = self._stage(number)
        changed = book.last_update(number)
        day = changed.replace(hour=0, minute=0, second=0, microsecond=0)
        lines = self._lines(number) if is_begun else []
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
            "ConcurrencyId": 1 + self.stages[number],
            "LineItems": lines,
        }

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
        for _ in range(self.stages[number]):
            stage, is_begun = STAGES.get(stage, stage), True
        return ("Disputed" if number in self.disputed else stage), is_begun or number in self.disputed

    def _lines(self, number: int) -> list[dict[str, Any]]:
        dice = self.book.dice(number, "lines")
        hours, rate = dice.randrange(2, 24) / 4, dice.choice((65, 78.5, 92, 110))
        wanted = [
            ("Labor", "Labor on site", hours, rate),
            ("Travel", "Travel", 1, dice.choice((25, 40, 55))),
            ("Material", "Parts", dice.randrange(1, 5), dice.choice((9.99, 24.5, 80, 149.9))),
        ]
        sums = [round(quantity * price, 2) for _, _, quantity, price in wanted]
        wanted.append(("Tax", "Sales tax", 1, round(sum(sums) * 0.08, 2)))
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

    def attachments(self, number: int) -> list[dict[str, Any]]:
        dice = self.book.dice(number, "files")
        count = dice.choice((0, 0, 1, 1, 2, 3)) + self.files[number]
        found = []
        for n in range(count):
            name, kind, subtype = FILES[(n + number) % len(FILES)]
            own = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.book.seed}/{number}/{n}"))
            size = dice.randrange(8_000, 4_000_000)
            if own not in self.removed:
                found.append({"AttachmentId": own, "Name": name, "MimeType": kind, "Size": size, "Subtype": subtype})
        return found

    def messages(self, number: int) -> list[dict[str, Any]]:
        book, dice = self.book, self.book.dice(number, "talk")
        begun, ended = book.story(number).created, book.last_update(number)
        count = dice.choice((0, 0, 0, 1, 2, 3)) + self.talk[number]
        found = []
        for n in range(count):
            side, words = TALK[(n + number) % len(TALK)]
            person = book.world.people[dice.randrange(len(book.world.people))]
            found.append(
                {
                    "Id": number * 100 + n,
                    "Text": words,
                    "Sender": {"Name": person, "Phone": f"{book.world.phone}0000", "Type": side},
                    "Created": written(begun + (ended - begun) * min(n, 9) / 10),
                }
            )
        return found

    def steps(self, number: int) -> list[dict[str, Any]]:
        is_done = self.book.status(number) in DONE
        return [
            {
                "Id": procedure["Id"] * 10 + n,
                "ProcedureId": procedure["Id"],
                "SortingIndex": n,
                "Description": words,
                "Comment": "Value noted on the label." if n == 2 else None,
                "IsDone": is_done or n < self.ticks[number],
            }
            for procedure in self.book.procedures(number)
            for n, words in enumerate(STEPS[: 3 + procedure["Id"] % 3])
        ]

    def settings(self, index: int) -> dict[str, Any]:
        labels = ("Gas used", "Meter reading", "Badge number", "Permit")[: 1 + index % 3 + self.fields[index]]
        return {
            "CustomerId": self.book.customer_id(index),
            "CustomFields": [
                {
                    "Id": str(17 + n),
                    "Label": label,
                    "DataType": ("String", "Integer", "Date", "Bool")[n],
                    "DataLength": 64,
                    "Values": None,
                    "IsDeleted": False,
                    "IsReadonly": False,
                }
                for n, label in enumerate(labels)
            ],
            "RepairCategories": [
                {"Id": 1, "Name": "General", "Codes": [{"Id": 2, "Name": "Checked, OK"}, {"Id": 3, "Name": "Replaced"}]}
            ],
        }

    def associates(self, branch: int) -> list[dict[str, Any]]:
        people = self.book.world.people
        return [
            {
                "Id": branch % 1000 * 100 + n,
                "Name": people[n % len(people)] if n % 4 else f"{people[n % len(people)].split()[1]} & Sons",
                "Category": "CruMember" if n % 4 else "Subcontractor",
                "Phone": f"{self.book.world.phone}{n:04}",
                "Email": f"person{n}@example.com",
            }
            for n in range(8 + self.hired[branch])
            if (branch, n) not in self.let_go
        ]
