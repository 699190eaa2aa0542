"""When the fields that everything rests on are gone or become something else: the stream stops with words, or sets
everything aside with reasons, which stops it too (`integrations.sync.doubts`). Never is nothing stored in silence, and
never the same things again under other ids."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from integrations.contract import Record, Stream
from integrations.errors import ConfigurationNeeded, IntegrationError, RetryLater, VendorChanged
from tests.integrations.contract.vendor import Shelf, Vendor, outcome, read, serving, sweep

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT|\d\d-[A-Z][a-z]{2}-\d{4}")
SMALL = 1  # the account to read: the smaller one
Change = Callable[[dict[str, Any], str], None]


@pytest.fixture
def stormy(box: Vendor) -> Iterator[Vendor]:
    yield box
    box.calm()


def names_of_ids(records: list[Record]) -> set[str]:
    """The fields whose value is, in each record that has them, the record's own id or a part of it."""
    rows = [(record, json.loads(record.payload)) for record in records]
    shared = {name for _, row in rows for name in row}
    return {
        name
        for name in shared
        if all(
            str(row[name]).lower() in {record.external_id.lower(), *record.external_id.lower().split("/")}
            for record, row in rows
            if name in row
        )
    }


def names_of_moments(records: Iterable[Record]) -> set[str]:
    """The fields that hold a moment: one of them may be what the reading goes by."""
    rows = [json.loads(record.payload) for record in records]
    return {name for row in rows for name, value in row.items() if isinstance(value, str) and MOMENT.match(value)}


def everywhere(name: str, change: Change) -> Callable[[bytes], bytes]:
    """The answer with that field changed in each object that has it."""

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key in [key for key in value if key.lower() == name.lower()]:
                change(value, key)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    def rewrite(body: bytes) -> bytes:
        answer = json.loads(body)
        walk(answer)
        return json.dumps(answer).encode()

    return rewrite


def drop(row: dict[str, Any], key: str) -> None:
    del row[key]


def wrap(row: dict[str, Any], key: str) -> None:
    row[key] = {"value": row[key]}


CHANGES = (drop, wrap)


def judge(result: Shelf | IntegrationError, there: set[str], what: str) -> None:
    if isinstance(result, Shelf):
        assert there <= set(result.records) or result.rejected, f"{what}: lost in silence"
    else:
        assert isinstance(result, VendorChanged | RetryLater | ConfigurationNeeded), f"{what}: {result!r}"
        assert result.words


def is_watched(stream: Stream, name: str, records: Iterable[Record]) -> bool:
    """Whether the site stops the stream itself when these records have lost that field: see `Stream.keys`."""
    stand_in = stream.keys.get(name, "")
    return any(json.loads(record.payload).get(stand_in) is not None for record in records)


@pytest.mark.parametrize("change", CHANGES)
def test_a_lost_or_changed_key_is_never_passed_over(stormy: Vendor, stream_key: str, change: Change) -> None:
    stream = stormy.stream(stream_key)
    before = Shelf().put(stormy.pages(stream, SMALL))
    there = set(before.records)
    for name in sorted(names_of_ids(list(before.records.values()))):
        stormy.disturb(rewrite=everywhere(name, change))
        result = outcome(stormy, stream, account=SMALL)
        stormy.calm()
        if isinstance(result, Shelf) and not set(result.records) <= there:
            assert is_watched(stream, name, result.records.values()), f"{name}: all come again under other ids"
        else:
            judge(result, there, name)


@pytest.mark.parametrize("change", CHANGES)
def test_a_lost_or_changed_moment_loses_nothing_in_silence(stormy: Vendor, stream_key: str, change: Change) -> None:
    stream = stormy.stream(stream_key)
    before = Shelf().put(stormy.pages(stream, SMALL))
    for name in sorted(names_of_moments(before.records.values())):
        stormy.disturb(rewrite=everywhere(name, change))
        judge(outcome(stormy, stream, account=SMALL), set(before.records), name)
        stormy.calm()


def test_what_changes_while_a_moment_is_missing_is_there_when_it_is_back(vendor_key: str) -> None:
    """The next run begins where the last one ended, or where it began when it ended in an error."""
    with serving(vendor_key) as vendor:
        shelves = {stream.key: Shelf().put(read(vendor, stream, account=SMALL)) for stream in vendor.connector.streams}
        for name in vendor.sandbox.mishaps:
            getattr(vendor.sandbox, name)(account=SMALL)
        for stream in vendor.connector.streams:
            if stream.reads_whole:
                continue
            shelf = shelves[stream.key]
            missed = names_of_moments(shelf.records.values())
            for name in sorted(missed):
                vendor.disturb(rewrite=everywhere(name, drop))
            meanwhile = outcome(vendor, stream, shelf.cursor, SMALL)
            vendor.calm()
            cursor = meanwhile.cursor if isinstance(meanwhile, Shelf) else shelf.cursor
            if isinstance(meanwhile, Shelf):
                shelf.records |= meanwhile.records
            shelf.put(read(vendor, stream, cursor, SMALL))
            if stream.sweep_interval is not None:
                shelf.put(sweep(vendor, stream, account=SMALL))
            full = Shelf().put(read(vendor, stream, account=SMALL))
            for key, record in full.records.items():
                assert key in shelf.records, f"{stream.key} {key}: skipped for ever"
                assert without(shelf.records[key], missed) == without(record, missed), f"{stream.key} {key}: old"


def without(record: Record, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in json.loads(record.payload).items() if name not in names}
