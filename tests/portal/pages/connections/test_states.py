"""Every state has its words and at most one button; only what the reader must mend is red."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState
from integrations.sync.models import RunState, SyncRun
from portal.pages.connections.states import ACTIVE, STATES, Activity, outcome_of, standing_of
from tests.portal.pages.connections.conftest import PLAIN

D, W, R, A, P, X = (
    ConnectionState.DRAFT,
    ConnectionState.WAITING_FOR_VENDOR,
    ConnectionState.NEEDS_RECONNECT,
    ConnectionState.NEEDS_ATTENTION,
    ConnectionState.PAUSED,
    ConnectionState.DISCONNECTED,
)


@pytest.mark.parametrize(
    ("state", "signs_in", "badge", "tone", "button"),
    [
        (D, False, "Not finished", "", "Continue"),
        (D, True, "Not finished", "", "Connect {vendor}"),
        (W, False, "Waiting for the vendor", "", "Continue"),
        (W, True, "Waiting for the vendor", "", "Continue"),
        (R, False, "Reconnect", "bad", "Reconnect"),
        (R, True, "Reconnect", "bad", "Reconnect {vendor}"),
        (A, False, "Needs attention", "bad", "Fix"),
        (A, True, "Needs attention", "bad", "Fix"),
        (P, False, "Paused", "", "Resume"),
        (P, True, "Paused", "", "Resume"),
        (X, False, "Disconnected", "", "Reconnect"),
        (X, True, "Disconnected", "", "Reconnect"),
    ],
)
def test_a_state_has_its_words_and_its_one_button(
    state: ConnectionState, signs_in: bool, badge: str, tone: str, button: str | None
) -> None:
    standing = STATES[state, signs_in]

    assert (standing.badge, standing.tone) == (badge, tone)
    assert (standing.button.label if standing.button else None) == button


def test_no_state_is_forgotten() -> None:
    assert {state for state, _ in STATES} | {ConnectionState.ACTIVE} == set(ConnectionState)


def test_red_always_comes_with_a_button_and_waiting_never_does() -> None:
    for standing in [*STATES.values(), *ACTIVE.values()]:
        assert (standing.tone != "bad") or standing.button
        assert (standing.tone != "warn") or not standing.button


def _active() -> Connection:
    return Connection(vendor=PLAIN[0], name="Head office", state=ConnectionState.ACTIVE)


def _run(**fields: object) -> SyncRun:
    return SyncRun(**{"stream": "any", "state": RunState.RUNNING, "next_slice_at": timezone.now(), **fields})


@pytest.mark.parametrize(
    ("activity", "badge", "tone"),
    [
        (Activity(), "Starting", "busy"),
        (Activity(has_synced=True), "Up to date", "ok"),
        (Activity(has_synced=True, is_late=True), "Delayed", "warn"),
        (Activity(open_runs=(_run(),), is_late=True), "Syncing", "busy"),
        (Activity(open_runs=(_run(state=RunState.QUEUED),)), "Syncing", "busy"),
        (Activity(open_runs=(_run(state=RunState.WAITING, code="rate_limited"),)), "Waiting", "warn"),
        (Activity(open_runs=(_run(state=RunState.WAITING, code="vendor_unavailable"),)), "Delayed", "warn"),
    ],
)
def test_an_active_connection_says_what_its_streams_do(activity: Activity, badge: str, tone: str) -> None:
    standing = standing_of(_active(), activity)

    assert (standing.badge, standing.tone, standing.button) == (badge, tone, None)


def test_a_limit_says_until_when() -> None:
    soon = timezone.now() + timedelta(minutes=5)
    late, early = (
        _run(state=RunState.WAITING, code="rate_limited", next_slice_at=soon + timedelta(minutes=n)) for n in (1, 0)
    )

    standing = standing_of(_active(), Activity(open_runs=(late, early)))

    assert standing.sentence == "Waiting for the vendor's limit until"
    assert standing.until == soon


def test_a_stored_reason_comes_before_the_general_words() -> None:
    connection = _active()
    connection.state, connection.reason = ConnectionState.NEEDS_ATTENTION, "The region is wrong."

    assert standing_of(connection, Activity()).sentence == "The region is wrong."


@pytest.mark.parametrize(
    ("fields", "needs_a_person", "badge", "tone"),
    [
        ({"state": RunState.QUEUED}, False, "Queued", "busy"),
        ({"state": RunState.RUNNING}, False, "Running", "busy"),
        ({"state": RunState.WAITING, "code": "rate_limited"}, False, "Waiting for the vendor's limit", "warn"),
        ({"state": RunState.WAITING, "code": "timeout"}, False, "Waiting for the vendor", "warn"),
        ({"state": RunState.DONE, "read": 9, "new": 2}, False, "Complete", "ok"),
        ({"state": RunState.DONE, "read": 9}, False, "Nothing new", "ok"),
        (
            {"state": RunState.DONE, "read": 1412, "new": 3, "rejected": 1200},
            False,
            "Complete, 1,200 set aside",
            "warn",
        ),
        ({"state": RunState.FAILED, "code": "timeout"}, False, "Not completed", "warn"),
        ({"state": RunState.FAILED, "code": "reconnect"}, True, "Needs a person", "bad"),
        ({"state": RunState.STOPPED}, False, "Stopped", ""),
    ],
)
def test_a_run_says_how_it_ended(fields: dict[str, object], needs_a_person: bool, badge: str, tone: str) -> None:
    outcome = outcome_of(_run(**fields), needs_a_person=needs_a_person)

    assert (outcome.badge, outcome.tone) == (badge, tone)
