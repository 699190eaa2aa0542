"""The walls between tenants stand in the database, whatever the code forgets."""

from uuid import uuid4

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from integrations.connections.models import Connection
from integrations.records.models import Billing, Booking, Record, RecordVersion
from integrations.sync.models import StreamState
from portal.tenancy.models import Membership, Tenant
from portal.tenancy.scope import current_tenant_id, ops_scope, tenant_scope
from tests.factories import a_membership, a_tenant

pytestmark = [pytest.mark.server, pytest.mark.django_db]

TENANT_MODELS = [
    model
    for model in apps.get_models()
    if any(field.name == "tenant" for field in model._meta.get_fields()) or model is Tenant
]


def a_connection(tenant: Tenant, **facts: object) -> Connection:
    with tenant_scope(tenant.pk):
        return Connection.objects.create(tenant=tenant, vendor="kore", name="KORE", **facts)


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_every_tenant_table_is_walled_and_forced(model: type) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select relrowsecurity, relforcerowsecurity from pg_class where oid = %s::regclass",
            [model._meta.db_table],  # type: ignore[attr-defined]
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute("select count(*) from pg_policies where tablename = %s", [model._meta.db_table])  # type: ignore[attr-defined]
        assert cursor.fetchone() == (1,)


def test_every_table_with_a_tenant_column_is_known() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select table_name from information_schema.columns where column_name = 'tenant_id'")
        tables = {row[0] for row in cursor.fetchall()}
    assert tables == {model._meta.db_table for model in TENANT_MODELS} - {"tenancy_tenant"}


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_without_a_tenant_nothing_is_shown(model: type) -> None:
    a_connection(a_membership().tenant)
    assert current_tenant_id() is None
    assert not model.objects.exists()  # type: ignore[attr-defined]


def test_the_app_role_owns_nothing_and_bypasses_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_user, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        assert cursor.fetchone() == ("portal_app", False, False)
        cursor.execute("select count(*) from pg_tables where tableowner = 'portal_app'")
        assert cursor.fetchone() == (0,)


def test_a_forgotten_filter_shows_only_ones_own() -> None:
    ours, theirs = a_tenant(), a_tenant()
    mine = a_connection(ours)
    a_connection(theirs)
    with tenant_scope(ours.pk):
        assert [found.pk for found in Connection.objects.all()] == [mine.pk]
        assert [found.pk for found in Tenant.objects.all()] == [ours.pk]


def test_a_row_of_another_tenant_cannot_be_written_changed_or_removed() -> None:
    ours, theirs = a_tenant(), a_tenant()
    their_connection = a_connection(theirs)
    with tenant_scope(ours.pk):
        with pytest.raises(ProgrammingError), transaction.atomic():
            Connection.objects.create(tenant=theirs, vendor="kore", name="forged")
        assert Connection.objects.filter(pk=their_connection.pk).update(name="taken over") == 0
        assert Connection.objects.filter(pk=their_connection.pk).delete()[0] == 0


def test_a_row_cannot_point_at_another_tenants_connection() -> None:
    ours, theirs = a_tenant(), a_tenant()
    their_connection = a_connection(theirs)
    with tenant_scope(ours.pk), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        with pytest.raises(IntegrityError), transaction.atomic():
            StreamState.objects.create(tenant=ours, connection_id=their_connection.pk, stream="billings")


def a_record(target: Connection, external_id: str = "1", **facts: object) -> Record:
    now = timezone.now()
    usual = {"stream": "billings", "payload": "{}", "digest": b"", "first_seen_at": now, "changed_at": now}
    runs = {"first_run_id": 1, "changed_run_id": 1}
    place = {"tenant_id": target.tenant_id, "connection_id": target.pk, "external_id": external_id}
    return Record.objects.create(**place | usual | runs | facts)


def test_a_record_cannot_point_at_another_tenants_connection_nor_at_none() -> None:
    ours, theirs = a_tenant(), a_tenant()
    mine, their_connection = a_connection(ours), a_connection(theirs)
    with tenant_scope(ours.pk):
        kept = a_record(mine)
        for elsewhere in (their_connection.pk, uuid4()):
            with pytest.raises(IntegrityError), transaction.atomic():
                a_record(mine, "2", connection_id=elsewhere)
            with pytest.raises(IntegrityError), transaction.atomic():
                Record.objects.filter(pk=kept.pk).update(connection_id=elsewhere)
        assert list(Record.objects.values_list("external_id", "connection_id")) == [("1", mine.pk)]


def test_neither_a_typed_row_nor_a_version_can_point_at_another_tenants_record_nor_at_none() -> None:
    now = timezone.now()
    ours, theirs = a_tenant(), a_tenant()
    mine, their_connection = a_connection(ours), a_connection(theirs)
    with tenant_scope(theirs.pk):
        their_record = a_record(their_connection)
    words = "insert into records_billing (record_id, tenant_id, connection_id, search, vendor_status, number, title,"
    words += " account, deal_id, status, currency) values (%s, %s, %s, '', '', '', '', '', '', 'paid', '')"
    with tenant_scope(ours.pk), connection.cursor() as cursor:
        own, other = a_record(mine), a_record(mine, "2")
        cursor.execute(words, [own.pk, ours.pk, mine.pk])
        for elsewhere in (their_record.pk, other.pk + 1000):
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(words, [elsewhere, ours.pk, mine.pk])
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute("update records_billing set record_id = %s", [elsewhere])
            with pytest.raises(IntegrityError), transaction.atomic():
                RecordVersion.objects.create(
                    tenant=ours, record_id=elsewhere, payload="{}", seen_at=now, replaced_at=now, run_id=1
                )
        assert list(Billing.objects.values_list("record_id", flat=True)) == [own.pk]


def test_what_a_connection_brought_goes_with_it_and_nothing_else_does() -> None:
    ours, theirs = a_tenant(), a_tenant()
    gone, kept, other = a_connection(ours), a_connection(ours, account="2"), a_connection(theirs)
    words = (
        "insert into records_booking (record_id, tenant_id, connection_id, search, vendor_status, kind, title, status,"
    )
    words += " resource, location, organiser, organiser_email, is_private, zone, starts_at)"
    words += " values (%s, %s, %s, '', '', 'room', '', 'booked', '', '', '', '', false, '', now())"
    for one in (gone, kept, other):
        with tenant_scope(one.tenant_id), connection.cursor() as cursor:
            cursor.execute(words, [a_record(one).pk, one.tenant_id, one.pk])
    with connection.cursor() as cursor:
        for tenant in (ours, theirs):  # what deletes ours in no Python of ours
            with tenant_scope(tenant.pk):
                cursor.execute("delete from connections_connection where id = %s", [gone.pk])
    for tenant, left in ((ours, [kept.pk]), (theirs, [other.pk])):
        with tenant_scope(tenant.pk):
            assert list(Record.objects.values_list("connection_id", flat=True)) == left
            assert list(Booking.objects.values_list("connection_id", flat=True)) == left


def test_a_scope_inside_another_tenants_is_refused() -> None:
    ours, theirs = a_tenant(), a_tenant()
    with tenant_scope(ours.pk), pytest.raises(RuntimeError), tenant_scope(theirs.pk):
        pass


def test_a_scope_ends_where_it_ends_even_inside_an_outer_transaction() -> None:
    tenant = a_tenant()
    a_connection(tenant)
    with transaction.atomic():
        with tenant_scope(tenant.pk):
            assert Connection.objects.exists()
        assert not Connection.objects.exists()


def test_a_scope_that_failed_leaves_nothing_open() -> None:
    tenant = a_tenant()
    a_connection(tenant)
    with pytest.raises(ZeroDivisionError), tenant_scope(tenant.pk):
        raise ZeroDivisionError
    assert current_tenant_id() is None
    assert not Connection.objects.exists()


def test_the_ops_role_sees_all_and_gives_the_role_back() -> None:
    a_connection(a_tenant(), created_at=timezone.now())
    a_connection(a_tenant())
    with ops_scope():
        assert Connection.objects.count() == 2
    assert not Membership.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("portal_app",)
