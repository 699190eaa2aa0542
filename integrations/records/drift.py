"""What a vendor's answers are made of, and when that changes: new fields, fields that are gone, fields of another type.

Raw payloads keep every field anyway; here is only noted that there is one. Fields are known by name and JSON type, one
level deep (`dueDate`, `Customer.Name`). A batch whose fields are all known costs one question to the database, records
that did not change cost none. Call in the tenant's scope.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from integrations.contract import Stream
from integrations.errors import VendorChanged
from integrations.records.models import KnownField, Record, RecordVersion

MANY = 20  # changed records after which a run looks for what is gone
TOLD_FOR = timedelta(days=90)  # a change of the answers is news for so long
_MOST = 400  # fields of a stream; an object whose keys are data would otherwise bring ever new ones
_SAMPLE = 200
_SEVERAL = 3
_ENOUGH = 10  # records that had a field and lost it
_TYPES: Mapping[type, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "yes or no",
    list: "list",
    dict: "object",
    type(None): "",
}
_TYPES_OF_IDS = frozenset({"text", "number"})
_NEWS = """
select distinct found.name from unnest(%(names)s::text[], %(types)s::text[]) found(name, type)
left join records_knownfield k on k.tenant_id = %(tenant)s and k.connection_id = %(connection)s
    and k.stream = %(stream)s and k.name = found.name
where k.name is null or k.lost_at is not null or (k.is_new and k.first_seen_at > %(since)s)
    or (found.type <> '' and found.type <> all(string_to_array(k.types, ',')))
"""


class Seen(NamedTuple):
    """How a field came: its JSON types ("" for null), and in how many records."""

    types: frozenset[str]
    records: int


class _Shape:
    """Names and types that records have in common: in how many, and which of them are objects, with their prefix."""

    __slots__ = ("objects", "records")

    def __init__(self, objects: list[tuple[str, str]]) -> None:
        self.objects, self.records = objects, 0


class Shapes:
    """The fields of a batch. Most records of a stream are alike, so shapes are counted, not fields."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...], tuple[type, ...]], _Shape] = {}

    def add(self, fields: Any, prefix: str = "") -> None:
        """Note one decoded payload: on the way of every new or changed record, so as little as can be."""
        if type(fields) is not dict:
            return
        key = prefix, tuple(fields), tuple(map(type, fields.values()))
        shape = self._known.get(key)
        if shape is None:
            objects = [] if prefix else [(name, f"{name}.") for name, value in fields.items() if type(value) is dict]
            shape = self._known[key] = _Shape(objects)
        shape.records += 1
        for name, inner in shape.objects:
            self.add(fields[name], inner)

    def found(self) -> dict[str, Seen]:
        """By dotted name; what no vendor calls a field is left out."""
        found: dict[str, Seen] = {}
        for (prefix, names, types), shape in self._known.items():
            for name, one in zip(names, types, strict=True):
                path = f"{prefix}{name}"
                if len(path) <= 200 and "\0" not in path:
                    known = found.get(path, Seen(frozenset(), 0))
                    found[path] = Seen(known.types | {_TYPES[one]}, known.records + shape.records)
        return found


def note(facts: Mapping[str, Any], shapes: Shapes, *, is_first_copy: bool) -> None:
    """Remember the fields that are new or of another type than before. `facts` are those of the records' place: tenant,
    connection, stream, run. In a first copy all are simply learned."""
    found = shapes.found()
    if not found:
        return
    pairs = [(name, one) for name, seen in found.items() for one in seen.types]
    names, types = [name for name, _ in pairs], [one for _, one in pairs]
    with connection.cursor() as cursor:
        since = timezone.now() - TOLD_FOR
        cursor.execute(_NEWS, {**facts, "names": names, "types": types, "since": since})
        news = {row[0] for row in cursor.fetchall()}
    if not news:
        return
    if not is_first_copy and not _known(facts).exists():
        _learn_from_what_is_stored(facts)
    known = {one.name: one for one in _known(facts).filter(name__in=news)}
    for field in known.values():
        _see_again(field, found[field.name], is_first_copy=is_first_copy)
    _meet(facts, {name: found[name] for name in news - known.keys()}, is_new=not is_first_copy)


def require_keys(facts: Mapping[str, Any], stream: Stream, shapes: Shapes) -> None:
    """Raises VendorChanged when none of several records has the field any more, as an id, by which they were known."""
    if not stream.keys:
        return
    found = shapes.found()
    for key, stand_in in stream.keys.items():
        came = found[stand_in].records if stand_in in found else 0
        is_there = key in found and found[key].types & _TYPES_OF_IDS
        if came >= _SEVERAL and not is_there and _has_come(facts, key):
            raise VendorChanged(
                f"{stream.label} come without their “{key}” now, by which we know them again, so we stopped before "
                "storing them as others. Our developers have to look at it; there is nothing you can do.",
                code="lost_key",
                detail=f"{came} records without {key}",
            )


def _has_come(facts: Mapping[str, Any], key: str) -> bool:
    types = _known(facts).filter(name=key).values_list("types", flat=True).first()
    return bool(types and _TYPES_OF_IDS & set(types.split(",")))


def look_for_lost(facts: Mapping[str, Any]) -> None:
    """Note the fields that none of the latest records has any more, although enough of these very records had them
    before they changed."""
    of_stream = Record.objects.filter(**_of(facts), missing_since=None)
    latest = list(of_stream.order_by("-changed_at", "-id").values_list("pk", "payload")[:_SAMPLE])
    present = _shapes_of(payload for _, payload in latest).found()
    absent = _known(facts).filter(lost_at=None).exclude(name__in=list(present))
    if not latest or not absent.exists():
        return
    versions = RecordVersion.objects.filter(tenant_id=facts["tenant"], record__in=[pk for pk, _ in latest])
    former = versions.order_by("record", "-replaced_at").distinct("record").values_list("payload", flat=True)
    before = _shapes_of(former).found()
    enough = max(min(_ENOUGH, len(latest)), 3)
    lost = [name for name, seen in before.items() if seen.records >= enough]
    absent.filter(name__in=lost).update(lost_at=timezone.now())


def _of(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"tenant_id": facts["tenant"], "connection_id": facts["connection"], "stream": facts["stream"]}


def _known(facts: Mapping[str, Any]) -> QuerySet[KnownField]:
    return KnownField.objects.filter(**_of(facts))


def _see_again(field: KnownField, seen: Seen, *, is_first_copy: bool) -> None:
    types = {one for one in field.types.split(",") if one}
    if more := seen.types - types - {""}:
        if types and not is_first_copy:
            field.types_before, field.types_changed_at = field.types, timezone.now()
        field.types = ",".join(sorted(types | more))
    field.lost_at = None
    field.records += seen.records if field.is_new else 0
    field.save(update_fields=["types", "types_before", "types_changed_at", "lost_at", "records"])


def _meet(facts: Mapping[str, Any], found: Mapping[str, Seen], *, is_new: bool) -> None:
    room = max(_MOST - _known(facts).count(), 0) if found else 0
    now = timezone.now()
    rows = [
        KnownField(
            **_of(facts),
            name=name,
            types=",".join(sorted(seen.types - {""})),
            is_new=is_new,
            records=seen.records if is_new else 0,
            first_seen_at=now,
            run_id=facts["run"],
        )
        for name, seen in list(found.items())[:room]
    ]
    KnownField.objects.bulk_create(rows, ignore_conflicts=True)


def _learn_from_what_is_stored(facts: Mapping[str, Any]) -> None:
    """What was stored before fields were noted is no news."""
    latest = Record.objects.filter(**_of(facts)).order_by("-changed_at", "-id").values_list("payload", flat=True)
    _meet(facts, _shapes_of(latest[:_SAMPLE]).found(), is_new=False)


def _shapes_of(payloads: Iterable[str]) -> Shapes:
    shapes = Shapes()
    for payload in payloads:
        try:
            shapes.add(msgspec.json.decode(payload))
        except (msgspec.DecodeError, RecursionError):
            continue
    return shapes
