"""Desk bookings: one day or half a day at a desk, or from a day on without an end. The shape is assumed (CD-A13)."""

import datetime as dt
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from integrations.errors import RecordRejected
from integrations.sources import Sources, at, told
from integrations.values import Booking, BookingKind, BookingStatus
from integrations.vendors.condeco import assumptions
from integrations.vendors.condeco.records import ENDED
from integrations.vendors.condeco.wire import (
    Flag,
    Identifier,
    clean,
    identifier,
    in_any_case,
    instant_or_none,
    is_set,
    known_zone,
)
from integrations.zones import instant_of

OPEN_END = "open"  # the position of a booking until further notice: after every date
_PARTS = {
    assumptions.MORNING: (timedelta(), assumptions.NOON),
    assumptions.AFTERNOON: (assumptions.NOON, timedelta(days=1)),
}
_WORDS = {assumptions.MORNING: "morning", assumptions.AFTERNOON: "afternoon", assumptions.WHOLE_DAY: "whole day"}


class DeskBooking(msgspec.Struct, frozen=True):
    bookingid: Identifier = None
    deskid: Identifier = None
    deskname: str | None = None
    locationid: Identifier = None
    username: str | None = None
    useremail: str | None = None
    date: str | None = None
    bookingtype: int | str | None = None
    untilfurthernotice: Flag = None
    deleted: Flag = None
    lastmodifiedon: str | None = None

    @property
    def id(self) -> str:
        return identifier(self.bookingid, "bookingID")

    @property
    def day(self) -> dt.date:
        """The day at the location, or the first one. Raises RecordRejected."""
        text = clean(self.date)
        try:
            return datetime.fromisoformat(text).date()
        except ValueError as mistake:
            raise RecordRejected(f"The date cannot be read: {text[:40]}") from mistake

    @property
    def part(self) -> int:
        """Morning, afternoon, or, where it is not one of these, the whole day (CD-A14)."""
        text = str(self.bookingtype)
        return int(text) if text in {str(part) for part in _PARTS} else assumptions.WHOLE_DAY

    @property
    def is_open(self) -> bool:
        return is_set(self.untilfurthernotice)

    @property
    def position(self) -> str:
        return OPEN_END if self.is_open else self.day.isoformat()

    def times(self, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
        """Start and end in UTC; no end until further notice."""
        begins, ends = _PARTS.get(self.part, (timedelta(), timedelta(days=1)))
        midnight = datetime.combine(self.day, time())
        return instant_of(midnight + begins, zone), None if self.is_open else instant_of(midnight + ends, zone)

    def has_ended(self, zone: str, at: datetime) -> bool:
        known = known_zone(zone)
        ends_at = self.times(known)[1] if known else None
        return ends_at is not None and ends_at <= at


def desk_booking(payload: bytes | msgspec.Raw) -> DeskBooking:
    """One desk booking. Raises RecordRejected when it cannot be read or has no id or date."""
    found = in_any_case(payload, DeskBooking)
    _ = found.id, found.day
    return found


_DESK = at("deskName", "deskID", beside=("desk",), how="the name of that desk")
SOURCES: Sources = {
    "kind": told("all in this list are desk bookings"),
    "title": _DESK,
    "status": at("deleted", beside=(ENDED,), how="completed once its end has passed"),
    "vendor_status": at("bookingType", "untilFurtherNotice", how="our words for its number"),
    "starts_at": at("date", "bookingType", beside=("zone",), how="by the clock at the location"),
    "ends_at": at("date", "bookingType", "untilFurtherNotice", beside=("zone",), how="by the clock at the location"),
    "zone": told("that of the location in which the desk was found", "zone"),
    "resource": _DESK,
    "location": told("the name of the location in which the desk was found", "location"),
    "organiser": at("userName"),
    "organiser_email": at("userEmail"),
    "changed_at": at("lastModifiedOn", beside=("zone",), how="by the clock at the location"),
}


def booking(payload: bytes, context: Mapping[str, str]) -> Booking:
    """The typed value; `context` holds `desk`, `location`, `zone` (IANA) and `ended`. Raises RecordRejected."""
    read = desk_booking(payload)
    zone = known_zone(context.get("zone", ""))
    if zone is None:
        raise RecordRejected("The booking is for a day, and its location's time zone is not known.")
    starts_at, ends_at = read.times(zone)
    desk = clean(context.get("desk")) or clean(read.deskname) or clean(str(read.deskid or "?"))
    return Booking(
        kind=BookingKind.DESK,
        title=f"Desk {desk.removeprefix('Desk ')}",
        status=_status(read, has_ended=context.get(ENDED) == "yes"),
        vendor_status="until further notice" if read.is_open else _WORDS[read.part],
        starts_at=starts_at.astimezone(UTC),
        ends_at=ends_at,
        zone=zone.key,
        resource=desk,
        location=clean(context.get("location")),
        organiser=clean(read.username),
        organiser_email=clean(read.useremail),
        changed_at=instant_or_none(read.lastmodifiedon, zone),
    )


def _status(read: DeskBooking, *, has_ended: bool) -> BookingStatus:
    if is_set(read.deleted):
        return BookingStatus.CANCELLED
    return BookingStatus.COMPLETED if has_ended else BookingStatus.CONFIRMED
