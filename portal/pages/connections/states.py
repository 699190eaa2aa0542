"""Every state of a connection with its words and its one button, in one table; the same for runs.

Red and a button stand where the reader must act. What only needs time (lateness, limits,
outages) is amber and has none.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from integrations.connections.models import Connection, ConnectionState
from integrations.sync.models import RunState, SyncRun

LIMIT = "rate_limited"  # the code of a run that waits by agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """`to` names the page or deed; `{vendor}` in the label is replaced."""

    label: str
    to: str
    is_post: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a connection stands. `until` or `waits_since` completes the sentence with a time; `is_notice`: worth a line
    on its page."""

    badge: str
    tone: str  # ok, busy, warn, bad or "" (neither good nor bad)
    sentence: str
    button: Button | None = None
    until: datetime | None = None
    waits_since: datetime | None = None
    is_notice: bool = True

    @property
    def needs_a_person(self) -> bool:
        return self.tone == "bad"

    @property
    def icon_tone(self) -> str:
        return self.tone if self.tone in {"bad", "warn", "ok"} else "info"


_EDIT = "connection-edit"
_SIGN_IN = "connection-authorize"

# A state, and whether a person signs in on the vendor's page.
STATES: dict[tuple[ConnectionState, bool], Standing] = {
    (ConnectionState.DRAFT, False): Standing(
        badge="Not finished",
        tone="",
        sentence="Its details are kept. Finish connecting to bring its data.",
        button=Button(label="Continue", to=_EDIT),
    ),
    (ConnectionState.DRAFT, True): Standing(
        badge="Not finished",
        tone="",
        sentence="One step is left: sign in at {vendor} and allow Switchboard to read.",
        button=Button(label="Connect {vendor}", to=_SIGN_IN, is_post=True),
    ),
    (ConnectionState.WAITING_FOR_VENDOR, False): Standing(
        badge="Waiting for the vendor",
        tone="",
        sentence="Waiting for {vendor} since",
        button=Button(label="Continue", to=_EDIT),
    ),
    (ConnectionState.NEEDS_RECONNECT, False): Standing(
        badge="Reconnect",
        tone="bad",
        sentence="{vendor} no longer accepts what is stored.",
        button=Button(label="Reconnect", to=_EDIT),
    ),
    (ConnectionState.NEEDS_RECONNECT, True): Standing(
        badge="Reconnect",
        tone="bad",
        sentence="Somebody has to sign in at {vendor} again.",
        button=Button(label="Reconnect {vendor}", to=_SIGN_IN, is_post=True),
    ),
    (ConnectionState.NEEDS_ATTENTION, False): Standing(
        badge="Needs attention",
        tone="bad",
        sentence="A setting or a permission at {vendor} is wrong.",
        button=Button(label="Fix", to=_EDIT),
    ),
    (ConnectionState.PAUSED, False): Standing(
        badge="Paused",
        tone="",
        sentence="Nothing is read while it is paused. What was read stays.",
        button=Button(label="Resume", to="connection-resume", is_post=True),
    ),
    (ConnectionState.DISCONNECTED, False): Standing(
        badge="Disconnected",
        tone="",
        sentence="Its secrets are forgotten, its data is kept.",
        button=Button(label="Reconnect", to=_EDIT),
    ),
}
for _state in (
    ConnectionState.WAITING_FOR_VENDOR,
    ConnectionState.NEEDS_ATTENTION,
    ConnectionState.PAUSED,
    ConnectionState.DISCONNECTED,
):
    STATES[_state, True] = STATES[_state, False]

# What an active connection may be doing: facts about its streams, never a state of its own.
ACTIVE: dict[str, Standing] = {
    "limit": Standing(badge="Waiting", tone="warn", sentence="Waiting for the vendor's limit until"),
    "retry": Standing(badge="Delayed", tone="warn", sentence="{vendor} is not answering as it should. Next try at"),
    "syncing": Standing(badge="Syncing", tone="busy", sentence="Reading from {vendor}.", is_notice=False),
    "late": Standing(
        badge="Delayed", tone="warn", sentence="Some data is later than promised. We keep trying by ourselves."
    ),
    "starting": Standing(badge="Starting", tone="busy", sentence="The first copy is about to begin.", is_notice=False),
    "healthy": Standing(badge="Up to date", tone="ok", sentence="Everything is up to date.", is_notice=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What is known of a connection's streams: its open runs, and whether one of its streams is late."""

    open_runs: tuple[SyncRun, ...] = ()
    is_late: bool = False
    has_synced: bool = False


def standing_of(connection: Connection, activity: Activity) -> Standing:
    """How the connection stands, in words; what was stored as the reason comes before the general sentence."""
    if connection.is_active:
        standing, run = _of_active(activity)
        words = standing.sentence
        if run is not None and run.code != LIMIT and run.words:
            words = f"{run.words} Next try at"
        standing = replace(standing, sentence=words, until=run.next_slice_at if run else None)
    else:
        standing = STATES[ConnectionState(connection.state), connection.uses_redirect]
        standing = replace(
            standing,
            sentence=connection.reason or standing.sentence,
            waits_since=connection.since if connection.is_waiting else None,
        )
    label = connection.connector.label
    button = standing.button and replace(standing.button, label=standing.button.label.replace("{vendor}", label))
    return replace(standing, sentence=standing.sentence.replace("{vendor}", label), button=button)


def _of_active(activity: Activity) -> tuple[Standing, SyncRun | None]:
    """The table's entry, and the run whose next try completes its sentence."""
    if any(not run.is_waiting for run in activity.open_runs):
        return ACTIVE["syncing"], None
    if activity.open_runs:
        first = min(activity.open_runs, key=lambda run: run.next_slice_at)
        return ACTIVE["limit" if first.code == LIMIT else "retry"], first
    if activity.is_late:
        return ACTIVE["late"], None
    return ACTIVE["healthy" if activity.has_synced else "starting"], None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended or goes on. `mark` is its class in a spark."""

    badge: str
    tone: str
    mark: str = ""


OUTCOMES: dict[str, Outcome] = {
    "queued": Outcome(badge="Queued", tone="busy", mark="r"),
    "running": Outcome(badge="Running", tone="busy", mark="r"),
    "limit": Outcome(badge="Waiting for the vendor's limit", tone="warn", mark="r"),
    "waiting": Outcome(badge="Waiting for the vendor", tone="warn", mark="r"),
    "done": Outcome(badge="Complete", tone="ok"),
    "nothing": Outcome(badge="Nothing new", tone="ok"),
    "rejected": Outcome(badge="Complete, {rejected} set aside", tone="warn", mark="w"),
    "delayed": Outcome(badge="Not completed", tone="warn", mark="w"),
    "failed": Outcome(badge="Needs a person", tone="bad", mark="f"),
    "stopped": Outcome(badge="Stopped", tone="", mark="w"),
}


def outcome_key(*, state: str, code: str, found: int, rejected: int, needs_a_person: bool) -> str:
    """The entry of OUTCOMES for a run; `found` is what it brought that is new or changed."""
    if state == RunState.DONE:
        return "rejected" if rejected else "done" if found else "nothing"
    if state == RunState.FAILED:
        return "failed" if needs_a_person else "delayed"
    if state == RunState.WAITING and code == LIMIT:
        return "limit"
    return str(state)


def outcome_of(run: SyncRun, *, needs_a_person: bool = False) -> Outcome:
    """`needs_a_person`: whether the cause it failed for is one that a person must mend."""
    key = outcome_key(
        state=run.state,
        code=run.code,
        found=run.new + run.changed,
        rejected=run.rejected,
        needs_a_person=needs_a_person,
    )
    outcome = OUTCOMES[key]
    return replace(outcome, badge=outcome.badge.replace("{rejected}", f"{run.rejected:,}"))
