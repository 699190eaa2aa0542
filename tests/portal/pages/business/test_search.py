"""The one function that sees past the walls: it finds the tenant's own, and only in the tenant's scope."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from integrations.records import search
from integrations.records.models import Billing, Booking, WorkOrder
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests import sample_data
from tests.page_fixtures import House

pytestmark = [pytest.mark.server, pytest.mark.django_db]


def numbers(tenant: Tenant, words: str) -> set[str]:
    with tenant_scope(tenant.pk):
        return set(WorkOrder.objects.filter(search.find(WorkOrder, words).where).values_list("number", flat=True))


@pytest.fixture
def filled(house: House, neighbour: House) -> House:
    """The same title in both tenants, and one of its own in each."""
    for owner, name in ((house, "OURS"), (neighbour, "THEIRS")):
        with owner.scope:
            fieldwork = sample_data.connect(owner.tenant, "fieldwork")
            sample_data.work_order(fieldwork, number=f"{name}-17", title="Boiler room, O'Neil's roof")
            sample_data.work_order(fieldwork, number=f"{name}-18", title=r"Back\slash and 100% quetzal")
    return house


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("boil", {"OURS-17"}),
        ("ROOM boiler", {"OURS-17"}),
        ("17", {"OURS-17"}),
        ("ours-18", {"OURS-18"}),
        ("o'neil's", {"OURS-17"}),
        (r"back\sl", {"OURS-18"}),
        ("100%", {"OURS-18"}),
        ("oiler", set()),
        ("boiler quetzal", set()),
        ("theirs", set()),
        ("':* | 'x", set()),
        ("-", set()),
    ],
)
def test_every_word_must_begin_a_word_of_ones_own(filled: House, words: str, expected: set[str]):
    assert numbers(filled.tenant, words) == expected


def test_without_a_tenant_nothing_is_found(filled: House):
    with connection.cursor() as cursor:
        cursor.execute("select records_search('records_workorder', 'boiler', 10)")
        assert cursor.fetchone() == ([],)


def test_no_caller_can_name_another_tenant(filled: House, neighbour: House):
    """Nor by a word that looks like the index's own, nor by a table that it does not search."""
    with filled.scope, connection.cursor() as cursor:
        for words in (f"{neighbour.tenant.pk}:boiler", f"x' | '{neighbour.tenant.pk}:boiler"):
            cursor.execute("select records_search('records_workorder', %s, 10)", [words])
            assert cursor.fetchone() == ([],)
        cursor.execute("select records_search('accounts_user', 'mara', 10)")
        assert cursor.fetchone() == ([],)


def test_common_words_are_looked_for_row_by_row_and_find_the_same(filled: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "MOST", 0)
    with filled.scope:
        assert search.find(WorkOrder, "boiler").is_walk, "the keys of what was found are named"
    assert numbers(filled.tenant, "BOILER roof") == {"OURS-17"}
    assert numbers(filled.tenant, "ours-18 100%") == {"OURS-18"}
    assert numbers(filled.tenant, "theirs") == set()


def test_several_words_that_are_common_together_are_not_looked_up_each(filled: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "_COMMON", 0)
    with filled.scope:
        assert search.find(WorkOrder, "boiler room").is_walk
        assert not search.find(WorkOrder, "boiler quetzal").is_walk, "no row has both"
    assert numbers(filled.tenant, "BOILER roof") == {"OURS-17"}


@pytest.mark.parametrize("most", [0, 10])
def test_a_private_booking_is_found_by_its_place_alone(house: House, monkeypatch: pytest.MonkeyPatch, most: int):
    monkeypatch.setattr(search, "MOST", most)
    with house.scope:
        roombook = sample_data.connect(house.tenant, "roombook")
        at = timezone.now() + timedelta(days=1)
        sample_data.booking(roombook, title="Sale of it", resource="Board Room", is_private=True, starts_at=at)

        def found(words: str) -> int:
            return Booking.objects.filter(search.find(Booking, words).where).count()

        assert (found("board"), found("sale")) == (1, 0)


def test_a_word_of_any_length_is_stored_and_found_by_its_beginning(house: House):
    with house.scope:
        ledger = sample_data.connect(house.tenant, "ledger")
        sample_data.billing(ledger, number="LONG", title="語" * 500, account="語" * 500)
        assert Billing.objects.filter(search.find(Billing, "語" * 50).where).count() == 1


@pytest.mark.parametrize("function", ["records_search", "records_lookup"])
def test_only_the_app_may_call_it_and_nobody_may_add_to_its_schema(function: str):
    with connection.cursor() as cursor:
        cursor.execute(
            "select p.prosecdef, r.rolname, p.proconfig, has_function_privilege('public', p.oid, 'execute'),"
            " has_schema_privilege('portal_ops', 'public', 'create'),"
            " has_schema_privilege('portal_app', 'public', 'create')"
            " from pg_proc p join pg_roles r on r.oid = p.proowner where proname = %s",
            [function],
        )
        assert cursor.fetchone() == (True, "portal_ops", ["search_path=pg_catalog, pg_temp"], False, False, False)
        with pytest.raises(ProgrammingError), transaction.atomic():
            cursor.execute("create function public.shadow() returns int language sql as 'select 1'")
