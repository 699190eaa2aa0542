"""In a real browser: an admin waits for the vendor with a letter, and a colleague without an account gives a secret."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from integrations.connections.health import trouble
from integrations.contract import Connector, Diagnosis, Expiry, Settings, Who
from integrations.errors import ConfigurationNeeded, NotPermitted
from integrations.registry import connectors
from integrations.sync.models import RunState, StreamState, SyncRun
from portal.pages.connections.links import labels_of
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests.browser.test_connections import PLAIN, at_work, connect_with_sandbox, only, owner, tenant
from tests.integrations.conftest import Serve, serve

__all__ = ["at_work", "owner", "serve", "tenant"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]
LooksRight = Callable[[Page, str], None]


def test_a_colleague_gives_what_the_admin_waits_for(
    at_work: Page, tenant: Tenant, serve: Serve, chromium: Browser, looks_right: LooksRight
) -> None:
    page, connector = at_work, connectors()[PLAIN]
    _, secrets = serve(PLAIN).demo_setup(0)
    labels = labels_of(connector)

    page.goto(f"/t/{tenant.slug}/connections/new/{PLAIN}/")
    page.get_by_label("Name", exact=True).fill("Head office")
    page.get_by_role("button", name="have these yet").click()
    expect(page.get_by_text(f"Waiting for {connector.label} since").first).to_be_visible()
    expect(page.get_by_role("heading", name="A letter that asks for the rest")).to_be_visible()
    page.get_by_text("Ask somebody else to enter a secret").click()
    looks_right(page, "connection waiting")

    page.get_by_label("Who shall enter it").fill("Priya")
    for name in secrets:
        page.get_by_label(labels[name], exact=True).check()
    page.get_by_role("button", name="Make the link").click()
    address = page.get_by_label("Send it to Priya yourself").input_value()
    looks_right(page, "link for a colleague")

    colleague = chromium.new_context().new_page()
    colleague.goto(address)
    looks_right(colleague, "give a secret")
    for name, value in secrets.items():
        colleague.get_by_label(labels[name]).fill(value)
    colleague.get_by_role("button", name="Send it safely").click()
    expect(colleague.get_by_role("heading", name="Thank you")).to_be_visible()
    looks_right(colleague, "secret given")
    colleague.goto(address)
    expect(colleague.get_by_role("heading", name="This link is not open")).to_be_visible()
    looks_right(colleague, "link closed")
    colleague.context.close()

    page.goto(f"/t/{tenant.slug}/connections/{only(tenant).pk}/")
    expect(page.get_by_text("Priya’s link")).to_be_visible()
    looks_right(page, "secret not tried yet")
    page.get_by_role("link", name="Test it").click()
    expect(page.get_by_role("button", name="Test and connect")).to_be_visible()


def test_what_is_wrong_what_ends_and_what_is_gone_look_right(
    at_work: Page, tenant: Tenant, serve: Serve, monkeypatch: pytest.MonkeyPatch, looks_right: LooksRight
) -> None:
    serve(PLAIN)
    connection = connect_with_sandbox(at_work, tenant)
    _let_things_end(monkeypatch, connection.connector)
    with tenant_scope(tenant.pk):
        SyncRun.objects.update(state=RunState.DONE, finished_at=connection.created_at)
        state = StreamState.objects.order_by("pk")[0]
        words = f"412 of 900 records are no longer listed at {connection.connector.label}. Nothing was marked."
        StreamState.objects.filter(pk=state.pk).update(braked_at=connection.created_at, brake_words=words)
        trouble(
            connection,
            NotPermitted("It needs the permission VIEW_ALL."),
            stream=StreamState.objects.order_by("pk")[1].stream,
        )

    at_work.goto(f"/t/{tenant.slug}/connections/{connection.pk}/")
    expect(at_work.get_by_role("button", name="They are gone: mark them")).to_be_visible()
    expect(at_work.get_by_role("heading", name="What will run out")).to_be_visible()
    looks_right(at_work, "connection with a brake")
    at_work.goto(f"/t/{tenant.slug}/connections/")
    looks_right(at_work, "connections with an end")

    with tenant_scope(tenant.pk):
        cure = "Ask for the add-on to be switched on again under Settings, Integrations."
        found = Diagnosis(key="x", cause="The add-on was switched off.", cure=cure, who=Who.VENDOR_ADMIN)
        trouble(connection, ConfigurationNeeded("No."), diagnosis=found)
    for path in (f"connections/{connection.pk}/", f"connections/{connection.pk}/edit/", ""):
        at_work.goto(f"/t/{tenant.slug}/{path}")
        expect(at_work.get_by_text(cure).first).to_be_visible()
        looks_right(at_work, f"diagnosis {path.rpartition('/')[0].rpartition('/')[2] or 'overview'}"[:24])


def _let_things_end(monkeypatch: pytest.MonkeyPatch, connector: Connector) -> None:
    def expiries(self: Connector, settings: Settings) -> tuple[Expiry, ...]:
        ends_on = timezone.localdate() + timedelta(days=6)
        what, cure = "The access token of the add-on", "Renew it under Settings, Access."
        return (Expiry(key="token", what=what, ends_on=ends_on, cure=cure),)

    monkeypatch.setattr(type(connector), "expiries", expiries)
