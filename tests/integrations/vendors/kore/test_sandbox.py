"""The emulator answers as KORE's guide says: filters, order, selection, errors."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from integrations.answers import Answer
from integrations.errors import RetryLater
from integrations.http import Http
from integrations.sandbox.kit import Fault
from integrations.vendors.kore import connector
from integrations.vendors.kore.sandbox import Emulator
from integrations.vendors.kore.sandbox_query import guid_key
from tests.integrations.vendor_access import vendor_access
from tests.integrations.vendors.kore.conftest import MONDAY, NOON

Ask = Callable[..., Answer]


@pytest.fixture
def ask(kore: Emulator) -> Iterator[Ask]:
    """GET a path with query parameters, signed in as the first customer."""
    with vendor_access(connector, kore) as access:
        headers = {"authorization": f"Bearer {access.token()}", "x-api-key": access.secret("api_key")}

        def get(path: str, method: str = "GET", **query: Any) -> Answer:
            pairs = [(name, str(value)) for name, value in query.items()]
            return access.http.send(method, kore.url + path, query=pairs, headers=headers)

        yield get


def rows(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    found = json.loads(answer.body)
    assert isinstance(found, list)
    return found


def all_rows(ask: Ask, entity: str, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := rows(ask(f"/entities/{entity}", skip=len(found), **query)):
        found += page
    return found


def test_a_page_has_100_rows_unless_fewer_are_asked_for(ask):
    assert len(rows(ask("/entities/billings"))) == 100
    assert len(rows(ask("/entities/billings", top=7))) == 7
    assert len(rows(ask("/entities/billings", skip=300))) == 30
    assert rows(ask("/entities/billings", skip=999)) == []


@pytest.mark.parametrize(
    ("query", "keep"),
    [
        ("bill_number eq 'b-100007'", lambda r: r["bill_number"] == "B-100007"),
        ("amount gt 20000 and amount le 45000", lambda r: 20000 < r["amount"] <= 45000),
        ("amount lt 5000 or amount ge 90000.00", lambda r: r["amount"] < 5000 or r["amount"] >= 90000),
        ("paid_date eq null", lambda r: "paid_date" not in r),
        ("paid_date ne null and balance eq 0", lambda r: "paid_date" in r),
        ("payment_status eq 2", lambda r: r["payment_status"]["code"] == 2),
        ("payment_status.code ne 2", lambda r: r["payment_status"]["code"] != 2),
        ("payment_status.value eq 'partially paid'", lambda r: r["payment_status"]["code"] == 1),
        ('payment_status.value eq "Partially Paid"', lambda r: r["payment_status"]["code"] == 1),
        ("payment_status.value eq Unpaid", lambda r: r["payment_status"]["code"] == 0 and r["invoiced_amount"]),
        ("state eq 0", lambda r: r["state"]["code"] == 0),
        ("bill_date ge 2026-03-01T23:59:59+14:00", lambda r: r["bill_date"] >= "2026-03-01"),
        ("(amount gt 5000 and payment_status eq 2) or state eq 1", None),
        ("amount gt 5000 and (payment_status eq 2 or state eq 1)", None),
        ("amount gt 5000 or amount lt 4000 and state eq 1", None),
    ],
)
def test_a_filter_keeps_what_it_says(ask, query, keep):
    everything = all_rows(ask, "billings")
    keep = (
        keep
        or {
            "(": lambda r: (r["amount"] > 5000 and r["payment_status"]["code"] == 2) or r["state"]["code"] == 1,
            "a": lambda r: (
                r["amount"] > 5000 and (r["payment_status"]["code"] == 2 or r["state"]["code"] == 1)
                if "(" in query
                else r["amount"] > 5000 or (r["amount"] < 4000 and r["state"]["code"] == 1)
            ),
        }[query[0]]
    )

    found = all_rows(ask, "billings", filter=query)

    assert [r["id"] for r in found] == [r["id"] for r in everything if keep(r)]
    assert 0 < len(found) < 330


@pytest.mark.parametrize(
    "moment", ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00", "2026-03-01T12:00:00.999+02:00", "2026-03-01T05:00-05:00"]
)
def test_system_times_are_compared_in_utc_to_the_second(ask, moment):
    found = all_rows(ask, "billings", filter=f"modified_date ge {moment}")

    everything = all_rows(ask, "billings")
    assert {r["id"] for r in found} == {r["id"] for r in everything if r["modified_date"] >= "2026-03-01T10:00:00Z"}


def test_wall_clock_times_ignore_the_zone(ask):
    some = rows(ask("/entities/deals", top=1))[0]

    found = all_rows(ask, "deals", filter=f"kick_off_time eq {some['kick_off_time']}-11:00")

    assert some["id"] in {r["id"] for r in found}


def test_order_by_several_fields(ask):
    found = all_rows(ask, "billings", orderby="account_name desc, due_date, bill_number desc")

    expected = sorted(found, key=lambda r: r["bill_number"], reverse=True)
    expected.sort(key=lambda r: r["due_date"])
    expected.sort(key=lambda r: r["account_name"].casefold(), reverse=True)
    assert [r["id"] for r in found] == [r["id"] for r in expected]


def test_ids_are_ordered_as_the_database_has_them_not_as_text(ask):
    found = [r["id"] for r in all_rows(ask, "deals", orderby="id")]

    assert found == sorted(found, key=guid_key) != sorted(found)


def test_selection_always_brings_the_id_and_null_only_when_asked_for(ask):
    unpaid = {"filter": "paid_date eq null", "top": 1}

    assert rows(ask("/entities/billings", select="name,paid_date", **unpaid))[0].keys() == {"id", "name"}
    with_null = rows(ask("/entities/billings", select="name,paid_date,null", **unpaid))[0]
    assert with_null.keys() == {"id", "name", "paid_date"}
    assert with_null["paid_date"] is None
    assert "paid_date" in rows(ask("/entities/billings", select="null", **unpaid))[0]


@pytest.mark.parametrize(
    "query",
    [
        {"top": 101},
        {"top": 0},
        {"top": "many"},
        {"skip": -1},
        {"filter": "nonsense eq 1"},
        {"filter": "name"},
        {"filter": "name like 'a'"},
        {"filter": "name eq 'open"},
        {"filter": "(name eq 'a'"},
        {"filter": "name eq 'a')"},
        {"filter": "name eq 'a' and"},
        {"filter": "amount gt much"},
        {"filter": "amount gt null"},
        {"filter": "modified_date ge 20260301"},
        {"filter": "modified_date ge 2026-13-01"},
        {"filter": "name.value eq a"},
        {"filter": "id eq 7"},
        {"orderby": "nonsense"},
        {"orderby": "name sideways"},
        {"select": "nonsense"},
    ],
)
def test_a_bad_query_is_refused_with_the_guides_error_body(ask, query):
    answer = ask("/entities/billings", **query)

    told = json.loads(answer.body)
    assert answer.status == 400
    assert told.keys() == {"id", "error_id", "error", "message", "link", "errors"}
    assert told["error"] == "Validation"
    assert told["errors"] == [told["message"]]


def test_one_row_by_its_id_in_any_case_with_a_selection(ask):
    some = rows(ask("/entities/billings", top=1))[0]

    assert json.loads(ask(f"/entities/billings/{some['id'].upper()}").body) == some
    assert json.loads(ask(f"/entities/billings/{some['id']}", select="name").body) == {
        "id": some["id"],
        "name": some["name"],
    }


def test_what_is_not_there_is_404(kore, ask):
    table = kore.table(0, "billings")
    gone = table.ids[3]
    table.delete(3)

    for path in (f"/entities/billings/{gone}", f"/entities/deals/{table.ids[4]}", "/entities/accounts", "/elsewhere"):
        answer = ask(path)
        assert (answer.status, json.loads(answer.body)["error"]) == (404, "NotFound")
    assert gone not in {r["id"] for r in all_rows(ask, "billings")}


@pytest.mark.parametrize("stream", connector.streams, ids=lambda stream: stream.key)
def test_every_named_entity_has_rows_that_point_to_rows(kore, ask, stream):
    found = all_rows(ask, stream.key)

    assert {row["id"] for row in found} == kore.holdings(stream.key)
    if stream.parent:
        links = {row[name] for row in found for name in stream.wanted({})[stream.parent_field] if name in row}
        assert links <= kore.holdings(stream.parent)


def test_bills_point_to_deals_and_drafts_have_bills_too():
    kore = Emulator(sizes=(600,))
    deals = {kore.table(0, "deals").ids[n]: kore.table(0, "deals").row(n) for n in range(60)}
    bills = [kore.table(0, "billings").row(n) for n in range(600)]

    words = {deals[bill["deal_id"]]["status"]["value"] for bill in bills}
    assert "Draft" in words
    assert all(not b["paid_amount"] for b in bills if deals[b["deal_id"]]["status"]["value"] == "Draft")
    assert all(b["account_name"] == deals[b["deal_id"]]["account_name"] for b in bills)


def test_the_current_user_is_told(ask):
    assert json.loads(ask("/users/current").body)["name"] == "Harbour City Athletics API user"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(ask, method):
    assert ask("/entities/billings", method=method).status == 405


def test_a_browser_is_told_what_it_may_send(ask):
    answer = ask("/entities/billings", method="OPTIONS")

    assert answer.headers["access-control-allow-methods"] == "GET,HEAD,OPTIONS"
    assert answer.headers["access-control-max-age"] == "1800"
    assert "X-Api-Key" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("drop", ["authorization", "x-api-key"])
def test_both_headers_are_required_and_bearer_is_spelt_out(kore, drop):
    with vendor_access(connector, kore) as access:
        headers = {"authorization": f"Bearer {access.token()}", "x-api-key": access.secret("api_key")}
        without = {name: value for name, value in headers.items() if name != drop}
        bare = {**headers, "authorization": access.token()}

        for given in (without, bare):
            answer = access.http.send("GET", f"{kore.url}/entities/deals", headers=given)
            assert (answer.status, json.loads(answer.body)["error"]) == (401, "Authentication")


@pytest.mark.parametrize("is_encoded", [True, False])
def test_a_secret_with_signs_needs_to_be_url_encoded(kore, is_encoded):
    wanted, secrets = kore.demo_setup(0)
    encode = (lambda text: quote(text, safe="")) if is_encoded else (lambda text: text)
    pair = f"{encode(wanted['client_id'])}:{encode(secrets['client_secret'])}"
    parts = urlsplit(kore.url)
    http = Http(allowed=frozenset({(str(parts.hostname), int(parts.port or 0))}))

    answer = http.send(
        "POST",
        f"{kore.url}/connect/token",
        form={"grant_type": "client_credentials"},
        headers={"authorization": "Basic " + base64.b64encode(pair.encode()).decode()},
    )

    http.close()
    assert answer.is_success is is_encoded


def test_data_depend_on_the_seed_alone(kore):
    twin, other = Emulator(sizes=(330,), epoch=kore.epoch), Emulator(sizes=(330,), epoch=kore.epoch, seed=2)

    assert twin.table(0, "billings").row(5) == kore.table(0, "billings").row(5)
    assert other.table(0, "billings").row(5) != kore.table(0, "billings").row(5)


def test_given_tokens_outlive_a_restart(tmp_path, kore):
    before = Emulator(sizes=(20,), epoch=kore.epoch, state_dir=tmp_path)
    with before.serve(), vendor_access(connector, before) as access:
        token = access.token()

    after = Emulator(sizes=(20,), epoch=kore.epoch, state_dir=tmp_path)
    with after.serve(), vendor_access(connector, after) as access:
        access.access_token = token
        assert access.read_all(connector.stream("deals"))
        assert "POST /auth/connect/token" not in after.requests


def test_every_switch_on_the_control_page_can_be_pressed(kore):
    for name, label in kore.controls:
        getattr(kore, name)()
        assert label


@pytest.mark.parametrize("name", Emulator.mishaps)
def test_every_mishap_is_the_same_in_every_run_and_stays_with_its_account(name):
    def data(account: int, *, is_disturbed: bool) -> list[dict[str, Any]]:
        kore = Emulator(sizes=(60, 60), epoch=MONDAY)
        kore.clock.freeze(NOON)
        for _ in range(3 if is_disturbed else 0):
            getattr(kore, name)(account=1)
        tables = kore.worlds[account].tables.values()
        return [table.row(number) for table in tables for number in table.number_of.values()]

    assert data(1, is_disturbed=True) == data(1, is_disturbed=True)
    assert data(0, is_disturbed=True) == data(0, is_disturbed=False)


def test_api_and_sign_in_answer_at_their_own_addresses_only(kore, ask):
    assert ask("/api/entities/deals").status == 200
    assert ask("/auth/entities/deals").status == 404
    assert ask("/api/connect/token", method="POST").status == 404
    assert ask("/auth/connect/token", method="POST").status == 400


def test_fields_can_be_called_otherwise_in_answers_and_in_questions(kore, ask):
    kore.rename_fields()

    found = rows(ask("/entities/billings", filter="net_total gt 5000", orderby="net_total desc", select="net_total"))

    assert found == sorted(found, key=lambda row: -row["net_total"])
    assert ask("/entities/billings", filter="total_amount gt 5000").status == 400


def test_a_deal_goes_with_all_that_hangs_on_it(kore):
    kore.delete_a_deal()

    world = kore.worlds[0]
    (gone,) = set(world.deals.ids) - set(world.deals.number_of)
    assert len(world.tables["deal-lines"].number_of) < len(world.tables["deal-lines"].ids)
    for table in world.tables.values():
        if "deal_id" in table.types:
            assert all(table.link(number)["deal_id"] != gone for number in table.number_of.values())


def test_weather_over_one_customer_leaves_the_other_alone(kore):
    kore.weather.add(Fault(times=99, account=1, status=500))
    with vendor_access(connector, kore, 0) as first, vendor_access(connector, kore, 1) as second:
        assert first.read_all(connector.stream("deals"))
        with pytest.raises(RetryLater):
            second.read_all(connector.stream("deals"))
