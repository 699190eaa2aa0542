"""An active connection is tested again: by a button now, by the clock once a week."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connections import tasks
from integrations.connections.access import budget_of
from integrations.connections.models import Capability, Connection, ConnectionState, VendorRequest
from integrations.problems.models import Problem
from integrations.sandbox.kit import Fault, Sandbox
from integrations.sync.models import RunState, SyncRun
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Serve
from tests.portal.pages.connections.conftest import PLAIN, Person, filled_in

pytestmark = pytest.mark.server


@pytest.fixture
def box(serve: Serve) -> Sandbox:
    return serve(PLAIN[-1])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The messages, caught on their way to the broker."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.check_connection, "apply_async", lambda kwargs, **_: sent.append(kwargs))
    return sent


def change(connection: Connection, **facts: object) -> None:
    with tenant_scope(connection.tenant_id):
        Connection.objects.filter(pk=connection.pk).update(**facts)


def states(connection: Connection) -> dict[str, str]:
    with tenant_scope(connection.tenant_id):
        return dict(Capability.objects.filter(connection=connection).values_list("stream", "state"))


def check(connection: Connection) -> None:
    tasks.check_connection(tenant_id=connection.tenant_id, connection_id=str(connection.pk))


def test_the_clock_asks_for_each_connection_once_a_week(connected: Connection, asked: list[dict[str, Any]]) -> None:
    tasks.check_connections()
    assert asked == []
    change(connected, check_due_at=timezone.now() - timedelta(seconds=1))

    tasks.check_connections()
    tasks.check_connections()

    assert asked == [{"tenant_id": connected.tenant_id, "connection_id": str(connected.pk)}]


def test_a_check_puts_the_next_one_off_by_about_a_week(admin: Person, connected: Connection) -> None:
    change(connected, check_due_at=timezone.now())

    check(connected)

    again = admin.only()
    assert again.checked_at
    assert again.check_due_at
    assert timedelta(days=6) < again.check_due_at - again.checked_at < timedelta(days=8)


@pytest.mark.parametrize("state", [one for one in ConnectionState if one != ConnectionState.ACTIVE])
def test_only_what_is_active_is_checked(
    connected: Connection, asked: list[dict[str, Any]], box: Sandbox, state: ConnectionState
) -> None:
    change(connected, check_due_at=None, state=state)
    with tenant_scope(connected.tenant_id):
        before = VendorRequest.objects.count()

    tasks.check_connections()
    check(connected)

    assert asked == []
    with tenant_scope(connected.tenant_id):
        assert VendorRequest.objects.count() == before


def test_a_permission_taken_away_at_the_vendor_is_noticed(admin: Person, connected: Connection, box: Sandbox) -> None:
    stream = connected.connector.streams[0].key
    assert states(connected)[stream] == "available"
    box.refuse(stream)

    check(connected)

    assert states(connected)[stream] in {"not_permitted", "not_bought"}
    assert 'class="refused"' in admin.text(f"connections/{connected.pk}/")
    assert admin.only().is_active


def test_access_taken_away_at_the_vendor_is_said_with_who_mends_it(
    admin: Person, connected: Connection, box: Sandbox
) -> None:
    box.revoke()

    check(connected)

    assert admin.only().needs_a_person
    assert admin.only().diagnosis
    with tenant_scope(admin.tenant.pk):
        assert Problem.objects.get(closed_at=None, needs_a_person=True).who


def test_a_vendor_who_is_down_changes_nothing(admin: Person, connected: Connection, box: Sandbox) -> None:
    box.weather.add(Fault(times=1000, status=503))

    check(connected)

    assert admin.only().is_active
    with tenant_scope(admin.tenant.pk):
        assert not Problem.objects.filter(needs_a_person=True).exists()


def test_a_connection_that_is_gone_is_no_error(transactional_db: None) -> None:
    tasks.check_connection(tenant_id=1, connection_id="00000000-0000-4000-8000-000000000000")


def test_the_button_checks_now(admin: Person, connected: Connection, box: Sandbox) -> None:
    stream = connected.connector.streams[0].key
    box.refuse(stream)

    response = admin.post(f"connections/{connected.pk}/check/", follow=True)

    assert "Checked." in response.content.decode()
    assert states(connected)[stream] in {"not_permitted", "not_bought"}


def test_the_button_begins_to_read_what_is_allowed_again(admin: Person, connected: Connection) -> None:
    stream = connected.connector.streams[0].key
    with tenant_scope(admin.tenant.pk):
        Capability.objects.filter(connection=connected, stream=stream).update(state="not_permitted")
        SyncRun.objects.update(state=RunState.DONE, finished_at=timezone.now())

    admin.post(f"connections/{connected.pk}/check/")

    with tenant_scope(admin.tenant.pk):
        assert list(SyncRun.objects.filter(finished_at=None).values_list("stream", flat=True)) == [stream]


def test_the_button_says_what_is_wrong(admin: Person, connected: Connection, box: Sandbox) -> None:
    box.revoke()

    response = admin.post(f"connections/{connected.pk}/check/", follow=True)

    assert "Who can mend it:" in response.content.decode()
    assert admin.only().needs_a_person


def test_the_button_mends_what_was_cured_at_the_vendor(admin: Person, connected: Connection, box: Sandbox) -> None:
    change(connected, state=ConnectionState.NEEDS_ATTENTION, reason="The add-on is off.")

    admin.post(f"connections/{connected.pk}/check/")

    assert (admin.only().is_active, admin.only().reason) == (True, "")


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.MEMBER, 403), (Role.ADMIN, 302)])
def test_only_admins_check(
    join: Callable[..., Person], admin: Person, connected: Connection, role: Role, status: int
) -> None:
    person = join(admin.tenant, role)
    assert person.post(f"connections/{connected.pk}/check/").status_code == status


def test_a_stranger_cannot_check(stranger: Person, connected: Connection) -> None:
    assert stranger.post(f"connections/{connected.pk}/check/").status_code == 404


def test_a_trial_is_in_the_request_log_of_the_connection_it_is_for(admin: Person, box: Sandbox) -> None:
    box.weather.add(Fault(times=1000, status=503))
    admin.post(f"connections/new/{box.key}/", filled_in(box))
    draft = admin.only()

    with tenant_scope(admin.tenant.pk):
        calls = list(VendorRequest.objects.filter(connection=draft))
    assert draft.is_draft
    assert calls
    assert {call.status for call in calls} == {503}


def test_a_trial_counts_against_the_vendors_limit(admin: Person, connected: Connection, box: Sandbox) -> None:
    budget_of(connected).hold(timedelta(minutes=5))

    page = admin.post(f"connections/{connected.pk}/edit/", filled_in(box)).content.decode()

    assert "Waiting for the vendor" in page
