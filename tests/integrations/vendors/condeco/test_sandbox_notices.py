"""Who is told what happens at Condeco: over real HTTP, to a real listener."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from integrations.vendors.condeco.sandbox import Emulator
from tests.integrations.listener import Listener, listening

from .program import NIGHT, NO_TLS, USER, UTC_TIMES, Program, at

MEETING_EXTERNAL, PROGRESSION, DESK, RESOURCE, VISITOR = 3, 5, 2, 7, 8
SERVICES = (2, 3, 5, 6, 7, 8)
YEAR_ONE = "0001-01-01T00:00:00"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as made:
        yield made


@pytest.fixture
def listened(program: Program, listener: Listener) -> Listener:
    """Told of everything at the first customer."""
    program.listen(listener.url, *SERVICES)
    return listener


def told(condeco: Emulator, listener: Listener) -> list[Any]:
    """All bodies so far."""
    condeco.sender.deliver()
    return [json.loads(body) for body in listener.got]


def press(condeco: Emulator, switch: str, account: int | None = 0, **texts: str) -> None:
    query = texts if account is None else {"account": str(account), **texts}
    answer = httpx.post(f"{condeco.url}/_control/{switch}", params=query, trust_env=False, verify=NO_TLS)
    assert answer.status_code == 302


def meetings(days: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Action, booking and room of each, whatever its day."""
    items = [item for inner in days.values() for item in inner["ChangedItems"]]
    return [(item["Action"], item["BookingID"], item["ResourceItemID"]) for item in items]


# Who listens


def test_a_booking_made_changed_and_cancelled_through_the_api_is_told_each_time(condeco, program, listened):
    number = program.book(condeco)
    details = {"roomId": 502, "startDate": at(condeco, NIGHT + 24), "endDate": at(condeco, NIGHT + 25)}
    program.send("PUT", f"bookings/{number}", json={"userId": USER, "bookingDetails": details}, **UTC_TIMES)
    program.send("DELETE", "bookings", content=json.dumps({"bookingId": number, "userId": USER}))

    bodies = told(condeco, listened)

    assert [meetings(body) for body in bodies] == [[(1, number, 501)], [(1, number, 502)], [(0, number, 502)]]
    assert [[*body] for body in bodies] == [
        ["2026-03-17T00:00:00"],
        ["2026-03-18T00:00:00"],
        ["2026-03-18T00:00:00"],
    ]


def test_a_notification_is_posted_as_json_and_without_the_secret(condeco, program, listened):
    program.book(condeco)
    told(condeco, listened)

    assert listened.headers[0]["Content-Type"] == "application/json"
    assert "s3" not in str(listened.headers[0]) + listened.got[0]


def test_each_address_is_told_what_it_listens_to(condeco, program, listener):
    for service in (MEETING_EXTERNAL, DESK, VISITOR):
        program.listen(f"{listener.url}/{service}", service)

    for switch in ("book_room", "book_a_desk", "expect_visitor", "rename_room"):
        press(condeco, switch)
    told(condeco, listener)

    assert listener.paths == ["/hook/3", "/hook/2", "/hook/8"]


def test_two_addresses_may_listen_to_the_same(condeco, program, listener):
    program.listen(f"{listener.url}/old", MEETING_EXTERNAL)
    program.listen(f"{listener.url}/new", MEETING_EXTERNAL, PROGRESSION)

    program.book(condeco)
    told(condeco, listener)

    assert listener.paths == ["/hook/old", "/hook/new"]


def test_an_address_registered_again_listens_to_what_it_names_now(condeco, program, listener):
    program.listen(listener.url, MEETING_EXTERNAL)
    program.listen(listener.url, DESK)

    program.book(condeco)

    assert told(condeco, listener) == []


def test_an_address_that_was_unregistered_is_told_nothing(condeco, program, listened):
    program.send("DELETE", "listener", content=json.dumps({"notificationUrl": listened.url}))

    program.book(condeco)

    assert told(condeco, listened) == []


def test_what_goes_into_a_queue_is_not_posted(condeco, program, listener):
    wanted = {"secretkey": "s", "eventTypes": [3], "notificationUrl": listener.url, "queueProvider": 3}
    assert program.send("POST", "listener", json=wanted)[0] == 201

    program.book(condeco)

    assert told(condeco, listener) == []


@pytest.mark.parametrize(
    "change", [{"secretkey": ""}, {"eventTypes": []}, {"eventTypes": [9]}, {"eventTypes": 3}, {"queueProvider": 1}]
)
def test_a_registration_that_is_not_complete_is_refused(condeco, program, change):
    wanted = {"secretkey": "s", "eventTypes": [3], "notificationUrl": "https://portal.example/", "queueProvider": 2}

    assert program.send("POST", "listener", json={**wanted, **change})[0] == 400
    assert condeco.listeners(0) == {}


def test_a_customers_news_goes_to_its_own_listener_only(condeco, program, listened):
    with listening() as others:
        other = Program(condeco, account=1)
        other.listen(others.url, *SERVICES)
        mine = program.book(condeco)
        theirs = other.book(condeco, NIGHT - 4)
        other.client.close()

        assert [meetings(body) for body in told(condeco, others)] == [[(1, theirs, 501)]]
        assert [meetings(body) for body in told(condeco, listened)] == [[(1, mine, 501)]]


def test_a_customer_cannot_unregister_anothers_listener(condeco, program, listened):
    other = Program(condeco, account=1)
    status, _ = other.send("DELETE", "listener", content=json.dumps({"notificationUrl": listened.url}))
    other.client.close()

    assert status == 400
    assert list(condeco.listeners(0)) == [listened.url]


def test_a_listener_can_be_entered_on_the_page_of_switches_and_taken_out(condeco, listener):
    press(condeco, "listen", url=listener.url)
    press(condeco, "book_room")
    assert len(told(condeco, listener)) == 1

    press(condeco, "listen", url="")
    press(condeco, "book_room")
    assert len(told(condeco, listener)) == 1


def test_a_listener_outlives_a_restart(tmp_path):
    small = {"sizes": (10, 10), "state_dir": tmp_path}
    Emulator(**small).listen("https://portal.example/hook", account=1)

    again = Emulator(**small)

    assert [list(again.listeners(number)) for number in (0, 1)] == [[], ["https://portal.example/hook"]]


@pytest.mark.parametrize("status", [400, 500])
def test_a_notification_that_is_refused_is_not_sent_again(condeco, program, listened, status):
    listened.status = status
    program.book(condeco)
    told(condeco, listened)
    condeco.clock.advance(timedelta(days=1))

    assert len(told(condeco, listened)) == 1


def test_what_time_brings_is_told_and_what_it_brought_before_is_not(listener):
    sandbox = Emulator(sizes=(60, 30), change_every=timedelta(hours=1))
    sandbox.clock.freeze(sandbox.epoch + timedelta(hours=10))
    sandbox.listen(listener.url, account=0)
    with sandbox.serve():
        assert told(sandbox, listener) == []
        sandbox.clock.advance(timedelta(hours=6))
        sandbox.let_time_pass()
        assert told(sandbox, listener) != []


# In bad weather


@pytest.mark.parametrize(
    ("switch", "order"),
    [
        ("drop_notices", [3, 4]),
        ("double_notices", [0, 0, 1, 1, 2, 2, 3, 4]),
        ("reverse_notices", [2, 1, 0, 3, 4]),
        ("delay_notices", [3, 4, 0, 1, 2]),
    ],
)
def test_the_next_three_notifications_can_be_lost_doubled_reordered_or_late(condeco, program, listened, switch, order):
    press(condeco, switch)
    numbers = [program.book(condeco, NIGHT + hours) for hours in range(5)]
    told(condeco, listened)
    condeco.clock.advance(timedelta(seconds=30))

    bodies = told(condeco, listened)

    assert [numbers.index(meetings(body)[0][1]) for body in bodies] == order


def test_weather_over_one_customers_notifications_leaves_the_others_alone(condeco, listened):
    with listening() as others:
        condeco.listen(others.url, account=1)
        for switch in ("drop_notices", "batch_notices", "misaddress_notices"):
            press(condeco, switch, account=0)
        press(condeco, "book_room", account=1)

        assert len(told(condeco, others)) == 1
        assert others.paths == ["/hook"]


def test_the_next_three_changes_can_come_in_one_notification(condeco, program, listened):
    press(condeco, "batch_notices")
    numbers = [program.book(condeco, NIGHT + hours) for hours in range(4)]

    batch, single = told(condeco, listened)

    assert meetings(batch) == [(1, number, 501) for number in numbers[:3]]
    assert meetings(single) == [(1, numbers[3], 501)]


def test_a_batch_of_several_services_comes_in_one_notification_each(condeco, listened):
    press(condeco, "batch_notices")
    for switch in ("book_room", "book_a_desk", "book_room"):
        press(condeco, switch)

    desks, rooms = told(condeco, listened)

    assert (len(desks), len(meetings(rooms))) == (1, 2)


def test_a_batch_that_is_still_gathering_goes_out_in_fair_weather(condeco, listened):
    press(condeco, "batch_notices")
    press(condeco, "book_room")
    assert told(condeco, listened) == []

    press(condeco, "clear")

    assert len(told(condeco, listened)) == 1


def test_the_secret_part_of_the_address_can_be_wrong(condeco, program, listener):
    program.listen(f"{listener.url}/condeco/7/meetings/secret", MEETING_EXTERNAL)
    press(condeco, "misaddress_notices")
    for _ in range(4):
        press(condeco, "book_room")
    told(condeco, listener)

    assert listener.paths == ["/hook/condeco/7/meetings/xxxxxx"] * 3 + ["/hook/condeco/7/meetings/secret"]


def test_a_notification_can_be_malformed(condeco, listened):
    press(condeco, "garble_notices")
    press(condeco, "book_room")
    condeco.sender.deliver()

    with pytest.raises(json.JSONDecodeError):
        json.loads(listened.got[0])


def test_a_notification_can_be_spelled_otherwise(condeco, listened):
    press(condeco, "respell_notices")
    press(condeco, "rename_room")

    assert [[*item] for item in told(condeco, listened)[0]] == [["resourceItemId", "resourceType", "action"]]


def test_a_notification_can_name_no_time(condeco, listened):
    press(condeco, "undate_notices")
    press(condeco, "expect_visitor")

    assert told(condeco, listened)[0][0]["UpdatedTime"] == YEAR_ONE


def test_all_services_can_be_told_at_one_address(condeco, program, listener):
    program.listen(f"{listener.url}/first", MEETING_EXTERNAL)
    program.listen(f"{listener.url}/second", DESK)

    press(condeco, "use_one_address")
    press(condeco, "book_a_desk")
    press(condeco, "use_own_addresses")
    press(condeco, "book_a_desk")
    told(condeco, listener)

    assert listener.paths == ["/hook/first", "/hook/second"]
