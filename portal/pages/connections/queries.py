"""What the connection pages ask of the database: how connections stand, their streams, and each stream's last runs."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection as database
from django.utils import timezone

from integrations.connections.models import Capability, Connection
from integrations.contract import Stream
from integrations.problems.models import Problem
from integrations.registry import connectors
from integrations.sync.models import Rebuild, StreamState, SyncRun
from portal.pages.connections.sparks import Past, Spark, spark_of
from portal.pages.connections.states import Activity, Standing, standing_of

_GRACE = timedelta(minutes=5)
_LAST_RUNS = """
select s.id, r.state, r.code, r.new + r.changed, r.rejected, r.stream
from sync_streamstate s cross join lateral (
    select * from sync_syncrun
    where tenant_id = s.tenant_id and stream_state_id = s.id and kind <> 'rebuild'
    order by queued_at desc limit 20
) r
where s.tenant_id = %s and s.connection_id = %s
order by s.id, r.queued_at
"""


def is_late(state: StreamState, now: datetime) -> bool:
    """Whether a stream is further behind than two of its intervals. A first copy takes as long as it takes."""
    return state.last_good_at is not None and now - state.last_good_at > state.interval * 2 + _GRACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A connection in the list."""

    connection: Connection
    standing: Standing
    synced_at: datetime | None


def connections_of(tenant_id: int) -> list[Connection]:
    """Those whose vendor is (still) known, by name."""
    return list(Connection.objects.filter(tenant_id=tenant_id, vendor__in=connectors()).order_by("name", "created_at"))


def cards(tenant_id: int) -> list[Card]:
    """Every connection of the tenant with how it stands, in three statements whatever their number."""
    found = connections_of(tenant_id)
    states: dict[UUID, list[StreamState]] = defaultdict(list)
    for state in StreamState.objects.filter(tenant_id=tenant_id):
        states[state.connection_id].append(state)
    runs: dict[UUID, list[SyncRun]] = defaultdict(list)
    for run in SyncRun.objects.regular().filter(tenant_id=tenant_id, finished_at=None):
        runs[run.connection_id].append(run)
    refused = refused_streams(tenant_id)
    return [
        Card(
            connection=one,
            standing=standing_of(one, _activity(states[one.pk], runs[one.pk], refused)),
            synced_at=max((state.last_good_at for state in states[one.pk] if state.last_good_at), default=None),
        )
        for one in found
    ]


def refused_streams(tenant_id: int, connection: Connection | None = None) -> set[tuple[UUID, str]]:
    """Streams that the vendor does not allow: nobody waits for those."""
    rows = Capability.objects.filter(tenant_id=tenant_id).exclude(state__in=["available", "unknown"])
    if connection is not None:
        rows = rows.filter(connection=connection)
    return set(rows.values_list("connection_id", "stream"))


def _activity(states: Iterable[StreamState], runs: Iterable[SyncRun], refused: set[tuple[UUID, str]]) -> Activity:
    now = timezone.now()
    promised = [state for state in states if (state.connection_id, state.stream) not in refused]
    return Activity(
        open_runs=tuple(runs),
        is_late=any(is_late(state, now) for state in promised),
        has_synced=any(state.last_good_at for state in promised),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """A run that is going on, as the page shows it."""

    run: SyncRun
    label: str
    left: timedelta | None

    @property
    def found(self) -> int:
        return self.run.new + self.run.changed


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """A stream of one connection. `state` is None where no run was ever asked for."""

    stream: Stream
    state: StreamState | None
    capability: Capability | None
    open_run: SyncRun | None
    last: Past | None
    spark: Spark
    is_late: bool
    rebuild: Rebuild | None  # that waits for its end or for a person

    @property
    def is_refused(self) -> bool:
        return self.capability is not None and not self.capability.is_available

    @property
    def is_due(self) -> bool:
        return self.state is not None and self.state.due_at is not None

    @property
    def found_nothing(self) -> bool:
        return self.last is not None and self.last.is_empty

    @property
    def trouble(self) -> str:
        """Why its last finished run did not reach the end. What is refused is no trouble: the row says so itself."""
        if self.is_refused:
            return ""
        return self.last.badge if self.last is not None and self.last.is_trouble else ""

    @property
    def sync_label(self) -> str:
        return f"Try {self.stream.label} again" if self.is_refused else f"Sync {self.stream.label} now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A connection's own page: how it stands, what is going on, its streams."""

    connection: Connection
    standing: Standing
    open_runs: list[OpenRun]
    rows: list[StreamRow]
    intervals: list[timedelta] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        return bool(self.open_runs)

    @property
    def has_notice(self) -> bool:
        """Whether its standing is worth a line here: what an open run waits for is said beside that run."""
        return self.standing.is_notice and not (self.connection.is_active and self.is_busy)

    @property
    def pause(self) -> str:
        """How long the page waits before it looks again."""
        return "2s" if self.is_busy else "20s"


def overview(connection: Connection) -> Overview:
    tenant_id = connection.tenant_id
    states = {one.stream: one for one in StreamState.objects.filter(tenant_id=tenant_id, connection=connection)}
    runs = list(
        SyncRun.objects.filter(tenant_id=tenant_id, connection=connection, finished_at=None).order_by("queued_at")
    )
    found = {one.stream: one for one in Capability.objects.filter(tenant_id=tenant_id, connection=connection)}
    past = last_runs(connection)
    regular = [run for run in runs if not run.is_rebuild]
    open_by_stream = {run.stream: run for run in regular}
    rebuilds = {
        one.stream: one
        for one in Rebuild.objects.filter(tenant_id=tenant_id, connection=connection, state__in=Rebuild.OPEN).defer(
            "cursor", "cursor_before"
        )
    }
    now = timezone.now()
    rows = []
    for stream in connection.connector.streams:
        state = states.get(stream.key)
        runs_so_far = past.get(state.pk, []) if state else []
        rows.append(
            StreamRow(
                stream=stream,
                state=state,
                capability=found.get(stream.key),
                open_run=open_by_stream.get(stream.key),
                last=next((one for one in reversed(runs_so_far) if not one.is_open), None),
                spark=spark_of(runs_so_far),
                is_late=state is not None and is_late(state, now),
                rebuild=rebuilds.get(stream.key),
            )
        )
    activity = _activity(states.values(), regular, refused_streams(tenant_id, connection))
    return Overview(
        connection=connection,
        standing=standing_of(connection, activity),
        open_runs=[OpenRun(run=run, label=_label(connection, run.stream), left=_left(run)) for run in runs],
        rows=rows,
        intervals=sorted({stream.interval for stream in connection.connector.streams}),
    )


def last_runs(connection: Connection) -> dict[int, list[Past]]:
    """Up to 20 of each stream's latest runs by the stream state's id, oldest first: one statement along an index."""
    with database.cursor() as cursor:
        cursor.execute(_LAST_RUNS, [connection.tenant_id, connection.pk])
        rows = cursor.fetchall()
    causes = person_causes(connection.tenant_id, {connection.pk}, {code for _, _, code, *_ in rows})
    past: dict[int, list[Past]] = defaultdict(list)
    for state_id, state, code, found, rejected, stream in rows:
        needs = needs_a_person(causes, connection.pk, stream, code)
        past[state_id].append(Past(state=state, code=code, found=found, rejected=rejected, needs_a_person=needs))
    return past


def person_causes(tenant_id: int, connection_ids: Iterable[UUID], codes: Iterable[str]) -> set[tuple[UUID, str, str]]:
    """Which causes a person had to mend, as (connection, stream or "", code)."""
    codes = {code for code in codes if code}
    if not codes:
        return set()
    rows = Problem.objects.filter(
        tenant_id=tenant_id, connection_id__in=list(connection_ids), code__in=codes, needs_a_person=True
    )
    return set(rows.values_list("connection_id", "stream", "code"))


def needs_a_person(causes: set[tuple[UUID, str, str]], connection_id: UUID, stream: str, code: str) -> bool:
    return (connection_id, "", code) in causes or (connection_id, stream, code) in causes


def stream_label(connection: Connection, key: str) -> str:
    return _label(connection, key)


def _label(connection: Connection, key: str) -> str:
    """The stream's label; its key where the vendor no longer has it."""
    try:
        return connection.connector.stream(key).label
    except KeyError:
        return key


def _left(run: SyncRun) -> timedelta | None:
    """A guess at the time left, from the pace so far; None before there is a pace."""
    took = run.took
    if run.is_waiting or not run.expected or took is None or run.read < 1 or took < timedelta(seconds=2):
        return None
    return took * max(run.expected - run.read, 0) / run.read
