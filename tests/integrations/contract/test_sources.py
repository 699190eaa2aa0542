"""Where the typed fields come from: what a stream says of that is all there is, and each part of it counts."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from integrations.contract import Record, Stream
from integrations.errors import RecordRejected
from integrations.sources import Source
from tests.integrations.contract.vendor import Shelf, Vendor

OTHERS = (
    "other",
    "draft",
    "2026-03-01T10:00:00Z",
    "2027-04-02T11:30:00Z",
    "2027-04-02",
    "EUR",
    "America/Chicago",
    3,
    40,
    True,
)
MOST_SEEN = 6
Fields = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Sample:
    """Some records of a typed stream, decoded, and the values that occur at each path and beside them."""

    stream: Stream
    rows: list[tuple[Fields, Fields]]
    seen: dict[str, list[Any]]

    def typed(self, fields: Fields, context: Fields) -> Fields | None:
        """The typed fields; None for what is set aside."""
        with suppress(RecordRejected):
            value = self.stream.interpret(json.dumps(fields).encode(), context)
            return {one.name: getattr(value, one.name) for one in msgspec.structs.fields(value)}
        return None

    def values(self, path: str) -> list[Any]:
        return [*self.seen.get(path.lower(), [])[:MOST_SEEN], *OTHERS]


@pytest.fixture(scope="module")
def samples() -> dict[Stream, Sample]:
    return {}


@pytest.fixture
def sample(box: Vendor, typed_key: str, samples: dict[Stream, Sample]) -> Sample:
    stream = box.stream(typed_key)
    if stream not in samples:
        samples[stream] = sample_of(box, stream)
    return samples[stream]


def sample_of(box: Vendor, stream: Stream) -> Sample:
    records = list(Shelf().put(box.pages(stream)).records.values())
    seen: dict[str, list[Any]] = {}
    for record in records:
        for path, value in leaves(fields_of(record)):
            note(seen, path, value)
        for name, value in record.context.items():
            note(seen, beside(name), value)
    rows = [(fields_of(record), dict(record.context)) for record in records[:: max(1, len(records) // 12)]]
    return Sample(stream, rows, seen)


def fields_of(record: Record) -> Fields:
    found: Fields = json.loads(record.payload)
    return found


def note(seen: dict[str, list[Any]], path: str, value: Any) -> None:
    known = seen.setdefault(path.lower(), [])
    if value not in known:
        known.append(value)


def beside(name: str) -> str:
    return f"({name})"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, value


def put(fields: Fields, path: str, new: Any) -> Fields:
    """The same with that at the path, in each part of a list; what leads there is made where it is missing."""
    step, _, rest = path.partition(".")
    name = step.removesuffix("[]")
    key = next((key for key in fields if key.lower() == name.lower()), name)
    if name == step:
        return {**fields, key: put(_object(fields.get(key)), rest, new) if rest else new}
    parts = fields.get(key)
    parts = parts if isinstance(parts, list) and parts else [{}]
    return {**fields, key: [put(_object(part), rest, new) for part in parts] if rest else [new]}


def _object(value: Any) -> Fields:
    return value if isinstance(value, dict) else {}


def is_within(path: str, source: Source) -> bool:
    """Whether the source names that path, or one above or below it."""
    name, known = path.lower(), [one.lower() for one in (*source.paths, *map(beside, source.beside))]
    return any(
        name == one or name.startswith((f"{one}.", f"{one}[]")) or one.startswith((f"{name}.", f"{name}[]"))
        for one in known
    )


def variants(sample: Sample, fields: Fields, context: Fields, path: str, values: Iterable[Any]) -> Iterator[Any]:
    """What the record's typed fields become with each of the values there."""
    for value in values:
        if path.startswith("("):
            changed = sample.typed(fields, {**context, path.strip("()"): value if isinstance(value, str) else "x"})
        else:
            changed = sample.typed(put(fields, path, value), context)
        if changed is not None:
            yield changed


def test_what_is_said_of_sources_is_about_fields_there_are(sample: Sample) -> None:
    value = sample.typed(*sample.rows[0])
    assert value
    declared = sample.stream.sources(sample.rows[0][1])
    assert declared.keys() <= value.keys()
    for name, source in declared.items():
        assert source.paths or source.how, f"{name}: not in the payload, and no word about it"


def test_a_typed_field_depends_on_nothing_but_its_sources(sample: Sample) -> None:
    for fields, context in sample.rows[:6]:
        declared = sample.stream.sources(context)
        before = sample.typed(fields, context)
        assert before is not None
        for path in dict.fromkeys([*(path for path, _ in leaves(fields)), *map(beside, context)]):
            for after in variants(sample, fields, context, path, [*sample.values(path), None]):
                changed = {name for name in before if after[name] != before[name]}
                undeclared = {name for name in changed if not is_within(path, declared.get(name, Source()))}
                assert not undeclared, f"{undeclared} changed with {path}"


def test_a_field_without_a_source_is_never_filled(sample: Sample) -> None:
    for fields, context in sample.rows:
        value = sample.stream.interpret(json.dumps(fields).encode(), context)
        for field in msgspec.structs.fields(value):
            if field.name not in sample.stream.sources(context):
                assert getattr(value, field.name) == field.default, field.name


def test_each_source_makes_a_difference(sample: Sample) -> None:
    _, context = sample.rows[0]
    for name, source in sample.stream.sources(context).items():
        for path in (*source.paths, *map(beside, source.beside)):
            assert any(is_felt(sample, name, source, path, row) for row in sample.rows), f"{name} ignores {path}"


def is_felt(sample: Sample, name: str, source: Source, path: str, row: tuple[Fields, Fields]) -> bool:
    """Whether the field becomes another one with another value there, all else being equal."""
    below = [one for one in sample.seen if one.startswith(f"{path.lower()}.")]
    for fields, context in bases(sample, source, path, *row):
        for one in [path, *below]:
            found = [found[name] for found in variants(sample, fields, context, one, [None, *sample.values(one)])]
            if any(other != found[0] for other in found[1:]):
                return True
    return False


def bases(
    sample: Sample, source: Source, path: str, fields: Fields, context: Fields
) -> Iterator[tuple[Fields, Fields]]:
    """The record; with each of the field's other sources as it may be; without those that count before this one, one
    after the other, and without what is told beside it."""
    yield fields, context
    for other in source.paths:
        if other != path:
            for value in [None, *sample.values(other)]:
                yield put(fields, other, value), context
    aside = {name: value for name, value in context.items() if name not in source.beside or beside(name) == path}
    yield fields, aside
    for other in source.paths[: source.paths.index(path)] if path in source.paths else source.paths:
        fields = put(fields, other, None)
        yield fields, context
        yield fields, aside
