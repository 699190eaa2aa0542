"""Condeco's shapes in, our values out; pure functions.

Letter case of field names differs between Condeco's own examples (`bookingID`, `BookingId`), so names are read without
regard to it; fields that are missing, null or unknown do no harm.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from integrations.errors import RecordRejected
from integrations.sources import Sources, at, told
from integrations.values import Booking, BookingKind, BookingStatus
from integrations.vendors.condeco import assumptions
from integrations.vendors.condeco.wire import (
    Flag,
    Identifier,
    clean,
    identifier,
    in_any_case,
    instant,
    instant_or_none,
    is_set,
    known_zone,
    position_of,
)
from integrations.zones import iana_of

# fmt: off
_KEPT_OF_PRIVATE = frozenset((
    "bookingid", "recurranceid", "roomid", "locationid", "groupid", "timefrom", "timeto", "datefrom", "bookingstart",
    "bookingend", "locationtimezone", "timefromutc", "timetoutc", "utcwithsetuptime", "utcwithcleandowntime",
    "actualtimefrom", "actualtimeto", "bookingrealstarttime", "bookingrealendtime", "prepunit", "prepperiod",
    "cleandownunit", "cleandownperiod", "roomclear", "meetingprogress", "status", "deleted", "waitlist",
    "pendingongrid", "instantmeeting", "privatemeeting", "createdon", "lastmodifiedon",
))
# fmt: on
ENDED = "ended"  # in the context: "yes" once the booking's end had passed when it was read


class Node(msgspec.Struct, frozen=True):
    """A country, region, group, location, room or desk of the hierarchy."""

    internalid: Identifier = None
    resourcename: str | None = None
    timezone: str | None = None  # a Windows name; locations only, as are the next three
    numberoffloorsaboveground: int | str | None = None
    numberoffloorsbelowground: int | str | None = None
    locationgroupmappings: list[dict[str, Any]] | None = None
    workspacetypeid: int | str | None = None  # rooms and desks only

    @property
    def id(self) -> str:
        return identifier(self.internalid, "InternalId")

    @property
    def name(self) -> str:
        return clean(self.resourcename)

    @property
    def zone(self) -> str:
        return iana_of(self.timezone or "")

    @property
    def is_desk(self) -> bool:
        return str(self.workspacetypeid) == str(assumptions.DESK_WORKSPACE_TYPE)

    @property
    def floors(self) -> tuple[int, int]:
        """The lowest and the highest floor of a location, whose ground floor is 0."""
        return -_count(self.numberoffloorsbelowground), _count(self.numberoffloorsaboveground)

    @property
    def groups(self) -> tuple[str, ...]:
        """The ids of the groups of a location."""
        found = ({name.lower(): value for name, value in one.items()} for one in self.locationgroupmappings or ())
        return tuple(dict.fromkeys(str(one["groupid"]) for one in found if one.get("groupid") is not None))


class BookingHead(msgspec.Struct, frozen=True):
    """The little of a booking that is needed to file it: the hot path of a page."""

    booking_id: Identifier = msgspec.field(default=None, name="bookingID")
    room_id: Identifier = msgspec.field(default=None, name="roomID")
    location_id: Identifier = msgspec.field(default=None, name="locationId")
    starts_utc: str | None = msgspec.field(default=None, name="timeFromUTC")
    ends_utc: str | None = msgspec.field(default=None, name="timeToUTC")
    private: Flag | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="privateMeeting")

    @property
    def id(self) -> str:
        return identifier(self.booking_id, "bookingID")

    @property
    def is_private(self) -> bool:
        return self.private is not msgspec.UNSET and is_set(self.private)

    def has_ended(self, at: datetime) -> bool:
        """Whether the booking's end is known and not after `at`."""
        ends_at = instant_or_none(self.ends_utc, UTC)
        return ends_at is not None and ends_at <= at

    @property
    def position(self) -> str:
        """The start in UTC, which sorts as text; "" where it is not known."""
        starts_at = instant_or_none(self.starts_utc, UTC)
        return position_of(starts_at) if starts_at else ""


class _AnyCaseHead(msgspec.Struct, frozen=True):
    bookingid: Identifier = None
    roomid: Identifier = None
    locationid: Identifier = None
    timefromutc: str | None = None
    timetoutc: str | None = None
    privatemeeting: Flag = None


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
    found = in_any_case(payload, Node)
    _ = found.id
    return found


def booking_head(payload: bytes | msgspec.Raw) -> BookingHead:
    """What files a booking. Raises RecordRejected when it cannot be read or has no id."""
    try:
        head = msgspec.json.decode(payload, type=BookingHead)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise RecordRejected(f"The booking cannot be read: {mistake}") from mistake
    if None in (head.booking_id, head.room_id, head.location_id) or head.private is msgspec.UNSET:
        other = in_any_case(payload, _AnyCaseHead)
        head = BookingHead(
            booking_id=other.bookingid,
            room_id=other.roomid,
            location_id=other.locationid,
            starts_utc=other.timefromutc,
            ends_utc=other.timetoutc,
            private=other.privatemeeting,
        )
    _ = head.id
    return head


def without_what_is_private(payload: bytes | msgspec.Raw) -> bytes:
    """A private meeting as we keep it: when, where and in what state. Everything else stays at Condeco, fields that we
    have never heard of too."""
    fields: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
    return msgspec.json.encode({name: value for name, value in fields.items() if name.lower() in _KEPT_OF_PRIVATE})


def veiled(payload: bytes | msgspec.Raw) -> bytes:
    """What may be kept of a booking that cannot be read: as it came, unless it is marked as private."""
    try:
        fields = msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return bytes(payload)
    is_private = any(name.lower() == "privatemeeting" and is_set(mark) for name, mark in fields.items())
    return without_what_is_private(payload) if is_private else bytes(payload)


_WHO = "the host, else who asked for it or entered it; not kept of a private meeting"
_ON_THE_CLOCK = "in UTC where it is given, else by the clock at the location"
SOURCES: Sources = {
    "kind": told("all in this list are room bookings"),
    "title": at("meetingTitle", "privateMeeting", how="not kept of a private meeting"),
    "status": at(
        *("deleted", "bookingRealEndTime", "bookingRealStartTime", "waitlist", "pendingOnGrid"),
        beside=(ENDED,),
        how="the first of these marks that is set; completed once its end has passed",
    ),
    "vendor_status": at("status", "meetingProgress"),
    "starts_at": at(
        *("timeFromUTC", "bookingStart", "timeFrom", "locationTimeZone"), beside=("zone",), how=_ON_THE_CLOCK
    ),
    "ends_at": at(*("timeToUTC", "bookingEnd", "timeTo", "locationTimeZone"), beside=("zone",), how=_ON_THE_CLOCK),
    "zone": at("locationTimeZone", beside=("zone",), how="that of the location, else the booking's own"),
    "resource": at("roomID", beside=("room",), how="the name of that room"),
    "location": told("the name of the location in which the room was found", "location"),
    "organiser": at(
        *("hostName", "hostEmail", "requestorName", "requestorEmail", "creatorName", "privateMeeting"), how=_WHO
    ),
    "organiser_email": at(
        *("hostEmail", "hostName", "requestorEmail", "requestorName", "creatorEmail", "privateMeeting"), how=_WHO
    ),
    "is_private": at("privateMeeting"),
    "changed_at": at(
        *("lastModifiedOn", "createdOn", "locationTimeZone"), beside=("zone",), how="by the clock at the location"
    ),
}


def booking(payload: bytes, context: Mapping[str, str]) -> Booking:
    """One room booking. `context` holds `room`, `location`, `zone` (IANA) and `ended`. Raises RecordRejected."""
    read = in_any_case(payload, _Booking)
    zone = known_zone(context.get("zone", "")) or known_zone(iana_of(read.locationtimezone or ""))
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
    if instant_or_none(read.bookingrealendtime, UTC):
        return BookingStatus.COMPLETED
    if instant_or_none(read.bookingrealstarttime, UTC):
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


def _moment(utc: str | None, local: tuple[str | None, ...], zone: ZoneInfo | None, name: str) -> datetime | None:
    """The UTC field (which comes without `Z`), else the first local one at the location. None when none is given."""
    if found := instant(utc, UTC, name):
        return found
    given = next((text for text in local if instant(text, UTC, name)), None)
    if given is None:
        return None
    if zone is None:
        raise RecordRejected(f"The booking has only a local {name} time, and its location's time zone is not known.")
    return instant(given, zone, name)


def _local(text: str | None, zone: ZoneInfo | None) -> datetime | None:
    return instant_or_none(text, zone) if zone else None


def _count(number: int | str | None) -> int:
    text = str(number)
    return min(int(text), assumptions.MOST_FLOORS) if text.isdecimal() and len(text) < 5 else 0
