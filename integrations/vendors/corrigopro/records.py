"""CorrigoPro's customers and work orders in, our values out. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from integrations.sources import Sources, at
from integrations.values import Priority, WorkOrder, WorkOrderStatus
from integrations.vendors.corrigopro import assumptions, wire
from integrations.vendors.corrigopro.wire import LONG, SHORT, squash, text

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


class Listed(msgspec.Struct, rename="pascal"):
    """What tells one work order, in search rows and details alike; moments as the vendor wrote them."""

    work_order_id: int
    created: Any = None
    last_update: Any = None
    status: Any = None
    work_order_number: Any = None
    customer: Any = None

    @property
    def status_word(self) -> str:
        return self.status.strip().casefold() if isinstance(self.status, str) else ""

    @property
    def position(self) -> str:
        """Where it lies in what a sweep covers: its creation, which never changes."""
        return wire.position(wire.readable(self.created))

    @property
    def context(self) -> dict[str, str]:
        """What is told beside the things that hang on this order."""
        customer = self.customer if isinstance(self.customer, dict) else {}
        name = next((value for key, value in customer.items() if key.casefold() == "name"), None)
        number = self.work_order_number
        return {
            "order": str(self.work_order_id),
            "number": text(number) if isinstance(number, str | int) else "",
            "customer": text(name) if isinstance(name, str) else "",
        }


class Customer(msgspec.Struct, rename="pascal"):
    id: int
    branch_ids: Any = None

    @property
    def branches(self) -> list[int]:
        found = self.branch_ids if isinstance(self.branch_ids, list) else []
        return [branch for branch in found if isinstance(branch, int) and not isinstance(branch, bool)]


_listed = msgspec.json.Decoder(Listed, strict=False)
_customer = msgspec.json.Decoder(Customer, strict=False)
_LISTED = {
    "workorderid": "WorkOrderId",
    "created": "Created",
    "lastupdate": "LastUpdate",
    "status": "Status",
    "workordernumber": "WorkOrderNumber",
    "customer": "Customer",
}


def listed(raw: bytes) -> Listed:
    """What tells the order of a search row or a detail. Raises RecordRejected when there is no id."""
    try:
        return _listed.decode(raw)
    except msgspec.DecodeError:
        return wire.refolded(raw, _LISTED, Listed)


def customer(raw: bytes) -> Customer:
    """Raises RecordRejected when there is no id."""
    try:
        return _customer.decode(raw)
    except msgspec.DecodeError:
        return wire.refolded(raw, {"id": "Id", "branchids": "BranchIds"}, Customer)


def may_have_procedures(payload: bytes) -> bool:
    """Whether to ask for an order's procedures: a detail that says null or [] has none. Raises RecordRejected."""
    work = wire.folded(payload).get("workdetails")
    return not isinstance(work, dict) or bool(work.get("procedures", True))


class _Named(msgspec.Struct, rename=squash):
    name: str | None = None


class _Sla(msgspec.Struct, rename=squash):
    due_date: str | None = None
    priority_name: str | None = None
    is_emergency: bool | None = None


class _Schedule(msgspec.Struct, rename=squash):
    scheduled_start: str | None = None


class _Nte(msgspec.Struct, rename=squash):
    amount: Decimal | None = None


class _Asset(msgspec.Struct, rename=squash):
    task: str | None = None
    asset_name: str | None = None
    comment: str | None = None


class _WorkDetails(msgspec.Struct, rename=squash):
    assets: list[_Asset] | None = None


class _Address(msgspec.Struct, rename=squash):
    street: str | None = None
    street1: str | None = None
    street2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | int | None = None
    zip: str | int | None = None
    country: str | None = None


class _ServiceLocation(msgspec.Struct, rename=squash):
    space_name: str | None = None
    address: _Address | None = None


class _Detail(msgspec.Struct, rename=squash):
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


SOURCES: Sources = {
    "number": at("WorkOrderNumber", "WorkOrderId", how="the number, or the id where there is none"),
    "title": at(
        *("WorkDetails.Assets[].Task", "WorkDetails.Assets[].AssetName", "WorkType.Name", "AccompanyingMessage"),
        *("WorkOrderNumber", "WorkOrderId"),
        how="CorrigoPro has no titles: the first asset's task, else the kind of work, the message's first line, or the "
        "number",
    ),
    "status": at("Status"),
    "vendor_status": at("Status"),
    "priority": at("Sla.IsEmergency", "Sla.PriorityName", how="a word that we know in the name of the priority"),
    "vendor_priority": at("Sla.PriorityName"),
    "description": at("AccompanyingMessage", "WorkDetails.Assets[].Comment", how="one after the other"),
    "customer": at("Customer.Name"),
    "location": at("ServiceLocation.SpaceName", "ServiceLocation.Address", how="put together"),
    "category": at("WorkType.Name", "Type", how="the kind of work, else the type"),
    "currency": at("Currency"),
    "limit_amount": at("Nte.Amount"),
    "opened_at": at("Created"),
    "changed_at": at("LastUpdate"),
    "due_at": at("Sla.DueDate"),
    "scheduled_at": at("Schedule.ScheduledStart"),
    "completed_at": at("LastUpdate", "Status", how="the last change, once it is done: no other moment is told"),
}


def work_order(payload: bytes) -> WorkOrder:
    """One detail as a work order. Raises RecordRejected with what cannot be read."""
    detail = wire.shaped(payload, _Detail)
    status_word = text(detail.status)
    status = STATUSES.get(status_word.casefold(), WorkOrderStatus.UNKNOWN)
    sla, schedule = detail.sla or _Sla(), detail.schedule or _Schedule()
    assets = (detail.work_details.assets if detail.work_details else None) or []
    message = text(detail.accompanying_message, LONG)
    number = text(detail.work_order_number)
    changed_at = wire.moment_of(detail.last_update, "LastUpdate")
    return WorkOrder(
        number=number or str(detail.work_order_id),
        title=_title(detail, assets, message) or f"Work order {number or detail.work_order_id}",
        status=status,
        vendor_status=status_word,
        priority=_priority(sla),
        vendor_priority=text(sla.priority_name),
        description="\n\n".join(filter(None, [message, *(text(asset.comment, LONG) for asset in assets)]))[:LONG],
        customer=text(detail.customer.name if detail.customer else None),
        location=_location(detail.service_location),
        category=text(detail.work_type.name if detail.work_type else None) or text(detail.type),
        currency=wire.currency(detail.currency),
        limit_amount=_limit(detail.nte),
        opened_at=wire.moment_of(detail.created, "Created"),
        changed_at=changed_at,
        due_at=wire.moment_of(sla.due_date, "DueDate"),
        scheduled_at=wire.moment_of(schedule.scheduled_start, "ScheduledStart"),
        # the check-out itself is not in what we read. The last change is the nearest known moment, never earlier.
        completed_at=changed_at if status in DONE else None,
    )


def _title(detail: _Detail, assets: list[_Asset], message: str) -> str:
    """CorrigoPro has no title (A-24): the first asset's task, else the kind of work, else the message's first line."""
    first = assets[0] if assets else _Asset()
    asset = " – ".join(filter(None, [text(first.task), text(first.asset_name)]))
    kind = text(detail.work_type.name if detail.work_type else None)
    return (asset or kind or message.partition("\n")[0].strip())[:SHORT]


def _priority(sla: _Sla) -> Priority:
    if sla.is_emergency:
        return Priority.EMERGENCY
    words = set(re.findall(r"[A-Z]+", text(sla.priority_name).upper()))
    return next((Priority(word.lower()) for word in assumptions.PRIORITY_WORDS if word in words), Priority.NORMAL)


def _location(place: _ServiceLocation | None) -> str:
    """The space's name and its address; the address keys differ between the hub's model and live clients (A-11)."""
    if place is None:
        return ""
    address = place.address or _Address()
    town = " ".join(filter(None, [text(address.state), text(address.postal_code) or text(address.zip)]))
    parts = (
        text(place.space_name),
        text(address.street) or text(address.street1),
        text(address.street2),
        text(address.city),
        town,
        text(address.country),
    )
    return ", ".join(filter(None, parts))[:SHORT]


def _limit(nte: _Nte | None) -> Decimal | None:
    """Not to exceed; the vendor's 0 means that there is no limit."""
    if nte is None or not nte.amount:
        return None
    return wire.money(nte.amount, "Nte")
