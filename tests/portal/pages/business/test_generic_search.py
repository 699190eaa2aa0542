"""Generic records are looked up by name, number and facets: the tenant's own, and just those that a walk would find."""

from functools import partial

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils.http import urlencode
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.records import search
from integrations.records.models import Record
from integrations.records.queries import records
from integrations.records.search import find_records
from portal.pages.filters import Facet
from portal.pages.lists import Listing, Sort
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests import sample_data
from tests.page_fixtures import House

pytestmark = [pytest.mark.server, pytest.mark.django_db]

LISTING: Listing[Record] = Listing(
    sorts=(Sort(key="changed", column="changed_at"),),
    filters=tuple(Facet(key=path, label=path, column="facets", path=path, values=()) for path in ("kind", "at.city")),
    default_sort="-changed",
    search=partial(find_records, "sites"),
    tie="id",
)
TRICKY = [
    "Steel",
    "steel",
    "Steel beam",
    'a", "b',
    'a"',
    "a, ",
    "{}",
    '"}',
    r"back\slash",
    r"\"",
    "O'Neil",
    ":*",
    "\n",
    "é 語",
]
TITLES = [*TRICKY, "Boiler room, O'Neil's roof", "North-East/17 (old)", r"Back\slash and 100% quetzal"]


@pytest.fixture
def filled(house: House, neighbour: House) -> House:
    """The same two sites in both tenants but for their numbers, and a note of the same name."""
    for owner, name in ((house, "OURS"), (neighbour, "THEIRS")):
        with owner.scope:
            fieldwork = sample_data.connect(owner.tenant, "fieldwork")
            for number, title in ((17, "Boiler room, O'Neil's roof"), (18, r"Back\slash and 100% ÉCLAIR")):
                facets = {"kind": f"{name} {number}", "at.city": "Austin"}
                sample_data.store(fieldwork, "sites", {}, title=title, external_id=f"{name}-{number}", facets=facets)
            sample_data.store(fieldwork, "notes", {}, title="Boiler", external_id=f"{name}-19", facets=facets)
    return house


def found(tenant: Tenant, words: str = "", **facets: str) -> list[str]:
    """The numbers of the sites in a list that is searched and narrowed so, as in the list's address."""
    asked = QueryDict(urlencode({"q": words, **{key.replace("_", "."): value for key, value in facets.items()}}))
    with tenant_scope(tenant.pk):
        rows = LISTING.bind(asked).narrow(records(tenant.pk).filter(stream="sites"))
        return list(rows.order_by("id").values_list("external_id", flat=True))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("boil", ["OURS-17"]),
        ("ROOM boiler", ["OURS-17"]),
        ("17", ["OURS-17"]),
        ("ours-18", ["OURS-18"]),
        ("ours", ["OURS-17", "OURS-18"]),
        ("boiler 17", ["OURS-17"]),
        ("o'neil's", ["OURS-17"]),
        (r"back\sl", ["OURS-18"]),
        ("100%", ["OURS-18"]),
        ("éclair", ["OURS-18"]),
        ("oiler", []),
        ("boiler eclair", []),
        ("theirs", []),
        ("19", []),
        ("':* | 'x", []),
        ("-", []),
    ],
)
def test_every_word_must_begin_a_word_of_the_name_or_the_number(filled: House, words: str, expected: list[str]):
    assert found(filled.tenant, words) == expected


def test_a_value_must_be_all_of_it_and_at_its_own_place(filled: House):
    assert found(filled.tenant, kind="OURS 17") == ["OURS-17"]
    assert found(filled.tenant, at_city="Austin") == ["OURS-17", "OURS-18"]
    assert found(filled.tenant, kind="OURS 17", at_city="Austin") == ["OURS-17"]
    assert found(filled.tenant, "eclair", kind="OURS 17") == []
    for value in ("OURS", "ours 17", "THEIRS 17", "Austin"):
        assert found(filled.tenant, kind=value) == []


def test_words_without_a_letter_find_nothing_in_a_narrowed_list_either(filled: House):
    assert found(filled.tenant, "-", at_city="Austin") == []


@pytest.fixture
def odd(house: House, neighbour: House) -> House:
    """Few enough of each that all is looked up, with everything that JSON or a search must escape."""
    for owner in (neighbour, house):
        with owner.scope:
            fieldwork = sample_data.connect(owner.tenant, "fieldwork")
            for number, title in enumerate(TITLES):
                facets = {"kind": TRICKY[number % len(TRICKY)]}
                if number % 5:
                    facets["at.city"] = TRICKY[number // 2]
                sample_data.store(fieldwork, "sites", {}, title=title, external_id=f"N-{number}", facets=facets)
            sample_data.store(fieldwork, "sites", {}, external_id="no facets")
    return house


def test_what_is_looked_up_is_what_a_walk_finds(odd: House, monkeypatch: pytest.MonkeyPatch):
    values = st.sampled_from(["", *TRICKY])

    @settings(deadline=None)
    @given(words=st.sampled_from(["", *TITLES, *(title[:3] for title in TITLES), "n 1"]), kind=values, city=values)
    def law(words: str, kind: str, city: str):
        looked_up = found(odd.tenant, words, kind=kind, at_city=city)
        with monkeypatch.context() as patch:
            patch.setattr(search, "MOST", -1)
            assert found(odd.tenant, words, kind=kind, at_city=city) == looked_up

    law()


@pytest.mark.parametrize("value", TRICKY)
def test_a_value_with_what_json_escapes_is_looked_up(odd: House, value: str):
    with odd.scope:
        one = find_records("sites", "", {"kind": value})
        assert not one.is_walk
        there = Record.objects.filter(stream="sites", tenant_id=odd.tenant.pk, facets__kind=value)
        assert set(Record.objects.filter(one.where)) == set(there) != set()


def test_what_many_rows_have_is_walked_to_and_found_alike(house: House, neighbour: House):
    for owner in (neighbour, house):
        with owner.scope:
            fieldwork = sample_data.connect(owner.tenant, "fieldwork")
            for number in range(12):
                facets = {"kind": "Steel" if number else "Wood"}
                sample_data.store(fieldwork, "sites", {}, title="Boiler", external_id=f"S{number}", facets=facets)
    with house.scope:
        assert find_records("sites", "boiler", {}).is_walk
        assert find_records("sites", "", {"kind": "Steel"}).is_walk
        assert not find_records("sites", "boiler", {"kind": "Wood"}).is_walk, "common alone, rare together"
    assert len(found(house.tenant, "boiler")) == 12
    assert len(found(house.tenant, kind="Steel")) == 11
    assert found(house.tenant, "boiler", kind="Wood") == ["S0"]


def test_a_generic_stream_with_a_typed_ones_key_is_walked(house: House, neighbour: House):
    with house.scope:
        fieldwork = sample_data.connect(house.tenant, "fieldwork")
        record = sample_data.store(fieldwork, "invoices", {}, title="Boiler")
        one = find_records("invoices", "boil", {})
        assert one.is_walk
        assert list(records(house.tenant.pk).filter(one.where)) == [record]


def test_a_word_of_any_length_is_stored_and_found_by_its_beginning(house: House, neighbour: House):
    with house.scope:
        fieldwork = sample_data.connect(house.tenant, "fieldwork")
        facets = {"kind": "語" * 100}
        sample_data.store(fieldwork, "sites", {}, title="語" * 300, external_id="語" * 200, facets=facets)
    assert found(house.tenant, "語" * 50, kind="語" * 100) == ["語" * 200]
    assert found(neighbour.tenant, "語" * 50) == []


def test_a_look_up_goes_along_its_index(filled: House):
    with filled.scope, connection.cursor() as cursor:
        # So few rows need none; and an earlier test's plan would stay.
        cursor.execute("set local enable_seqscan = off; set local enable_indexscan = off; discard plans")
        scans = "select pg_stat_get_xact_numscans('record_terms'::regclass)"
        cursor.execute(scans)  # of earlier tests, as far as they are not yet counted in
        (before,) = cursor.fetchone()
        cursor.execute("select records_lookup('sites', 'boiler', '{}', 10)")
        cursor.execute(scans)
        assert cursor.fetchone() == (before + 1,)


def look_up(words: str, facets: str = "{}", stream: str = "sites") -> object:
    with connection.cursor() as cursor:
        cursor.execute("select records_lookup(%s, %s, %s, 10)", [stream, words, facets])
        return cursor.fetchone()[0]


def test_without_a_tenant_nothing_is_found(filled: House):
    assert look_up("boiler") == []


def test_no_caller_can_name_another_tenant(filled: House, neighbour: House):
    """Neither by a word, a stream or a value that looks like the index's own."""
    theirs = neighbour.tenant.pk
    with filled.scope:
        for stream, words in (
            ("sites", f"{theirs}:sites:boiler"),
            ("sites", f"x' | '{theirs}:sites:boiler"),
            (f"sites' | '{theirs}:sites", "boiler"),
        ):
            assert look_up(words, stream=stream) == []
        assert look_up("", f"""{{"kind": "x' | '{theirs}:sites:boiler"}}""") == []
