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
Make = Callable[[int], Row]


def _fields(**kinds: str) -> Mapping[str, str]:
    """The fields every entity has, and those of one, given as kind=names."""
    common = {
        "id": "guid",
        "name": "text",
        "state": "picklist",
        "created_date": "system",
        "modified_date": "system",
        "created_by_id": "guid",
        "modified_by_id": "guid",
    }
    return common | {name: kind for kind, names in kinds.items() for name in names.split()}


FIELDS: Mapping[str, Mapping[str, str]] = {
    "deals": _fields(
        text="deal_number account_name currency",
        guid="account_id",
        picklist="status",
        date="start_date end_date",
        datetime="kick_off_time",
        number="total_amount",
    ),
    "billings": _fields(
        text="bill_number account_name currency invoice_number",
        guid="deal_id account_id bill_type_id billing_batch_id division_id",
        date="bill_date due_date paid_date",
        number="amount tax_amount total_amount invoiced_amount paid_amount balance",
        picklist="payment_status",
    ),
    "billing-payments": _fields(
        guid="billing_id",
        date="payment_date",
        number="amount",
        picklist="payment_method",
        text="reference_number currency",
    ),
    "billing-types": _fields(),
    "billing-batches": _fields(date="batch_date"),
    "deal-lines": _fields(guid="deal_id rate_card_id", picklist="line_type", number="quantity selling_rate"),
    "deal-seasons": _fields(guid="deal_id season_id", number="revenue cost"),
    "deal-rosters": _fields(guid="deal_id user_id", picklist="role", number="split_percent"),
    "divisions": _fields(text="abbreviation"),
    "expenses": _fields(guid="deal_id", date="expense_date", number="amount", text="currency", picklist="expense_type"),
    "expense-allocations": _fields(guid="expense_id division_id", number="amount percentage"),
    "category": _fields(),
    "product": _fields(guid="category_id"),
    "inventory-items": _fields(
        guid="product_id division_id", text="inventory_number", number="available_quantity", flag="is_unlimited"
    ),
    "rate-cards": _fields(guid="inventory_item_id season_id", number="rate minimum_rate", picklist="status"),
    "seasons": _fields(number="year", date="start_date end_date"),
    "rounds": _fields(guid="season_id", number="round_number"),
    "events": _fields(
        guid="season_id round_id event_list_id", datetime="event_date", text="venue_name", picklist="game_type"
    ),
    "event-lists": _fields(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A rights holder that uses KORE. `tells_all`: whether its bills name their currency and account themselves."""

    number: int
    name: str
    client_id: str
    client_secret: str
    api_key: str
    credentials_in: str
    currency: str
    tells_all: bool


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
        tells_all=number % 2 == 0,
    )


class Table(Shelf):
    """One entity of one customer, kept in the two orders that are asked for most. `link` gives the ids a row points to
    without making the whole row."""

    def __init__(self, entity: str, key: str, *, make: Make, link: Make = lambda number: {}, **shelf: Any) -> None:
        super().__init__(**shelf)
        self.entity, self.link, self._key, self._make = entity, link, key, make
        self.types = FIELDS[entity]
        self._people = [self.guid(number, "people") for number in range(9)]
        self.ids = [self.guid(number) for number in range(len(self))]
        self.number_of = {guid: number for number, guid in enumerate(self.ids)}
        self.by_id = sorted((guid_key(guid), number) for guid, number in self.number_of.items())
        self.by_change = sorted((self.stamp(number), key, number) for key, number in self.by_id)

    def is_there(self, number: int) -> bool:
        return number < len(self.ids) and self.ids[number] in self.number_of

    def touch(self, number: int, at: datetime) -> None:
        """Also on a record that is gone: then nothing happens. A change date never goes back."""
        if not self.is_there(number):
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
        return (
            dict.fromkeys(self.types)
            | {
                "id": self.ids[number],
                "state": pick(0, "Active"),
                "created_date": system_time(made),
                "modified_date": self.stamp(number),
                "created_by_id": self._people[roll[0] % 9],
                "modified_by_id": self._people[roll[1] % 9],
            }
            | self.link(number)
            | self._make(number)
        )

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


def bare_date(moment: datetime) -> str:
    return moment.date().isoformat()
