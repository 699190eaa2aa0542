"""The three typed kinds every vendor's records are turned into, and the words they may use.

Three kinds of time, never mixed: an *instant* (`…_at`, aware UTC datetime), a *bare date* (`…_date`), and the name of
the zone at the place (`zone`, IANA) where a wall-clock time was meant. Money is `Decimal` with its ISO 4217 currency;
an empty currency means that the vendor did not say. The vendor's own word is kept beside every word of ours.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    WORK_ORDER = "work_order"
    BOOKING = "booking"
    BILLING = "billing"


class WorkOrderStatus(StrEnum):
    NEW = "new"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    COMPLETED = "completed"
    VERIFIED = "verified"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Priority(StrEnum):
    EMERGENCY = "emergency"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class BookingKind(StrEnum):
    ROOM = "room"
    DESK = "desk"
    APPOINTMENT = "appointment"


class BookingStatus(StrEnum):
    TENTATIVE = "tentative"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    NO_SHOW = "no_show"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class BillingStatus(StrEnum):
    """Overdue is not here: it depends on today, so the pages work it out from `due_date` and `balance`."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    BILLED = "billed"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    VOID = "void"
    UNKNOWN = "unknown"


class WorkOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    number: str
    title: str
    status: WorkOrderStatus
    vendor_status: str
    priority: Priority = Priority.NORMAL
    vendor_priority: str = ""
    description: str = ""
    customer: str = ""
    location: str = ""
    assignee: str = ""
    category: str = ""
    currency: str = ""
    limit_amount: Decimal | None = None
    opened_at: datetime | None = None
    changed_at: datetime | None = None
    due_at: datetime | None = None
    scheduled_at: datetime | None = None
    completed_at: datetime | None = None


class Booking(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    kind: BookingKind
    title: str
    status: BookingStatus
    vendor_status: str
    starts_at: datetime
    ends_at: datetime | None = None
    zone: str = ""
    resource: str = ""
    location: str = ""
    organiser: str = ""
    organiser_email: str = ""
    is_private: bool = False
    changed_at: datetime | None = None


class Billing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    number: str
    title: str
    status: BillingStatus
    vendor_status: str
    account: str = ""
    deal_id: str = ""
    currency: str = ""
    amount: Decimal | None = None
    tax_amount: Decimal | None = None
    paid_amount: Decimal | None = None
    balance: Decimal | None = None
    billed_date: date | None = None
    due_date: date | None = None
    paid_date: date | None = None
    opened_at: datetime | None = None
    changed_at: datetime | None = None


TypedValue = WorkOrder | Booking | Billing
