"""An admin has a stream read anew, sees what would change, decides, and may think again; nobody else does."""

from collections.abc import Callable
from uuid import UUID

import pytest

from integrations.connections.models import Connection
from integrations.records.models import Booking, Record, ShadowRecord
from integrations.registry import connectors
from integrations.sandbox.kit import Sandbox
from integrations.sync import switch
from integrations.sync.models import Rebuild, RebuildState, StreamState, SyncRun
from integrations.values import Kind
from portal.tenancy.models import Event, Role
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Connect, Serve, connect
from tests.integrations.sync.runs import work_off
from tests.portal.pages.connections.conftest import PLAIN, Person

__all__ = ["connect"]
pytestmark = pytest.mark.server
DEEDS = ("use", "discard", "undo")


@pytest.fixture
def box(serve: Serve) -> Sandbox:
    return serve(PLAIN[-1], sizes=(20, 10))


@pytest.fixture
def stream(box: Sandbox) -> str:
    return next(one.key for one in connectors()[box.key].streams if one.kind)


@pytest.fixture
def copied(connected: Connection, stream: str) -> Connection:
    work_off(connected, stream=stream)
    return connected


@pytest.fixture
def ready(admin: Person, copied: Connection, stream: str) -> Rebuild:
    """A new copy: one record is new, one is gone, one says something else."""
    with tenant_scope(admin.tenant.pk):
        rows = Record.objects.filter(stream=stream).order_by("external_id")
        lost, renamed, changed = rows[:3]
        lost.delete()
        Record.objects.filter(pk=renamed.pk).update(external_id="not-at-the-vendor", title="The lost one")
        payload = changed.payload.replace("{", '{"invented": "by hand", ', 1)
        Record.objects.filter(pk=changed.pk).update(payload=payload, digest=b"x")
    admin.post(f"connections/{copied.pk}/streams/{stream}/anew/start/")
    work_off(copied, stream=stream)
    return latest(admin)


def latest(person: Person) -> Rebuild:
    with tenant_scope(person.tenant.pk):
        return Rebuild.objects.order_by("-pk")[:1].get()


def page_of(connection_id: UUID, stream: str) -> str:
    return f"connections/{connection_id}/streams/{stream}/anew/"


def deed_of(one: Rebuild, deed: str) -> str:
    return f"connections/{one.connection_id}/rebuilds/{one.pk}/{deed}/"


def kept(person: Person, stream: str) -> list[tuple[str, str, object]]:
    with tenant_scope(person.tenant.pk):
        rows = Record.objects.filter(stream=stream).order_by("external_id")
        return list(rows.values_list("external_id", "payload", "missing_since"))


def test_the_page_says_what_will_happen_and_its_button_begins_it(
    admin: Person, copied: Connection, stream: str
) -> None:
    address = page_of(copied.pk, stream)
    assert address in admin.text(f"connections/{copied.pk}/")
    page = admin.text(address)
    assert "Nothing happens until you say so." in page
    assert "For a week you can go back" in page

    admin.post(f"{address}start/")

    assert "read so far" in admin.text(address)
    assert "Reading everything anew" in admin.text(f"connections/{copied.pk}/")
    answer = admin.post(f"{address}start/", follow=True)
    assert "were read anew already" in answer.content.decode()


def test_the_preview_tells_figures_and_shows_examples(admin: Person, ready: Rebuild, stream: str) -> None:
    page = admin.text(page_of(ready.connection_id, stream))

    assert "a new copy is ready" in page
    assert "The lost one" in page
    assert '<del class="was">by hand</del>' in page
    assert "Look twice" not in page
    assert "See what would change" in admin.text(f"connections/{ready.connection_id}/")


def test_much_that_is_gone_is_warned_of(admin: Person, ready: Rebuild, stream: str) -> None:
    with tenant_scope(admin.tenant.pk):
        Rebuild.objects.update(counts={**ready.counts, "gone": 12, "same": 8})

    page = admin.text(page_of(ready.connection_id, stream))

    assert "Look twice before you use it" in page
    assert "12 of 21" in page


def test_the_new_copy_is_used_and_undone_by_the_buttons(admin: Person, ready: Rebuild, stream: str) -> None:
    before = kept(admin, stream)
    address = page_of(ready.connection_id, stream)

    answer = admin.post(deed_of(ready, "use"), follow=True)
    assert "The new copy is in use." in answer.content.decode()
    assert kept(admin, stream) != before
    assert "Undo (until" in admin.text(address)

    answer = admin.post(deed_of(ready, "undo"), follow=True)
    assert "Undone." in answer.content.decode()
    assert kept(admin, stream) == before
    assert "The last time: undone" in admin.text(address)
    with tenant_scope(admin.tenant.pk):
        assert Event.objects.filter(action="sync.rebuild_used", actor=admin.user).exists()
    assert "took a new copy into use in" in admin.text("activity/audit/")


def test_what_cannot_be_done_is_said_and_changes_nothing(admin: Person, ready: Rebuild, stream: str) -> None:
    before = kept(admin, stream)
    admin.post(deed_of(ready, "discard"))

    for deed, words in (("use", "There is no new copy to use."), ("undo", "Discarded by"), ("discard", "nothing to")):
        assert words in admin.post(deed_of(ready, deed), follow=True).content.decode()

    assert kept(admin, stream) == before
    assert latest(admin).state == RebuildState.DISCARDED


def test_the_stop_button_of_syncs_does_not_end_a_rebuild(
    join: Callable[..., Person], admin: Person, copied: Connection, stream: str
) -> None:
    admin.post(f"{page_of(copied.pk, stream)}start/")
    one = latest(admin)
    member = join(admin.tenant, Role.MEMBER)

    assert member.post(f"connections/{copied.pk}/runs/{one.run_id}/stop/").status_code == 404

    assert latest(admin).is_reading


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_others_see_no_button_and_decide_nothing(
    join: Callable[..., Person], admin: Person, ready: Rebuild, stream: str, role: Role
) -> None:
    person = join(admin.tenant, role)
    address = page_of(ready.connection_id, stream)

    assert "/anew/" not in person.text(f"connections/{ready.connection_id}/")
    assert person.get(address).status_code == 403
    assert person.post(f"{address}start/").status_code == 403
    for deed in DEEDS:
        assert person.post(deed_of(ready, deed)).status_code == 403
    assert latest(admin).state == RebuildState.READY


def test_for_a_stranger_none_of_it_exists(
    stranger: Person, admin: Person, ready: Rebuild, stream: str, connect: Connect, box: Sandbox
) -> None:
    own = connect(box, account=1, tenant=stranger.tenant)
    address = page_of(ready.connection_id, stream)

    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}start/").status_code == 404
    for deed in DEEDS:
        assert stranger.post(deed_of(ready, deed)).status_code == 404
        assert stranger.post(f"connections/{own.pk}/rebuilds/{ready.pk}/{deed}/").status_code == 404
    assert latest(admin).state == RebuildState.READY


def test_a_stream_that_is_not_there_has_no_page(admin: Person, copied: Connection) -> None:
    assert admin.get(page_of(copied.pk, "no-such-stream")).status_code == 404


def test_of_private_bookings_nothing_is_told(admin: Person, serve: Serve, connect: Connect) -> None:
    vendor = next(key for key, one in connectors().items() if any(s.key == "room-bookings" for s in one.streams))
    connection = connect(serve(vendor, sizes=(30, 10)), tenant=admin.tenant)
    stream = next(one.key for one in connection.connector.streams if one.kind == Kind.BOOKING)
    work_off(connection, stream=stream)
    with tenant_scope(admin.tenant.pk):
        secret = Record.objects.filter(connection=connection, stream=stream).order_by("external_id")[:1].get()
        Booking.objects.filter(pk=secret.pk).update(is_private=True)
        payload = secret.payload.replace("{", '{"secret": "merger", ', 1)
        Record.objects.filter(pk=secret.pk).update(title="The merger", payload=payload, digest=b"x")
        switch.start(StreamState.objects.get(connection=connection, stream=stream), by=admin.user)
    work_off(connection, stream=stream)

    page = admin.text(page_of(connection.pk, stream))

    assert "A private booking" in page
    assert "merger" not in page
    with tenant_scope(admin.tenant.pk):
        assert ShadowRecord.objects.filter(difference="changed").count() == 1
        assert SyncRun.objects.filter(kind="rebuild").count() == 1
