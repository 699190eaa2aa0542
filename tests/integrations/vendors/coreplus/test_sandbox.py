"""The emulator minds what coreplus minds."""

import inspect
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from integrations.errors import RetryLater
from integrations.sandbox.control import with_control
from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus import connector
from integrations.vendors.coreplus.sandbox import Emulator
from integrations.vendors.coreplus.sandbox_data import PRACTICES
from tests.integrations.vendor_access import vendor_access
from tests.integrations.vendors.coreplus.asking import BASE, PATH, appointments, ask, days, reason


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
        ({"url": f"{PATH}?NAME=1", "how": {"sent": f"{PATH}?name=1"}}, "url"),
        ({"url": f"{PATH}?name=a%20b", "how": {"sent": f"{PATH}?name=a+b"}}, "url"),  # the same when it is decoded
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


@pytest.mark.parametrize("resource", ["Appointment", "AvailabilitySlot"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        (days("7-9-2021", "2021-09-07"), "startDate"),
        (days("0001-01-01", "2021-09-07"), "startDate"),
        ("?startDate=2021-09-07&timezoneId=39D62534-501C-49CD-9DA9-6FA8D6A81F48", "endDate"),
        (days("2021-09-07", zone="Melbourne"), "zone"),
        (days("2021-09-07", more="&pageSize=101"), "pageSize"),
        (days("2021-09-07", more="&pageNumber=0"), "pageNumber"),
        (days("2021-09-07", more="&pageNumber=one"), "pageNumber"),
    ],
)
def test_a_question_of_the_wrong_form_is_refused(coreplus: Emulator, resource: str, query: str, said: str) -> None:
    answer = ask(coreplus, f"{BASE}/{resource}/{query}")

    assert answer.status_code == 400
    assert said in reason(answer)


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


def test_the_control_page_presses_a_switch_for_the_practice_chosen() -> None:
    with with_control(Emulator(sizes=(20, 10))).serve() as sandbox, httpx.Client(trust_env=False, verify=False) as http:
        for switch in ("refuse_with_200", "refuse_bookings", "slip_one_in", "take_cancellations"):
            answer = http.post(f"{sandbox.url}/_control/{switch}?account=1")
            assert f"done={switch}" in answer.headers["location"]

        assert list(ask(sandbox, account=1).json()) == ["result"]
        assert "locations" in ask(sandbox).json()


def test_a_switch_for_everyone_acts_on_every_practice(coreplus: Emulator) -> None:
    coreplus.cancel(account=None)

    assert [len(world.diary.cancelled) for world in coreplus.worlds] == [1, 1, 1]


def test_weather_over_one_practice_leaves_the_other_alone(coreplus: Emulator) -> None:
    coreplus.weather.add(Fault(account=1, status=503))
    with vendor_access(connector, coreplus, 0) as first, vendor_access(connector, coreplus, 1) as second:
        assert connector.check(first)
        with pytest.raises(RetryLater):
            connector.check(second)


def test_enabling_again_accepts_the_terms_anew_in_production_only(coreplus: Emulator) -> None:
    coreplus.reenable()

    assert [add_on.acceptances for add_on in coreplus.add_ons] == [2, 2, 1]


def test_the_eleventh_call_of_a_second_is_too_many_for_that_consumer(coreplus: Emulator) -> None:
    coreplus.clock.freeze(coreplus.clock.now())
    coreplus.keep_to_the_limit()
    answers = [ask(coreplus, account=number % 2) for number in range(11)]  # two practices, one consumer

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].json() == {"result": [{"severity": 2, "reason": "Too many requests"}]}
    assert "retry-after" not in answers[-1].headers
    assert ask(coreplus, account=2).status_code == 200
    coreplus.clock.advance(timedelta(seconds=1))
    assert ask(coreplus).status_code == 200


def test_a_clock_put_forward_shows_in_the_answers_date(coreplus: Emulator) -> None:
    before = parsedate_to_datetime(ask(coreplus).headers["date"])
    coreplus.put_the_clock_forward()

    assert parsedate_to_datetime(ask(coreplus).headers["date"]) - before >= timedelta(minutes=5)


def test_an_error_can_come_with_200_to_one_practice(coreplus: Emulator) -> None:
    coreplus.refuse_with_200(account=1)
    answers = [ask(coreplus, account=1) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert [list(answer.json()) for answer in answers] == [["result"]] * 3 + [["locations"]]
    assert "locations" in ask(coreplus).json()


def test_one_booked_between_two_pages_lets_a_row_slip(coreplus: Emulator) -> None:
    first, last = coreplus.epoch.date() - timedelta(days=20), coreplus.epoch.date() + timedelta(days=40)
    window = days(first.isoformat(), last.isoformat(), "&pageSize=40&pageNumber=")
    coreplus.slip_one_in(account=0)
    one, two = (ask(coreplus, f"{BASE}/Appointment/{window}{page}").json() for page in (1, 2))

    assert two["paging"]["totalRows"] == one["paging"]["totalRows"] + 1
    assert one["appointments"][-1] == two["appointments"][0]
    assert len(coreplus.holdings("appointments", 1)) == 40


def test_a_cancelled_appointment_leaves_the_list_and_tells_its_reason_when_asked(coreplus: Emulator) -> None:
    gone = coreplus.cancel(account=0)
    path = f"{BASE}/Appointment/{gone}/"
    told = ask(coreplus, f"{path}?cancellationId=true").json()["appointment"]

    assert gone not in appointments(coreplus, told["startDateTime"][:10])
    assert (told["cancellationNotes"], bool(told["cancellationReasonId"])) == ("Client was unwell", True)
    assert "cancellationReasonId" not in ask(coreplus, path).json()["appointment"]


def test_a_deleted_appointment_is_not_found(coreplus: Emulator) -> None:
    gone = coreplus.delete(account=0)

    assert ask(coreplus, f"{BASE}/Appointment/{gone}/").status_code == 404
