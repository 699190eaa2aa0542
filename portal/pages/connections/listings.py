"""The lists of the connection and activity pages: runs, requests, events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from integrations.connections.models import Connection, VendorRequest
from integrations.sync.models import RunState, SyncRun
from portal.pages.connections.queries import needs_a_person, person_causes, stream_label
from portal.pages.connections.states import Outcome, outcome_of
from portal.pages.filters import Choice, Word
from portal.pages.lists import Listing, Sort
from portal.tenancy.models import Event

_BY_START = (Sort(key="started", column="queued_at"),)
_BY_MOMENT = (Sort(key="at", column="at"),)
_OUTCOME = Choice(
    key="outcome",
    label="Outcome",
    words=(
        Word(value="open", label="Going on", where=Q(finished_at=None)),
        Word(value="complete", label="Complete", where=Q(state=RunState.DONE)),
        Word(value="set-aside", label="With records set aside", where=Q(rejected__gt=0)),
        Word(value="failed", label="Not completed", where=Q(state=RunState.FAILED)),
        Word(value="stopped", label="Stopped", where=Q(state=RunState.STOPPED)),
    ),
)


def runs_of(connection: Connection) -> Listing[SyncRun]:
    """The runs of one connection, narrowed by stream and outcome."""
    streams = tuple(
        Word(value=one.key, label=one.label, where=Q(stream=one.key)) for one in connection.connector.streams
    )
    return Listing(
        sorts=_BY_START,
        filters=(_OUTCOME, Choice(key="stream", label="Stream", words=streams)),
        default_sort="-started",
        tie="id",
    )


def runs_of_all(connections: Sequence[Connection]) -> Listing[SyncRun]:
    """The runs of every connection, narrowed by connection and outcome."""
    return Listing(
        sorts=_BY_START,
        filters=(_OUTCOME, _by_connection(connections)),
        default_sort="-started",
        tie="id",
    )


def _by_connection(connections: Sequence[Connection]) -> Choice:
    words = tuple(Word(value=str(one.pk), label=one.name, where=Q(connection=one.pk)) for one in connections)
    return Choice(key="connection", label="Connection", words=words)


REQUESTS: Listing[VendorRequest] = Listing(
    sorts=_BY_MOMENT,
    filters=(
        Choice(
            key="answer",
            label="Answer",
            words=(
                Word(value="good", label="Accepted", where=Q(status__lt=400, error="")),
                Word(value="bad", label="Refused or lost", where=~Q(error="") | Q(status__gte=400)),
            ),
        ),
    ),
    default_sort="-at",
    tie="id",
)

EVENTS: Listing[Event] = Listing(
    sorts=_BY_MOMENT,
    filters=(
        Choice(
            key="about",
            label="About",
            words=(
                Word(value="connections", label="Connections", where=Q(action__startswith="connection.")),
                Word(value="people", label="People", where=Q(action__startswith="people.")),
                Word(value="tenant", label="Settings", where=Q(action__startswith="tenant.")),
            ),
        ),
    ),
    default_sort="-at",
    tie="id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """A run as a row of a table."""

    run: SyncRun
    connection: Connection
    label: str
    outcome: Outcome

    @property
    def asker(self) -> str:
        """Who pressed the button, where somebody did."""
        return str(self.run.requested_by or "") if self.run.trigger == "person" else ""


def run_lines(tenant_id: int, runs: Iterable[SyncRun], connections: dict[UUID, Connection]) -> list[RunLine]:
    """The rows' words; those of a vendor that is no longer known are left out."""
    runs = [run for run in runs if run.connection_id in connections]
    causes = person_causes(tenant_id, connections, {run.code for run in runs})
    return [
        RunLine(
            run=run,
            connection=connections[run.connection_id],
            label=stream_label(connections[run.connection_id], run.stream),
            outcome=outcome_of(run, needs_a_person=needs_a_person(causes, run.connection_id, run.stream, run.code)),
        )
        for run in runs
    ]


def latest_runs(connection: Connection) -> list[RunLine]:
    """The few that the connection's own page shows."""
    rows = SyncRun.objects.filter(tenant_id=connection.tenant_id, connection=connection, finished_at__isnull=False)
    rows = rows.select_related("requested_by")
    return run_lines(connection.tenant_id, rows.order_by("-queued_at")[:8], {connection.pk: connection})
