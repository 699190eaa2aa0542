"""An admin connects a vendor in a real browser: through the vendor's own consent page, denied once, allowed once."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings as SettingsWrapper

from integrations.connections.models import Connection
from integrations.contract import RedirectConnector
from integrations.problems.models import Problem
from integrations.registry import connectors
from integrations.sync.models import RunState, StreamState, SyncRun
from portal.accounts.models import User
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Serve, serve
from tests.integrations.sync.runs import work_off
from tests.sample_data import start_run

__all__ = ["serve"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]
LooksRight = Callable[[Page, str], None]

PLAIN = next(key for key, one in connectors().items() if not isinstance(one, RedirectConnector))
REDIRECTING = next(key for key, one in connectors().items() if isinstance(one, RedirectConnector))


@pytest.fixture
def owner() -> User:
    return a_user(name="Mara Okafor")


@pytest.fixture
def tenant(owner: User) -> Tenant:
    return a_tenant("Tower Contracting", owner=owner)


@pytest.fixture
def at_work(
    tenant: Tenant, owner: User, signed_in_as: Callable[[User], Page], live_server: object, settings: SettingsWrapper
) -> Page:
    """The owner's browser, on a site that vendors send people back to."""
    settings.SITE_URL = str(live_server)
    return signed_in_as(owner)


def only(tenant: Tenant) -> Connection:
    with tenant_scope(tenant.pk):
        return Connection.objects.get(tenant=tenant)


def connect_with_sandbox(page: Page, tenant: Tenant) -> Connection:
    page.goto(f"/t/{tenant.slug}/connections/new/{PLAIN}/")
    page.get_by_role("button", name="Use the sandbox account").click()
    expect(page.get_by_role("heading", name="Syncing now")).to_be_visible()
    return only(tenant)


def test_denied_once_allowed_once_and_connected(
    at_work: Page, tenant: Tenant, serve: Serve, settings: SettingsWrapper, looks_right: LooksRight
) -> None:
    page, label = at_work, connectors()[REDIRECTING].label
    serve(REDIRECTING)

    page.goto(f"/t/{tenant.slug}/connections/")
    looks_right(page, "connections empty")
    page.get_by_role("link", name=label).click()
    registered = page.get_by_label("Register exactly this address")
    expect(registered).to_have_value(f"{settings.SITE_URL}/oauth/callback/{REDIRECTING}/")
    looks_right(page, "connect")
    page.get_by_role("button", name="Use the sandbox account").click()
    expect(page.get_by_text("One step is left")).to_be_visible()
    looks_right(page, "connection draft")

    page.get_by_role("button", name=f"Connect {label}").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_text("access was not allowed")).to_be_visible()
    looks_right(page, "connection denied")
    assert only(tenant).is_draft

    page.get_by_role("button", name=f"Connect {label}").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Connected. The first copy begins now.")).to_be_visible()
    connection = only(tenant)
    assert connection.is_active
    assert page.url == f"{settings.SITE_URL}/t/{tenant.slug}/connections/{connection.pk}/"
    expect(page.get_by_role("heading", name="Syncing now")).to_be_visible()
    looks_right(page, "connection syncing")


def test_a_revoked_connection_is_mended_from_the_overview(
    at_work: Page, tenant: Tenant, serve: Serve, looks_right: LooksRight
) -> None:
    page, label = at_work, connectors()[REDIRECTING].label
    sandbox = serve(REDIRECTING)
    page.goto(f"/t/{tenant.slug}/connections/new/{REDIRECTING}/")
    page.get_by_role("button", name="Use the sandbox account").click()
    page.get_by_role("button", name=f"Connect {label}").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Connected. The first copy begins now.")).to_be_visible()
    sandbox.revoke_access()  # type: ignore[attr-defined]
    work_off(only(tenant))
    assert only(tenant).needs_reconnect

    page.goto(f"/t/{tenant.slug}/")
    looks_right(page, "overview in trouble")
    page.get_by_role("button", name="Reconnect").first.click()
    page.get_by_role("button", name="Allow").click()

    expect(page.get_by_text("Connected", exact=False).first).to_be_visible()
    assert only(tenant).is_active
    with tenant_scope(tenant.pk):
        assert not Problem.objects.filter(closed_at=None).exists()


def test_every_page_of_a_connection_looks_right(
    at_work: Page, tenant: Tenant, serve: Serve, looks_right: LooksRight
) -> None:
    serve(PLAIN)
    connection = connect_with_sandbox(at_work, tenant)

    for tab in ("Sync history", "Requests", "Credentials"):
        at_work.get_by_role("navigation", name=connection.name).get_by_role("link", name=tab).click()
        expect(at_work.get_by_role("link", name=tab, exact=True).first).to_have_attribute("aria-current", "page")
        looks_right(at_work, f"connection {tab.lower()}")
    for path in ("connections/", f"connections/{connection.pk}/disconnect/", "activity/", "activity/audit/"):
        at_work.goto(f"/t/{tenant.slug}/{path}")
        looks_right(at_work, path.replace("/", " ").replace(str(connection.pk), "one").strip())


def test_streams_at_rest_refused_and_waiting_look_right(
    at_work: Page, tenant: Tenant, serve: Serve, looks_right: LooksRight
) -> None:
    serve(PLAIN)
    connection = connect_with_sandbox(at_work, tenant)
    stream = connection.connector.streams[0].key
    with tenant_scope(tenant.pk):
        runs = SyncRun.objects.filter(tenant=tenant)
        runs.update(state=RunState.DONE, finished_at=runs[0].queued_at, started_at=runs[0].queued_at)
        StreamState.objects.update(last_good_at=runs[0].queued_at, last_attempt_at=runs[0].queued_at)
        for state, code in ((RunState.FAILED, "timeout"), (RunState.WAITING, "rate_limited")):
            run = start_run(connection, stream, state=state, code=code, words="The vendor did not answer in time.")
            if state == RunState.FAILED:
                SyncRun.objects.filter(pk=run.pk).update(finished_at=run.queued_at)

    at_work.reload()

    expect(at_work.get_by_text("Waiting for the vendor's limit until").first).to_be_visible()
    looks_right(at_work, "connection waiting")


def test_the_page_follows_what_happens_without_being_reloaded(at_work: Page, tenant: Tenant, serve: Serve) -> None:
    serve(PLAIN)
    connect_with_sandbox(at_work, tenant)
    at_work.evaluate("document.body.dataset.same = 'yes'")

    with tenant_scope(tenant.pk):
        Connection.objects.update(state="needs_attention", reason="The region is wrong.")

    expect(at_work.get_by_text("The region is wrong.")).to_be_visible()
    expect(at_work.get_by_text("Needs attention")).to_be_visible()
    expect(at_work.get_by_role("link", name="Fix")).to_be_visible()
    assert at_work.evaluate("document.body.dataset.same") == "yes"


def test_a_page_left_open_after_the_session_ended_goes_to_the_sign_in(
    at_work: Page, tenant: Tenant, serve: Serve
) -> None:
    serve(PLAIN)
    connect_with_sandbox(at_work, tenant)

    at_work.context.clear_cookies()

    at_work.wait_for_url("**/accounts/login/**")


def test_it_works_without_scripts(at_work: Page, tenant: Tenant, serve: Serve) -> None:
    serve(PLAIN)
    at_work.route("**/*.js", lambda route: route.fulfill(status=200, body="", content_type="text/javascript"))
    connect_with_sandbox(at_work, tenant)

    at_work.get_by_role("button", name="Pause").click()
    expect(at_work.get_by_text("Nothing is read while it is paused")).to_be_visible()
    at_work.get_by_role("button", name="Resume").click()
    expect(at_work.get_by_text("Resumed.")).to_be_visible()
