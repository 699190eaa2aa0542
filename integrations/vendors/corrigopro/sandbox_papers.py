"""What hangs on the sandbox's work orders: worked out from the order's number, and what people did since."""

import uuid
from collections import Counter, defaultdict
from typing import Any

from integrations.vendors.corrigopro.sandbox_data import OrderBook
from integrations.vendors.corrigopro.sandbox_invoices import Ledger
from integrations.vendors.corrigopro.sandbox_story import written

DONE = frozenset({"CheckedOut", "Verified"})
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


class Cabinet(Ledger):
    """The papers of one company's orders. Whatever is counted here was added, taken away or moved on by people."""

    def __init__(self, book: OrderBook) -> None:
        super().__init__(book)
        self.files: Counter[int] = Counter()  # attachments added
        self.removed: set[str] = set()  # attachments deleted, by id
        self.talk: Counter[int] = Counter()  # messages added
        self.ticks: Counter[int] = Counter()  # steps of a procedure done
        self.fields: Counter[int] = Counter()  # custom fields a customer added
        self.hired: Counter[int] = Counter()  # associates a branch took on
        self.let_go: set[tuple[int, int]] = set()  # branch and associate
        # What was handed in through the API, by order; of files the content by id, of steps the answers by id.
        self.uploads: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self.contents: dict[str, bytes] = {}
        self.written: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self.notes: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        self.field_history: defaultdict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)  # and by field
        self.answers: dict[int, dict[str, Any]] = {}
        self.assigned: defaultdict[int, set[int]] = defaultdict(set)

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
        return found + [one for one in self.uploads.get(number, ()) if one["AttachmentId"] not in self.removed]

    def has_file(self, own: str) -> bool:
        """Whether that attachment is there, on whatever order (those of the beginning are looked through)."""
        if own in self.contents:
            return own not in self.removed
        return any(own == one["AttachmentId"] for n in range(len(self.book)) for one in self.attachments(n))

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
        return found + self.written.get(number, [])

    def say(self, number: int) -> dict[str, Any]:
        """One more message; it."""
        before = {one["Id"] for one in self.messages(number)}
        self.talk[number] += 1
        return next(one for one in self.messages(number) if one["Id"] not in before)

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
            | self.answers.get(procedure["Id"] * 10 + n, {})
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
