"""What people do at the vendor, and what a listener hears of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from integrations.vendors.condeco.sandbox import Emulator
from tests.integrations.listener import listening

from .conftest import MID_MORNING
from .program import NIGHT, USER, Program

NOW = "2026-03-16T11:00:00"  # in New York
YEAR_ONE = "0001-01-01T00:00:00"


def after(condeco: Emulator, *switches: str) -> list[Any]:
    """What a listener of the first customer is told when these are pressed, each in turn."""
    with listening() as listener, listening() as others:
        condeco.listen(listener.url, account=0)
        condeco.listen(others.url, account=1)
        for switch in switches:
            getattr(condeco, switch)(account=0)
        condeco.sender.deliver()
        assert others.got == []
        return [json.loads(body) for body in listener.got]


def test_a_meeting_is_started_extended_and_ended(condeco, program):
    booked, *steps = after(condeco, "start_meeting", "extend_meeting", "end_meeting")

    (item,) = booked["2026-03-16T00:00:00"]["ChangedItems"]
    assert [step[0]["BookingId"] for step in steps] == [item["BookingID"]] * 3
    assert [(step[0]["MeetingProgressionAction"], step[0]["ActionSource"]) for step in steps] == [
        (0, 0),
        (2, 0),
        (1, 0),
    ]
    zone = condeco.accounts[0].site(item["ResourceItemID"] - 501).zone
    until = (condeco.clock.now() + timedelta(minutes=45)).astimezone(zone)
    assert [step[0]["UpdatedTime"] for step in steps] == [YEAR_ONE, f"{until:%Y-%m-%dT%H:%M:%S}", YEAR_ONE]
    _, booking = program.send("GET", f"bookings/{item['BookingID']}")
    assert (booking["meetingProgress"], booking["bookingEnd"]) == (2, f"{until:%Y-%m-%dT%H:%M:%S}")


def test_a_step_taken_through_the_api_has_another_source(condeco, program):
    number = program.book(condeco, NIGHT)
    condeco.clock.advance(timedelta(hours=NIGHT))
    condeco.tokens.revoke("session")
    again = Program(condeco)
    with listening() as listener:
        condeco.listen(listener.url, account=0)
        for action in ({"actionType": 1}, {"actionType": 3, "extendMinutes": 30}, {"actionType": 2}):
            wanted = {"userId": USER, "bookingId": number, **action}
            assert again.send("PUT", f"bookings/{number}", json=wanted)[0] == 200
        condeco.sender.deliver()
        steps = [json.loads(body)[0] for body in listener.got]
    again.client.close()

    assert [(step["MeetingProgressionAction"], step["ActionSource"]) for step in steps] == [(0, 1), (2, 1), (1, 1)]
    assert [step["UpdatedTime"] for step in steps] == [YEAR_ONE, "2026-03-17T05:00:00", YEAR_ONE]


def test_a_day_at_a_desk_begins_goes_on_and_ends(condeco):
    steps = [body[0] for body in after(condeco, "sit_down", "stay_longer", "leave_desk")]

    assert [[*step] for step in steps] == [
        ["BookingId", "ResourceItemId", "UpdateTime", "DeskProgressionAction", "ActionSource"]
    ] * 3
    assert [(step["DeskProgressionAction"], step["ActionSource"]) for step in steps] == [(0, 0), (2, 0), (1, 0)]
    assert [step["UpdateTime"] == YEAR_ONE for step in steps] == [True, False, True]


def test_someone_without_a_desk_books_one_before_sitting_down():
    sandbox = Emulator(sizes=(10, 10), desk_bookings=(0, 0))
    with sandbox.serve():
        booked, seated = after(sandbox, "sit_down")

    assert booked[0]["BookingID"] == seated[0]["BookingId"]


def test_desk_bookings_are_told_with_their_day(condeco, program):
    day = {"date": "2026-03-25", "bookingType": 2}
    with listening() as listener:
        condeco.listen(listener.url, account=0)
        wanted = {"userId": USER, "deskId": 501, "bookingSource": 1, "dateList": [day]}
        _, told = program.send("POST", "deskBookings", json=wanted)
        program.send("DELETE", "deskBookings", content=json.dumps({"bookingId": told["bookingID"], "userId": USER}))
        condeco.sender.deliver()
        made, gone = (json.loads(body)[0] for body in listener.got)

    assert made == {
        "Date": "2026-03-25T00:00:00",
        "BookingID": told["bookingID"],
        "ResourceItemID": 501,
        "Action": 1,
        "UntilFurtherNotice": False,
    }
    assert gone == {**made, "Action": 0}


def test_a_visitor_is_announced_comes_and_goes():
    sandbox = Emulator(sizes=(10, 10), visitors=(0, 0))
    sandbox.clock.freeze(MID_MORNING)
    with sandbox.serve():
        steps = after(sandbox, "let_in_visitor", "undo_arrival", "let_in_visitor", "let_out_visitor", "undo_departure")
        program = Program(sandbox)
        day = {"locationId": "101", "visitDate": "2026-03-16"}
        _, found = program.send("GET", "visitor", "Visitor", params=day)
        program.client.close()

    (visitor,) = found["visitors"]
    told = {"VisitorID": visitor["visitorId"], "BookingID": 0, "LocationID": 101, "UpdatedTime": NOW}
    assert [body[0] for body in steps] == [{**told, "VisitorAction": action} for action in (1, 3, 4, 3, 5, 6)]
    assert (visitor["status"], visitor["arrivedOn"], visitor["departedOn"]) == (1, NOW, YEAR_ONE)


@pytest.mark.parametrize(("switch", "action"), [("expect_visitor", 1), ("update_visitor", 2), ("disinvite_visitor", 0)])
def test_a_visit_that_is_made_changed_or_called_off_is_told(condeco, switch, action):
    assert [body[0]["VisitorAction"] for body in after(condeco, switch)][-1:] == [action]


def test_a_visitor_announced_through_the_api_is_told(condeco, program):
    visitor = {"firstName": "Ida", "lastName": "Berg", "locationId": 101, "arrivalDate": "2026-03-19 09:30"}
    with listening() as listener:
        condeco.listen(listener.url, account=0)
        _, told = program.send("POST", "visitor", "Visitor", json={**visitor, "hostData": {"hostId": USER}})
        condeco.sender.deliver()
        (item,) = json.loads(listener.got[0])

    assert (item["VisitorID"], item["LocationID"], item["VisitorAction"]) == (told["visitorId"], 101, 1)


def test_rooms_and_desks_that_get_another_name_are_told_apart(condeco):
    room, desk = after(condeco, "rename_room", "rename_desk")

    assert [(one[0]["ResourceType"], one[0]["Action"]) for one in (room, desk)] == [(1, 1), (2, 1)]


def test_a_closed_room_takes_its_bookings_with_it_until_it_opens_again(condeco, program):
    *cancelled, closed = after(condeco, "close_room")
    number = closed[0]["ResourceItemID"]

    assert closed[0]["Action"] == 0
    assert {item["Action"] for day in cancelled for one in day.values() for item in one["ChangedItems"]} == {0}
    dates = {"startDate": "2026-03-16", "endDate": "2026-03-30"}
    status, told = program.send("GET", "bookings", params={"roomId": str(number), **dates})
    assert (status, told["Message"]) == (400, "Room Id does not exist.")
    assert str(number) not in condeco.holdings("rooms")

    assert after(condeco, "open_rooms") == [[{"ResourceItemID": number, "ResourceType": 1, "Action": 1}]]
    assert str(number) in condeco.holdings("rooms")


@pytest.mark.parametrize("mishap", Emulator.mishaps)
def test_whatever_people_do_is_told_to_their_own_listener_only(condeco, mishap):
    assert after(condeco, mishap)


def test_a_booking_that_vanishes_is_told_as_deleted(condeco):
    (days,) = after(condeco, "erase_booking")

    assert [item["Action"] for one in days.values() for item in one["ChangedItems"]] == [0]


def test_a_switch_without_an_account_is_for_all(condeco):
    before = [len(condeco.accounts[number].diary) for number in (0, 1)]

    condeco.book_room(account=None)

    assert [len(condeco.accounts[number].diary) for number in (0, 1)] == [count + 1 for count in before]
