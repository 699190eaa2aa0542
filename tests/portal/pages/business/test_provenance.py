"""How do we know this? What every detail page tells of where its record comes from."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection, VendorRequest
from integrations.records.models import Record, RecordVersion, WorkOrder
from integrations.sync.models import RunKind, SyncRun
from portal.tenancy.models import Role
from tests import sample_data
from tests.factories import a_membership
from tests.page_fixtures import House


def flat(text: str) -> str:
    return " ".join(text.split())


def request_at(connection: Connection, path: str, **fields: object) -> None:
    usual = {
        "method": "GET",
        "host": "api.example.com",
        "status": 200,
        "at": timezone.now(),
        "duration_ms": 5,
        "received_bytes": 9,
    }
    VendorRequest.objects.create(tenant_id=connection.tenant_id, connection=connection, path=path, **usual | fields)


def text_as(house: House, role: Role, path: str) -> str:
    client = Client()
    client.force_login(a_membership(tenant=house.tenant, role=role).user)
    response = client.get(house.url(path))
    assert response.status_code == 200
    return flat(response.content.decode())


@pytest.fixture
def fieldwork(house: House, neighbour: House) -> Connection:
    with neighbour.scope:
        sample_data.connect(neighbour.tenant, "fieldwork")
    with house.scope:
        return sample_data.connect(house.tenant, "fieldwork", name="North")


def ended_run(connection: Connection, **fields: object) -> SyncRun:
    run = sample_data.start_run(connection, "work-orders", **fields)
    SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() + timedelta(seconds=1), state="done")
    return run


def test_each_shown_field_names_the_path_it_was_read_from(house: House, fieldwork: Connection) -> None:
    with house.scope:
        payload = {"number": "77", "State": {"Word": "Open"}, "Closed": None}
        order = sample_data.work_order(fieldwork, payload)
    text = flat(house.text(f"work-orders/{order.pk}/"))
    assert "<dt>Number</dt><dd><code>number</code></dd>" in text
    assert '<dt>Status</dt><dd><code>State.Word</code><span class="sub">closed once that is set</span></dd>' in text
    assert '<dt>Due</dt><dd><code>Sla.DueBy</code><span class="sub">not in this record</span></dd>' in text
    assert "<dt>Customer</dt><dd>the customer of the whole connection</dd>" in text
    assert "<dt>Scheduled</dt><dd><code>" not in text


def test_each_column_of_a_generic_record_names_its_path(house: House, fieldwork: Connection) -> None:
    with house.scope:
        site = sample_data.store(fieldwork, "sites", {"Name": "Dallas HQ", "Address": {"City": "Dallas"}})
    text = flat(house.text(f"records/{site.pk}/"))
    assert "<dt>City</dt><dd><code>Address.City</code></dd>" in text
    assert '<dt>Rent</dt><dd><code>Rent</code><span class="sub">not in this record</span></dd>' in text


def test_each_earlier_version_says_which_run_replaced_it(house: House, fieldwork: Connection) -> None:
    with house.scope:
        first, second, third = (ended_run(fieldwork, kind=kind) for kind in ("backfill", "sweep", "incremental"))
        order = sample_data.work_order(fieldwork, {"Sla": {"DueBy": "3"}})
        Record.objects.filter(pk=order.pk).update(first_run_id=first.pk, changed_run_id=third.pk)
        now = timezone.now()
        for age, run, due in ((2, first, "1"), (1, second, "2")):
            version = sample_data.replaced(order.record, {"Sla": {"DueBy": due}}, at=now - timedelta(days=age))
            RecordVersion.objects.filter(pk=version.pk).update(run_id=run.pk)
    text = flat(house.text(f"work-orders/{order.pk}/"))
    timeline = text[text.index("Earlier versions") :]
    latest, earlier = timeline.split('<del class="was">')[1:3]
    assert latest.startswith("2</del>")
    assert earlier.startswith("1</del>")
    assert f"/runs/{third.pk}/" in timeline.split('<del class="was">')[0]
    assert f'/runs/{second.pk}/">a look for deletions</a>' in latest
    assert f"/runs/{first.pk}/" not in timeline


def test_admins_see_the_requests_of_that_run_around_that_time(
    house: House, neighbour: House, fieldwork: Connection
) -> None:
    with house.scope:
        begin = timezone.now()
        run = ended_run(fieldwork, started_at=begin)
        other = sample_data.connect(house.tenant, "ledger")
        order = sample_data.work_order(fieldwork)
        Record.objects.filter(pk=order.pk).update(changed_run_id=run.pk, changed_at=begin + timedelta(seconds=5))
        request_at(fieldwork, "/before", at=begin - timedelta(seconds=1))
        request_at(fieldwork, "/orders?page=7", at=begin + timedelta(seconds=4))
        request_at(fieldwork, "/after", at=begin + timedelta(seconds=6))
        request_at(other, "/elsewhere", at=begin + timedelta(seconds=4))
    text = text_as(house, Role.ADMIN, f"work-orders/{order.pk}/")
    assert "/orders?page=7" in text
    assert not [path for path in ("/before", "/after", "/elsewhere") if f"GET {path}<" in text]
    for role in (Role.MEMBER, Role.VIEWER):
        told = text_as(house, role, f"work-orders/{order.pk}/")
        assert "/orders?page=7" not in told
        assert f"/runs/{run.pk}/" in told
    assert neighbour.get(f"work-orders/{order.pk}/").status_code == 404


BROUGHT, FORMER = UUID(int=7), UUID(int=6)


@pytest.fixture
def brought(house: House, neighbour: House, fieldwork: Connection) -> WorkOrder:
    """An order with one earlier version, each of which names its request; the neighbour's log has lines by the same
    names."""
    now = timezone.now()
    with neighbour.scope:
        theirs = Connection.objects.get(tenant=neighbour.tenant)
        for one in (BROUGHT, FORMER):
            request_at(theirs, "/theirs", request_id=one.hex, at=now)
    with house.scope:
        first, second = (ended_run(fieldwork, started_at=now - timedelta(days=days)) for days in (2, 1))
        order = sample_data.work_order(fieldwork, {"Sla": {"DueBy": "2"}})
        stored_at = now - timedelta(hours=23)
        version = sample_data.replaced(order.record, {"Sla": {"DueBy": "1"}}, at=stored_at)
        RecordVersion.objects.filter(pk=version.pk).update(run_id=first.pk, request_id=FORMER)
        Record.objects.filter(pk=order.pk).update(
            changed_run_id=second.pk, changed_request_id=BROUGHT, changed_at=stored_at
        )
    return order


def test_admins_see_the_very_request_that_brought_it_and_find_it_in_the_log(
    house: House, neighbour: House, fieldwork: Connection, brought: WorkOrder
) -> None:
    with house.scope:
        at = brought.record.changed_at - timedelta(hours=23, seconds=5)
        request_at(fieldwork, "/later", at=at + timedelta(seconds=1), request_id=UUID(int=8).hex)
        request_at(
            fieldwork,
            "/orders",
            at=at,
            request_id=BROUGHT.hex,
            duration_ms=120,
            received_bytes=2048,
            vendor_request_id="their-77",
        )
    path = f"work-orders/{brought.pk}/"
    text = text_as(house, Role.ADMIN, path)
    assert '<dt>Brought by</dt><dd><span class="mono">GET api.example.com/orders</span>' in text
    assert "answered 200 in 120 ms with 2.0 KB" in text.replace("\xa0", " ")
    assert f"Its id: <code>{BROUGHT.hex}</code>" in text
    assert "At Fieldwork: <code>their-77</code>" in text
    assert "around that time" not in text
    assert "/later" not in text
    assert "/theirs" not in text
    (place,) = set(re.findall(rf"connections/{fieldwork.pk}/requests/\?after=[\w-]+", text))
    listed = text_as(house, Role.ADMIN, place)
    assert "GET /orders" in listed
    assert "GET /later" not in listed
    for role in (Role.MEMBER, Role.VIEWER):
        assert BROUGHT.hex not in text_as(house, role, path)
    assert neighbour.get(path).status_code == 404


def test_each_earlier_version_names_the_request_that_brought_what_took_its_place(
    house: House, fieldwork: Connection, brought: WorkOrder
) -> None:
    with house.scope:
        older = sample_data.replaced(
            brought.record, {"Sla": {"DueBy": "0"}}, at=timezone.now() - timedelta(days=1, hours=23)
        )
        RecordVersion.objects.filter(pk=older.pk).update(request_id=None)
        for hours, path, one in ((47, "/former", FORMER), (23, "/orders", BROUGHT)):
            at = timezone.now() - timedelta(hours=hours, minutes=1)
            request_at(fieldwork, path, at=at, request_id=one.hex)
    text = text_as(house, Role.ADMIN, f"work-orders/{brought.pk}/")
    latest, earlier = text[text.index("Earlier versions") :].split('<del class="was">')[1:3]
    assert latest.startswith("1</del>")
    assert "api.example.com/orders" in latest
    assert "api.example.com/former" in earlier


def test_a_request_whose_line_is_gone_is_named_with_the_reason(
    house: House, fieldwork: Connection, brought: WorkOrder
) -> None:
    path = f"work-orders/{brought.pk}/"
    text = text_as(house, Role.ADMIN, path)
    assert f"<code>{BROUGHT.hex}</code>" in text
    assert "The request log has no line for it" in text
    with house.scope:
        Record.objects.filter(pk=brought.pk).update(changed_at=timezone.now() - timedelta(days=15))
        RecordVersion.objects.all().delete()
    assert "Its line in the request log was deleted after 14 days." in text_as(house, Role.ADMIN, path)


def test_a_private_booking_tells_where_its_time_stands_and_nothing_else(house: House, neighbour: House) -> None:
    with house.scope:
        roombook = sample_data.connect(house.tenant, "roombook")
        booking = sample_data.booking(roombook, {"Subject": "Board: sale", "From": "09:00"}, is_private=True)
    text = flat(house.text(f"bookings/{booking.pk}/"))
    assert "<dt>Starts</dt><dd><code>From</code>, <code>Begin</code></dd>" in text
    assert "Subject" not in text
    assert "Board: sale" not in text


def test_a_run_has_a_page_of_its_own(house: House, neighbour: House, fieldwork: Connection) -> None:
    with house.scope:
        run = ended_run(fieldwork, kind=RunKind.BACKFILL, new=412)
        request_at(fieldwork, "/orders", at=timezone.now())
        path = f"connections/{fieldwork.pk}/runs/{run.pk}/"
    assert "GET /orders" in text_as(house, Role.ADMIN, path)
    viewer = text_as(house, Role.VIEWER, path)
    assert "412" in viewer
    assert "GET /orders" not in viewer
    assert neighbour.get(path).status_code == 404
    with neighbour.scope:
        theirs = Connection.objects.get(tenant=neighbour.tenant)
    assert neighbour.get(f"connections/{theirs.pk}/runs/{run.pk}/").status_code == 404


def test_the_run_of_another_connection_is_not_on_this_ones_pages(house: House, fieldwork: Connection) -> None:
    with house.scope:
        other = sample_data.connect(house.tenant, "ledger")
        run = sample_data.start_run(other, "deals")
    assert house.get(f"connections/{fieldwork.pk}/runs/{run.pk}/").status_code == 404
    assert house.get(f"connections/{fieldwork.pk}/runs/{2**63}/").status_code == 404
