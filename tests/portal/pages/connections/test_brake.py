"""When a sweep misses too much, an admin decides; nobody else may."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.sandbox.kit import Sandbox
from integrations.sync.models import RunKind, RunState, StreamState, SyncRun
from portal.tenancy.models import Event, Role
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Serve
from tests.portal.pages.connections.conftest import PLAIN, Person

pytestmark = pytest.mark.server
WORDS = "412 of 900 projects are no longer listed at Corecon. Nothing was marked."


@pytest.fixture
def box(serve: Serve) -> Sandbox:
    return serve(PLAIN[-1])


@pytest.fixture
def braked(admin: Person, connected: Connection) -> str:
    """A stream whose last sweep missed too much; every run is over."""
    key = next(stream.key for stream in connected.connector.streams if stream.sweep_interval)
    now = timezone.now()
    with tenant_scope(admin.tenant.pk):
        SyncRun.objects.update(state=RunState.DONE, finished_at=now)
        StreamState.objects.update(last_good_at=now)
        StreamState.objects.filter(stream=key).update(braked_at=now, brake_words=WORDS)
    return key


def sweeps(person: Person) -> list[str]:
    with tenant_scope(person.tenant.pk):
        return list(SyncRun.objects.filter(kind=RunKind.SWEEP).values_list("stream", flat=True))


def test_the_page_says_what_is_missing_and_an_admin_may_mark_it(
    admin: Person, connected: Connection, braked: str
) -> None:
    page = admin.text(f"connections/{connected.pk}/")
    assert WORDS in page
    assert "They are gone: mark them" in page

    admin.post(f"connections/{connected.pk}/gone/", {"stream": braked})

    assert sweeps(admin) == [braked]
    with tenant_scope(admin.tenant.pk):
        assert StreamState.objects.get(stream=braked).is_brake_lifted
        assert Event.objects.filter(action="sync.deletions_confirmed", actor=admin.user).exists()


def test_an_admin_may_look_for_deleted_records_of_a_stream(admin: Person, connected: Connection, braked: str) -> None:
    assert f"sweep-{braked}" in admin.text(f"connections/{connected.pk}/")

    admin.post(f"connections/{connected.pk}/sweep/", {"stream": braked})

    assert sweeps(admin) == [braked]
    with tenant_scope(admin.tenant.pk):
        assert not StreamState.objects.get(stream=braked).is_brake_lifted


def test_there_is_nothing_to_confirm_where_nothing_was_braked(
    admin: Person, connected: Connection, braked: str
) -> None:
    with tenant_scope(admin.tenant.pk):
        StreamState.objects.update(braked_at=None, brake_words="")

    response = admin.post(f"connections/{connected.pk}/gone/", {"stream": braked}, follow=True)

    assert "Nothing waits for a decision here." in response.content.decode()
    assert sweeps(admin) == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_others_see_it_and_decide_nothing(
    join: Callable[..., Person], admin: Person, connected: Connection, braked: str, role: Role
) -> None:
    person = join(admin.tenant, role)

    page = person.text(f"connections/{connected.pk}/")
    assert WORDS in page
    assert "mark them" not in page
    for path in ("gone/", "sweep/"):
        assert person.post(f"connections/{connected.pk}/{path}", {"stream": braked}).status_code == 403
    assert sweeps(admin) == []


def test_a_stranger_can_decide_nothing(stranger: Person, admin: Person, connected: Connection, braked: str) -> None:
    for path in ("gone/", "sweep/"):
        assert stranger.post(f"connections/{connected.pk}/{path}", {"stream": braked}).status_code == 404
    assert sweeps(admin) == []
