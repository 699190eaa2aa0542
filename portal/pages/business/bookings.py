"""Bookings: the week, the list, and one of them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Count, DateField, Max, Min
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.records.queries import BookingQuerySet, Span, gone_since
from integrations.records.queries import bookings as bookings_of
from integrations.values import Kind
from portal.pages.business.common import Desk, export_links, is_marked_gone, render_part, word_of
from portal.pages.business.details import about
from portal.pages.business.listings import booking_filters, booking_listing
from portal.pages.business.week import Block, Day, Group, Week, bounds, crowded_week, monday_of, week_of
from portal.pages.filters import first
from portal.pages.links import tenant_url
from portal.pages.lists import Bound, Listing, Sort
from portal.pages.templatetags.business import kind_icon, site_span
from portal.pages.templatetags.switchboard import icon
from portal.pages.zones import city_of
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_MOST_DRAWN = 600  # a week with more is drawn from counts, by kind and place
_LISTED = (
    "connection_id",
    "kind",
    "title",
    "status",
    "resource",
    "location",
    "organiser",
    "is_private",
    "zone",
    "starts_at",
    "ends_at",
)


@dataclass(slots=True, kw_only=True)
class Drawn:
    """A block as the page writes it, worked out beforehand: a week has a hundred. It leads to its booking, or to the
    list of the `number` that it stands for."""

    css: str
    url: str
    when: str
    mark: str = ""  # of its kind
    name: str = ""
    title: str = ""
    tip: str = ""
    site: str = ""
    number: int = 1
    is_booking: bool = False
    is_overflow: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnDay:
    day: Day
    list_url: str
    all_day: list[Drawn]
    blocks: list[Drawn]


@require_role(Role.VIEWER)
def bookings(request: TenantRequest) -> HttpResponse:
    return _list(request) if first(request.GET, "view") == "list" else _week(request)


@require_role(Role.VIEWER)
def booking(request: TenantRequest, pk: int) -> HttpResponse:
    found = bookings_of(request.membership.tenant_id).select_related("record", "connection")
    one = get_object_or_404(found, pk=pk)
    facts = {"booking": one, **about(request, one.record, one.connection, is_veiled=one.is_private)}
    return render(request, "bookings/detail.html", facts)


def _list(request: TenantRequest) -> HttpResponse:
    desk = Desk(request)
    bound = booking_listing(desk).bind(request.GET, request.path)
    page = bound.page(bookings_of(desk.tenant.pk).only(*_LISTED).annotate(gone_since=gone_since()))
    bound.suggest("location", (row.location for row in page.rows))
    bound.suggest("resource", (row.resource for row in page.rows))
    desk.attach(row for row in page.rows if is_marked_gone(row))
    facts = {
        **_shared(desk),
        "bound": bound,
        "page": page,
        "week_url": bound.url(view="", day_from="", day_to="", status=""),
        "all_url": bound.url(day_from="all"),
        "noun": "booking",
        "exports": export_links(desk, bound),
    }
    return render_part(request, "bookings/list.html", "bookings/_list.html", facts)


def _week(request: TenantRequest) -> HttpResponse:
    desk = Desk(request)
    listing: Listing[Any] = Listing(
        filters=booking_filters(desk),
        sorts=(Sort(key="start", column="starts_at", ascending="", descending=""),),
        default_sort="start",
        extra=("week",),
    )
    bound = listing.bind(request.GET, request.path)
    monday = _asked_monday(bound, desk)
    start, end = bounds(monday, desk.zone)
    wanted = bound.narrow(bookings_of(desk.tenant.pk).going_on(start, end))
    week = _drawn_week(wanted, monday, desk, start=start)
    bound.suggest("location", _places(week, "location"))
    bound.suggest("resource", _places(week, "resource"))
    facts = {
        **_shared(desk),
        "bound": bound,
        "week": week,
        "days": [_drawn_day(day, bound, request) for day in week.days],
        "previous_url": bound.url(week=(monday - timedelta(days=7)).isoformat()),
        "today_url": bound.url(week=""),
        "next_url": bound.url(week=(monday + timedelta(days=7)).isoformat()),
        "is_this_week": monday == monday_of(desk.today),
        "list_url": bound.url(view="list", week=""),
    }
    return render_part(request, "bookings/week.html", "bookings/_week.html", facts)


def _shared(desk: Desk) -> dict[str, Any]:
    return {
        "as_of": desk.as_of(Kind.BOOKING),
        "sources": desk.connections_with(Kind.BOOKING),
        "city": city_of(desk.zone),
    }


def _asked_monday(bound: Bound[Any], desk: Desk) -> date:
    asked = first(bound.params, "week")
    if not asked:
        return monday_of(desk.today)
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        day = date.min
    if not date(1900, 1, 8) <= day <= date(2200, 1, 1):
        bound.problems.append("That is not a week we know, so this is the current one.")
        return monday_of(desk.today)
    return monday_of(day)


def _drawn_week(wanted: BookingQuerySet, monday: date, desk: Desk, *, start: datetime) -> Week:
    spans = wanted.spans(most=_MOST_DRAWN + 1)
    if len(spans) <= _MOST_DRAWN:
        return week_of(monday, spans, desk.zone, today=desk.today)
    groups = (
        wanted.filter(starts_at__gte=start)
        .order_by()
        .annotate(day=Cast(TruncDate("starts_at", tzinfo=desk.zone), DateField()))
        .values("day", "kind", "location")
        .annotate(number=Count("pk"), begins=Min("starts_at"), finishes=Max(Coalesce("ends_at", "starts_at")))
    )
    counted = [
        Group(
            day=row["day"],
            kind=row["kind"],
            location=row["location"],
            number=row["number"],
            starts_at=row["begins"],
            ends_at=row["finishes"],
        )
        for row in groups
    ]
    return crowded_week(monday, counted, desk.zone, today=desk.today)


def _drawn_day(day: Day, bound: Bound[Any], request: TenantRequest) -> DrawnDay:
    list_url = bound.url(view="list", week="", **_on(day.date))

    def drawn(block: Block, css: str) -> Drawn:
        if block.is_overflow:
            return Drawn(css=css, url=list_url, when=block.when, number=block.number, is_overflow=True)
        if block.booking is not None:
            return _one(block, block.booking, css, request)
        url = bound.url(view="list", week="", **_on(day.date), kind=block.kind, location=block.location)
        return _many(block, css, url)

    return DrawnDay(
        day=day,
        list_url=list_url,
        all_day=[drawn(block, block.kind) for block in day.all_day],
        blocks=[drawn(block, f"{block.kind} {block.css}") for block in day.blocks],
    )


def _one(block: Block, booking: Span, css: str, request: TenantRequest) -> Drawn:
    when, name, title = block.when, booking.resource or booking.title, booking.title if booking.resource else ""
    return Drawn(
        css=css,
        url=tenant_url(request, "booking", booking.pk),
        when=when,
        mark=_mark(block.kind),
        name=name,
        title=title,
        tip=f"{when} {name}, {title}" if title else f"{when} {name}",
        site=site_span(booking),
        is_booking=True,
    )


@cache
def _mark(kind: str) -> SafeString:
    """Its icon, and its word for those who listen."""
    return format_html('{}<span class="visually-hidden">{}</span>', icon(kind_icon(kind), 14), word_of(kind))


def _many(block: Block, css: str, url: str) -> Drawn:
    place = f", {block.location}" if block.location else ""
    return Drawn(
        css=css,
        url=url,
        when=block.when,
        mark=icon(kind_icon(block.kind), 14),
        name=f"{word_of(block.kind)}s{place}",
        number=block.number,
    )


def _on(day: date) -> dict[str, str]:
    return {"day_from": day.isoformat(), "day_to": day.isoformat()}


def _places(week: Week, name: str) -> list[str]:
    blocks = (block for day in week.days for block in (*day.blocks, *day.all_day))
    return [getattr(block.booking, name) for block in blocks if block.booking is not None]
