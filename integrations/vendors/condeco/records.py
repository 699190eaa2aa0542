"""Condeco's shapes in, our values out; pure functions.

Letter case of field names differs between Condeco's own examples (`bookingID`, `BookingId`), so names are read without
regard to it; fields that are missing, null or unknown do no harm.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from integrations.errors import RecordRejected
from integrations.values import Booking, BookingKind, BookingStatus
from integrations.zones import iana_of

T = TypeVar("T")
LONGEST = 499  # characters of a typed text field
ENDED = "ended"  # in the context: "yes" once the booking's end had passed when it was read
_NO_YEAR = 1  # 0001-01-01 is Condeco's "no value"; turning it into another zone overflows

Identifier = int | str | None
Flag = bool | int | str | None


class Node(msgspec.Struct, frozen=True):
    """A country, region, location or room of the hierarchy."""

    internalid: Identifier = None
    resourcename: str | None = None
    timezone: str | None = None  # a Windows name; locations only
    workspacetypeid: int | str | None = None  # rooms only

    @property
    def id(self) -> str:
        return _identifier(self.internalid, "InternalId")

    @property
    def name(self) -> str:
        return clean(self.resourcename)

    @property
    def zone(self) -> str:
        return iana_of(self.timezone or "")


class BookingHead(msgspec.Struct, frozen=True):
    """The little of a booking that is needed to file it: the hot path of a page."""

    booking_id: Identifier = msgspec.field(default=None, name="bookingID")
    room_id: Identifier = msgspec.field(default=None, name="roomID")
    ends_utc: str | None = msgspec.field(default=None, name="timeToUTC")

    @property
    def id(self) -> str:
        return _identifier(self.booking_id, "bookingID")


class _AnyCaseHead(msgspec.Struct, frozen=True):
    bookingid: Identifier = None
    roomid: Identifier = None
    timetoutc: str | None = None


class _Booking(msgspec.Struct, frozen=True):
    """What the typed page shows of a booking. Local times are wall-clock times at the location."""

    roomid: Identifier = None
    meetingtitle: str | None = None
    timefromutc: str | None = None
    timetoutc: str | None = None
    bookingstart: str | None = None
    bookingend: str | None = None
    timefrom: str | None = None
    timeto: str | None = None
    locationtimezone: str | None = None
    bookingrealstarttime: str | None = None
    bookingrealendtime: str | None = None
    hostname: str | None = None
    hostemail: str | None = None
    requestorname: str | None = None
    requestoremail: str | None = None
    creatorname: str | None = None
    creatoremail: str | None = None
    meetingprogress: int | str | None = None
    status: int | str | None = None
    deleted: Flag = None
    waitlist: Flag = None
    pendingongrid: Flag = None
    privatemeeting: Flag = None
    createdon: str | None = None
    lastmodifiedon: str | None = None


def node(payload: bytes | msgspec.Raw) -> Node:
    """One thing of the hierarchy. Raises RecordRejected when it cannot be read or has no id."""
    found = _in_any_case(payload, Node)
    _ = found.id
    return found


def booking_head(payload: bytes | msgspec.Raw) -> BookingHead:
    """Id, room and end of a booking. Raises RecordRejected when it cannot be read or has no id."""
    try:
        head = msgspec.json.decode(payload, type=BookingHead)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise RecordRejected(f"The booking cannot be read: {mistake}") from mistake
    if head.booking_id is None:
        other = _in_any_case(payload, _AnyCaseHead)
        head = BookingHead(booking_id=other.bookingid, room_id=other.roomid, ends_utc=other.timetoutc)
    _ = head.id
    return head


def has_ended(head: BookingHead, at: datetime) -> bool:
    """Whether the booking's end is known and not after `at`."""
    ends_at = _instant_or_none(head.ends_utc, UTC)
    return ends_at is not None and ends_at <= at


def booking(payload: bytes, context: Mapping[str, str]) -> Booking:
    """One room booking. `context` holds `room`, `location`, `zone` (IANA) and `ended`. Raises RecordRejected."""
    read = _in_any_case(payload, _Booking)
    zone = _known_zone(context.get("zone", "")) or _known_zone(iana_of(read.locationtimezone or ""))
    starts_at = _moment(read.timefromutc, (read.bookingstart, read.timefrom), zone, "start")
    if starts_at is None:
        raise RecordRejected("The booking has no start time.")
    ends_at = _moment(read.timetoutc, (read.bookingend, read.timeto), zone, "end")
    if ends_at is not None and ends_at < starts_at:
        raise RecordRejected("The booking ends before it starts.")
    is_private = is_set(read.privatemeeting)
    organiser, email = ("", "") if is_private else _organiser(read)
    title = "Private booking" if is_private else clean(read.meetingtitle) or "Untitled meeting"
    return Booking(
        kind=BookingKind.ROOM,
        title=title,
        status=_status(read, has_ended=context.get(ENDED) == "yes"),
        vendor_status=_vendor_status(read),
        starts_at=starts_at,
        ends_at=ends_at,
        zone=zone.key if zone else "",
        resource=clean(context.get("room")) or f"Room {read.roomid or '?'}",
        location=clean(context.get("location")),
        organiser=organiser,
        organiser_email=email,
        is_private=is_private,
        changed_at=_local(read.lastmodifiedon, zone) or _local(read.createdon, zone),
    )


def _status(read: _Booking, *, has_ended: bool) -> BookingStatus:
    """The first rule that fits. A meeting that was started and never stopped ends when its booked time does."""
    if is_set(read.deleted):
        return BookingStatus.CANCELLED
    if _instant_or_none(read.bookingrealendtime, UTC):
        return BookingStatus.COMPLETED
    if _instant_or_none(read.bookingrealstarttime, UTC):
        return BookingStatus.COMPLETED if has_ended else BookingStatus.IN_PROGRESS
    if is_set(read.waitlist):
        return BookingStatus.WAITING
    if is_set(read.pendingongrid):
        return BookingStatus.TENTATIVE
    return BookingStatus.COMPLETED if has_ended else BookingStatus.CONFIRMED


def _vendor_status(read: _Booking) -> str:
    """Both of the vendor's numbers, whose meanings are not published (CD-A11)."""
    numbers = (("status", read.status), ("progress", read.meetingprogress))
    return clean(", ".join(f"{name} {number}" for name, number in numbers if number is not None))


def _organiser(read: _Booking) -> tuple[str, str]:
    """Host, else requestor, else creator: the first of whom anything is known."""
    people = (
        (read.hostname, read.hostemail),
        (read.requestorname, read.requestoremail),
        (read.creatorname, read.creatoremail),
    )
    return next(((clean(name), clean(email)) for name, email in people if clean(name) or clean(email)), ("", ""))


def is_set(flag: Flag) -> bool:
    """Whether a mark is there; Condeco uses numbers and booleans for marks."""
    return flag.strip().lower() not in ("", "0", "false") if isinstance(flag, str) else bool(flag)


def clean(text: str | None) -> str:
    """Without NUL characters (PostgreSQL keeps none) and outer blanks, and not too long."""
    return (text or "").replace("\x00", "").strip()[:LONGEST]


def _identifier(value: Identifier, name: str) -> str:
    text = clean(str(value)) if value is not None else ""
    if text in ("", "0"):
        raise RecordRejected(f"There is no {name}.")
    return text


def _in_any_case(payload: bytes | msgspec.Raw, shape: type[T]) -> T:
    try:
        fields: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
        return msgspec.convert({name.lower(): value for name, value in fields.items()}, shape)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise RecordRejected(f"The record cannot be read: {mistake}") from mistake


def _moment(utc: str | None, local: tuple[str | None, ...], zone: ZoneInfo | None, name: str) -> datetime | None:
    """The UTC field (which comes without `Z`), else the first local one at the location. None when none is given."""
    if found := _instant(utc, UTC, name):
        return found
    given = next((text for text in local if _instant(text, UTC, name)), None)
    if given is None:
        return None
    if zone is None:
        raise RecordRejected(f"The booking has only a local {name} time, and its location's time zone is not known.")
    return _instant(given, zone, name)


def _instant(text: str | None, zone: Any, name: str) -> datetime | None:
    """The moment in UTC; None for no value. Raises RecordRejected when there is text that is no time."""
    if not text or not text.strip():
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.year == _NO_YEAR:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as mistake:
        raise RecordRejected(f"The {name} time cannot be read: {clean(text)[:40]}") from mistake


def _instant_or_none(text: str | None, zone: Any) -> datetime | None:
    try:
        return _instant(text, zone, "")
    except RecordRejected:
        return None


def _local(text: str | None, zone: ZoneInfo | None) -> datetime | None:
    return _instant_or_none(text, zone) if zone else None


def _known_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, KeyError, OSError):
        return None
