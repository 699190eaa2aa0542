"""The overview: what needs a person first, then the figures, the day, and the connections."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from integrations.connections.expiries import CODE as EXPIRES
from integrations.connections.models import Connection
from integrations.contract import Diagnosis
from integrations.problems.models import Problem
from integrations.sync.models import StreamState, SyncRun
from portal.pages.business.common import Desk
from portal.pages.business.week import midnight
from portal.pages.charts import stacked
from portal.pages.connections.form_action import allow_sign_in
from portal.pages.connections.queries import is_late
from portal.pages.connections.states import Activity, Button, Standing, standing_of
from portal.pages.freshness import as_of, in_use, stream_of, stream_states
from portal.pages.links import tenant_url
from portal.pages.overview import queries
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

PAST_DUE, AGENDA, PROBLEMS = 5, 8, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connection as the overview shows it. `run` is the one that is reading now."""

    connection: Connection
    standing: Standing
    synced_at: datetime | None
    run: SyncRun | None
    run_label: str

    @property
    def is_healthy(self) -> bool:
        return self.standing.tone in {"ok", "busy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An open problem of a connection, with the connection's one button."""

    problem: Problem
    connection: Connection
    standing: Standing

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What was found to be behind this problem."""
        found = self.connection.diagnosis
        return found if found is not None and self.problem.words == self.connection.reason else None


@dataclass(slots=True)
class Pulse:
    """How the tenant's connections are: three statements, shared by the page and its live part."""

    desk: Desk
    connections: list[Connection]
    states: list[StreamState]
    runs: list[SyncRun]
    lines: list[Line]

    @property
    def is_busy(self) -> bool:
        return bool(self.runs)

    @property
    def healthy(self) -> int:
        return sum(line.is_healthy for line in self.lines)

    @property
    def next_due_at(self) -> datetime | None:
        active = {one.pk for one in self.connections if one.is_active}
        due = (state.due_at for state in self.states if state.due_at and state.connection_id in active)
        return min(due, default=None)


@require_role(Role.VIEWER)
def overview(request: TenantRequest) -> HttpResponse:
    desk = Desk(request)
    if not in_use(desk.connections):
        return render(request, "overview/empty.html", {"greeting": greeting(desk)})
    pulse = pulse_of(desk)
    tenant_id, now = desk.tenant.pk, desk.now
    start, end = midnight(desk.today, desk.zone), midnight(desk.today + timedelta(days=1), desk.zone)
    found = queries.money(desk.tenant, desk.tenant_today, stamp=queries.stamp_of(pulse.states, pulse.runs))
    kinds = queries.bookings_by_kind(tenant_id, start, end)
    mending = troubles(desk, pulse)
    past_due = queries.past_due_work_orders(tenant_id, now=now, limit=PAST_DUE)
    today = queries.agenda(tenant_id, max(start, now - timedelta(hours=1)), end, limit=AGENDA + 1)
    desk.attach(past_due)
    desk.attach(today)
    facts = {
        "greeting": greeting(desk),
        "pulse": pulse,
        "as_of": as_of(pulse.states, pulse.connections, lambda stream: stream.kind is not None),
        "troubles": mending,
        "work_orders": queries.work_order_figures(tenant_id, now=now, midnight=start),
        "kinds": kinds,
        "bookings_today": sum(kinds.values()),
        "money": found,
        "chart": stacked(found.months),
        "past_due": past_due,
        "agenda": today[:AGENDA],
        "has_more_today": len(today) > AGENDA,
        "day": desk.today,
    }
    response = render(request, "overview/overview.html", facts)
    # The one button of a trouble may lead to the vendor's sign-in page.
    return allow_sign_in(response, [trouble.connection for trouble in mending if request.membership.is_admin])


@require_role(Role.VIEWER)
def live(request: TenantRequest) -> HttpResponse:
    """The connections' card alone, for htmx while something is being read; everybody else gets the page."""
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(tenant_url(request, "overview"))
    pulse = pulse_of(Desk(request))
    response = render(request, "overview/_connections.html", {"pulse": pulse})
    if not pulse.is_busy:
        response.headers["HX-Trigger"] = "synced"  # the figures fetch themselves once more
    return response


def greeting(desk: Desk) -> str:
    hour = timezone.localtime(desk.now, desk.zone).hour
    part = "evening" if hour >= 18 or hour < 4 else "morning" if hour < 12 else "afternoon"
    return f"Good {part}, {desk.request.user.get_short_name()}"  # type: ignore[union-attr]


def pulse_of(desk: Desk) -> Pulse:
    used = in_use(desk.connections)
    states = list(stream_states(desk.tenant.pk, used))
    runs = list(SyncRun.objects.regular().filter(tenant_id=desk.tenant.pk, finished_at=None).order_by("queued_at"))
    by_connection: dict[UUID, list[StreamState]] = defaultdict(list)
    for state in states:
        by_connection[state.connection_id].append(state)
    lines = [_line(one, by_connection[one.pk], [run for run in runs if run.connection_id == one.pk]) for one in used]
    return Pulse(desk=desk, connections=used, states=states, runs=runs, lines=lines)


def troubles(desk: Desk, pulse: Pulse) -> list[Trouble]:
    """What a person must mend, the latest first; what only needs time is said beside its connection."""
    standings = {line.connection.pk: line.standing for line in pulse.lines}
    connections: dict[UUID, Connection] = {one.pk: one for one in pulse.connections}
    found = Problem.objects.filter(
        tenant_id=desk.tenant.pk, closed_at=None, needs_a_person=True, connection__in=list(connections)
    )
    return [
        Trouble(
            problem=problem,
            connection=connections[problem.connection_id],
            standing=_with_a_button(problem, standings[problem.connection_id]),
        )
        for problem in found.order_by("-opened_at")[:PROBLEMS]
    ]


def _with_a_button(problem: Problem, standing: Standing) -> Standing:
    """What ends soon is prolonged in the details, though the connection itself is well."""
    if standing.button is None and problem.code.startswith(EXPIRES):
        return replace(standing, button=Button(label="Open its details", to="connection-edit"))
    return standing


def _line(connection: Connection, states: Sequence[StreamState], runs: Sequence[SyncRun]) -> Line:
    now = timezone.now()
    synced = [state.last_good_at for state in states if state.last_good_at]
    activity = Activity(
        open_runs=tuple(runs),
        is_late=any(is_late(state, now) for state in states),
        has_synced=bool(synced),
    )
    run = next((one for one in runs if not one.is_waiting), None)
    stream = stream_of(connection, run.stream) if run else None
    return Line(
        connection=connection,
        standing=standing_of(connection, activity),
        synced_at=max(synced, default=None),
        run=run,
        run_label=stream.label if stream else "",
    )
