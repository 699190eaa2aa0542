"""What using a new copy of a stream would change: figures, warnings and a few examples of each kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.records import shadow
from integrations.records.models import Booking, Difference, Record, ShadowRecord
from integrations.sync.models import Rebuild
from integrations.sync.rebuild import place_of
from integrations.sync.switch import is_much
from integrations.values import Kind
from portal.pages.business.details import page_of
from portal.pages.business.history import Field, differences

_EXAMPLES = 5
_FIELDS = 12  # shown of one record
_PRIVATE = "A private booking"
_HEADINGS: dict[Difference, tuple[str, str]] = {
    Difference.CHANGED: ("Changed", "They say something else in the new copy."),
    Difference.NEW: ("New", "They are not shown today and would be."),
    Difference.GONE: (
        "No longer there",
        "They are not in the new copy. They stay readable, marked as no longer there.",
    ),
    Difference.BACK: ("There again", "They are marked as no longer there today, and are in the new copy."),
    Difference.ASIDE: ("Set aside", "They could not be read. What is shown of them today stays as it is."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One record. `pk` is that of the record shown today, if there is one; `more` fields differ beyond those listed."""

    title: str
    external_id: str
    pk: int | None
    note: str = ""
    fields: tuple[Field, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """All that would happen to records in one way."""

    key: str
    heading: str
    lede: str
    number: int
    examples: tuple[Example, ...]

    @property
    def others(self) -> int:
        return self.number - len(self.examples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The counts of a rebuild. `outside` lie outside of what was read from the start and stay as they are; `kept` were
    changed by the regular syncs meanwhile and stay too."""

    new: int
    changed: int
    back: int
    gone: int
    same: int
    aside: int
    kept: int
    outside: int

    @classmethod
    def of(cls, one: Rebuild) -> "Figures":
        names = (*Difference.values, "outside")
        return cls(**{name: one.counts.get(name, 0) for name in names})

    @property
    def shown_today(self) -> int:
        """Records that the copy could have met."""
        return self.same + self.changed + self.gone + self.kept

    @property
    def is_all_same(self) -> bool:
        return not (self.new or self.changed or self.back or self.gone or self.aside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    figures: Figures
    warnings: tuple[str, ...]
    parts: tuple[Part, ...]
    page: str  # the name of the page that shows a record of this stream


def preview_of(one: Rebuild) -> Preview:
    """A handful of statements, however large the copy is."""
    figures, stream = Figures.of(one), one.stream_state.definition
    label, vendor = stream.label.lower(), one.connection.connector.label
    warnings = []
    if is_much(figures.gone, figures.shown_today):
        warnings.append(
            f"{figures.gone:,} of {figures.shown_today:,} {label} are not in the new copy and would be marked as no "
            f"longer there. That is more than usual. Before you use it, make sure at {vendor} that they were really "
            "deleted: a permission that was taken away looks just the same."
        )
    if is_much(figures.aside, figures.shown_today):
        warnings.append(
            f"{figures.aside:,} {label} could not be read. What is shown of them today stays, but they would no longer "
            "be kept up to date. Switchboard's own support should have a look first."
        )
    return Preview(
        figures=figures,
        warnings=tuple(warnings),
        parts=tuple(_part(one, difference) for difference in _HEADINGS if one.counts.get(difference)),
        page=page_of(stream),
    )


def _part(one: Rebuild, difference: Difference) -> Part:
    heading, lede = _HEADINGS[difference]
    of_copy = ShadowRecord.objects.filter(
        tenant_id=one.tenant_id, connection=one.connection_id, stream=one.stream, run_id=one.run_id
    )
    found = list(of_copy.filter(difference=difference).order_by("external_id")[:_EXAMPLES])
    return Part(
        key=difference.value,
        heading=heading,
        lede=lede,
        number=one.counts[difference],
        examples=tuple(_examples(one, found)),
    )


def _examples(one: Rebuild, found: Sequence[ShadowRecord]) -> list[Example]:
    ids = [copy.external_id for copy in found]
    rows = Record.objects.filter(
        tenant_id=one.tenant_id, connection=one.connection_id, stream=one.stream, external_id__in=ids
    )
    records = {record.external_id: record for record in rows}
    veiled = _veiled(one, found, records)
    readings = shadow.readings(place_of(one), one.stream_state.definition, ids)
    return [
        _veil(copy, records.get(copy.external_id))
        if copy.external_id in veiled
        else _example(copy, records.get(copy.external_id), readings.get(copy.external_id))
        for copy in found
    ]


def _veiled(one: Rebuild, found: Sequence[ShadowRecord], records: dict[str, Record]) -> set[str]:
    """The private ones, in either copy: nothing of them is told. What cannot be read might be private."""
    if one.stream_state.definition.kind != Kind.BOOKING:
        return set()
    rows = Booking.objects.filter(
        tenant_id=one.tenant_id, record__in=[record.pk for record in records.values()], is_private=True
    )
    private = set(rows.values_list("record__external_id", flat=True))
    return private | {copy.external_id for copy in found if copy.reason or (copy.typed or {}).get("is_private")}


def _veil(copy: ShadowRecord, record: Record | None) -> Example:
    title = copy.external_id if copy.reason else _PRIVATE
    return Example(title=title, external_id=copy.external_id, pk=record.pk if record else None, note=copy.reason)


def _example(copy: ShadowRecord, record: Record | None, reading: tuple[str, str] | None) -> Example:
    note, fields = copy.reason, []
    if copy.difference == Difference.CHANGED and record is not None:
        fields = differences(record.payload, copy.payload or "")
        if not fields:
            fields = differences(*reading) if reading else []
            note = "The vendor says the same as before. Switchboard reads it differently now."
    return Example(
        title=copy.title or (str(record) if record else copy.external_id),
        external_id=copy.external_id,
        pk=record.pk if record else None,
        note=note,
        fields=tuple(fields[:_FIELDS]),
        more=max(len(fields) - _FIELDS, 0),
    )
