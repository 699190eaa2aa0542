"""How we know what a page says: the runs that brought a record, what it said before, and what the vendor sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from uuid import UUID

import msgspec

from integrations.records.models import Record, RecordVersion
from integrations.sync.models import SyncRun

MAX_VERSIONS = 20
_MAX_FIELDS = 40  # shown for one change
_MAX_LEAVES = 5_000
_MAX_DEPTH = 20
_MAX_VALUE = 200
_MAX_PAYLOAD = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field that differs; `was` or `now` is None where it was not there."""

    path: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became different at `at`. The run that brought it is None once that was too long ago, the request where it
    was not kept yet."""

    at: datetime
    run: SyncRun | None
    request_id: UUID | None
    fields: tuple[Field, ...]
    more: int  # fields that differ beyond those listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    first_run: SyncRun | None
    changed_run: SyncRun | None
    changes: tuple[Change, ...]
    has_older: bool


def provenance(record: Record, *, is_veiled: bool = False) -> Provenance:
    """Two statements. Of a veiled record the changes are not told: they would say what is private."""
    versions = [] if is_veiled else list(_versions(record))
    shown = versions[:MAX_VERSIONS]
    payloads = [record.payload, *(version.payload for version in shown)]
    run_ids = [record.changed_run_id, *(version.run_id for version in shown)]  # each brought the payload beside it
    request_ids = [record.changed_request_id, *(version.request_id for version in shown)]
    runs = SyncRun.objects.filter(tenant_id=record.tenant_id).in_bulk({record.first_run_id, *run_ids})
    return Provenance(
        first_run=runs.get(record.first_run_id),
        changed_run=runs.get(record.changed_run_id),
        changes=tuple(
            _change(version.replaced_at, runs.get(run_id), request_id, before=older, after=newer)
            for version, run_id, request_id, (newer, older) in zip(
                shown, run_ids, request_ids, pairwise(payloads), strict=False
            )
        ),
        has_older=len(versions) > MAX_VERSIONS,
    )


def pretty(payload: str) -> str:
    """The vendor's JSON with line breaks; its numbers and the order of its keys as they came."""
    text = payload[:_MAX_PAYLOAD]
    try:
        return msgspec.json.format(payload, indent=2)[: 2 * _MAX_PAYLOAD]
    except msgspec.DecodeError:
        return text


def differences(before: str, after: str) -> list[Field]:
    """The fields that differ between two payloads, by dotted path, in the newer one's order."""
    was, now = _flat(before), _flat(after)
    paths = [*now, *(path for path in was if path not in now)]
    return [Field(path=path, was=was.get(path), now=now.get(path)) for path in paths if was.get(path) != now.get(path)]


def _versions(record: Record) -> Iterator[RecordVersion]:
    found = RecordVersion.objects.filter(tenant_id=record.tenant_id, record=record).order_by("-replaced_at", "-id")
    return iter(found[: MAX_VERSIONS + 1])


def _change(at: datetime, run: SyncRun | None, request_id: UUID | None, *, before: str, after: str) -> Change:
    found = differences(before, after)
    return Change(
        at=at,
        run=run,
        request_id=request_id,
        fields=tuple(found[:_MAX_FIELDS]),
        more=max(len(found) - _MAX_FIELDS, 0),
    )


def _flat(payload: str) -> dict[str, str]:
    try:
        decoded = msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return {"": payload[:_MAX_VALUE]}
    return dict(islice(_leaves(decoded, "", 0), _MAX_LEAVES))


def _leaves(value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value and depth < _MAX_DEPTH:
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list) and value and depth < _MAX_DEPTH:
        for number, one in enumerate(value, start=1):
            yield from _leaves(one, f"{path}[{number}]", depth + 1)
    else:
        yield path, _shown(value)


def _shown(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
