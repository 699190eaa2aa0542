import re

from integrations.connections.models import Capability
from integrations.records.models import Record
from integrations.sync.models import StreamState
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
