"""A connector that believes its vendor: it goes wherever it is sent and takes every field as it comes, so that nothing
but the house itself stands between a hostile vendor and us."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar

import msgspec

from integrations.contract import Access, Capability, Column, Connector, Limit, Page, Record, Rejected, Settings, Stream
from integrations.errors import RecordRejected
from integrations.forms import ConnectionForm
from integrations.values import Billing, Booking, Kind, TypedValue, WorkOrder


class Answer(msgspec.Struct):
    """`next` is where to go on; without it that was all."""

    records: list[msgspec.Raw]
    next: str | None = None
    total: int | None = None


class Row(msgspec.Struct):
    id: str
    parent: str = ""
    position: str = ""
    beside: dict[str, str] = {}


class Followed(Stream):
    columns = (Column(label="Name", path="name"), Column(label="Kind", path="kind", is_filter=True))
    stirs_parent = True

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        while True:
            found = ask(access, self.key, cursor)
            records, rejected = [], []
            for raw in map(bytes, found.records):
                try:
                    records.append(self.record(raw))
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as mistake:
                    rejected.append(Rejected(payload=raw, reason=f"{mistake}\0"))
            cursor = found.next or ""
            yield Page(records=tuple(records), rejected=tuple(rejected), cursor=cursor, expected=found.total)
            if found.next is None:
                return

    def record(self, raw: bytes) -> Record:
        row = msgspec.json.decode(raw, type=Row)
        return Record(external_id=row.id, payload=raw, context=row.beside, parent_id=row.parent, position=row.position)


class Things(Followed):
    key, label, parent = "things", "Things", "things"


class Typed(Followed):
    shape: ClassVar[type]

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> TypedValue:
        value = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])["value"]
        try:
            typed: TypedValue = msgspec.json.decode(value, type=self.shape)
        except msgspec.ValidationError as mistake:
            raise RecordRejected(str(mistake)) from mistake
        return typed


class Orders(Typed):
    key, label, kind, shape = "orders", "Orders", Kind.WORK_ORDER, WorkOrder


class Bookings(Typed):
    key, label, kind, shape = "bookings", "Bookings", Kind.BOOKING, Booking


class Bills(Typed):
    key, label, kind, shape = "bills", "Bills", Kind.BILLING, Billing


def ask(access: Access, stream: str, cursor: str) -> Answer:
    answer = access.http.send(
        "GET",
        f"{access.settings['url']}/{stream}",
        query=[("from", cursor)],
        timeout=timedelta(seconds=access.settings.get("patience", 30)),
    )
    if failure := answer.passing_failure("The vendor"):
        raise failure
    return answer.decode(Answer)


class Gullible(Connector):
    key, label, initials, colour = "gullible", "Gullible", "Gu", "#334155"
    summary = "Brings what it is given."
    form = ConnectionForm
    limit: ClassVar[Limit] = Limit(calls=1000, per=timedelta(seconds=1), burst=1000)
    streams = (Things(), Orders(), Bookings(), Bills())

    def identity(self, settings: Settings) -> str:
        return str(settings["url"])

    def check(self, access: Access) -> tuple[Capability, ...]:
        return tuple(Capability(stream=stream.key, state="available") for stream in self.streams)


connector = Gullible()
