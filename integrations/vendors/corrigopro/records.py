"""CorrigoPro's shapes in, our values out. Pure.

Keys are read whatever their letter case: the vendor itself writes `IsPreBilled` and `IsPrebilled`, `OccupantID` and
`SpaceId` (hub data models and live clients).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from integrations.errors import RecordRejected
from integrations.values import Priority, WorkOrder, WorkOrderStatus
from integrations.vendors.corrigopro import assumptions

T = TypeVar("T")
STATUSES: Mapping[str, WorkOrderStatus] = {
    "new": WorkOrderStatus.NEW,
    "accepted": WorkOrderStatus.ACCEPTED,
    "checkedin": WorkOrderStatus.IN_PROGRESS,
    "paused": WorkOrderStatus.ON_HOLD,
    "onhold": WorkOrderStatus.ON_HOLD,
    "checkedout": WorkOrderStatus.COMPLETED,
    "needscompletiondetails": WorkOrderStatus.COMPLETED,
    "verified": WorkOrderStatus.VERIFIED,
    "rejected": WorkOrderStatus.REJECTED,
    "recalled": WorkOrderStatus.CANCELLED,
}
DONE = frozenset({WorkOrderStatus.COMPLETED, WorkOrderStatus.VERIFIED})
SHORT, LONG = 500, 10_000  # characters of a text field and of a description
MOST_MONEY = Decimal(10) ** 12
NO_ID = "CorrigoPro sent it without a readable id."


class Listed(msgspec.Struct, rename="pascal"):
    """What tells one work order, in search rows and details alike; moments as the vendor wrote them."""

    work_order_id: int
    created: Any = None
    last_update: Any = None


class _Customer(msgspec.Struct, rename="pascal"):
    id: int


_listed = msgspec.json.Decoder(Listed, strict=False)
_customer = msgspec.json.Decoder(_Customer, strict=False)


def listed(raw: bytes) -> Listed:
    """The id and moments of a search row or a detail. Raises RecordRejected when there is no id."""
    try:
        return _listed.decode(raw)
    except msgspec.DecodeError:
        known = {"workorderid": "WorkOrderId", "created": "Created", "lastupdate": "LastUpdate"}
        return _refolded(raw, known, Listed)


def customer_id(raw: bytes) -> int:
    """Raises RecordRejected when there is none."""
    try:
        return _customer.decode(raw).id
    except msgspec.DecodeError:
        return _refolded(raw, {"id": "Id"}, _Customer).id


def instant(value: object) -> datetime | None:
    """A moment of CorrigoPro's: ISO 8601 in UTC, 0 to 7 fractional digits (the seventh is dropped). None where there is
    none; year 1 is the vendor platform's way of saying so. Raises ValueError when it cannot be read."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"not a moment: {value!r:.60}")
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        if value.startswith("0001-"):
            return None
        raise ValueError(f"not a moment: {value!r:.60}") from None
    return moment if moment.year >= 1900 else None


def _squash(name: str) -> str:
    return name.replace("_", "")


class _Named(msgspec.Struct, rename=_squash):
    name: str | None = None


class _Sla(msgspec.Struct, rename=_squash):
    due_date: str | None = None
    priority_name: str | None = None
    is_emergency: bool | None = None


class _Schedule(msgspec.Struct, rename=_squash):
    scheduled_start: str | None = None


class _Nte(msgspec.Struct, rename=_squash):
    amount: Decimal | None = None


class _Asset(msgspec.Struct, rename=_squash):
    task: str | None = None
    asset_name: str | None = None
    comment: str | None = None


class _WorkDetails(msgspec.Struct, rename=_squash):
    assets: list[_Asset] | None = None


class _Address(msgspec.Struct, rename=_squash):
    street: str | None = None
    street1: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | int | None = None
    zip: str | int | None = None
    country: str | None = None


class _ServiceLocation(msgspec.Struct, rename=_squash):
    space_name: str | None = None
    address: _Address | None = None


class _Detail(msgspec.Struct, rename=_squash):
    work_order_id: int
    work_order_number: str | int | None = None
    type: str | None = None
    work_type: _Named | None = None
    status: str | None = None
    customer: _Named | None = None
    sla: _Sla | None = None
    created: str | None = None
    last_update: str | None = None
    accompanying_message: str | None = None
    schedule: _Schedule | None = None
    nte: _Nte | None = None
    currency: str | None = None
    work_details: _WorkDetails | None = None
    service_location: _ServiceLocation | None = None


def work_order(payload: bytes) -> WorkOrder:
    """One detail as a work order. Raises RecordRejected with what cannot be read."""
    try:
        detail = msgspec.convert(_folded(payload), _Detail, strict=False)
    except msgspec.ValidationError as mistake:
        raise RecordRejected(f"CorrigoPro sent a field in a form we do not know: {mistake}"[:SHORT]) from mistake
    status_word = _text(detail.status)
    status = STATUSES.get(status_word.casefold(), WorkOrderStatus.UNKNOWN)
    sla, schedule = detail.sla or _Sla(), detail.schedule or _Schedule()
    assets = (detail.work_details.assets if detail.work_details else None) or []
    message = _text(detail.accompanying_message, LONG)
    number = _text(detail.work_order_number)
    changed_at = _moment(detail.last_update, "LastUpdate")
    return WorkOrder(
        number=number or str(detail.work_order_id),
        title=_title(detail, assets, message) or f"Work order {number or detail.work_order_id}",
        status=status,
        vendor_status=status_word,
        priority=_priority(sla),
        vendor_priority=_text(sla.priority_name),
        description="\n\n".join(filter(None, [message, *(_text(asset.comment, LONG) for asset in assets)]))[:LONG],
        customer=_text(detail.customer.name if detail.customer else None),
        location=_location(detail.service_location),
        category=_text(detail.work_type.name if detail.work_type else None) or _text(detail.type),
        currency=_currency(detail.currency),
        limit_amount=_limit(detail.nte),
        opened_at=_moment(detail.created, "Created"),
        changed_at=changed_at,
        due_at=_moment(sla.due_date, "DueDate"),
        scheduled_at=_moment(schedule.scheduled_start, "ScheduledStart"),
        # the check-out itself is not in what we read. The last change is the nearest known moment, never earlier.
        completed_at=changed_at if status in DONE else None,
    )


def _title(detail: _Detail, assets: list[_Asset], message: str) -> str:
    """CorrigoPro has no title (A-24): the first asset's task, else the kind of work, else the message's first line."""
    first = assets[0] if assets else _Asset()
    asset = " – ".join(filter(None, [_text(first.task), _text(first.asset_name)]))
    kind = _text(detail.work_type.name if detail.work_type else None)
    return (asset or kind or message.partition("\n")[0].strip())[:SHORT]


def _priority(sla: _Sla) -> Priority:
    if sla.is_emergency:
        return Priority.EMERGENCY
    words = set(re.findall(r"[A-Z]+", _text(sla.priority_name).upper()))
    return next((Priority(word.lower()) for word in assumptions.PRIORITY_WORDS if word in words), Priority.NORMAL)


def _location(place: _ServiceLocation | None) -> str:
    """The space's name and its address; the address keys differ between the hub's model and live clients (A-11)."""
    if place is None:
        return ""
    address = place.address or _Address()
    town = " ".join(filter(None, [_text(address.state), _text(address.postal_code) or _text(address.zip)]))
    parts = (
        _text(place.space_name),
        _text(address.street) or _text(address.street1),
        _text(address.street2),
        _text(address.city),
        town,
        _text(address.country),
    )
    return ", ".join(filter(None, parts))[:SHORT]


def _limit(nte: _Nte | None) -> Decimal | None:
    """Not to exceed; the vendor's 0 means that there is no limit."""
    if nte is None or not nte.amount:
        return None
    if not nte.amount.is_finite() or abs(nte.amount) >= MOST_MONEY:
        raise RecordRejected("The amount in Nte is not a sum of money.")
    return nte.amount


def _currency(value: str | None) -> str:
    code = _text(value).upper()
    return code if re.fullmatch(r"[A-Z]{3}", code) else ""


def _moment(value: str | None, name: str) -> datetime | None:
    try:
        return instant(value)
    except ValueError:
        raise RecordRejected(f"The moment in {name} cannot be read: {value!r:.60}") from None


def _text(value: str | int | None, longest: int = SHORT) -> str:
    if value is None:
        return ""
    text = str(value).replace("\x00", "").strip()[:longest]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()  # half a surrogate pair


def _lower(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key.lower(): value for key, value in pairs}


_folding = json.JSONDecoder(parse_float=Decimal, object_pairs_hook=_lower)


def _folded(payload: bytes) -> dict[str, Any]:
    """The record with every key in lower case, its fractions exact."""
    try:
        record = _folding.decode(payload.decode())
    except (ValueError, RecursionError) as mistake:
        raise RecordRejected(f"This is not readable JSON: {mistake}"[:SHORT]) from mistake
    if not isinstance(record, dict):
        raise RecordRejected("This is not a record but a bare value.")
    return record


def _refolded(raw: bytes, known: Mapping[str, str], shape: type[T]) -> T:
    folded = _folded(raw)
    try:
        return msgspec.convert({name: folded[key] for key, name in known.items() if key in folded}, shape, strict=False)
    except msgspec.ValidationError:
        raise RecordRejected(NO_ID) from None
