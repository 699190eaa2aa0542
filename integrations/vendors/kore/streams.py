"""What every entity of KORE has in common: read by change date, swept by id, looked up one by one."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType
from typing import ClassVar

import msgspec

from integrations.contract import Access, Page, Record, Rejected, Settings, Span, Stream, brought_by
from integrations.errors import RecordRejected, VendorChanged
from integrations.vendors.kore import assumptions, fieldmap
from integrations.vendors.kore.client import fetch_ids, fetch_one
from integrations.vendors.kore.records import Fields
from integrations.vendors.kore.walk import Place, Row, read_row, walk


class _Sweep(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far the ids were gone through, and the first one of the page before."""

    skip: int = 0
    first: str = ""


class _Terms(msgspec.Struct):
    terms: str = ""


class KoreStream(Stream):
    """An entity of KORE, oldest change first. A subclass says what it is called and how it is shown."""

    interval = assumptions.INTERVAL
    sweep_interval = assumptions.SWEEP_INTERVAL
    parent_field: ClassVar[str] = ""  # our name of the field that holds the parent's id

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        terms = self.terms(access.settings)
        place = msgspec.json.decode(cursor, type=Place) if cursor and has_terms(cursor, terms) else Place()
        for step in walk(access, self.key, place):
            after = msgspec.to_builtins(step.place) | ({"terms": terms} if terms else {})
            cursor = msgspec.json.encode(after).decode()
            yield self.page(access.settings, step.rows, cursor=cursor, request_id=step.request_id)

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        """All ids in their order, which an edit does not disturb; a deletion meanwhile may hide one, and then it counts
        as missed once only."""
        at = msgspec.json.decode(cursor, type=_Sweep) if cursor else _Sweep()
        while True:
            ids = fetch_ids(access, self.key, skip=at.skip)
            if ids and ids[0] == at.first:
                raise VendorChanged("KORE sends the same records again and again.", code="endless")
            at = _Sweep(skip=at.skip + len(ids), first=ids[0] if ids else at.first)
            is_last = len(ids) < assumptions.PAGE_SIZE
            yield Page(
                records=(),
                seen=tuple(ids),
                covers=Span() if is_last else None,
                cursor=msgspec.json.encode(at).decode(),
            )
            if is_last:
                return

    def look_up(self, access: Access, external_id: str) -> Record | None:
        found = fetch_one(access, self.key, external_id)
        if found is None:
            return None
        payload, request_id = found
        row = read_row(payload)
        if not row.id:
            raise RecordRejected(row.reason)
        if row.id != external_id.lower():
            raise VendorChanged(
                "KORE sent another record than the one we asked for. Our developers have to look at it.",
                code="another_record",
                detail=row.reason,
            )
        page = self.page(access.settings, [row], self.contexts(access, [row]))
        return brought_by(request_id, page.records[0]) if page.records else None

    def page(
        self,
        settings: Settings,
        rows: Sequence[Row],
        contexts: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
        *,
        cursor: str = "",
        request_id: str = "",
    ) -> Page:
        """The rows as records with their contexts by id, each bad one set aside with its reason."""
        names = fieldmap.names(settings, self.key)
        records, rejected = [], []
        for row in rows:
            try:
                if not row.id:
                    raise RecordRejected(row.reason)
                parent = Fields(row.payload, names).text(self.parent_field).lower() if self.parent_field else ""
            except RecordRejected as refusal:
                rejected.append(Rejected(payload=row.payload, reason=refusal.words))
                continue
            records.append(
                Record(
                    external_id=row.id,
                    payload=row.payload,
                    context=contexts.get(row.id, {}),
                    parent_id=parent,
                )
            )
        return Page(records=tuple(records), rejected=tuple(rejected), cursor=cursor, request_id=request_id)

    def contexts(self, access: Access, rows: Sequence[Row]) -> Mapping[str, Mapping[str, str]]:
        """What is told beside the records, by their ids."""
        return {}

    def terms(self, settings: Settings) -> str:
        """A mark of the settings that decide how this stream is read. When it changes, everything is read anew."""
        return mark_of(fieldmap.overrides(settings, self.key))

    def wanted(self, settings: Settings) -> fieldmap.Names:
        """What we look for in a row and under which names: for the live test."""
        columns = self.columns if self.kind is None else ()
        shown = {column.label.lower(): (column.path.partition(".")[0],) for column in columns}
        return {**shown, **fieldmap.names(settings, self.key)}


def has_terms(cursor: str, terms: str) -> bool:
    """Whether the cursor comes from a reading under the same settings."""
    return msgspec.json.decode(cursor, type=_Terms).terms == terms


def mark_of(*settings: object) -> str:
    """A short digest; empty for settings that are all empty."""
    return blake2b(msgspec.json.encode(settings), digest_size=6).hexdigest() if any(settings) else ""
