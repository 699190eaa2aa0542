"""The emulated KORE's customers, the fields of its entities, and a table: rows by number, in the two usual orders."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from integrations.sandbox.shelf import Shelf
from integrations.vendors.kore.sandbox_query import guid_key

Row = dict[str, Any]

COMMON: Mapping[str, str] = {
    "id": "guid",
    "name": "text",
    "state": "picklist",
    "created_date": "system",
    "modified_date": "system",
    "created_by_id": "guid",
    "modified_by_id": "guid",
}
FIELDS: Mapping[str, Mapping[str, str]] = {
    "deals": {
        **COMMON,
        "deal_number": "text",
        "account_id": "guid",
        "account_name": "text",
        "status": "picklist",
        "start_date": "date",
        "end_date": "date",
        "kick_off_time": "datetime",
        "total_amount": "number",
        "currency": "text",
    },
    "billings": {
        **COMMON,
        "bill_number": "text",
        "deal_id": "guid",
        "account_id": "guid",
        "account_name": "text",
        "bill_type_id": "guid",
        "billing_batch_id": "guid",
        "bill_date": "date",
        "due_date": "date",
        "amount": "number",
        "tax_amount": "number",
        "total_amount": "number",
        "invoiced_amount": "number",
        "paid_amount": "number",
        "balance": "number",
        "currency": "text",
        "payment_status": "picklist",
        "paid_date": "date",
        "invoice_number": "text",
    },
    "billing-payments": {
        **COMMON,
        "billing_id": "guid",
        "payment_date": "date",
        "amount": "number",
        "payment_method": "picklist",
        "reference_number": "text",
        "currency": "text",
    },
    "deal-lines": {**COMMON, "deal_id": "guid", "line_type": "picklist", "selling_rate": "number"},
    "seasons": {**COMMON, "start_date": "date", "end_date": "date"},
    "billing-types": COMMON,
    "billing-batches": COMMON,
}
EMPTY_ENTITIES = frozenset(
    [
        "deal-seasons",
        "deal-rosters",
        "divisions",
        "expenses",
        "expense-allocations",
        "category",
        "product",
        "inventory-items",
        "rate-cards",
        "rounds",
        "events",
        "event-lists",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A rights holder that uses KORE. `sends_currency`: whether its bills name their currency."""

    number: int
    name: str
    client_id: str
    client_secret: str
    api_key: str
    credentials_in: str
    currency: str
    sends_currency: bool


def customer(number: int) -> Customer:
    """Secrets carry the signs that break a token request which is not URL-encoded."""
    names = ("Harbour City Athletics", "Northgate Arena Group")
    name = names[number] if number < len(names) else f"Riverside Park {number}"
    mark = blake2b(f"kore/{number}".encode(), digest_size=12).hexdigest()
    return Customer(
        number=number,
        name=name,
        client_id=f"{name.lower().replace(' ', '-')}-partner",
        client_secret=f"k+{mark[:10]}/&=%{mark[10:]}",
        api_key=f"kore-key-{mark[::-1]}",
        credentials_in="basic" if number % 2 else "body",
        currency="GBP" if number % 2 else "USD",
        sends_currency=number % 2 == 0,
    )


class Table(Shelf):
    """One entity of one customer, kept in the two orders that are asked for most."""

    def __init__(self, entity: str, key: str, *, make: Callable[[int], Row], **shelf: Any) -> None:
        super().__init__(**shelf)
        self.entity, self._key, self._make = entity, key, make
        self.types = FIELDS[entity]
        self._people = [self.guid(number, "people") for number in range(9)]
        self.ids = [self.guid(number) for number in range(len(self))]
        self.number_of = {guid: number for number, guid in enumerate(self.ids)}
        self.by_id = sorted((guid_key(guid), number) for guid, number in self.number_of.items())
        self.by_change = sorted((self.stamp(number), key, number) for key, number in self.by_id)

    def touch(self, number: int, at: datetime) -> None:
        """Also on a record that is gone: then nothing happens. A change date never goes back."""
        if self.ids[number] not in self.number_of:
            return
        self._take_from_order(number)
        super().touch(number, max(at, self.modified[number]))
        insort(self.by_change, self._place(number))

    def add(self, at: datetime) -> int:
        number = super().add(at)
        self.ids.append(self.guid(number))
        self.number_of[self.ids[number]] = number
        insort(self.by_id, (guid_key(self.ids[number]), number))
        insort(self.by_change, self._place(number))
        return number

    def delete(self, number: int) -> None:
        """Without a trace, as KORE deletes."""
        self._take_from_order(number)
        self.by_id.remove((guid_key(self.ids[number]), number))
        del self.number_of[self.ids[number]]

    def stamp(self, number: int) -> str:
        return system_time(self.modified[number])

    def roll(self, number: int, salt: str) -> bytes:
        """Sixteen bytes that are always the same for this row and salt: `dice`, for where speed counts."""
        return blake2b(f"{self.seed}/{number}/{salt}".encode(), digest_size=16).digest()

    def first_since(self, stamp: str) -> int:
        """Where in `by_change` the rows from that moment on begin."""
        return bisect_left(self.by_change, (stamp, b"", -1))

    def row(self, number: int) -> Row:
        """Every field as it is rendered, null ones as None."""
        roll = self.roll(number, "common")
        made = self.created[number] - timedelta(days=roll[2] % 40)
        return dict.fromkeys(self.types) | {
            "id": self.ids[number],
            "state": pick(0, "Active"),
            "created_date": system_time(made),
            "modified_date": self.stamp(number),
            "created_by_id": self._people[roll[0] % 9],
            "modified_by_id": self._people[roll[1] % 9],
            **self._make(number),
        }

    def guid(self, number: int, entity: str = "") -> str:
        """The id of a row; of another entity's where there is no table for it."""
        digest = blake2b(f"{self._key}/{entity or self.entity}/{number}".encode(), digest_size=16).digest()
        return str(UUID(bytes=digest, version=4))

    def _place(self, number: int) -> tuple[str, bytes, int]:
        return self.stamp(number), guid_key(self.ids[number]), number

    def _take_from_order(self, number: int) -> None:
        del self.by_change[bisect_left(self.by_change, self._place(number))]


def pick(code: int, value: str) -> Row:
    """A picklist's choice, in the shape that the query syntax implies."""
    return {"code": code, "value": value}


def system_time(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat()}Z"
