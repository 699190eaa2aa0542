"""How a vendor's answers have changed, in words for admins: fields that are new, of another type, or gone."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.contract import Stream
from integrations.records.drift import TOLD_FOR
from integrations.records.models import KnownField, RejectedRecord
from portal.pages.connections.queries import stream_label

_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What happened to one field: `kind` is new, changed or lost, `since` when it was first seen so."""

    kind: str
    name: str
    since: datetime
    records: int = 0
    is_shown: bool = False
    before: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A stream worth a look: what there is to say of it, in short."""

    key: str
    label: str
    words: str


def notes_of(connection: Connection, stream: Stream) -> list[Note]:
    """The latest first; what lies within an object of which the same is said is left out."""
    fields = list(_noted(connection).filter(stream=stream.key).order_by("name")[:_MOST])
    shown = _shown_paths(stream)
    found = [note for field in fields for note in _notes(field, shown)]
    said = {(note.kind, note.name) for note in found}
    found = [note for note in found if (note.kind, note.name.partition(".")[0]) not in said or "." not in note.name]
    return sorted(found, key=lambda note: note.since, reverse=True)


def marks_of(connection: Connection) -> list[Mark]:
    """The streams whose answers have changed lately or of which records are set aside: two statements."""
    since = timezone.now() - TOLD_FOR
    changes: dict[str, Counter[str]] = {}
    for field in _noted(connection).order_by("stream")[: _MOST * 10]:
        count = changes.setdefault(field.stream, Counter())
        count["new field"] += field.is_new and field.first_seen_at > since
        count["field of another type"] += field.types_changed_at is not None and field.types_changed_at > since
        count["field gone"] += field.lost_at is not None
    aside = RejectedRecord.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    for stream, number in aside.values_list("stream").annotate(Count("pk")):
        changes.setdefault(stream, Counter())["record set aside"] = number
    return [
        Mark(key=key, label=stream_label(connection, key), words=_in_short(changes[key])) for key in sorted(changes)
    ]


def _in_short(count: Counter[str]) -> str:
    plurals = {"field of another type": "fields of another type", "field gone": "fields gone"}
    plurals["record set aside"] = "records set aside"
    return ", ".join(
        f"{number:,} {words if number == 1 else plurals.get(words, f'{words}s')}"
        for words, number in count.items()
        if number
    )


def _noted(connection: Connection) -> QuerySet[KnownField]:
    since = timezone.now() - TOLD_FOR
    return KnownField.objects.filter(tenant_id=connection.tenant_id, connection=connection).filter(
        Q(is_new=True, first_seen_at__gt=since) | Q(types_changed_at__gt=since) | Q(lost_at__isnull=False)
    )


def _shown_paths(stream: Stream) -> set[str]:
    sources = stream.sources({}).values() if stream.kind else ()
    paths = [*(column.path for column in stream.columns), *(path for one in sources for path in one.paths)]
    return {path.lower() for path in paths}


def _notes(field: KnownField, shown: set[str]) -> Iterator[Note]:
    since, name = timezone.now() - TOLD_FOR, field.name.lower()
    is_shown = any(path == name or path.startswith((f"{name}.", f"{name}[]")) for path in shown)
    if field.lost_at:
        yield Note(kind="lost", name=field.name, since=field.lost_at, is_shown=is_shown)
    if field.types_changed_at and field.types_changed_at > since:
        yield Note(
            kind="changed",
            name=field.name,
            since=field.types_changed_at,
            is_shown=is_shown,
            before=_types(field.types_before),
            now=_types(field.types),
        )
    if field.is_new and field.first_seen_at > since:
        yield Note(kind="new", name=field.name, since=field.first_seen_at, records=field.records, is_shown=is_shown)


def _types(names: str) -> str:
    return names.replace(",", " or ")
