"""A stockroom: each stream finds out in another way what is gone. Its box answers real HTTP from a dict."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from integrations.contract import (
    Access,
    Capability,
    Column,
    Connector,
    Diagnosis,
    Limit,
    Page,
    Record,
    Rule,
    Settings,
    Span,
    Stream,
    Who,
    brought_by,
)
from integrations.errors import ConfigurationNeeded, RecordRejected, VendorChanged
from integrations.forms import ConnectionForm
from integrations.sandbox.kit import Reply, Request, Sandbox, route

PAGE = 5


def fetch(access: Access, path: str) -> tuple[Any, str]:
    """What is there, None for nothing; and the request that brought it."""
    answer = access.http.send("GET", f"{access.settings['url']}/{path}")
    if answer.status == 404:
        return None, answer.request_id
    if answer.status == 403:
        raise ConfigurationNeeded("The stockroom is locked.", code="locked")
    if failure := answer.passing_failure("The stockroom"):
        raise failure
    return answer.decode(Any), answer.request_id


class Listed(Stream):
    columns = (Column(label="Name", path="name"), Column(label="Kind", path="kind", is_filter=True))

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        start = int(cursor or 0)
        rows, request_id = fetch(access, self.key)
        while True:
            part = rows[start : start + PAGE]
            start += PAGE
            is_last = start >= len(rows)
            cursor = "0" if is_last else str(start)
            yield Page(records=tuple(map(self.record, part)), cursor=cursor, request_id=request_id)
            if is_last:
                return

    def record(self, row: dict[str, Any]) -> Record:
        return Record(
            external_id=row["id"],
            payload=msgspec.json.encode(row),
            parent_id=row.get("part", ""),
            position=row.get("day", ""),
        )


class Shelves(Listed):
    """Listed whole each time; nothing can be asked for alone."""

    key, label = "shelves", "Shelves"
    reads_whole, sweep_interval = True, timedelta(days=1)


class Parts(Listed):
    """A sweep lists ids only; each part can be asked for."""

    key, label = "parts", "Parts"
    sweep_interval = timedelta(days=1)

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        rows, _ = fetch(access, self.key)
        ids = [row["id"] for row in rows]
        start = int(cursor or 0)
        while True:
            part = tuple(ids[start : start + PAGE])
            start += PAGE
            is_last = start >= len(ids)
            yield Page(records=(), seen=part, cursor=str(start), covers=Span() if is_last else None)
            if is_last:
                return

    def look_up(self, access: Access, external_id: str) -> Record | None:
        row, request_id = fetch(access, f"{self.key}/{external_id}")
        if isinstance(row, list):
            raise VendorChanged("The stockroom answers with a list.")
        if row == {"id": external_id}:
            raise RecordRejected("The part has no name.")
        return None if row is None else brought_by(request_id, self.record(row))


class Counts(Listed):
    """Only the counts of May are listed; a sweep covers that month."""

    key, label = "counts", "Counts"
    sweep_interval, misses, keep_for = timedelta(days=1), 1, timedelta(days=30)

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        rows, request_id = fetch(access, self.key)
        rows = [row for row in rows if row["day"].startswith("2026-05")]
        span = Span(since="2026-05-01", until="2026-06-01")
        yield Page(records=tuple(map(self.record, rows)), cursor="done", request_id=request_id, covers=span)


class Moves(Listed):
    """A move changes what its part says without the part's list being read again."""

    key, label, parent = "moves", "Moves", "parts"
    stirs_parent = True


class Stockroom(Connector):
    key, label, initials, colour = "stockroom", "Stockroom", "St", "#334155"
    summary = "Brings what is on the shelves."
    form = ConnectionForm
    limit: ClassVar[Limit] = Limit(calls=1000, per=timedelta(seconds=1), burst=1000)
    streams = (Shelves(), Parts(), Counts(), Moves())
    rules = (
        Rule(
            codes=frozenset({"locked"}),
            diagnosis=Diagnosis(
                key="locked", cause="Somebody locked the stockroom.", cure="Unlock it.", who=Who.VENDOR_ADMIN
            ),
        ),
    )

    def identity(self, settings: Settings) -> str:
        return str(settings["url"])

    def check(self, access: Access) -> tuple[Capability, ...]:
        return tuple(Capability(stream=stream.key, state="available") for stream in self.streams)


connector = Stockroom()


class Emulator(Sandbox):
    key = "stockroom"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.things: dict[str, dict[str, dict[str, Any]]] = {stream.key: {} for stream in connector.streams}

    def put(self, stream: str, external_id: str, **fields: Any) -> None:
        self.things[stream][external_id] = {"id": external_id, "name": f"{stream} {external_id}", **fields}

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        return {"url": self.url}, {}

    @route("GET", "/{stream}")
    def listing(self, request: Request, stream: str) -> Reply:
        return Reply(body=json.dumps(sorted(self.things[stream].values(), key=lambda row: row["id"])).encode())

    @route("GET", "/{stream}/{external_id}")
    def one(self, request: Request, stream: str, external_id: str) -> Reply:
        found = self.things[stream].get(external_id)
        return Reply.json(found) if found else Reply.json({}, 404)
