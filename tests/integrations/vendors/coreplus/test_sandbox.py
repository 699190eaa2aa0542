"""The emulator minds what coreplus minds."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from integrations.errors import RetryLater
from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus import connector
from integrations.vendors.coreplus.sandbox import Emulator
from integrations.vendors.coreplus.sandbox_data import MELBOURNE, PRACTICES
from tests.integrations.vendor_access import vendor_access

PATH = "/API/Core/v2/Location/"


def ask(sandbox: Emulator, path: str = PATH, **changes: Any) -> httpx.Response:
    """A call as documented, but for `changes` of claims (None: left out) and of what stands under `how`."""
    how = {"method": "GET", "scheme": "JwToken ", "content_type": "application/json", "algorithm": "HS256"}
    how |= changes.pop("how", {})
    practice, now = PRACTICES[0], int(sandbox.clock.now().timestamp())
    claims = {
        "iss": "https://switchboard.example.com",
        "aud": "http://coreplus.com.au",
        "nbf": now - 10,
        "exp": now + 50,
        "consumerId": practice.consumer_id,
        "accessToken": practice.access_token,
        "url": path,
        "httpMethod": how["method"],
    } | changes
    key = how.get("secret", practice.secret) if how["algorithm"] != "none" else ""
    told = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode(told, key, algorithm=how["algorithm"])
    headers = {"authorization": f"{how['scheme']}{token}", "content-type": how["content_type"]}
    with httpx.Client(trust_env=False) as client:
        return client.request(how["method"], f"{sandbox.url}{how.get('sent', path)}", headers=headers)


@pytest.mark.parametrize("path", [PATH, "/api/core/V2/location", "/API/CORE/v2/Location?unknown=1"])
def test_paths_are_taken_in_any_case_with_or_without_their_last_slash(coreplus: Emulator, path: str) -> None:
    assert ask(coreplus, path).status_code == 200


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"how": {"scheme": "Bearer "}}, "scheme"),
        ({"how": {"scheme": "JwToken"}}, "scheme"),
        ({"how": {"scheme": "JwToken  "}}, "scheme"),
        ({"how": {"content_type": "text/plain"}}, "content type"),
        ({"how": {"algorithm": "none"}}, "InvalidAlgorithmError"),
        ({"how": {"algorithm": "HS512", "secret": "s" * 64}}, "InvalidAlgorithmError"),
        ({"how": {"secret": "another-secret-of-sufficient-length-01"}}, "InvalidSignatureError"),
        ({"how": {"sent": "/API/Core/v2/Practitioner/"}}, "url"),
        ({"how": {"sent": f"{PATH}?added=1"}}, "url"),
        ({"consumerId": "unknown"}, "consumerId"),
        ({"consumerId": PRACTICES[2].consumer_id}, "consumerId"),
        ({"accessToken": "unknown"}, "accessToken"),
        ({"httpMethod": "POST"}, "httpMethod"),
        ({"nbf": 4_000_000_000, "exp": 4_000_000_060}, "time"),
        ({"nbf": 1, "exp": 61}, "time"),
        *(({name: None}, "MissingRequiredClaimError") for name in ("iss", "aud", "nbf", "exp", "url", "httpMethod")),
    ],
)
def test_a_token_that_is_not_quite_right_is_refused_without_saying_why(
    coreplus: Emulator, changes: dict[str, Any], flaw: str
) -> None:
    answer = ask(coreplus, **changes)

    assert answer.status_code == 401
    assert answer.json() == {"result": [{"severity": 2, "reason": "Invalid token"}]}
    assert coreplus.refusals == [flaw]


def test_the_audience_is_not_compared(coreplus: Emulator) -> None:
    assert ask(coreplus, aud="https://anything.example.com").status_code == 200


def test_an_access_token_ends_with_its_term_and_lives_again_when_renewed(coreplus: Emulator) -> None:
    coreplus.expire(0)
    assert ask(coreplus).status_code == 401
    coreplus.renew(0)
    assert ask(coreplus).status_code == 200


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("startDate=7-9-2021&endDate=2021-09-07", "startDate"),
        ("startDate=2021-09-07", "endDate"),
        ("startDate=2021-09-07&endDate=2021-09-07&timezoneId=Melbourne", "zone"),
        ("startDate=2021-09-07&endDate=2021-09-07&pageSize=101", "pageSize"),
        ("startDate=2021-09-07&endDate=2021-09-07&pageNumber=0", "pageNumber"),
        ("startDate=2021-09-07&endDate=2021-09-07&pageNumber=one", "pageNumber"),
    ],
)
def test_a_question_of_the_wrong_form_is_refused(coreplus: Emulator, query: str, reason: str) -> None:
    zone = "" if "timezoneId" in query else f"&timezoneId={MELBOURNE[0]}"
    answer = ask(coreplus, f"/API/Core/v2/Appointment/?{query}{zone}")

    assert answer.status_code == 400
    assert reason in answer.json()["result"][0]["reason"]


def test_the_size_of_the_practice_is_as_it_is_told() -> None:
    sandbox = Emulator()
    world = sandbox.worlds[0]

    assert len(sandbox.holdings("appointments")) == 520
    assert len(sandbox.holdings("clients")) == 160
    assert (len(world.locations()), len(world.practitioners())) == (3, 8)
    assert len({location["timezoneId"] for location in world.locations()}) == 2
    days = [world.diary.start(number).date() for number in range(520)]
    assert max(days.count(day) for day in set(days)) > 100


def test_no_practitioner_is_in_two_appointments_at_once() -> None:
    sandbox = Emulator(change_every=timedelta(minutes=1))
    diary = sandbox.worlds[0].diary
    diary.catch_up(sandbox.epoch + timedelta(hours=9))
    today = sandbox.epoch.date()
    near = list(diary.between(today - timedelta(days=40), today + timedelta(days=90)))

    assert len(near) > 500
    assert len({(diary.holder(number), diary.start(number)) for number in near}) == len(near)


def test_the_same_seed_tells_the_same_story() -> None:
    epoch = datetime(2026, 3, 16, tzinfo=UTC)
    stories = []
    for _ in range(2):
        sandbox = Emulator(sizes=(60,), epoch=epoch, change_every=timedelta(minutes=1))
        sandbox.clock.freeze(epoch + timedelta(hours=2))
        happened = [getattr(sandbox, name)(account=0) for name in sandbox.mishaps]
        stories.append((happened, sandbox.holdings("appointments"), sandbox.worlds[0].diary.moved))

    assert stories[0] == stories[1]


def test_every_switch_and_mishap_can_be_pressed_per_practice(coreplus: Emulator) -> None:
    general = {"keep_to_the_limit", "put_the_clock_forward"}
    for name in {name for name, _ in coreplus.controls} - general | set(coreplus.mishaps):
        assert "account" in inspect.signature(getattr(coreplus, name)).parameters, name


def test_a_switch_for_everyone_acts_on_every_practice(coreplus: Emulator) -> None:
    coreplus.cancel(account=None)

    assert [len(world.diary.cancelled) for world in coreplus.worlds] == [1, 1, 1]


def test_weather_over_one_practice_leaves_the_other_alone(coreplus: Emulator) -> None:
    coreplus.weather.add(Fault(account=1, status=503))
    with vendor_access(connector, coreplus, 0) as first, vendor_access(connector, coreplus, 1) as second:
        assert connector.check(first)
        with pytest.raises(RetryLater):
            connector.check(second)
