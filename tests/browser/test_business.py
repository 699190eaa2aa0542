"""The business pages as a person uses them: search, filter, page, open one, look at the week."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from integrations.connections.models import Connection
from integrations.records.models import Billing, Booking, Record
from tests import sample_data, sample_tenant
from tests.page_fixtures import *  # noqa: F403 - two tenants and the vendors of the page tests
from tests.page_fixtures import House

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(house: House, neighbour: House) -> House:
    with neighbour.scope:
        sample_data.work_order(sample_data.connect(neighbour.tenant, "fieldwork"), number="NEIGHBOUR")
    with house.scope:
        sample_tenant.fill(house.tenant, rows=300)
        sample_data.start_run(Connection.objects.get(vendor="ledger"), "billings", read=420, expected=1100)
    return house


def test_a_reader_narrows_the_work_orders_pages_through_them_and_opens_one(filled: House, signed_in_as, looks_right):
    page = signed_in_as(filled.owner)
    page.goto(filled.url("work-orders/"))
    looks_right(page, "work orders")
    expect(page.get_by_text("1–50 of")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("51–100 of")).to_be_visible()
    assert "after=" in page.url
    page.go_back()
    expect(page.get_by_text("1–50 of")).to_be_visible()
    page.get_by_text("Filter by Priority").click()
    page.get_by_role("link", name="Emergency").click()
    expect(page.get_by_text("Priority: Emergency").first).to_be_visible()
    assert page.url.endswith("?priority=emergency")
    expect(page.locator("tbody tr").first).to_contain_text("Emergency")
    page.get_by_role("searchbox").press_sequentially("austin")
    expect(page.locator("tbody tr").first).to_contain_text("Austin 2")
    expect(page).to_have_url(re.compile("q=austin"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("link", name="Remove filter Priority: Emergency").click()
    expect(page.get_by_text("Filter by Priority")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="How do we know this?")).to_be_visible()
    page.get_by_text("What Fieldwork sent").click()
    looks_right(page, "work order")


def test_the_lists_work_without_script(filled: House, signed_in_as, chromium, live_server):
    signed_in = signed_in_as(filled.owner)
    context = chromium.new_context(base_url=str(live_server), java_script_enabled=False)
    context.add_cookies(signed_in.context.cookies())
    page = context.new_page()
    page.goto(filled.url("billings/"))
    page.get_by_role("searchbox").fill("naming")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("tbody tr").first).to_contain_text("Naming rights")
    page.get_by_text("Filter: Outstanding").click()
    page.get_by_role("link", name="Paid", exact=True).click()
    expect(page).to_have_url(re.compile("q=naming&status=paid"))
    expect(page.locator("tbody tr").first).to_contain_text("Paid")
    context.close()


def test_a_reader_looks_through_the_weeks(filled: House, signed_in_as, looks_right):
    page = signed_in_as(filled.owner)
    page.goto(filled.url("bookings/"))
    looks_right(page, "bookings week")
    heading = page.locator(".week-head h2")
    this_week = heading.inner_text()
    page.get_by_role("link", name="Next week").click()
    expect(heading).not_to_have_text(this_week)
    assert "week=" in page.url
    page.get_by_role("link", name="Today").click()
    expect(heading).to_have_text(this_week)
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.get_by_role("searchbox")).to_be_visible()
    looks_right(page, "bookings list")


def test_a_reader_takes_the_narrowed_list_home_as_a_file(filled: House, signed_in_as, looks_right):
    page = signed_in_as(filled.owner)
    page.goto(filled.url("work-orders/"))
    page.get_by_text("Filter by Priority").click()
    page.get_by_role("link", name="Emergency").click()
    expect(page.get_by_text("Priority: Emergency").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert download.value.suggested_filename.startswith(f"{filled.tenant.slug}-work-orders-")
    assert len(lines) > 1
    assert all(",Emergency," in line for line in lines[1:])
    with page.expect_download() as download:
        page.get_by_role("link", name="XLSX").click()
    assert download.value.path().read_bytes().startswith(b"PK")
    expect(page.get_by_text("Priority: Emergency").first).to_be_visible()


def test_a_reader_narrows_a_generic_list_by_what_occurs_and_sees_what_is_gone(filled: House, signed_in_as, looks_right):
    with filled.scope:
        fieldwork = Connection.objects.get(vendor="fieldwork")
        site = {"Name": "Store 9", "Address": {"City": "Austin"}}
        lost = sample_data.store(fieldwork, "sites", site, facets={"Address.City": "Austin"})
        Record.objects.filter(pk=lost.pk).update(missing_since=timezone.now())
    page = signed_in_as(filled.owner)
    page.goto(filled.url("records/fieldwork/sites/"))
    page.get_by_text("Filter by City").click()
    looks_right(page, "sites with a filter open")
    page.goto(filled.url("records/fieldwork/sites/"))
    page.get_by_text("Filter by City").click()
    page.get_by_role("link", name="Austin", exact=True).click()
    expect(page.get_by_text("City: Austin").first).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("No longer at Fieldwork")
    page.locator("tbody a").click()
    expect(page.get_by_text("This is what we last saw")).to_be_visible()
    looks_right(page, "a site that is gone")


def test_every_business_page_is_readable_for_everyone(filled: House, signed_in_as, looks_right):
    page = signed_in_as(filled.owner)
    with filled.scope:
        bill = Billing.objects.order_by("pk").first()
        private = Booking.objects.filter(is_private=True).first()
    assert bill
    assert private
    for name, path in (
        ("overview", ""),
        ("billings", "billings/"),
        ("billing", f"billings/{bill.pk}/"),
        ("private booking", f"bookings/{private.pk}/"),
        ("all records", "records/"),
        ("sites", "records/fieldwork/sites/"),
    ):
        page.goto(filled.url(path))
        looks_right(page, name)


def test_a_new_tenant_is_shown_the_first_step(house: House, neighbour: House, signed_in_as, looks_right):
    page = signed_in_as(house.owner)
    page.goto(house.url())
    looks_right(page, "overview of a new tenant")
    page.get_by_role("link", name="Choose a vendor").click()
    expect(page.get_by_role("heading", name="Connections", exact=True)).to_be_visible()
