"""Each vendor connected from nothing, by typing; and its likeliest mistakes made and explained."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from integrations.registry import connectors
from integrations.sandbox.kit import Sandbox
from portal.tenancy.models import Tenant
from tests.browser.test_connections import at_work, only, owner, tenant
from tests.integrations.conftest import Serve, at_any_pace, serve
from tests.integrations.sync.runs import work_off

__all__ = ["at_any_pace", "at_work", "owner", "serve", "tenant"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.server]
Values = dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """What is typed wrong, seen from the right values, and what the page must say about it."""

    make: Callable[[Sandbox, Values], Values]
    cause: str
    cure: str
    who: str = "An admin here in Switchboard"


def swapped(one: str, other: str) -> Callable[[Sandbox, Values], Values]:
    return lambda sandbox, values: {one: values[other], other: values[one]}


def instead(**values: Any) -> Callable[[Sandbox, Values], Values]:
    return lambda sandbox, right: values


def with_other_address(name: str, was: str, now: str) -> Callable[[Sandbox, Values], Values]:
    return lambda sandbox, values: {name: values[name].replace(was, now)}


MISTAKES = {
    "condeco": (
        Mistake(
            swapped("external_bookings_key", "hierarchy_mapping_key"),
            "stands in the field of another collection",
            "enter each key once more",
        ),
        Mistake(
            instead(subscription_name="Northlight"),
            "nothing under this client subscription name",
            "Client Subscription Name",
        ),
    ),
    "corecon": (
        Mistake(instead(secret_key="made-up"), "the Secret Key does not belong to it", "Secret Key"),
        Mistake(
            lambda sandbox, values: {
                "grant": "client_credentials",
                "environment": "production",
                "base_url": values["base_url"].replace("/sandbox", "/production"),
            },
            "belong to a sandbox of Corecon's",
            "Choose Sandbox",
        ),
    ),
    "coreplus": (
        Mistake(with_other_address("api_url", "/API", "/sandbox/API"), "keys of production", "Choose production"),
        Mistake(instead(secret="bWFkZS11cA=="), "refused our key", "Consumer Id"),
    ),
    "corrigopro": (
        Mistake(with_other_address("rest_url", "/am/", "/emea/"), "kept in another region", "region"),
        Mistake(instead(client_secret="made-up"), "does not know this client id with this secret", "Copy both anew"),
    ),
    "kore": (
        Mistake(swapped("client_secret", "api_key"), "in each other's field", "each in its own field"),
        Mistake(instead(api_key="made-up"), "but not the API key", "API key"),
    ),
}


def right_values(sandbox: Sandbox) -> Values:
    settings, secrets = sandbox.demo_setup(0)
    return {**settings, **secrets}


def type_in(page: Page, values: Values) -> None:
    """Every field as a person fills it; what is not named stays as it is."""
    for name, value in values.items():
        field = page.locator(f"form .form-section [name={name}], form.form [name={name}]").first
        kind = field.evaluate("field => field.type || field.tagName.toLowerCase()")
        if kind == "checkbox":
            field.set_checked(bool(value))
        elif kind.startswith("select"):
            field.select_option(str(value))
        else:
            field.fill("" if value is None else str(value))


def go_through(page: Page, connector_key: str) -> None:
    """Press the form's button, and allow access where the vendor asks a person."""
    page.get_by_role("button", name="Test and connect").or_(
        page.get_by_role("button", name="Save and continue")
    ).first.click()
    label = connectors()[connector_key].label
    consent = page.get_by_role("button", name=f"Connect {label}")
    expect(
        consent.or_(page.locator(".finding")).or_(page.get_by_role("heading", name="Syncing now")).first
    ).to_be_visible()
    if consent.count():
        consent.first.click()
        page.get_by_role("button", name="Allow").click()


@pytest.mark.usefixtures("at_any_pace")
@pytest.mark.parametrize("vendor", sorted(connectors()))
def test_a_vendor_is_connected_from_nothing_by_typing(vendor: str, at_work: Page, tenant: Tenant, serve: Serve) -> None:
    page, sandbox = at_work, serve(vendor, sizes=(12, 5))

    page.goto(f"/t/{tenant.slug}/connections/new/{vendor}/")
    type_in(page, {"name": "Head office", **right_values(sandbox)})
    go_through(page, vendor)

    expect(page.get_by_role("heading", name="Syncing now")).to_be_visible()
    connection = only(tenant)
    assert connection.is_active
    runs = work_off(connection)
    assert {run.state for run in runs} == {"done"}
    page.reload()
    expect(page.get_by_text("Up to date").first).to_be_visible()


@pytest.mark.parametrize(("vendor", "number"), [(key, n) for key in sorted(connectors()) for n in (0, 1)])
def test_a_likely_mistake_is_explained_and_mended_on_the_same_form(
    vendor: str, number: int, at_work: Page, tenant: Tenant, serve: Serve
) -> None:
    page, sandbox, mistake = at_work, serve(vendor, sizes=(12, 5)), MISTAKES[vendor][number]
    right = right_values(sandbox)
    wrong = mistake.make(sandbox, right)

    page.goto(f"/t/{tenant.slug}/connections/new/{vendor}/")
    type_in(page, {**right, **wrong})
    go_through(page, vendor)

    finding = page.locator(".finding").first
    expect(finding).to_contain_text(mistake.cause)
    expect(finding).to_contain_text(mistake.cure)
    expect(finding).to_contain_text(mistake.who)
    if shots := os.environ.get("SHOTS"):
        page.screenshot(path=Path(shots) / f"{vendor}-mistake-{number + 1}.png", full_page=True)
    assert not only(tenant).is_active

    page.goto(f"/t/{tenant.slug}/connections/{only(tenant).pk}/edit/")
    type_in(page, {name: right[name] for name in wrong})
    go_through(page, vendor)
    expect(page.get_by_role("heading", name="Syncing now")).to_be_visible()
    assert only(tenant).is_active


def test_one_missing_key_of_several_greys_its_streams_and_names_it(at_work: Page, tenant: Tenant, serve: Serve) -> None:
    page, sandbox = at_work, serve("condeco", sizes=(12, 5))
    values = right_values(sandbox) | {"external_bookings_key": "0" * 32}

    page.goto(f"/t/{tenant.slug}/connections/new/condeco/")
    type_in(page, values)
    go_through(page, "condeco")

    expect(page.get_by_role("heading", name="Syncing now")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="Room bookings")
    expect(row).to_contain_text("Not permitted")
    expect(row).to_contain_text("ExternalBookings")
    assert only(tenant).is_active
