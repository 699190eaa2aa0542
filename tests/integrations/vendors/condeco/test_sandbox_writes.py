"""What the emulator lets be changed, with the rules and words that Condeco is known to have."""

import json
from datetime import timedelta

import httpx
import pytest

from .program import NIGHT, USER, UTC_TIMES, Program, at, wish


@pytest.mark.parametrize("form", ["json", "data"])
def test_a_room_can_be_booked_with_json_and_with_a_form(condeco, program, form):
    status, told = program.send("POST", "bookings", **{form: wish(condeco, NIGHT)}, **UTC_TIMES)

    assert status == 201
    status, booking = program.send("GET", f"bookings/{told['bookingID']}")
    assert (booking["meetingTitle"], booking["hostId"], booking["roomID"]) == ("Audit", USER, 501)
    assert booking["timeFromUTC"] == at(condeco, NIGHT).replace(" ", "T")
    assert str(told["bookingID"]) in condeco.holdings("room-bookings")


def test_times_without_the_mark_are_meant_at_the_location(condeco, program):
    _, told = program.send("POST", "bookings", json=wish(condeco, NIGHT - 4))
    _, booking = program.send("GET", f"bookings/{told['bookingID']}")

    assert booking["bookingStart"] == at(condeco, NIGHT - 4).replace(" ", "T")


def test_a_room_is_booked_once_at_a_time(condeco, program):
    program.send("POST", "bookings", json=wish(condeco, NIGHT), **UTC_TIMES)

    status, told = program.send("POST", "bookings", json=wish(condeco, NIGHT + 0.25), **UTC_TIMES)

    assert (status, told["IsError"]) == (409, True)


def test_a_booking_can_be_moved_and_cancelled(condeco, program):
    _, told = program.send("POST", "bookings", json=wish(condeco, NIGHT), **UTC_TIMES)
    number = told["bookingID"]
    details = {"roomId": 502, "startDate": at(condeco, NIGHT + 1), "endDate": at(condeco, NIGHT + 2)}

    status, _ = program.send("PUT", f"bookings/{number}", json={"userId": USER, "bookingDetails": details}, **UTC_TIMES)
    assert status == 200
    _, booking = program.send("GET", f"bookings/{number}")
    assert (booking["roomID"], booking["timeFromUTC"]) == (502, at(condeco, NIGHT + 1).replace(" ", "T"))

    program.send("DELETE", "bookings", content=json.dumps({"bookingId": number, "userId": USER}))
    assert program.send("GET", f"bookings/{number}")[1]["deleted"] == 1


TOO_EARLY_OR_LATE = "Meeting cannot be started at this moment."


@pytest.mark.parametrize(
    ("minutes", "said"), [(-16, TOO_EARLY_OR_LATE), (-15, None), (0, None), (15, None), (16, TOO_EARLY_OR_LATE)]
)
def test_a_meeting_may_be_started_a_quarter_of_an_hour_either_side_of_its_start(condeco, program, minutes, said):
    number = program.book(condeco)
    condeco.clock.advance(timedelta(hours=NIGHT, minutes=minutes))
    condeco.tokens.revoke("session")
    again = Program(condeco)

    start = {"userId": USER, "bookingId": number, "actionType": 1}
    answers = [again.send("PUT", f"bookings/{number}", json=start) for _ in range(2)]
    _, booking = again.send("GET", f"bookings/{number}")
    again.client.close()

    assert [told.get("Message") for _, told in answers] == [said, said or "Meeting already started."]
    assert ([status for status, _ in answers], booking["meetingProgress"]) == (
        ([400, 400], 0) if said else ([200, 400], 1)
    )


def test_nothing_happens_by_chance_to_what_a_program_booked(condeco, program):
    numbers = [program.book(condeco, NIGHT + hours / 2, roomId=502) for hours in range(20)]
    condeco.clock.advance(timedelta(hours=NIGHT + 10))

    bookings = [condeco.accounts[0].fields_of(condeco.accounts[0].number_of(number)) for number in numbers]

    assert {(one["meetingProgress"], one["waitList"], one["pendingOnGrid"]) for one in bookings} == {(0, 0, False)}


def test_a_meeting_that_began_by_itself_counts_as_started(condeco):
    account = condeco.accounts[0]
    for number in condeco._ahead(0):
        condeco.clock.freeze(account.times_of(number)[0] + timedelta(minutes=6))
        if account.fields_of(number)["meetingProgress"] == 1:
            break
    booking = account.booking_id(number)
    program = Program(condeco)

    _, told = program.send("PUT", f"bookings/{booking}", json={"userId": USER, "bookingId": booking, "actionType": 1})

    assert told["Message"] == "Meeting already started."
    program.client.close()


def test_a_cancelled_meeting_cannot_be_started(condeco, program):
    number = program.book(condeco, 0.1)
    program.send("DELETE", "bookings", content=json.dumps({"bookingId": number, "userId": USER}))

    start = {"userId": USER, "bookingId": number, "actionType": 1}
    _, told = program.send("PUT", f"bookings/{number}", json=start)

    assert told["Message"] == "Meeting cannot be started at this moment."


def test_a_meeting_that_ended_cannot_be_extended(condeco, program):
    number = program.book(condeco, 0.1)
    steps = [{"actionType": 1}, {"actionType": 2}, {"actionType": 3, "extendMinutes": 15}]

    answers = [program.send("PUT", f"bookings/{number}", json={"userId": USER, **step}) for step in steps]

    assert [status for status, _ in answers] == [200, 200, 400]


def test_a_meeting_is_not_extended_into_the_next_one(condeco, program):
    number = program.book(condeco, NIGHT)
    program.book(condeco, NIGHT + 0.75)

    steps = [{"actionType": 3, "extendMinutes": minutes} for minutes in (15, 30)]
    answers = [program.send("PUT", f"bookings/{number}", json={"userId": USER, **step}) for step in steps]

    assert [status for status, _ in answers] == [200, 409]


def test_a_change_of_title_leaves_all_else_as_it_was(condeco, program):
    number = condeco.accounts[0].booking_id(condeco._ahead(0)[0])
    _, before = program.send("GET", f"bookings/{number}")

    details = {"userId": USER, "bookingDetails": {"meetingTitle": "Moved walls"}}
    program.send("PUT", f"bookings/{number}", json=details)

    _, after = program.send("GET", f"bookings/{number}")
    expected = {"meetingTitle": "Moved walls", "lastModifiedOn": after["lastModifiedOn"]}
    assert after == {**before, **expected, "createdOn": after["createdOn"]}


@pytest.mark.parametrize(
    ("method", "path", "key", "body"),
    [
        ("POST", "bookings", "ExternalBookings", "[]"),
        ("PUT", "bookings/310007", "ExternalBookings", '{"userId": 2001, "bookingDetails": "soon"}'),
        ("PUT", "bookings/310007", "ExternalBookings", '{"userId": 2001, "actionType": 4}'),
        ("PUT", "bookings/310007", "ExternalBookings", '{"userId": 2001, "actionType": 3, "extendMinutes": "x"}'),
        ("DELETE", "bookings", "ExternalBookings", "not json"),
        ("POST", "deskBookings", "ExternalBookings", '{"userId": 2001, "deskId": 501, "dateList": [1]}'),
        (
            *("POST", "deskBookings", "ExternalBookings"),
            '{"userId": 2001, "deskId": 501, "dateList": [{"date": "2026-03-25", "bookingType": "x"}]}',
        ),
        ("POST", "visitor", "Visitor", '{"locationId": 101, "arrivalDate": "2026-03-19 09:30", "hostData": 1}'),
        ("POST", "listener", "ExternalBookings", '{"secretkey": "s", "eventTypes": "3", "notificationUrl": 1}'),
        ("DELETE", "listener", "ExternalBookings", '{"notificationUrl": ["x"]}'),
    ],
)
def test_a_body_in_another_shape_is_refused(condeco, program, method, path, key, body):
    status, told = program.send(method, path, key, content=body)

    assert (status, told["IsError"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "bookings/1"), ("DELETE", "bookings"), ("DELETE", "deskBookings")]
)
def test_what_does_not_exist_cannot_be_changed(program, method, path):
    status, told = program.send(method, path, content=json.dumps({"userId": USER, "bookingId": 1}))

    assert (status, told["Message"]) == (400, "Booking Id does not exist.")


def test_a_free_desk_can_be_found_booked_and_given_back(condeco, program):
    day = {"date": (condeco.epoch + timedelta(days=9)).date().isoformat(), "bookingType": 2}
    ask = {"userID": USER, "locationID": 101, "groupID": 31, "workSpaceTypeId": 2, "dateList": [day]}
    _, found = program.send("POST", "deskBookings/availableDesks", json=ask)
    desk = found["availableDesks"][0]

    want = {"userId": USER, "deskId": desk["deskID"], "bookingSource": 1, "dateList": [day]}
    status, told = program.send("POST", "deskBookings", json=want)
    assert status == 201
    assert program.send("POST", "deskBookings", json=want)[0] == 409

    program.send("DELETE", "deskBookings", content=json.dumps({"bookingId": told["bookingID"], "userId": USER}))
    assert program.send("GET", f"deskBookings/{told['bookingID']}")[1]["deleted"] == 1
    assert program.send("POST", "deskBookings", json=want)[0] == 201


def test_free_rooms_and_slots_leave_out_what_is_booked(condeco, program):
    program.send("POST", "bookings", json=wish(condeco, NIGHT), **UTC_TIMES)
    times = {"startDateTime": at(condeco, NIGHT), "endDateTime": at(condeco, NIGHT + 1), "isUTCDateTime": "true"}

    _, rooms = program.send("GET", "bookings/availableRooms", params={"locationID": "101", **times})
    _, slots = program.send("GET", "bookings/freeslots", params={"locationId": "101", **times})

    assert 501 not in {room["roomId"] for room in rooms["availableRooms"]}
    (mine,) = [one for one in slots["freePeriod"] if one["resourceID"] == 501]
    assert [slot["startDateTimeUTC"] for slot in mine["freePeriodSlots"]] == [
        at(condeco, NIGHT + 0.5).replace(" ", "T")
    ]


def test_an_announced_visitor_is_listed(condeco, program):
    day = (condeco.epoch + timedelta(days=3)).date().isoformat()
    visitor = {"firstName": "Ida", "lastName": "Berg", "locationId": 101, "arrivalDate": f"{day} 09:30"}

    status, told = program.send("POST", "visitor", "Visitor", json={**visitor, "hostData": {"hostId": USER}})

    assert status == 201
    _, found = program.send("GET", "visitor", "Visitor", params={"locationId": "101", "visitDate": day})
    assert told["visitorId"] in {one["visitorId"] for one in found["visitors"]}


@pytest.mark.parametrize("days", [-1, 14])
def test_visitors_are_shown_for_fourteen_days_only(condeco, program, days):
    day = (condeco.epoch + timedelta(days=days)).date().isoformat()

    status, _ = program.send("GET", "visitor", "Visitor", params={"locationId": "101", "visitDate": day})

    assert status == 400


def test_lists_can_be_read_page_by_page(condeco, program):
    query = {"locationId": "101", "startDate": "2026-03-01", "endDate": "2026-03-31"}
    _, whole = program.send("GET", "deskBookings", params={**query, "pageSize": "0"})
    pages = [
        program.send("GET", "deskBookings", params={**query, "pageSize": "4", "pageNumber": str(number)})[1]
        for number in range(1, len(whole["deskBookings"]) // 4 + 2)
    ]

    assert [one for page in pages for one in page["deskBookings"]] == whole["deskBookings"]


def test_a_user_is_found_by_e_mail_address(condeco, program):
    person = condeco.accounts[0].person(1)

    _, told = program.send("GET", "users", "HierarchyMapping", params={"emailId": person[2]})

    assert (told["Status"], [one["InternalId"] for one in told["Data"]]) == (False, [person[0]])


def test_cost_codes_are_taken_with_their_own_key_only(condeco, program):
    codes = [{"code": "4711", "description": "Facilities", "active": True}]

    assert program.send("POST", "costcodes", json=codes)[0] == 401
    assert program.send("POST", "costcodes", "CostCode", json=codes)[0] == 200
    assert "4711" in condeco.cost_codes[0]


@pytest.mark.parametrize("spelling", [("secretkey", "eventTypes"), ("secretKey", "eventType")])
def test_a_listener_can_be_registered_in_both_spellings_and_removed(condeco, program, spelling):
    secret, kinds = spelling
    wanted = {secret: "s", kinds: [3, 5], "resourceIds": [], "notificationUrl": "https://portal.example/hook"}

    assert program.send("POST", "listener", json=wanted)[0] == 201
    assert list(condeco.listeners(0)) == ["https://portal.example/hook"]
    assert program.send("DELETE", "listener", content=json.dumps(wanted))[0] == 200
    assert condeco.listeners(0) == {}


def test_the_allowance_page_shows_the_calls_of_each_customer(condeco, program):
    program.send("GET", "countries", "HierarchyMapping")

    page = httpx.get(f"{condeco.url}/_allowance").text

    assert "Northlight_Property_US<td>1 of 50000" in page
    assert "Harbour_and_Finch_UK<td>0 of 50000" in page
