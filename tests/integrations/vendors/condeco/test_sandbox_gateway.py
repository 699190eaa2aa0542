"""The front of the emulator looks at keys, limits and tokens in the vendor's order; behind it are the demo's data."""

import httpx
import pytest

from integrations.vendors.condeco.sandbox import Emulator

from .conftest import MID_MORNING, MONDAY
from .program import NO_TLS, Program


@pytest.fixture
def other(condeco):
    opened = Program(condeco, account=1)
    yield opened
    opened.client.close()


def ask(program: Program, **headers: str) -> tuple[int, str]:
    """Countries, with these headers in place of the program's own."""
    answer = program.client.get("countries", headers={"authorization": "", **headers})
    return answer.status_code, answer.json().get("message") or answer.json().get("Message")


def test_the_gateway_looks_at_the_key_then_the_limits_then_the_token(condeco, program, other):
    mine = program.keys["HierarchyMapping"]
    missing, invalid = ((401, f"Access denied due to {what} subscription key.") for what in ("missing", "invalid"))
    program.send("GET", "countries", "HierarchyMapping")
    condeco.calls_per_minute = 1

    for key, expected in (
        ("", missing),
        ("wrong", invalid),
        (program.keys["ExternalBookings"], invalid),
        (other.keys["HierarchyMapping"], invalid),
    ):
        status, said = ask(program, **{"ocp-apim-subscription-key": key})
        assert (status, said.startswith(expected[1])) == (401, True)

    assert ask(program, **{"ocp-apim-subscription-key": mine})[0] == 429
    condeco.free_minutes()
    condeco.use_up_week(account=0)
    assert ask(program, **{"ocp-apim-subscription-key": mine})[1].startswith("Out of call volume quota.")
    condeco.renew_week(account=0)
    denied = (401, "Authorization has been denied for this request.")
    assert ask(program, **{"ocp-apim-subscription-key": mine}) == denied
    foreign = other.client.headers["authorization"]
    assert ask(program, **{"ocp-apim-subscription-key": mine, "authorization": foreign}) == denied


def test_one_customers_limit_is_not_the_others(condeco, program, other):
    condeco.use_up_week(account=0)

    assert program.send("GET", "countries", "HierarchyMapping")[0] == 403
    assert other.send("GET", "countries", "HierarchyMapping")[0] == 200


def test_a_token_ends_one_second_short_of_twelve_hours(condeco, program):
    program.send("GET", "countries", "HierarchyMapping")

    condeco.half_a_day()

    assert program.send("GET", "countries", "HierarchyMapping")[0] == 401


@pytest.mark.parametrize(
    "change",
    [{"grant_type": ""}, {"client_id": ""}, {"password": "wrong"}, {"grant_type": "client_credentials"}, None],
)
def test_a_sign_in_that_is_not_as_documented_is_an_invalid_grant(condeco, program, change):
    form = {"json": program.sign_in} if change is None else {"data": {**program.sign_in, **change}}

    answer = httpx.post(f"{condeco.url}/tokenproviderapi/token", **form, trust_env=False, verify=NO_TLS)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_hierarchy_comes_in_the_envelope_and_bookings_do_not(condeco, program):
    _, rooms = program.send("GET", "rooms", "HierarchyMapping", params={"locationId": "101"})
    dates = {"startDate": "2026-03-16", "endDate": "2026-03-18"}
    _, bookings = program.send("GET", "bookings", params={"roomId": "501", **dates})

    assert {name: rooms[name] for name in ("IsError", "Status", "Message")} == {
        "IsError": False,
        "Status": False,
        "Message": "",
    }
    assert [*bookings] == ["bookings"]


def test_the_demo_has_what_the_vendor_may_have():
    demo = Emulator(epoch=MONDAY)
    demo.clock.freeze(MID_MORNING)
    bookings = [one.fields_of(number) for one in demo.accounts for number in range(len(one.diary))]
    desks = [book.fields(number) for book in demo.desks for number in range(len(book))]
    first = demo.accounts[0].nodes

    assert [len(first[name]) for name in ("countries", "regions", "locations")] == [2, 3, 4]
    assert len({location["TimeZone"] for location in first["locations"]}) == 4
    assert [sum(getattr(one, name) for one in demo.accounts) for name in ("rooms", "desks")] == [60, 120]
    assert (len(bookings) >= 400, len(desks), sum(map(len, demo.visitors))) == (True, 200, 40)
    for mark in ("privateMeeting", "recurranceId", "deleted", "waitList", "pendingOnGrid", "prepPeriod"):
        assert any(one[mark] for one in bookings), mark
    assert {one["bookingType"] for one in desks} == {0, 1, 2}
    assert any(one["untilFurtherNotice"] for one in desks)
