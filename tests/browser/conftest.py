"""A real browser on a real server: `page` is a visitor, and whatever the browser complains about fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Response, sync_playwright

from portal.accounts.models import User

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
# The site's two schemes differ in colours alone.
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
_VIOLATIONS = """
window.cspViolations = [];
document.addEventListener("securitypolicyviolation", (e) => window.cspViolations.push(
    `${e.effectiveDirective} refused ${e.blockedURI} ${e.sample} (${e.sourceFile}:${e.lineNumber})`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """CHROMIUM names the program; root, as in containers, cannot use the browser's own sandbox."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("there is no Chromium; set CHROMIUM to its path")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps a loop in this thread
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()
        connections.close_all()  # those opened beside playwright's loop; nobody else would find them
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser, live_server: object) -> Iterator[Page]:
    """A visitor of the running site, addressed by path alone: `page.goto("/")`."""
    cache.clear()
    context = chromium.new_context(
        base_url=str(live_server), viewport=DESK, reduced_motion="reduce", locale="en-GB", timezone_id="America/Chicago"
    )
    context.set_default_timeout(10_000)
    context.add_init_script(_VIOLATIONS)
    visitor = context.new_page()
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # A page that answers 404 or 422 on purpose is logged too; what a page loads is judged in `on_response`.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            complaints.append(f"console: {message.text}")

    def on_response(response: Response) -> None:
        if response.status >= 500 or (response.status >= 400 and response.request.resource_type != "document"):
            complaints.append(f"{response.status}: {response.url}")

    visitor.on("console", on_console)
    visitor.on("pageerror", lambda error: complaints.append(f"script: {error}"))
    visitor.on("response", on_response)
    yield visitor
    complaints += visitor.evaluate("window.cspViolations || []")
    context.close()
    assert complaints == []


@pytest.fixture
def signed_in_as(page: Page, live_server: object) -> Callable[[User], Page]:
    """`signed_in_as(user)`: the page of that person, without the sign-in form."""

    def sign_in(user: User) -> Page:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": str(live_server), "httpOnly": True}]
        )
        return page

    return sign_in


@pytest.fixture
def looks_right(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """`looks_right(page, "people")`: axe finds nothing in light and dark, and nothing sticks out on a phone.

    With SHOTS set to a folder, it leaves pictures there.
    """

    def check(page: Page, name: str) -> None:
        page.wait_for_load_state()
        faults = []
        for size, width, schemes in (
            (DESK, "desk", {"light": WCAG, "dark": COLOURS}),
            (PHONE, "phone", {"dark": WCAG}),
        ):
            page.set_viewport_size(size)
            for scheme, rules in schemes.items():
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                if shots := os.environ.get("SHOTS"):
                    picture = f"{name.replace(' ', '-')}-{width}-{scheme}.png"
                    page.screenshot(path=Path(shots) / picture, full_page=True)
                for violation in _violations(page, rules):
                    places = [f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"][:3]]
                    faults.append(f"{name}, {width}, {scheme}: {violation['id']}: {places}")
            if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                faults.append(f"{name}, {width}: wider than the window")
        page.set_viewport_size(DESK)
        assert faults == []

    return check


def _violations(page: Page, rules: dict[str, Any]) -> list[dict[str, Any]]:
    """What axe finds by these rules on the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {**rules, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = page.evaluate("options => axe.run(options).then(found => found.violations)", options)
    return found
