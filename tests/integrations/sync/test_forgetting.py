"""What must not be kept is deleted: when its time is over, and when a setting says so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.records.models import Record, RecordVersion
from integrations.registry import connectors
from integrations.sync import beat
from integrations.sync.services import forget_streams
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope
from tests.factories import a_membership, a_tenant
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import reload, state_of, stored, sync, work_off
from tests.integrations.sync.vendors.stockroom import Emulator

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def day(ago: int) -> str:
    return (timezone.now() - timedelta(days=ago)).date().isoformat()


def test_records_are_deleted_when_their_time_is_over(stockroom: Emulator, connect: Connect) -> None:
    for ago in (40, 32, 20, 0):
        stockroom.put("counts", f"{ago:02}", day=day(ago))
        stockroom.put("shelves", f"{ago:02}", day=day(ago))
    connection, neighbour = connect(stockroom), connect(stockroom, tenant=a_tenant())
    work_off(connection)
    work_off(neighbour)

    beat.tidy()

    for one in (connection, neighbour):
        assert set(stored(one, "counts")) == {"20", "00"}
        assert len(stored(one, "shelves")) == 4


def test_what_is_forgotten_goes_with_its_versions_and_comes_anew_where_it_may(
    stockroom: Emulator, connect: Connect
) -> None:
    stockroom.put("shelves", "1", kind="Steel")
    stockroom.put("parts", "1")
    connection = connect(stockroom)
    work_off(connection)
    stockroom.put("shelves", "1", kind="Wood")
    sync(connection, "shelves")

    with tenant_scope(connection.tenant_id):
        forget_streams(connection, ["shelves"])
        assert not RecordVersion.objects.exists()
        assert set(Record.objects.values_list("stream", flat=True)) == {"parts"}

    (run,) = sync(connection, "shelves")
    assert (run.kind, run.new, state_of(connection, "shelves").records) == ("backfill", 1, 1)


def test_what_a_booking_said_before_it_became_private_is_kept_no_longer(serve: Serve, connect: Connect) -> None:
    sandbox = serve("condeco", sizes=(30, 10))
    connection = connect(sandbox, streams=["room-bookings"])
    work_off(connection)
    before = stored(connection, "room-bookings")

    sandbox.hide_booking(account=0)  # type: ignore[attr-defined]
    sync(connection, "room-bookings")

    after = stored(connection, "room-bookings")
    (hidden,) = {key for key in before if after[key] != before[key]}
    assert '"meetingTitle"' in before[hidden]
    assert '"meetingTitle"' not in after[hidden]
    with tenant_scope(connection.tenant_id):
        assert not RecordVersion.objects.filter(record__external_id=hidden).exists()


@pytest.mark.usefixtures("at_any_pace")
def test_switching_client_names_off_deletes_the_clients_and_their_words(serve: Serve, connect: Connect) -> None:
    sandbox = serve("coreplus", sizes=(30, 10))
    tenant = a_tenant()
    owner = a_membership(tenant=tenant, role=Role.OWNER).user
    connection = connect(sandbox, tenant=tenant, streams=["clients", "appointments"])
    work_off(connection)
    assert stored(connection, "clients")
    assert any('"subject"' in payload for payload in stored(connection, "appointments").values())

    response = edited(tenant.slug, connection, owner, show_client_names=False)
    assert response.status_code == 302
    assert stored(connection, "clients") == {}
    work_off(connection)

    assert stored(connection, "clients") == {}
    appointments = stored(connection, "appointments")
    assert appointments
    assert not any('"subject"' in payload for payload in appointments.values())


def edited(slug: str, connection: Connection, user: object, **changes: object):
    """Send the edit form with these settings changed, secrets left blank."""
    browser = Client()
    browser.force_login(user)  # type: ignore[arg-type]
    current = reload(connection)
    values = {**current.settings, **changes, "name": current.name}
    sent = {name: "on" if value is True else value for name, value in values.items() if value not in (None, False)}
    return browser.post(f"/t/{slug}/connections/{current.pk}/edit/", sent)


@pytest.mark.parametrize(
    ("vendor", "before", "after", "is_same"),
    [
        ("coreplus", {"practice": ""}, {"practice": "Harbour"}, True),
        ("coreplus", {"practice": "Harbour"}, {"practice": "Hilltop"}, False),
        ("coreplus", {"practice": "Harbour"}, {"consumer_id": "other"}, False),
        ("coreplus", {}, {"api_url": "https://other.example/API/Core/v2"}, False),
        ("corrigopro", {"branch_id": None}, {"branch_id": 7}, True),
        ("corrigopro", {"branch_id": None}, {"client_id": "other"}, False),
        ("corrigopro", {"branch_id": None}, {"client_id": "other", "branch_id": 7}, False),
        ("corrigopro", {"branch_id": 7}, {"client_id": "other", "branch_id": 7}, True),
        ("corrigopro", {"branch_id": 7}, {"branch_id": 8}, False),
        ("corrigopro", {"branch_id": 7}, {"branch_id": 7, "rest_url": "https://other.example/api"}, False),
    ],
)
def test_which_details_a_connection_may_be_given_later(
    serve: Serve, vendor: str, before: dict[str, object], after: dict[str, object], is_same: bool
) -> None:
    connector = connectors()[vendor]
    settings, _ = serve(vendor, sizes=(10, 5)).demo_setup(0)
    former = {**settings, **before}
    assert connector.is_same_account(former, {**former, **after}) is is_same
