"""Which pages are asked for, and what each may take: so many times P, or so many times another page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.records.models import Record, RecordVersion, Typed
from integrations.records.queries import billings, bookings, work_orders
from integrations.values import BillingStatus, BookingKind, BookingStatus, Priority, WorkOrderStatus
from portal.pages.keyset import Cursor, Order
from portal.tenancy.models import Tenant

FLOOR, BARE = "floor: signed in, no rows", "P: a bare page of 50"
_DEEP = 2_000 * 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A page's address and its budget: at most `times` as long as the page named `of`."""

    name: str
    path: str
    times: float = 0.0  # 0: no budget, a yardstick
    of: str = BARE
    statements: int | None = None


def everything(tenant: Tenant) -> list[Asked]:
    """In the tenant's scope."""
    base = f"/t/{tenant.slug}/"
    return [
        Asked(name=FLOOR, path=f"{base}bench/floor/"),
        Asked(name=BARE, path=f"{base}bench/bare/"),
        *_work_orders(tenant, f"{base}work-orders/"),
        *_billings(tenant, f"{base}billings/"),
        *_bookings(tenant, f"{base}bookings/"),
        *_streams(tenant, f"{base}records/kore/deal-lines/"),
        *_details(tenant, base),
        Asked(name="overview", path=base, times=3),
        Asked(name="bookings, the week", path=f"{base}bookings/", times=2),
        Asked(name="all records", path=f"{base}records/", times=3),
        *_admin(),
    ]


def _work_orders(tenant: Tenant, path: str) -> Iterator[Asked]:
    rows = work_orders(tenant.pk)
    customers = _common_and_rare(rows, "customer")
    statuses = ["past-due", "closed", *(word.value for word in WorkOrderStatus), "gone"]
    narrowings = [
        *((f"customer, {words}", {"customer": value}) for words, value in customers),
        *((f"priority {word.value}", {"priority": word.value}) for word in (Priority.NORMAL, Priority.EMERGENCY)),
        *_spans("due"),
        *_connections(tenant, "corrigopro"),
    ]
    yield from _list("work orders", path, {"status": "all"}, statuses, narrowings, ("due", "-due", "opened", "-opened"))
    yield from _deep("work orders", path, {"status": "all"}, rows, Order(column="due_at"))


def _billings(tenant: Tenant, path: str) -> Iterator[Asked]:
    rows = billings(tenant.pk)
    accounts = _common_and_rare(rows, "account")
    statuses = ["overdue", *(word.value for word in BillingStatus), "gone"]
    narrowings = [
        *((f"account, {words}", {"account": value}) for words, value in accounts),
        *_spans("due"),
        *_connections(tenant, "corrigopro"),
        *_connections(tenant, "kore"),
    ]
    yield from _list("billings", path, {"status": "all"}, statuses, narrowings, ("due", "-due", "billed", "-billed"))
    yield from _deep("billings", path, {"status": "all"}, rows, Order(column="due_date"))


def _bookings(tenant: Tenant, path: str) -> Iterator[Asked]:
    rows = bookings(tenant.pk)
    narrowings = [
        *((f"kind {kind.value}", {"kind": kind.value}) for kind in BookingKind),
        *((f"location, {words}", {"location": value}) for words, value in _common_and_rare(rows, "location")),
        *((f"resource, {words}", {"resource": value}) for words, value in _common_and_rare(rows, "resource")),
        *_spans("day"),
        *_connections(tenant, "condeco"),
    ]
    statuses = [*(word.value for word in BookingStatus), "gone"]
    shown, wide = {"view": "list"}, {"day_from": "all"}
    yield from _list("bookings", path, wide, statuses, narrowings, ("start", "-start"), shown)
    yield from _deep("bookings", path, shown | wide, rows, Order(column="starts_at"))


def _streams(tenant: Tenant, path: str) -> Iterator[Asked]:
    narrowings = [
        ("facet, frequent", {"in.line_type.value": "Ticket"}),
        ("facet, rare", {"in.state.value": "Archived"}),
        ("facet, no hit", {"in.state.value": "Nowhere"}),
        ("two facets", {"in.line_type.value": "Hospitality", "in.state.value": "Archived"}),
        ("gone", {"gone": "yes"}),
        ("not gone", {"gone": "no"}),
    ]
    yield from _list("deal lines", path, {}, [], narrowings, ("changed", "-changed"))
    both = _url(path, {"in.state.value": "Archived", "q": "basement"})
    yield Asked(name="deal lines, search and facet", path=both, times=2, of="deal lines")
    rows = Record.objects.filter(tenant_id=tenant.pk, stream="deal-lines")
    yield from _deep("deal lines", path, {}, rows, Order(column="changed_at", is_descending=True, tie="id"))


def _list(
    noun: str,
    path: str,
    wide: dict[str, str],
    statuses: list[str],
    narrowings: list[tuple[str, dict[str, str]]],
    sorts: tuple[str, ...],
    shown: dict[str, str] | None = None,
) -> Iterator[Asked]:
    """The list as it opens and the list of all (`wide`), each with everything that narrows or sorts it."""
    shown, first = shown or {}, f"{noun}"
    yield Asked(name=first, path=_url(path, shown), times=1.5, statements=8)
    bases = [("", shown), *([(", all", shown | wide)] if wide else [])]
    for words, base in bases:
        if words:
            yield Asked(name=f"{noun}{words}", path=_url(path, base), times=1.5, statements=8)
        for one in sorts:
            yield Asked(name=f"{noun}{words}, by {one}", path=_url(path, base | {"sort": one}), times=1.5, of=first)
        for name, params in narrowings:
            yield Asked(name=f"{noun}{words}, {name}", path=_url(path, base | params), times=1.5, of=first)
        for label, query in _SEARCHES:
            yield Asked(name=f"{noun}{words}, search {label}", path=_url(path, base | {"q": query}), times=2, of=first)
    for status in statuses:
        params = shown | wide | {"status": status}
        yield Asked(name=f"{noun}, {status}", path=_url(path, params), times=1.5, of=first)
        for name, narrowed in narrowings[:1] if status in {"gone", "past-due", "overdue"} else []:
            yield Asked(name=f"{noun}, {status}, {name}", path=_url(path, params | narrowed), times=1.5, of=first)
    for name, params in narrowings[:2]:
        for one in sorts[1:]:
            combined = shown | wide | params | {"sort": one}
            yield Asked(name=f"{noun}, all, {name}, by {one}", path=_url(path, combined), times=1.5, of=first)


_ADMINISTERED = (
    "records.Record",
    "sync.SyncRun",
    "sync.StreamState",
    "connections.Connection",
    "tenancy.Membership",
    "accounts.User",
)
_SEARCHES = (
    ("rare", "quetzal"),
    ("frequent", "hvac"),
    ("middling", "solberg"),
    ("of two words", "boiler basement"),
    ("a number", "500007"),
    ("two letters", "in"),
    ("no hit", "xylophone"),
)


def _deep(noun: str, path: str, params: dict[str, str], rows: QuerySet[Any], order: Order) -> Iterator[Asked]:
    sign = "-" if order.is_descending else ""
    ordered = rows.exclude(**{order.column: None}).order_by(f"{sign}{order.column}", f"{sign}{order.tie}")
    deep = min(_DEEP, ordered.count() * 2 // 3)
    value, row_id = ordered.values_list(order.column, order.tie)[deep]
    after = Cursor(value=value, id=row_id, position=deep).encode(order)
    first = f"{noun}, all" if params and noun != "deal lines" else noun
    yield Asked(name=f"{noun}, page {deep // 50:,}", path=_url(path, params | {"after": after}), times=1.1, of=first)
    yield Asked(
        name=f"{noun}, before page {deep // 50:,}", path=_url(path, params | {"before": after}), times=1.1, of=first
    )


def _details(tenant: Tenant, base: str) -> Iterator[Asked]:
    versions = RecordVersion.objects.filter(tenant_id=tenant.pk).values("record_id").annotate(number=Count("id"))
    for name, rows, path in (
        ("work order", work_orders(tenant.pk), "work-orders"),
        ("billing", billings(tenant.pk), "billings"),
    ):
        long = versions.filter(record_id__in=rows.values("pk")[:50_000], number__gt=20).order_by("record_id").first()
        plain = rows.order_by("pk")[1_000]
        yield Asked(name=f"{name}", path=f"{base}{path}/{plain.pk}/", times=1.5, statements=8)
        if long:
            pk = long["record_id"]
            yield Asked(name=f"{name} with 20 earlier versions", path=f"{base}{path}/{pk}/", times=1.5)
    yield Asked(name="booking", path=f"{base}bookings/{bookings(tenant.pk).order_by('pk')[1_000].pk}/", times=1.5)
    line = Record.objects.filter(tenant_id=tenant.pk, stream="deal-lines").order_by("pk")[1_000]
    yield Asked(name="deal line", path=f"{base}records/{line.pk}/", times=1.5)


def _admin() -> Iterator[Asked]:
    for label in _ADMINISTERED:
        model = apps.get_model(label)
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        name = f"admin: {model._meta.verbose_name_plural}"
        yield Asked(name=name, path=path, times=3)
        if admin.site._registry[model].search_fields:
            yield Asked(name=f"{name}, search", path=f"{path}?q=tenant", times=3)
        if label in {"records.Record", "sync.SyncRun"}:
            yield Asked(name=f"{name}, deep", path=f"{path}?p=90", times=3)


def _common_and_rare(rows: "QuerySet[Typed]", column: str) -> tuple[tuple[str, str], ...]:
    found = rows.order_by().exclude(**{column: ""}).values_list(column).annotate(number=Count("pk"))
    return (
        ("frequent", found.order_by("-number", column)[0][0]),
        ("rare", found.order_by("number", column)[0][0]),
    )


def _spans(key: str) -> list[tuple[str, dict[str, str]]]:
    today = timezone.localdate()
    return [
        (f"{key} this week", {f"{key}_from": f"{today}", f"{key}_to": f"{today + timedelta(days=6)}"}),
        (f"{key} long past", {f"{key}_to": f"{today - timedelta(days=700)}"}),
        (f"{key} nowhere", {f"{key}_from": "2190-01-01"}),
    ]


def _connections(tenant: Tenant, vendor: str) -> list[tuple[str, dict[str, str]]]:
    found = Connection.objects.filter(Q(tenant_id=tenant.pk) & Q(vendor=vendor)).order_by("name")
    return [(f"connection {one.name}", {"connection": str(one.pk)}) for one in found]


def _url(path: str, params: dict[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path
