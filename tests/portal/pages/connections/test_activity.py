"""Activity: runs of every connection and the audit trail, each narrowed by its address."""

from collections.abc import Callable

import pytest

from integrations.connections.models import Connection
from integrations.sync.models import RunState, SyncRun
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import Person

pytestmark = pytest.mark.server


def test_runs_of_every_connection_are_listed(admin: Person, connected: Connection) -> None:
    page = admin.text("activity/")

    for stream in connected.connector.streams:
        assert stream.label in page


def test_runs_are_narrowed_by_connection_and_outcome(admin: Person, connected: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        one = SyncRun.objects.order_by("pk")[0]
        SyncRun.objects.filter(pk=one.pk).update(state=RunState.STOPPED, finished_at=one.queued_at)

    assert "1–1 of 1" in admin.text("activity/?outcome=stopped")
    assert "1–1 of 1" in admin.text(f"activity/?outcome=stopped&connection={connected.pk}")
    assert "is not a choice" in admin.text("activity/?connection=nonsense")


def test_who_did_what_is_told_in_words(admin: Person, connected: Connection) -> None:
    admin.post(f"connections/{connected.pk}/pause/")

    page = admin.text("activity/audit/")
    people = admin.text("activity/audit/?about=people")

    assert "paused" in page
    assert "saved the details of" in page
    assert "paused" not in people


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_the_audit_trail_is_for_admins(join: Callable[..., Person], admin: Person, role: Role) -> None:
    person = join(admin.tenant, role)

    assert person.get("activity/audit/").status_code == 403
    assert "Audit trail" not in person.text("activity/")
