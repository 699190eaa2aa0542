"""Who sees what of a connection, and what the pages say about runs and streams."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from integrations.connections.models import Capability, Connection, RefreshState, TokenRefresh, VendorRequest
from integrations.problems.models import Problem
from integrations.sandbox.kit import Sandbox
from integrations.sync.models import RunState, StreamState, SyncRun
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Serve
from tests.portal.pages.connections.conftest import REDIRECTING, Person, filled_in
from tests.sample_data import start_run

pytestmark = pytest.mark.server
_GET = ("", "history/", "requests/", "credentials/", "edit/", "disconnect/")
_POST = ("sync/", "pause/", "resume/", "disconnect/", "erase/", "authorize/", "edit/", "runs/1/stop/")


@pytest.fixture
def quiet(connected: Connection, admin: Person) -> Connection:
    """A connection that caught up a minute ago and rests."""
    with tenant_scope(admin.tenant.pk):
        now = timezone.now()
        SyncRun.objects.update(state=RunState.DONE, finished_at=now, started_at=now - timedelta(minutes=1))
        StreamState.objects.update(last_good_at=now - timedelta(minutes=1), last_attempt_at=now)
    return connected


def first_stream(connection: Connection) -> str:
    return connection.connector.streams[0].key


@pytest.mark.parametrize("path", _GET)
def test_a_stranger_finds_no_page(stranger: Person, connected: Connection, path: str) -> None:
    assert stranger.get(f"connections/{connected.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", _POST)
def test_a_stranger_can_do_nothing(stranger: Person, admin: Person, connected: Connection, path: str) -> None:
    assert stranger.post(f"connections/{connected.pk}/{path}").status_code == 404
    assert admin.only().is_active


def test_a_stranger_sees_nothing_in_the_lists(stranger: Person, connected: Connection) -> None:
    for path in ("connections/", "activity/", "activity/audit/"):
        assert connected.name not in stranger.text(path)


def test_a_stranger_cannot_enter_by_the_first_tenants_address(
    stranger: Person, admin: Person, connected: Connection
) -> None:
    assert stranger.browser.get(admin.url(f"connections/{connected.pk}/")).status_code == 404


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {"", "history/"}),
        (Role.MEMBER, {"", "history/"}),
        (Role.ADMIN, set(_GET)),
        (Role.OWNER, set(_GET)),
    ],
)
def test_each_role_opens_its_pages(
    join: Callable[..., Person], admin: Person, connected: Connection, role: Role, allowed: set[str]
) -> None:
    person = join(admin.tenant, role)

    opened = {path for path in _GET if person.get(f"connections/{connected.pk}/{path}").status_code == 200}

    assert opened == allowed


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.VIEWER, set(_POST)),
        (Role.MEMBER, set(_POST) - {"sync/", "runs/1/stop/"}),
    ],
)
def test_each_role_is_refused_what_is_above_it(
    join: Callable[..., Person], admin: Person, connected: Connection, role: Role, refused: set[str]
) -> None:
    person = join(admin.tenant, role)

    found = {path for path in _POST if person.post(f"connections/{connected.pk}/{path}").status_code == 403}

    assert found == refused
    assert person.post(f"connections/new/{connected.vendor}/").status_code == 403


def test_deeds_are_no_links(admin: Person, connected: Connection) -> None:
    for path in ("sync/", "pause/", "resume/", "erase/", "authorize/", "runs/1/stop/"):
        assert admin.get(f"connections/{connected.pk}/{path}").status_code == 405


def test_a_viewer_is_offered_no_button(join: Callable[..., Person], admin: Person, connected: Connection) -> None:
    page = join(admin.tenant, Role.VIEWER).text(f"connections/{connected.pk}/")

    for word in ("Sync now", "Pause", "Stop", "Edit"):
        assert f"{word}</" not in page
    assert "Credentials" not in page


@pytest.mark.parametrize("path", ["", "edit/", "credentials/"])
def test_no_cache_keeps_a_page(admin: Person, connected: Connection, path: str) -> None:
    assert admin.get(f"connections/{connected.pk}/{path}")["Cache-Control"] == "private, no-store"


def test_an_unknown_connection_is_not_there(admin: Person) -> None:
    assert admin.get(f"connections/{uuid4()}/").status_code == 404


def test_the_list_shows_connections_and_the_vendors_to_add(admin: Person, connected: Connection) -> None:
    page = admin.text("connections/")

    assert "Head office" in page
    assert "Syncing" in page
    assert f"connections/new/{connected.vendor}/" in page


def test_an_open_run_shows_its_progress(admin: Person, quiet: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        start_run(quiet, first_stream(quiet), read=4200, new=40, changed=21, expected=11_000)

    page = admin.text(f"connections/{quiet.pk}/")

    assert "4,200 read · 61 new or changed · 38%" in page
    assert 'hx-trigger="every 2s"' in page


def test_a_resting_connection_is_looked_at_less_often(admin: Person, quiet: Connection) -> None:
    page = admin.text(f"connections/{quiet.pk}/")

    assert "Syncing now" not in page
    assert 'hx-trigger="every 20s"' in page


def test_what_htmx_swaps_is_a_part_of_the_page(admin: Person, quiet: Connection) -> None:
    part = admin.get(f"connections/{quiet.pk}/", headers={"HX-Request": "true"}).content.decode()

    assert part.lstrip().startswith('<div class="stack" id="live"')
    assert "<html" not in part
    assert 'id="connection-badge" hx-swap-oob="true"' in part


def test_a_limit_is_waiting_in_amber_without_a_button(admin: Person, quiet: Connection) -> None:
    until = timezone.now() + timedelta(minutes=7)
    with tenant_scope(admin.tenant.pk):
        start_run(quiet, first_stream(quiet), state=RunState.WAITING, code="rate_limited", next_slice_at=until)

    page = admin.text(f"connections/{quiet.pk}/")

    shown = f"{timezone.localtime(until, ZoneInfo(admin.tenant.time_zone)):%H:%M}( tomorrow)?"
    assert re.search(f"Waiting for the vendor's limit until <time[^>]*>{shown}<", page.replace("&#x27;", "'"))
    assert 'badge warn">Waiting' in page
    assert "notice bad" not in page


@pytest.mark.parametrize("path", ["connections/", "connections/{}/", ""])
def test_a_limit_that_lasts_beyond_today_says_the_day(admin: Person, quiet: Connection, path: str) -> None:
    until = timezone.now() + timedelta(days=3)
    with tenant_scope(admin.tenant.pk):
        start_run(quiet, first_stream(quiet), state=RunState.WAITING, code="rate_limited", next_slice_at=until)

    page = admin.text(path.format(quiet.pk)).replace("&#x27;", "'")

    assert re.search(r"Waiting for the vendor's limit until <time[^>]*>\d\d:\d\d on \d+ \w{3}", page)


def test_a_good_run_that_found_nothing_is_good_news(admin: Person, quiet: Connection) -> None:
    assert "nothing new" in admin.text(f"connections/{quiet.pk}/")


def test_a_stream_that_is_late_says_so_in_amber(admin: Person, quiet: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        StreamState.objects.filter(stream=first_stream(quiet)).update(last_good_at=timezone.now() - timedelta(days=3))

    page = admin.text(f"connections/{quiet.pk}/")

    assert "Later than promised" in page
    assert 'badge warn">Delayed' in page


def test_a_stream_the_vendor_refuses_is_greyed_with_its_words_and_never_late(admin: Person, quiet: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        Capability.objects.filter(stream=first_stream(quiet)).update(state="not_permitted", note="Ask for deals.read")
        StreamState.objects.filter(stream=first_stream(quiet)).update(last_good_at=timezone.now() - timedelta(days=3))

    page = admin.text(f"connections/{quiet.pk}/")

    assert '<tr class="refused">' in page
    assert "Not permitted: Ask for deals.read" in page
    assert "Up to date</" in page


def test_a_bar_is_red_only_where_a_person_must_act(admin: Person, quiet: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        now = timezone.now()
        for code in ("timeout", "reconnect"):
            run = start_run(quiet, first_stream(quiet), state=RunState.FAILED, code=code)
            SyncRun.objects.filter(pk=run.pk).update(finished_at=now)
        Problem.objects.create(tenant=admin.tenant, connection=quiet, code="reconnect", words="Sign in again.")

    page = admin.text(f"connections/{quiet.pk}/")

    assert page.count('<rect class="f"') == 1
    assert page.count('<rect class="w"') == 1
    assert "1 needs a person" in page


def test_the_history_is_narrowed_and_turned_by_its_address(admin: Person, quiet: Connection) -> None:
    stream = first_stream(quiet)
    with tenant_scope(admin.tenant.pk):
        state = StreamState.objects.get(stream=stream)
        now = timezone.now()
        SyncRun.objects.bulk_create(
            SyncRun(
                tenant=admin.tenant,
                connection=quiet,
                stream_state=state,
                stream=stream,
                kind="incremental",
                state=RunState.DONE,
                read=number,
                queued_at=now - timedelta(minutes=number),
                finished_at=now,
            )
            for number in range(60)
        )

    first = admin.text(f"connections/{quiet.pk}/history/")
    assert "1–50 of" in first
    after = first.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "51–" in admin.text(f"connections/{quiet.pk}/history/{after}")
    assert "No runs here" in admin.text(f"connections/{quiet.pk}/history/?outcome=failed")
    assert "is not a choice" in admin.text(f"connections/{quiet.pk}/history/?outcome=nonsense&after=nonsense")


def test_requests_show_what_was_asked_and_answered(admin: Person, quiet: Connection) -> None:
    facts = {"tenant": admin.tenant, "connection": quiet, "method": "GET", "host": "api.example.com"}
    with tenant_scope(admin.tenant.pk):
        for path, status, error in (("/orders", 200, ""), ("/bills", 503, ""), ("/deals", None, "timeout")):
            VendorRequest.objects.create(
                **facts, path=path, status=status, error=error, at=timezone.now(), duration_ms=840, received_bytes=2048
            )

    page = admin.text(f"connections/{quiet.pk}/requests/")
    bad = admin.text(f"connections/{quiet.pk}/requests/?answer=bad")

    for words in ("/orders", "840 ms", "2.0", "No answer", "timeout"):
        assert words in page
    assert "/orders" not in bad
    assert "/bills" in bad


def test_credentials_tell_what_is_stored_and_how_access_was_renewed(admin: Person, quiet: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        TokenRefresh.objects.create(
            tenant=admin.tenant,
            connection=quiet,
            generation=1,
            fingerprint="f" * 16,
            state=RefreshState.LOST,
            error="timeout",
            lapses_at=timezone.now(),
            finished_at=timezone.now(),
        )

    page = admin.text(f"connections/{quiet.pk}/credentials/")

    assert "Stored <time" in page
    assert "Answer lost" in page
    assert "Ends" in page


def test_a_draft_shows_its_one_step(admin: Person, serve: Serve) -> None:
    sandbox: Sandbox = serve(REDIRECTING[0])
    admin.post(f"connections/new/{sandbox.key}/", filled_in(sandbox))

    page = admin.text(f"connections/{admin.only().pk}/")

    assert "One step is left" in page
    assert "Streams</h2>" not in page
