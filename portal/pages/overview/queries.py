"""What the overview asks of the database: figures along indexes, sums kept until something changed."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection as database
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncMonth
from redis.exceptions import RedisError

from integrations.records.models import Booking, WorkOrder
from integrations.records.queries import (
    LONGEST_BOOKING,
    OPEN_STATUSES,
    OWED_STATUSES,
    CurrencySum,
    billings,
    bookings,
    is_here,
    outstanding_amount,
    sums_by_currency,
    work_orders,
)
from integrations.sync.models import StreamState, SyncRun
from portal.pages.charts import Month
from portal.pages.keyset import COUNT_CAP
from portal.tenancy.models import Tenant

MONTHS = 6
NAV_CAP = 200  # every page counts for its menu, so not far
_KEPT_SECONDS = 600

T = TypeVar("T")

# Of a typed row: the vendor still has it. Asked row by row, as no more than the cap are; of "not exists" the planner
# makes a join that reads everything that is gone.
_NOT_GONE = """
    and (select true from records_record gone
        where gone.tenant_id = %(tenant)s and gone.id = record_id and missing_since is not null) is not true
"""

_NAV_COUNTS = f"""
with here as (
    select id, date_trunc('day', now() at time zone time_zone) as midnight, time_zone
    from tenancy_tenant where id = %(tenant)s
)
select
    (select count(*) from (select from records_workorder
        where tenant_id = here.id and status = any(%(open)s) {_NOT_GONE} limit %(cap)s) as capped),
    (select count(*) from (select from records_booking
        where tenant_id = here.id and status <> 'cancelled' and starts_at >= here.midnight at time zone here.time_zone
        and starts_at < (here.midnight + interval '1 day') at time zone here.time_zone {_NOT_GONE}
        limit %(cap)s) as capped),
    (select count(*) from (select from records_billing
        where tenant_id = here.id and status = any(%(owed)s) {_NOT_GONE} limit %(cap)s) as capped),
    (select count(*) from problems_problem
        where tenant_id = here.id and closed_at is null and needs_a_person)
from here
"""  # noqa: S608 - only constants are put together

_WORK_ORDERS = f"""
select
    (select count(*) from (select from records_workorder
        where tenant_id = %(tenant)s and status = any(%(open)s) {_NOT_GONE} limit %(cap)s) as capped),
    (select count(*) from (select from records_workorder
        where tenant_id = %(tenant)s and status = any(%(open)s) and due_at < %(now)s {_NOT_GONE}
        limit %(cap)s) as capped),
    (select count(*) from (select from records_workorder
        where tenant_id = %(tenant)s and opened_at >= %(midnight)s {_NOT_GONE} limit %(cap)s) as capped)
"""  # noqa: S608 - only constants are put together


@dataclass(frozen=True, slots=True)
class NavCounts:
    """Open work orders, today's bookings and outstanding billings by the name of their page, capped; and how many
    problems need a person."""

    pages: dict[str, int | str]
    problems: int


def nav_counts(tenant_id: int) -> NavCounts:
    """One statement."""
    values = {
        "tenant": tenant_id,
        "open": [str(status) for status in OPEN_STATUSES],
        "owed": [str(status) for status in OWED_STATUSES],
        "cap": NAV_CAP + 1,
    }
    *numbers, problems = _row(_NAV_COUNTS, values) or (0, 0, 0, 0)
    names = ("work-orders", "bookings", "billings")
    return NavCounts({name: capped(number, NAV_CAP) for name, number in zip(names, numbers, strict=True)}, problems)


def capped(number: int, cap: int) -> int | str:
    """The number, or "1,000+" where the counting stopped at that cap."""
    return number if number <= cap else f"{cap:,}+"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrderFigures:
    open: int | str
    past_due: int | str
    new_today: int | str


def work_order_figures(tenant_id: int, *, now: datetime, midnight: datetime) -> WorkOrderFigures:
    values = {
        "tenant": tenant_id,
        "open": [str(status) for status in OPEN_STATUSES],
        "cap": COUNT_CAP + 1,
        "now": now,
        "midnight": midnight,
    }
    found = _row(_WORK_ORDERS, values) or (0, 0, 0)
    return WorkOrderFigures(
        open=capped(found[0], COUNT_CAP), past_due=capped(found[1], COUNT_CAP), new_today=capped(found[2], COUNT_CAP)
    )


def past_due_work_orders(tenant_id: int, *, now: datetime, limit: int) -> list[WorkOrder]:
    """The longest overdue first."""
    late = work_orders(tenant_id).filter(is_here(), status__in=OPEN_STATUSES, due_at__lt=now)
    return list(late.defer("description", "search").order_by("due_at", "record_id")[:limit])


def bookings_by_kind(tenant_id: int, start: datetime, end: datetime) -> dict[str, int]:
    found = bookings(tenant_id).going_on(start, end).order_by().values("kind").annotate(number=Count("pk"))
    return {row["kind"]: row["number"] for row in found.order_by("-number", "kind")}


def agenda(tenant_id: int, start: datetime, end: datetime, *, limit: int) -> list[Booking]:
    """What is booked of the day and not over yet, rooms and appointments; desks are only counted."""
    wanted = bookings(tenant_id).going_on(start, end).exclude(kind="desk")
    # Only a desk may have begun earlier and still be booked; to say so takes the index straight to the day.
    wanted = wanted.filter(starts_at__gte=start - LONGEST_BOOKING)
    return list(wanted.defer("search").order_by("starts_at", "record_id")[:limit])


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Sums by currency, and the months of one of them."""

    currency: str
    outstanding: tuple[CurrencySum, ...]
    overdue: dict[str, Decimal]
    number: int
    months: tuple[Month, ...]

    @property
    def main(self) -> CurrencySum | None:
        return next((one for one in self.outstanding if one.currency == self.currency), None)

    @property
    def main_overdue(self) -> Decimal:
        return self.overdue.get(self.currency, Decimal(0))

    @property
    def others(self) -> list[CurrencySum]:
        return [one for one in self.outstanding if one.currency != self.currency]


def money(tenant: Tenant, today: date, *, stamp: str) -> Money:
    """Three statements over what is owed and the last months; kept while `stamp` says that nothing came in."""
    return remembered(
        f"money:{tenant.pk}:{tenant.created_at.timestamp()}:{today}:{stamp}", lambda: _money(tenant, today)
    )


def stamp_of(states: Iterable[StreamState], runs: Iterable[SyncRun]) -> str:
    """Changes with every page of records any stream of the tenant stores."""
    facts = [(state.pk, state.last_good_at, state.last_attempt_at, state.records) for state in states]
    facts += [(run.pk, run.started_at, run.queued_at, run.new + run.changed) for run in runs]
    return hashlib.blake2b(repr(sorted(facts, key=repr)).encode(), digest_size=12).hexdigest()


def remembered(key: str, work_out: Callable[[], T]) -> T:
    """From the cache, or worked out. A cache that is down only costs time."""
    try:
        found: T | None = cache.get(key)
        if found is None:
            found = work_out()
            cache.set(key, found, _KEPT_SECONDS)
    except RedisError:
        found = work_out()
    return found


def _money(tenant: Tenant, today: date) -> Money:
    sums = sums_by_currency(billings(tenant.pk).owed())
    late = billings(tenant.pk).overdue_on(today)
    overdue = late.order_by().values("currency").annotate(sum=Sum(outstanding_amount()))
    currency = _main_currency(tenant, sums)
    return Money(
        currency=currency,
        outstanding=tuple(sums),
        overdue={row["currency"]: row["sum"] for row in overdue},
        number=sum(one.number for one in sums),
        months=tuple(_months(tenant.pk, currency, today)),
    )


def _main_currency(tenant: Tenant, sums: Sequence[CurrencySum]) -> str:
    """The tenant's own where it is owed anything in it, or nothing at all; else the one with most billings."""
    known = {one.currency for one in sums}
    if tenant.currency in known or not sums:
        return tenant.currency
    return max(sums, key=lambda one: one.number).currency


def _months(tenant_id: int, currency: str, today: date) -> list[Month]:
    firsts = [_month_before(today, back) for back in reversed(range(MONTHS))]
    found = (
        billings(tenant_id)
        .countable()
        .filter(billed_date__gte=firsts[0], billed_date__lte=today, currency=currency)
        .order_by()
        .annotate(month=TruncMonth("billed_date"))
        .values("month")
        .annotate(
            billed=Coalesce(Sum("amount"), Decimal(0)),
            owed=Coalesce(Sum(outstanding_amount(), filter=Q(status__in=OWED_STATUSES)), Decimal(0)),
        )
    )
    by_month = {row["month"]: row for row in found}
    nothing = {"billed": Decimal(0), "owed": Decimal(0)}
    return [
        Month(
            label=f"{first:%b}",
            billed=by_month.get(first, nothing)["billed"],
            outstanding=by_month.get(first, nothing)["owed"],
        )
        for first in firsts
    ]


def _month_before(day: date, months: int) -> date:
    """The first day of the month so many before that of the day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _row(statement: str, values: Mapping[str, Any]) -> tuple[int, ...] | None:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        found: tuple[int, ...] | None = cursor.fetchone()
        return found
