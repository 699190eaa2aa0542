"""What is read whole each time: customers, their settings, and the associates of our branches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import msgspec

from integrations.contract import Access, Column, Page, Record, Rejected, Stream
from integrations.errors import RecordRejected
from integrations.vendors.corrigopro import assumptions, records, wire
from integrations.vendors.corrigopro.client import Client, NotThere
from integrations.vendors.corrigopro.search import batches

Found = tuple[list[Record], list[Rejected]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """What is gone through, by id; `rejected` came without one. All by one request."""

    payloads: Mapping[int, bytes]
    rejected: list[Rejected]
    request_id: str


class _Place(msgspec.Struct, frozen=True):
    after: int = 0  # the last id handed on; 0 between readings


class _Whole(Stream):
    """Lists everything each time, in the order of ids; there is no way to ask for changes."""

    interval = assumptions.DAILY
    sweep_interval = assumptions.DAILY
    reads_whole = True
    is_one_each: ClassVar[bool] = True  # one record for each thing gone through
    is_asked_each: ClassVar[bool] = True  # one call for each

    def __init__(self, batch: int = 1) -> None:
        self._batch = batch  # ids a page

    def things(self, client: Client) -> Things:
        """What to go through."""
        raise NotImplementedError

    def records_of(self, client: Client, thing: int, payload: bytes) -> Found:
        raise NotImplementedError

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        client = Client(access)
        after = msgspec.json.decode(cursor, type=_Place).after if cursor else 0
        things = self.things(client)
        parts = batches(sorted(number for number in things.payloads if number > after), self._batch)
        rejected = [] if after else list(things.rejected)  # those went out with the first page
        each = access.http.each if self.is_asked_each else map
        for index, part in enumerate(parts):
            found: list[Record] = []
            for given, set_aside in each(lambda number: self.records_of(client, number, things.payloads[number]), part):
                found += given
                rejected += set_aside
            place = _Place(0 if index == len(parts) - 1 else part[-1])
            yield Page(
                records=tuple(found),
                rejected=tuple(rejected),
                cursor=msgspec.json.encode(place).decode(),
                expected=len(things.payloads) if self.is_one_each else None,
                request_id=things.request_id,
            )
            rejected = []


class Customers(_Whole):
    """The organisations that raise work orders. One call gives all of them."""

    key = "customers"
    label = "Customers"
    columns = (Column(label="Customer", path="Name"), Column(label="Id", path="Id"))
    is_asked_each = False

    def __init__(self, batch: int = 200) -> None:
        super().__init__(batch)

    def things(self, client: Client) -> Things:
        return customers_by_id(client)

    def records_of(self, client: Client, thing: int, payload: bytes) -> Found:
        return [Record(external_id=str(thing), payload=payload)], []


class CustomerSettings(_Whole):
    """What each customer wants to be told when work is done: custom fields, repair categories and their codes."""

    key = "customer-settings"
    label = "Customer settings"
    parent = "customers"
    columns = (Column(label="Customer id", path="CustomerId"),)

    def __init__(self, batch: int = 5) -> None:
        super().__init__(batch)

    def things(self, client: Client) -> Things:
        return customers_by_id(client)

    def records_of(self, client: Client, thing: int, payload: bytes) -> Found:
        found = self._of(client, thing)
        return [found] if found else [], []

    def look_up(self, access: Access, external_id: str) -> Record | None:
        return self._of(Client(access), int(external_id))

    def _of(self, client: Client, customer: int) -> Record | None:
        try:
            settings = client.customer_settings(customer)
        except NotThere:
            return None  # the customer left between the two calls
        return Record(
            external_id=str(customer),
            payload=settings.items[0],
            parent_id=str(customer),
            request_id=settings.request_id,
        )


class Associates(_Whole):
    """The people and subcontractors whom our branches can send; the same one may stand in several branches."""

    key = "associates"
    label = "Associates"
    columns = (
        Column(label="Name", path="Name"),
        Column(label="Category", path="Category", is_filter=True),
        Column(label="Phone", path="Phone"),
        Column(label="E-mail", path="Email"),
        Column(label="Id", path="Id"),
    )
    is_one_each = False

    def things(self, client: Client) -> Things:
        """Branches are nowhere listed but in the customers that each of them serves."""
        found = customers_by_id(client)
        branches = {branch: b"" for one in found.payloads.values() for branch in records.customer(one).branches}
        return replace(found, payloads=branches)

    def records_of(self, client: Client, thing: int, payload: bytes) -> Found:
        try:
            listing = client.associates(thing)
        except NotThere:
            return [], []
        found: dict[str, Record] = {}
        rejected = []
        for raw in listing.items:
            try:
                external_id = f"{thing}/{wire.own_id(raw, assumptions.ASSOCIATE_IDS)}"
            except RecordRejected as refusal:
                rejected.append(Rejected(payload=raw, reason=refusal.words))
            else:
                found[external_id] = Record(
                    external_id=external_id,
                    payload=raw,
                    context={"branch": str(thing)},
                    request_id=listing.request_id,
                )
        return list(found.values()), rejected

    def look_up(self, access: Access, external_id: str) -> Record | None:
        found, _ = self.records_of(Client(access), int(external_id.partition("/")[0]), b"")
        return next((record for record in found if record.external_id == external_id), None)


def customers_by_id(client: Client) -> Things:
    """Each customer's own bytes by its id; the last one wins."""
    found: dict[int, bytes] = {}
    rejected = []
    listing = client.customers()
    for payload in listing.items:
        try:
            found[records.customer(payload).id] = payload
        except RecordRejected as refusal:
            rejected.append(Rejected(payload=payload, reason=refusal.words))
    return Things(payloads=found, rejected=rejected, request_id=listing.request_id)
