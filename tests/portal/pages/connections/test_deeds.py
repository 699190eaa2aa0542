"""Sync, stop, pause, resume, disconnect, erase: each does one thing, and what the state rules out is said."""

from collections.abc import Callable

import pytest

from integrations.connections.models import AuthorizationAttempt, Connection, Credential, Token
from integrations.records.models import Record
from integrations.sandbox.kit import Sandbox
from integrations.sync.models import RunState, StreamState, SyncRun
from portal.tenancy.models import Event, Role
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import Person, filled_in
from tests.sample_data import store

pytestmark = pytest.mark.server


def end_runs(person: Person) -> None:
    with tenant_scope(person.tenant.pk):
        for run in SyncRun.objects.filter(finished_at=None):
            person.post(f"connections/{run.connection_id}/runs/{run.pk}/stop/")


def open_streams(person: Person) -> set[str]:
    with tenant_scope(person.tenant.pk):
        return set(SyncRun.objects.filter(finished_at=None).values_list("stream", flat=True))


def test_a_member_stops_a_run(join: Callable[..., Person], admin: Person, connected: Connection) -> None:
    member = join(admin.tenant, Role.MEMBER)

    end_runs(member)

    with tenant_scope(admin.tenant.pk):
        assert {run.state for run in SyncRun.objects.all()} == {RunState.STOPPED}
        assert {run.words for run in SyncRun.objects.all()} == {f"Stopped by {member.user}."}


def test_a_member_syncs_one_stream_or_all(join: Callable[..., Person], admin: Person, connected: Connection) -> None:
    member = join(admin.tenant, Role.MEMBER)
    streams = [stream.key for stream in connected.connector.streams]
    end_runs(admin)

    member.post(f"connections/{connected.pk}/sync/", {"stream": streams[0]})
    assert open_streams(admin) == {streams[0]}
    member.post(f"connections/{connected.pk}/sync/")
    assert open_streams(admin) == set(streams)
    assert member.post(f"connections/{connected.pk}/sync/", {"stream": "nonsense"}).status_code == 404


def test_a_member_syncs_everything_and_only_ones_own(
    join: Callable[..., Person], admin: Person, stranger: Person, connected: Connection
) -> None:
    end_runs(admin)
    assert "nothing to sync" in stranger.post("connections/sync/", follow=True).content.decode()
    assert open_streams(admin) == set()
    assert join(admin.tenant, Role.VIEWER).post("connections/sync/").status_code == 403

    join(admin.tenant, Role.MEMBER).post("connections/sync/")

    assert open_streams(admin) == {stream.key for stream in connected.connector.streams}


def test_pausing_stops_what_runs_and_resuming_starts_again(admin: Person, connected: Connection) -> None:
    page = admin.post(f"connections/{connected.pk}/pause/", follow=True).content.decode()
    assert "Resume</button>" in page
    assert (admin.only().is_paused, admin.only().state_by) == (True, admin.user)
    assert open_streams(admin) == set()

    said = admin.post(f"connections/{connected.pk}/sync/", follow=True).content.decode()
    assert "is not active" in said
    assert open_streams(admin) == set()

    admin.post(f"connections/{connected.pk}/resume/")
    assert admin.only().is_active
    assert open_streams(admin)


@pytest.mark.parametrize(("deed", "words"), [("resume", "is not paused"), ("pause", "nothing to pause")])
def test_a_deed_the_state_rules_out_changes_nothing(
    admin: Person, connected: Connection, deed: str, words: str
) -> None:
    if deed == "pause":
        admin.post(f"connections/{connected.pk}/disconnect/")
    before = admin.only().state

    said = admin.post(f"connections/{connected.pk}/{deed}/", follow=True).content.decode()

    assert words in said
    assert admin.only().state == before


def test_disconnecting_asks_first_then_forgets_secrets_and_keeps_data(admin: Person, connected: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        store(connected, connected.connector.streams[0].key, {"Number": "1"})
    page = admin.text(f"connections/{connected.pk}/disconnect/")
    assert "take it back there" in page

    admin.post(f"connections/{connected.pk}/disconnect/")

    assert admin.only().is_disconnected
    assert open_streams(admin) == set()
    with tenant_scope(admin.tenant.pk):
        assert not Credential.objects.exists()
        assert not Token.objects.exists()
        assert Record.objects.count() == 1
    assert "Reconnect" in admin.text(f"connections/{connected.pk}/")


def test_a_disconnected_connection_reconnects_with_its_details(
    admin: Person, box: Sandbox, connected: Connection
) -> None:
    admin.post(f"connections/{connected.pk}/disconnect/")

    admin.post(f"connections/{connected.pk}/edit/", filled_in(box))

    assert (admin.only().pk, admin.only().is_active) == (connected.pk, True)


def test_an_owner_erases_with_the_name_typed(
    join: Callable[..., Person], admin: Person, stranger: Person, box: Sandbox, connected: Connection
) -> None:
    stranger.post(f"connections/new/{box.key}/", filled_in(box))
    owner = join(admin.tenant, Role.OWNER)
    with tenant_scope(admin.tenant.pk):
        store(connected, connected.connector.streams[0].key, {"Number": "1"})

    assert "Only an owner" in admin.post(f"connections/{connected.pk}/erase/", follow=True).content.decode()
    assert owner.post(f"connections/{connected.pk}/erase/", {"name": "Wrong"}).status_code == 422
    assert admin.only() == connected

    owner.post(f"connections/{connected.pk}/erase/", {"name": connected.name})

    assert admin.connections() == []
    with tenant_scope(admin.tenant.pk):
        for model in (Record, StreamState, SyncRun, Credential, Token, AuthorizationAttempt):
            assert not model.objects.exists()
        assert Event.objects.filter(action="connection.erased", actor=owner.user).exists()
    assert stranger.only().is_active


def test_an_admin_discards_a_draft(admin: Person, consenting: Sandbox) -> None:
    admin.post(f"connections/new/{consenting.key}/", filled_in(consenting))

    page = admin.post(f"connections/{admin.only().pk}/erase/", follow=True).content.decode()

    assert admin.connections() == []
    assert "is gone" in page
