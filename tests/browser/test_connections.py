"""An admin connects a vendor in a real browser: through the vendor's own consent page, denied once, allowed once."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from integrations.connections.models import Connection
from integrations.contract import RedirectConnector
from integrations.registry import connectors
from portal.accounts.models import User
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Serve, serve

__all__ = ["serve"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.server,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread; the ORM would refuse to work beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def tenant(transactional_db: None) -> Tenant:
    return a_tenant("Tower Contracting", owner=a_user(name="Mara Okafor"))


@pytest.fixture
def site(live_server: LiveServer, settings: SettingsWrapper) -> str:
    """The site's address, which is also the one vendors send people back to."""
    settings.SITE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]
    return str(live_server.url)


@pytest.fixture
def page(chromium: Browser, site: str, tenant: Tenant, signed_in: Callable[[User], object]) -> Iterator[Page]:
    """The owner's browser; what the console says against us fails the test."""
    context = chromium.new_context(viewport={"width": 1360, "height": 1000})
    with tenant_scope(tenant.pk):
        owner = User.objects.get()
    cookie = signed_in(owner).cookies["sessionid"].value  # type: ignore[attr-defined]
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": site}])
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert complaints == []


@pytest.fixture
def signed_in() -> Callable[[User], object]:
    from django.test import Client

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return sign_in


def only(tenant: Tenant) -> Connection:
    with tenant_scope(tenant.pk):
        return Connection.objects.get(tenant=tenant)


def assert_accessible(page: Page) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
        assert found.violations_count == 0, found.generate_report()
    page.emulate_media(color_scheme="light")


def test_denied_once_allowed_once_and_connected(page: Page, site: str, tenant: Tenant, serve: Serve) -> None:
    vendor = next(key for key, one in connectors().items() if isinstance(one, RedirectConnector))
    label = connectors()[vendor].label
    serve(vendor)

    page.goto(f"{site}/t/{tenant.slug}/connections/")
    assert_accessible(page)
    page.get_by_role("link", name=label).click()
    assert page.get_by_label("Register exactly this address").input_value() == f"{site}/oauth/callback/{vendor}/"
    assert_accessible(page)
    page.get_by_role("button", name="Use the sandbox account").click()
    page.get_by_role("button", name=f"Connect {label}").click()

    page.get_by_role("button", name="Deny").click()
    page.get_by_text("access was not allowed").wait_for()
    assert_accessible(page)
    assert only(tenant).is_draft

    page.get_by_role("button", name=f"Connect {label}").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("Connected. The first copy begins now.").wait_for()

    assert only(tenant).is_active
    assert page.url == f"{site}/t/{tenant.slug}/connections/{only(tenant).pk}/"
    page.get_by_role("heading", name="Syncing now").wait_for()
    assert_accessible(page)
    for tab in ("Sync history", "Requests", "Credentials"):
        page.get_by_role("link", name=tab, exact=True).first.click()
        page.get_by_role("navigation", name=label).get_by_role("link", name=tab).wait_for()
        assert_accessible(page)


def test_the_page_follows_what_happens_without_being_reloaded(
    page: Page, site: str, tenant: Tenant, serve: Serve
) -> None:
    vendor = next(key for key, one in connectors().items() if not isinstance(one, RedirectConnector))
    serve(vendor)
    page.goto(f"{site}/t/{tenant.slug}/connections/new/{vendor}/")
    page.get_by_role("button", name="Use the sandbox account").click()
    page.get_by_role("heading", name="Syncing now").wait_for()
    page.evaluate("document.body.dataset.same = 'yes'")

    with tenant_scope(tenant.pk):
        Connection.objects.update(state="needs_attention", reason="The region is wrong.")

    page.get_by_text("The region is wrong.").wait_for(timeout=5000)
    page.get_by_text("Needs attention").wait_for()
    page.get_by_role("link", name="Fix").wait_for()
    assert page.evaluate("document.body.dataset.same") == "yes"


def test_the_pages_fit_a_phone(page: Page, site: str, tenant: Tenant, serve: Serve) -> None:
    vendor = next(key for key, one in connectors().items() if not isinstance(one, RedirectConnector))
    serve(vendor)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site}/t/{tenant.slug}/connections/new/{vendor}/")
    page.get_by_role("button", name="Use the sandbox account").click()
    page.get_by_role("heading", name="Streams").wait_for()
    one = f"connections/{only(tenant).pk}/"

    for path in (
        "connections/",
        one,
        f"{one}history/",
        f"{one}requests/",
        f"{one}credentials/",
        f"{one}edit/",
        "activity/",
    ):
        page.goto(f"{site}/t/{tenant.slug}/{path}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, (path, width)
        assert_accessible(page)
