"""coreplus's shapes in, our values out; pure functions.

What is stored of an appointment or a client is chosen name by name: it is health data, and a field that we have never
heard of is not kept either.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from integrations.errors import RecordRejected
from integrations.sources import Sources, at, told
from integrations.values import Booking, BookingKind, BookingStatus
from integrations.vendors.coreplus import assumptions

MAX_TEXT = 499
MAX_ID = 100
NO_TYPE = "Appointment"
_BLANK_BEFORE_OFFSET = re.compile(r" (?=(?:[+-]\d\d:?\d\d|Z)\Z)")
_OF_APPOINTMENTS = (
    "appointmentId",
    "appointmentReferenceNumber",
    "status",
    "locationId",
    "appointmentTypeId",
    "startDateTime",
    "endDateTime",
    assumptions.CANCELLATION_REASON,
)
# Free text that names people: `subject` holds the client's name and date of birth where nothing else was entered.
_OF_NAMED_APPOINTMENTS = ("subject", "notes", assumptions.CANCELLATION_NOTES)
_OF_PRACTITIONERS = ("practitionerId", "firstName", "lastName")
# Birth date, gender, pronouns, culture and health fund numbers are never stored.
_OF_CLIENTS = ("clientId", "title", "firstName", "preferredName", "lastName", "practitionerId")

Row = dict[str, Any]


def row_of(payload: bytes | msgspec.Raw) -> Row:
    """One row. Raises RecordRejected when it is not an object."""
    try:
        return msgspec.json.decode(payload, type=Row)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as mistake:
        raise RecordRejected("It is not an object.") from mistake


def id_of(row: Row, name: str) -> str:
    """A GUID of the row; in lower case, for the same one is written in either. Raises RecordRejected when missing."""
    found = text_of(row, name).lower()
    if not found or len(found) > MAX_ID:
        raise RecordRejected(f"It has no {name}.")
    return found


def text_of(row: Mapping[str, Any], name: str) -> str:
    """A word or number as text, "" for anything else."""
    given = row.get(name)
    if isinstance(given, bool) or not isinstance(given, str | int):
        return ""
    return str(given).replace("\x00", "").strip()[:MAX_TEXT]


def nested(row: Row, name: str) -> Row:
    """An object inside the row, {} where there is none."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def reduced_appointment(row: Row, *, has_names: bool) -> bytes:
    """What is kept of an appointment, as JSON: without `has_names` no free text, and of clients only ids."""
    kept = _chosen(row, _OF_APPOINTMENTS + (_OF_NAMED_APPOINTMENTS if has_names else ()))
    kept["practitioner"] = _chosen(nested(row, "practitioner"), _OF_PRACTITIONERS)
    clients = row.get("clients")
    if isinstance(clients, list):
        kept["clients"] = [_chosen(client, ("clientId",)) for client in clients if isinstance(client, dict)]
    return msgspec.json.encode(kept)


def reduced_client(row: Row) -> bytes:
    return msgspec.json.encode(_chosen(row, _OF_CLIENTS))


def _chosen(row: Row, names: tuple[str, ...]) -> Row:
    """Plain values only: what hides in an unexpected object is not ours to keep."""
    return {name: row[name] for name in names if name in row and not isinstance(row[name], dict | list)}


def person_name(row: Row) -> str:
    return f"{text_of(row, 'firstName')} {text_of(row, 'lastName')}".strip()


def parse_moment(text: str) -> datetime:
    """`2021-09-07T09:00:00 +10:00` in UTC: coreplus writes a blank before the offset. Raises ValueError, without an
    offset too."""
    moment = datetime.fromisoformat(_BLANK_BEFORE_OFFSET.sub("", text.strip()))
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError as mistake:
        raise ValueError(text) from mistake


def moment_or_none(row: Row, name: str) -> datetime | None:
    try:
        return parse_moment(text_of(row, name))
    except ValueError:
        return None


def spelled_in(row: Row, zone: str) -> Row:
    """The row with its start and end in the offset of that IANA zone, spelled as coreplus does; as it was without."""
    if not zone:
        return row
    respelled = {}
    for name in ("startDateTime", "endDateTime"):
        if moment := moment_or_none(row, name):
            text = moment.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
            respelled[name] = f"{text[:19]} {text[19:]}"
    return row | respelled


def is_cancelled(row: Row) -> bool:
    """Told by the reason that only a cancelled appointment has, or by its status."""
    return bool(text_of(row, assumptions.CANCELLATION_REASON)) or _status(row) == BookingStatus.CANCELLED


_PRACTITIONER = at(
    "practitioner.firstName", "practitioner.lastName", beside=("practitioner",), how="else from the list of them"
)
SOURCES: Sources = {
    "kind": told("all in this list are appointments"),
    "title": told("the name of the type behind appointmentTypeId", "type"),
    "status": at("status", assumptions.CANCELLATION_REASON, how="cancelled where a reason for that is given"),
    "vendor_status": at("status"),
    "starts_at": at("startDateTime"),
    "ends_at": at("endDateTime"),
    "zone": told("the time zone of the location behind locationId", "zone"),
    "resource": _PRACTITIONER,
    "location": told("the name of the location behind locationId", "location"),
    "organiser": _PRACTITIONER,
}


def appointment(payload: bytes, context: Mapping[str, str]) -> Booking:
    """One appointment. `context` may hold `type`, `location`, `zone` (IANA), `practitioner`. Raises RecordRejected."""
    row = row_of(payload)
    starts_at, ends_at = _moment(row, "startDateTime", "start"), None
    if row.get("endDateTime"):
        ends_at = _moment(row, "endDateTime", "end")
        if ends_at < starts_at:
            raise RecordRejected("The appointment ends before it starts.")
    practitioner = person_name(nested(row, "practitioner")) or context.get("practitioner", "")
    return Booking(
        kind=BookingKind.APPOINTMENT,
        title=context.get("type", "") or NO_TYPE,
        status=BookingStatus.CANCELLED if is_cancelled(row) else _status(row),
        vendor_status=text_of(row, "status"),
        starts_at=starts_at,
        ends_at=ends_at,
        zone=context.get("zone", ""),
        resource=practitioner,
        location=context.get("location", ""),
        organiser=practitioner,
    )


def _status(row: Row) -> BookingStatus:
    return assumptions.STATUSES.get(text_of(row, "status").lower(), BookingStatus.UNKNOWN)


def _moment(row: Row, name: str, word: str) -> datetime:
    try:
        return parse_moment(text_of(row, name))
    except ValueError as mistake:
        # The words are shown, and the value could be anything: so only what a time is made of.
        shown = re.sub(r"[^0-9T:.+\- Z]", "?", text_of(row, name))[:40]
        raise RecordRejected(f"The appointment's {word} is not a time with an offset: “{shown}”.") from mistake
