"""Appointments: coreplus tells neither what changed nor what is gone, so windows of time are read again and again.

`read` copies the wide window once and then, every ten minutes, the hot one. `sweep` goes through the wide window every
night: it brings what changed farther away, and what it does not meet is asked for by its id, where coreplus tells
cancelled, moved and removed appointments apart. Both walk in slices of a week, each asked once per zone of the
practice. What comes is trimmed to the slice by its instant and to the zone by its location, so that each appointment
comes from one question only and always in the same words. So questions do not depend on each other and
are asked side by side. What is moved from one to another just then may be met in both or in neither, as it may be
between two questions in a row: the next reading brings it, and a sweep looks it up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import msgspec

from integrations.contract import Access, Page, Record, Rejected, Span, Stream, brought_by
from integrations.errors import RecordRejected, VendorChanged
from integrations.sources import Sources
from integrations.values import Booking, Kind
from integrations.vendors.coreplus import assumptions, paging, records
from integrations.vendors.coreplus.client import Listing, fetch_appointment, fetch_appointments, vendor_now
from integrations.vendors.coreplus.lists import has_names, sort_out
from integrations.vendors.coreplus.references import References, read_references

ONE_DAY = timedelta(days=1)
_READ = paging.Place(page=0)


class Walk(msgspec.Struct, frozen=True, omit_defaults=True):
    """A cursor. Days are UTC days; `until` is not included. Without a `day` the walk is over."""

    began: date | None = None
    until: date | None = None
    day: date | None = None  # the first of the slice being read
    zones: tuple[str, ...] = ()  # in which to ask; those before `zone` are done for this slice
    zone: int = 0
    place: paging.Place = paging.Place()
    is_torn: bool = False  # the slice changed so often while it was read that it proves nothing
    renewals: int = 0  # how often coreplus did not know a zone any more

    @classmethod
    def begin(cls, last: "Walk", today: date, zones: tuple[str, ...]) -> "Walk":
        """The wide window at the very first, afterwards the hot one; it reaches back over a pause."""
        if last.began is None:
            day = today - timedelta(days=assumptions.DAYS_BACK_WIDE)
            ahead = assumptions.DAYS_AHEAD_WIDE
        else:
            day = min(today, last.began) - timedelta(days=assumptions.DAYS_BACK_HOT)
            ahead = assumptions.DAYS_AHEAD_HOT
        return cls(began=today, until=today + timedelta(days=ahead + 1), day=day, zones=zones)

    @property
    def slice(self) -> tuple[date, date]:
        """First day of the slice, and the first that is not in it."""
        assert self.day
        assert self.until
        return self.day, min(self.day + assumptions.SLICE, self.until)

    def after(self, place: paging.Place) -> "Walk":
        """The walk once a page was read that led to `place`."""
        if not place.is_end:
            return msgspec.structs.replace(self, place=place)
        is_torn, start = self.is_torn or place.is_torn, paging.Place()
        if self.zone + 1 < len(self.zones):
            return msgspec.structs.replace(self, zone=self.zone + 1, place=start, is_torn=is_torn)
        _, end = self.slice
        if end == self.until:
            return Walk(began=self.began)
        return msgspec.structs.replace(self, day=end, zone=0, place=start, is_torn=False)

    def renewed(self, zones: tuple[str, ...]) -> "Walk":
        """The slice from its start, in other zones."""
        return msgspec.structs.replace(
            self, zones=zones, zone=0, place=paging.Place(), is_torn=False, renewals=self.renewals + 1
        )


class Appointments(Stream):
    key, label, kind, parent = "appointments", "Appointments", Kind.BOOKING, "practitioners"
    interval = assumptions.INTERVAL
    sweep_interval = ONE_DAY
    keep_for = assumptions.KEPT_FOR
    misses = 1  # one is enough: before anything counts as gone it is asked for by its id

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        for page, _ in _walk(access, cursor):
            yield page

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        """The wide window; a slice is covered once it was read in every zone without a change in between."""
        for page, covered in _walk(access, cursor):
            yield replace(page, covers=covered)

    def look_up(self, access: Access, external_id: str) -> Record | None:
        found = fetch_appointment(access, external_id)
        if found is None:
            return None
        raw, request_id = found
        row, references = records.row_of(raw), read_references(access)
        # No zone can be named in this question, so its times are written as the list would write them.
        record = _record(records.spelled_in(row, references.zone_of(row)), references, access)
        return brought_by(request_id, record)

    def interpret(self, payload: bytes, context: Mapping[str, str]) -> Booking:
        return records.appointment(payload, context)

    def sources(self, context: Mapping[str, str]) -> Sources:
        return records.SOURCES


def _walk(access: Access, cursor: str) -> Iterator[tuple[Page, Span | None]]:
    """Pages from `cursor` on, each with the span that is complete with it."""
    references = read_references(access)  # the first answers also tell coreplus's clock
    walk = msgspec.json.decode(cursor, type=Walk) if cursor else Walk()
    if walk.day is None:
        walk = Walk.begin(walk, vendor_now(access.http).date(), references.zone_ids)
    while walk.day is not None:
        try:
            for asked, listing, place in _pages(access, walk):
                found, rejected = _Slice(asked, references, access).sort_out(listing)
                walk = asked.after(place)
                cursor = msgspec.json.encode(walk).decode()
                page = Page(records=found, rejected=rejected, cursor=cursor, request_id=listing.request_id)
                is_whole = walk.day != asked.day and not (asked.is_torn or place.is_torn)
                first, end = asked.slice
                yield page, Span(since=_midnight(first), until=_midnight(end)) if is_whole else None
        except VendorChanged as change:
            if change.code != "zone" or walk.renewals >= assumptions.MAX_RESTARTS:
                raise
            references = read_references(access)
            walk = walk.renewed(references.zone_ids)


def _pages(access: Access, walk: Walk) -> Iterator[tuple[Walk, Listing, paging.Place]]:
    """What is still to be read, each page with the walk that asked for it and the place after it."""
    for first in access.http.each(partial(_ask, access), _questions(walk)):
        fetch = partial(_ask, access, walk)
        size = assumptions.APPOINTMENTS_PER_PAGE
        for listing, place in paging.read(access.http, fetch, walk.place, size, first):
            yield walk, listing, place
            walk = walk.after(place)


def _questions(walk: Walk) -> Iterator[Walk]:
    """The walk where it stands, and at the first page of every slice and zone behind it."""
    while walk.day is not None:
        yield walk
        walk = walk.after(_READ)


def _asked_days(walk: Walk) -> tuple[date, date]:
    """The dates to ask for, both included."""
    first, end = walk.slice
    return first - assumptions.WIDER_BY, end - ONE_DAY + assumptions.WIDER_BY


def _ask(access: Access, walk: Walk, page: int | None = None) -> Listing:
    """The page at which the walk stands, or another of the same slice and zone."""
    since, until = _asked_days(walk)
    return fetch_appointments(
        access,
        since=since,
        until=until,
        zone=walk.zones[walk.zone],
        page=page or walk.place.page,
        size=assumptions.APPOINTMENTS_PER_PAGE,
    )


@dataclass(frozen=True, slots=True)
class _Slice:
    """Which rows of an answer belong to the question that is being asked."""

    walk: Walk
    references: References
    access: Access

    def sort_out(self, listing: Listing) -> tuple[tuple[Record, ...], tuple[Rejected, ...]]:
        """Raises VendorChanged for appointments from other days than those asked for."""
        mine = [raw for raw in listing.rows if self._is_mine(raw)]
        return sort_out(mine, lambda raw: _record(records.row_of(raw), self.references, self.access))

    def _is_mine(self, raw: msgspec.Raw) -> bool:
        try:
            row = records.row_of(raw)
        except RecordRejected:
            return self.walk.zone == 0
        zone_id, zones = self.references.zone_id_of(row), self.walk.zones
        if (zones.index(zone_id) if zone_id in zones else 0) != self.walk.zone:
            return False
        starts_at = records.moment_or_none(row, "startDateTime")
        if starts_at is None:
            return True
        self._check_days(starts_at, records.moment_or_none(row, "endDateTime") or starts_at)
        first, end = self.walk.slice
        return _midnight(first) <= _text(starts_at) < _midnight(end)

    def _check_days(self, starts_at: datetime, ends_at: datetime) -> None:
        since, until = _asked_days(self.walk)
        if ends_at.date() < since - ONE_DAY or starts_at.date() > until + ONE_DAY:
            raise VendorChanged(
                "coreplus sends appointments of other days than we asked for. Our developers have to look at it.",
                code="window",
                detail=f"asked for {since} to {until}, {starts_at.date()} came",
            )


def _record(row: records.Row, references: References, access: Access) -> Record:
    """Raises RecordRejected for a row without an id."""
    starts_at = records.moment_or_none(row, "startDateTime")
    # A cancelled appointment is no longer in the list, so no sweep may miss it: it lies nowhere.
    position = _text(starts_at) if starts_at and not records.is_cancelled(row) else ""
    return Record(
        external_id=records.id_of(row, "appointmentId"),
        payload=records.reduced_appointment(row, has_names=has_names(access)),
        context=references.context_of(row),
        parent_id=records.text_of(records.nested(row, "practitioner"), "practitionerId").lower(),
        position=position,
    )


def _midnight(day: date) -> str:
    return _text(datetime.combine(day, time(), UTC))


def _text(moment: datetime) -> str:
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"
