"""The words and marks of work orders, bookings and billings: badges, spans, the clock at the site."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.formats import localize, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from integrations.connections.models import Connection
from integrations.records.models import Billing, Booking, WorkOrder
from integrations.records.queries import Span
from integrations.sync.models import RunKind, SyncRun
from integrations.values import BillingStatus, BookingKind, BookingStatus, WorkOrderStatus
from portal.pages.business.columns import Cell
from portal.pages.business.common import connector_of, word_of
from portal.pages.templatetags.switchboard import NONE, badge, day, when
from portal.pages.zones import city_of

register = template.Library()
register.filter(word_of)

_WORK_ORDER_TONES = {
    WorkOrderStatus.ACCEPTED: "warn",
    WorkOrderStatus.IN_PROGRESS: "busy",
    WorkOrderStatus.ON_HOLD: "warn",
    WorkOrderStatus.COMPLETED: "ok",
    WorkOrderStatus.VERIFIED: "ok",
}
_BOOKING_TONES = {
    BookingStatus.TENTATIVE: "warn",
    BookingStatus.WAITING: "warn",
    BookingStatus.CONFIRMED: "ok",
    BookingStatus.IN_PROGRESS: "busy",
    BookingStatus.COMPLETED: "ok",
    BookingStatus.NO_SHOW: "warn",
}
_KIND_ICONS: dict[str, str] = {
    BookingKind.ROOM: "door-open",
    BookingKind.DESK: "lamp-desk",
    BookingKind.APPOINTMENT: "user-round",
}
_PLACE_LABELS: dict[str, str] = {BookingKind.ROOM: "Room", BookingKind.DESK: "Desk"}
_RUN_WORDS: dict[str, str] = {
    RunKind.BACKFILL: "the first copy",
    RunKind.SWEEP: "a look for deletions",
    RunKind.REBUILD: "a reading from the start",
}
_OPEN_END = ", until further notice"
_BILLING_TONES = {
    BillingStatus.SCHEDULED: "busy",
    BillingStatus.BILLED: "busy",
    BillingStatus.PARTIALLY_PAID: "warn",
    BillingStatus.PAID: "ok",
}


@register.simple_tag
def work_order_badge(order: WorkOrder) -> SafeString:
    return badge(word_of(order.status), _WORK_ORDER_TONES.get(WorkOrderStatus(order.status), ""))


@register.simple_tag
def booking_badge(booking: Booking) -> SafeString:
    return badge(word_of(booking.status), _BOOKING_TONES.get(BookingStatus(booking.status), ""))


@register.simple_tag
def billing_badge(bill: Billing, today: date, gone_since: datetime | None) -> SafeString:
    """Overdue is worked out here, on the tenant's own day: no vendor's word says it."""
    if bill.is_overdue_on(today) and gone_since is None:
        return badge("Overdue", "bad")
    return badge(word_of(bill.status), _BILLING_TONES.get(BillingStatus(bill.status), ""))


@register.simple_tag
def gone_badge(connection: Connection) -> SafeString:
    """For a thing that the vendor no longer has."""
    connector = connector_of(connection)
    return badge(f"No longer at {connector.label if connector else connection.vendor}", "")


@register.filter
def kind_icon(kind: str) -> str:
    return _KIND_ICONS.get(kind, "calendar")


@register.filter
def place_label(kind: str) -> str:
    """What a booking's resource is: a room, a desk, or the person an appointment is with."""
    return _PLACE_LABELS.get(kind, "With")


@register.filter
def span(booking: Booking) -> SafeString:
    """When, in the reader's zone: "09:00–10:00"; a day is named where it ends on another one."""
    here = timezone.get_current_timezone()
    start = booking.starts_at.astimezone(here)
    if booking.ends_at is None:
        words = f"{start:%H:%M}{_OPEN_END if booking.kind == BookingKind.DESK else ''}"
    else:
        words = _span(start, booking.ends_at.astimezone(here))
    return mark_safe(f'<time datetime="{start.isoformat()}">{words}</time>')  # noqa: S308 - nothing in it is from outside


@register.filter
def site_span(booking: Booking | Span) -> str:
    """The same by the clock at the site, with its city, where it shows another time than the reader's; else ""."""
    try:
        zone = ZoneInfo(booking.zone) if booking.zone else None
    except (ValueError, OSError):
        zone = None
    here = timezone.get_current_timezone()
    if zone is None or zone == here:
        return ""
    moments = [moment for moment in (booking.starts_at, booking.ends_at) if moment]
    if all(moment.astimezone(zone).utcoffset() == moment.astimezone(here).utcoffset() for moment in moments):
        return ""
    start, there = booking.starts_at.astimezone(here), booking.starts_at.astimezone(zone)
    words = f"{there:%H:%M}" if booking.ends_at is None else _span(there, booking.ends_at.astimezone(zone))
    day = "" if there.date() == start.date() else f"{there:%a} {there.day} {there:%b} "
    return f"{day}{words} in {city_of(zone)}"


@register.filter
def wall(moment: datetime) -> SafeString:
    """A wall-clock time at a place, as it came: "24 Nov 2026, 09:00". It has no zone and is never shifted."""
    words = f"{moment.day} {moment:%b %Y}, {moment:%H:%M}"
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), words)


@register.filter
def soon(moment: datetime) -> str:
    """ "in 2 min", "at 16:40", "now": when the next sync is."""
    minutes = int((moment - timezone.now()).total_seconds() // 60)
    if minutes < 1:
        return "now"
    return f"in {minutes} min" if minutes < 60 else f"at {timezone.localtime(moment):%H:%M}"


@register.filter
def plain_amount(amount: Decimal | None) -> str:
    """An amount whose currency is not known, or in another field."""
    return NONE if amount is None else number_format(amount, decimal_pos=2, force_grouping=True)


@register.filter
def shown(cell: Cell) -> object:
    """A generic list's value as its kind is shown. No template of its own: a list has hundreds."""
    if cell.value is None:
        return NONE
    show = _SHOWN_AS.get(cell.kind)
    return show(cell.value) if show else cell.value


@register.filter
def in_table(cell: Cell) -> SafeString:
    """The value in its place in a row: a generic list has hundreds of them."""
    return format_html("{}{}</td>", _opening(cell.label, cell.is_at_end), localize(shown(cell)))


@lru_cache
def _opening(label: str, is_at_end: bool) -> SafeString:
    """The same all the way down a column."""
    return format_html('<td data-label="{}"{}>', label, mark_safe(' class="num"') if is_at_end else "")


@register.filter
def run_words(run: SyncRun) -> str:
    """Which run it was: "the first copy", "a sync someone asked for"."""
    if run.kind in _RUN_WORDS:
        return _RUN_WORDS[run.kind]
    return "a sync someone asked for" if run.trigger == "person" else "a regular sync"


_SHOWN_AS: dict[str, Callable[[Any], object]] = {"money": plain_amount, "date": day, "instant": when, "wall": wall}


def _span(start: datetime, end: datetime) -> str:
    is_odd = start.utcoffset() != end.utcoffset()  # the clocks change in between: say which half of the night
    names = [f" {moment.tzname()}" if is_odd else "" for moment in (start, end)]
    day = "" if start.date() == end.date() else f"{end:%a} {end.day} {end:%b} "
    return f"{start:%H:%M}{names[0]}–{day}{end:%H:%M}{names[1]}"
