import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from integrations.connections.models import Capability
from integrations.contract import Column
from integrations.records.models import Record
from integrations.sync.models import StreamState
from portal.pages.business.columns import Cell, cell_of, value_at
from portal.pages.templatetags import business as tags
from tests import sample_data
from tests.page_fixtures import House


def test_every_stream_is_listed_with_its_number(house: House, neighbour: House):
    with neighbour.scope:
        sample_data.connect(neighbour.tenant, "ledger")
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork", name="North")
        sample_data.connect(house.tenant, "fieldwork", name="South")
        StreamState.objects.filter(stream="sites").update(records=1_500)
        Capability.objects.create(
            tenant=house.tenant, connection=connection, stream="notes", state="not_permitted", note="Notes: read"
        )
    text = house.text("records/")
    assert "North, South" in text
    assert "3,000" in text
    assert f"/t/{house.tenant.slug}/records/fieldwork/sites/" in text
    assert f'href="/t/{house.tenant.slug}/work-orders/">Work orders' in text
    assert "Ledger" not in text


def test_a_cell_is_written_as_its_kind_with_nothing_of_the_vendors_run():
    number = Cell(label="Floors", kind="number", value=Decimal(12500))
    assert tags.in_table(number) == '<td data-label="Floors" class="num">12,500</td>'
    text = Cell(label='"Name"', kind="text", value="<b>HQ</b>")
    assert tags.in_table(text) == '<td data-label="&quot;Name&quot;">&lt;b&gt;HQ&lt;/b&gt;</td>'


def test_a_stream_shows_the_columns_it_declares(house: House, neighbour: House):
    with neighbour.scope:
        sample_data.store(sample_data.connect(neighbour.tenant, "fieldwork"), "sites", {"Name": "Their site"})
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        payload = {
            "Name": "Dallas HQ",
            "Address": {"City": "Dallas"},
            "Opened": "2019-04-01T00:00:00",
            "CheckedAt": "2026-11-20T15:00:00Z",
            "Rent": 12500.5,
            "Floors": 4,
            "IsStaffed": True,
        }
        site = sample_data.store(connection, "sites", payload)
        sample_data.store(connection, "sites", {"Name": None, "Address": "nowhere", "Rent": "much", "Floors": 1e400})
        sample_data.store(connection, "sites", {"Opened": "soon", "CheckedAt": "2026-11-20T15:00:00"}, title="Odd")
    text = " ".join(house.text("records/fieldwork/sites/").split())
    assert "Their site" not in text
    for shown in ("Dallas HQ", ">Dallas<", "1 Apr 2019", "12,500.50", ">4<", ">Yes<", ">much<", ">soon<", "Odd"):
        assert shown in text.replace("> ", ">").replace(" <", "<")
    detail = house.text(f"records/{site.pk}/")
    assert "Dallas HQ" in detail
    assert "&quot;Rent&quot;: 12500.5" in detail
    assert neighbour.get(f"records/{site.pk}/").status_code == 404


def test_search_and_order_of_a_generic_list(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        for name in ("Alpha", "Beta", "Gamma"):
            sample_data.store(connection, "sites", {"Name": name}, external_id=f"id-{name}")

    def listed(query: str) -> list[str]:
        return re.findall(r'/records/\d+/">([^<]+)</a>', house.text(f"records/fieldwork/sites/?{query}"))

    assert listed("") == ["Gamma", "Beta", "Alpha"]
    assert listed("sort=changed") == ["Alpha", "Beta", "Gamma"]
    assert listed("q=ALPH") == ["Alpha"]
    assert listed("q=id-Beta") == ["Beta"]


def test_what_has_a_page_of_its_own_leads_there(house: House, neighbour: House):
    with house.scope:
        order = sample_data.work_order(sample_data.connect(house.tenant, "fieldwork"))
    slug = house.tenant.slug
    assert house.get("records/fieldwork/work-orders/").headers["Location"] == f"/t/{slug}/work-orders/"
    assert house.get(f"records/{order.pk}/").headers["Location"] == f"/t/{slug}/work-orders/{order.pk}/"


def test_streams_of_vendors_one_is_not_connected_to_do_not_exist(house: House, neighbour: House):
    with neighbour.scope:
        sample_data.connect(neighbour.tenant, "ledger")
    with house.scope:
        sample_data.connect(house.tenant, "fieldwork")
    for path in ("records/ledger/deals/", "records/fieldwork/nothing/", "records/nobody/nothing/", "records/12345/"):
        assert house.get(path).status_code == 404
    assert neighbour.get("records/ledger/deals/").status_code == 200


def test_a_payload_that_is_no_object_is_still_shown(house: House, neighbour: House):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        record = sample_data.store(connection, "sites", {}, title="Broken")
        Record.objects.filter(pk=record.pk).update(payload="[1, 2")
    assert "Broken" in house.text("records/fieldwork/sites/")
    assert "[1, 2" in house.text(f"records/{record.pk}/")


def test_the_generic_list_asks_few_questions(house: House, neighbour: House, statements):
    with house.scope:
        connection = sample_data.connect(house.tenant, "fieldwork")
        for number in range(60):
            sample_data.store(connection, "sites", {"Name": str(number)})
    asked = statements(lambda: house.text("records/fieldwork/sites/"))
    assert len(asked) <= 8, asked


def sites(house: House, query: str = "") -> list[str]:
    return re.findall(r'/records/\d+/">([^<]+)</a>', house.text(f"records/fieldwork/sites/?{query}"))


@pytest.fixture
def by_city(house: House, neighbour: House):
    """Two sites in Austin, one in Dallas; the neighbour's is in Seoul."""
    for owner, cities in ((neighbour, ("Seoul",)), (house, ("Austin", "Dallas", "Austin"))):
        with owner.scope:
            connection = sample_data.connect(owner.tenant, "fieldwork")
            for number, city in enumerate(cities):
                payload = {"Name": f"{city} {number}", "Address": {"City": city}}
                sample_data.store(connection, "sites", payload, facets={"Address.City": city})
    return connection


def test_a_list_is_narrowed_by_the_values_that_occur(house: House, by_city):
    text = house.text("records/fieldwork/sites/")
    options = re.findall(r'href="[^"]*\?in\.Address\.City=[^"]*"[^>]*>([^<]+)<', text)
    assert options == ["Austin", "Dallas"]
    assert sites(house, "in.Address.City=Austin") == ["Austin 2", "Austin 0"]
    assert "City: Austin" in house.text("records/fieldwork/sites/?in.Address.City=Austin")


def test_a_value_beyond_those_on_offer_is_taken_all_the_same(house: House, by_city):
    assert sites(house, "in.Address.City=Seoul") == []
    assert sites(house, "in.Address.City=%00%22%5C") == []


def test_the_commonest_values_are_on_offer_and_others_can_be_typed(house: House, by_city, monkeypatch):
    monkeypatch.setattr("portal.pages.business.listings._FACET_VALUES", 1)
    text = house.text("records/fieldwork/sites/")
    assert re.findall(r'href="[^"]*\?in\.Address\.City=[^"]*"[^>]*>([^<]+)<', text) == ["Austin"]
    assert "Another city" in text


def test_an_export_of_a_narrowed_stream_is_narrowed_too(house: House, by_city):
    response = house.get("records/fieldwork/sites/export.csv?in.Address.City=Dallas")
    lines = b"".join(response.streaming_content).decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["Dallas 1"]


def test_several_connections_of_a_vendor_can_be_told_apart(house: House, by_city):
    with house.scope:
        other = sample_data.connect(house.tenant, "fieldwork", name="South")
        sample_data.store(other, "sites", {"Name": "Lone"})
    assert sites(house, f"connection={other.pk}") == ["Lone"]
    assert len(sites(house, f"connection={by_city.pk}")) == 3


@pytest.mark.parametrize("zone", ["America/Chicago", "Europe/London", "Australia/Melbourne"])
@pytest.mark.parametrize(
    ("kind", "given", "shown"),
    [
        ("date", "2026-11-24", date(2026, 11, 24)),
        ("date", "2026-11-24T23:30:00-06:00", date(2026, 11, 24)),
        ("wall", "2026-11-01T01:30:00", datetime.fromisoformat("2026-11-01T01:30")),
        ("wall", "2026-11-01T01:30:00+11:00", datetime.fromisoformat("2026-11-01T01:30")),
        ("instant", "2026-11-01T06:30:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("instant", "2026-11-01T06:30:00Z", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("instant", "2026-11-01T01:30:00-05:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
        ("instant", "2026-11-01", date(2026, 11, 1)),
    ],
)
def test_each_kind_of_time_is_read_as_declared_whatever_the_readers_zone(zone, kind, given, shown):
    with timezone.override(zone):
        assert value_at({"At": given}, Column(label="At", path="At", kind=kind)) == shown


@pytest.mark.parametrize(
    ("kind", "given", "zone", "words"),
    [
        ("instant", "2026-10-25T00:30:00Z", "Europe/London", "25 Oct 2026, 01:30"),
        ("instant", "2026-10-25T01:30:00Z", "Europe/London", "25 Oct 2026, 01:30"),
        ("instant", "2026-03-29T01:30:00Z", "Europe/London", "29 Mar 2026, 02:30"),
        ("instant", "2026-03-08T08:30:00Z", "America/Chicago", "8 Mar 2026, 03:30"),
        ("instant", "2026-11-01T07:30:00Z", "America/Chicago", "1 Nov 2026, 01:30"),
        ("instant", "2026-10-03T16:30:00Z", "Australia/Melbourne", "4 Oct 2026, 03:30"),
        ("instant", "2026-04-04T16:30:00Z", "Australia/Melbourne", "5 Apr 2026, 02:30"),
        ("wall", "2026-03-29T01:30:00", "Europe/London", "29 Mar 2026, 01:30"),
        ("wall", "2026-10-04T02:30:00", "Australia/Melbourne", "4 Oct 2026, 02:30"),
        ("date", "2026-11-01", "Australia/Melbourne", "1 Nov"),
    ],
)
def test_the_pages_shift_instants_only(kind, given, zone, words):
    cell = cell_of({"At": given}, Column(label="At", path="At", kind=kind))
    with timezone.override(zone), time_machine.travel("2026-12-24T12:00:00Z", tick=False):
        assert words in str(tags.shown(cell))
