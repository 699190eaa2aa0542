"""Appointments made at the emulator through the API: where they show, and what is refused."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.sandbox.kit import Fault
from integrations.vendors.coreplus import connector
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess
from tests.integrations.vendors.coreplus.asking import (
    BASE,
    Row,
    appointments,
    ask,
    book,
    booking,
    free,
    known_client,
    new_client,
    reason,
    slots,
)

WITH_BLANK = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d [+-]\d\d:\d\d")


def made_up_slot(sandbox: Emulator) -> Row:
    """Made up, for bodies that are refused before anybody looks at it."""
    world = sandbox.worlds[0]
    return {
        "startDateTime": "2026-09-07T09:00:00 +10:00",
        "practitioner": world.practitioner(0),
        "locationId": world.ids["location"].of(0),
    }


def at(slot: Row, start: str, end: str) -> dict[str, str]:
    date, offset = slot["startDateTime"][:10], slot["startDateTime"][20:]
    return {"startDateTime": f"{date} {start} {offset}", "endDateTime": f"{date} {end} {offset}"}


def test_a_booking_is_in_the_list_by_its_id_and_among_the_holdings(coreplus: Emulator) -> None:
    slot = free(coreplus)
    answer = book(coreplus, booking(slot, new_client(coreplus), notes="Knee", notifyPractitioner=True))
    made = answer.json()["appointment"]
    alone = ask(coreplus, f"{BASE}/Appointment/{made['appointmentId']}/").json()["appointment"]
    listed = appointments(coreplus, slot["startDateTime"][:10])[made["appointmentId"]]

    assert answer.status_code == 200
    assert made["appointmentReferenceNumber"]
    assert listed.items() <= alone.items()
    assert (alone["notes"], alone["notifyPractitioner"], alone["status"]) == ("Knee", True, "Booked")
    assert listed["practitioner"] == slot["practitioner"]
    assert made["appointmentId"] in coreplus.holdings("appointments")


def test_a_booking_is_read_by_our_connector(coreplus: Emulator, access: VendorAccess) -> None:
    made = book(coreplus, booking(free(coreplus), new_client(coreplus))).json()["appointment"]
    found = {
        key: {record.external_id for page in access.read_all(connector.stream(key)) for record in page.records}
        for key in ("appointments", "clients")
    }

    assert made["appointmentId"] in found["appointments"]
    assert found == {key: coreplus.holdings(key) for key in found}


def test_a_booking_of_one_practice_is_unknown_to_the_other(coreplus: Emulator) -> None:
    others = coreplus.holdings("appointments", 1)
    made = book(coreplus, booking(free(coreplus), new_client(coreplus))).json()["appointment"]

    assert coreplus.holdings("appointments", 1) == others
    assert ask(coreplus, f"{BASE}/Appointment/{made['appointmentId']}/", account=1).status_code == 404


def test_times_are_sent_without_and_answered_with_seconds_and_a_blank_before_the_offset(coreplus: Emulator) -> None:
    slot = free(coreplus)
    made = book(coreplus, booking(slot, new_client(coreplus))).json()["appointment"]
    listed = appointments(coreplus, slot["startDateTime"][:10])[made["appointmentId"]]

    for row in (made, listed):
        assert WITH_BLANK.fullmatch(row["startDateTime"])
        assert WITH_BLANK.fullmatch(row["endDateTime"])
    assert listed["startDateTime"] == slot["startDateTime"]


def test_a_moment_may_be_sent_in_any_offset(coreplus: Emulator) -> None:
    slot = free(coreplus)
    start = datetime.fromisoformat(slot["startDateTime"].replace(" ", ""))
    end = start + timedelta(minutes=30)
    times = {
        name: f"{moment.astimezone(datetime.fromisoformat('2026-01-01T00:00:00-05:00').tzinfo):%Y-%m-%d %H:%M} -05:00"
        for name, moment in (("startDateTime", start), ("endDateTime", end))
    }
    made = book(coreplus, booking(slot, new_client(coreplus), **times)).json()["appointment"]

    assert datetime.fromisoformat(made["startDateTime"].replace(" ", "")) == start


def test_without_a_subject_coreplus_writes_name_and_birth_date(coreplus: Emulator) -> None:
    made = book(coreplus, booking(free(coreplus), new_client(coreplus))).json()["appointment"]

    assert made["subject"] == "Noor Haddad 02/07/1972"


def test_a_subject_that_was_sent_stays(coreplus: Emulator) -> None:
    body = booking(free(coreplus), new_client(coreplus), subject="Booking via portal")

    assert book(coreplus, body).json()["appointment"]["subject"] == "Booking via portal"


@pytest.mark.parametrize(("mobile", "is_sent"), [("0400 000 000", True), (None, False)])
def test_a_text_message_is_sent_only_to_who_has_a_mobile(coreplus: Emulator, mobile: str | None, is_sent: bool) -> None:
    client = new_client(coreplus, phoneNumberMobile=mobile)
    body = booking(free(coreplus), client, isSmsReminderRequired=True, isEmailReminderRequired=True)
    made = book(coreplus, body).json()["appointment"]

    assert (made["isSmsReminderRequired"], made["isEmailReminderRequired"]) == (is_sent, True)


@pytest.mark.parametrize("name", ["startDateTime", "endDateTime"])
@pytest.mark.parametrize(
    "moment",
    [
        "2026-09-07T09:00:00 +10:00",
        "2026-09-07T09:00 +10:00",
        "2026-09-07 09:00:00 +10:00",
        "2026-09-07 09:00+10:00",
        "2026-09-07 09:00 +1000",
        "2026-09-07 09:00 Z",
        "2026-09-07 09:00",
        "2026-09-07 9:00 +10:00",
        "2026-09-07 25:00 +10:00",
        "2026-02-30 09:00 +10:00",
        "07-09-2026 09:00 +10:00",
        "0001-01-01 09:00 +10:00",
        "soon",
        1_788_735_600,
    ],
)
def test_a_moment_in_another_form_is_refused(steady: Emulator, name: str, moment: Any) -> None:
    answer = book(steady, booking(made_up_slot(steady), known_client(steady), **{name: moment}))

    assert answer.status_code == 400
    assert answer.json()["result"][0]["severity"] == 2
    assert reason(answer).startswith(name)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"startDateTime": None}, "startDateTime is required"),
        ({"endDateTime": None}, "endDateTime is required"),
        ({"practitioner": None}, "practitioner is required"),
        ({"practitioner": {}}, "practitionerId is required"),
        ({"practitioner": "guid"}, "practitioner must be an object"),
        ({"practitioner": {"practitionerId": "unknown"}}, "practitionerId is not known"),
        ({"locationId": None}, "locationId is required"),
        ({"locationId": 7}, "locationId is not known"),
        ({"clients": None}, "clients is required"),
        ({"clients": []}, "clients is required"),
        ({"clients": "guid"}, "clients must be a list"),
        ({"clients": ["guid"]}, "A client must be an object"),
        ({"clients": [{"clientId": "unknown"}]}, "clientId is not known"),
        ({"appointmentTypeId": "unknown"}, "appointmentTypeId is not known"),
        ({"endDateTime": "2026-09-07 09:00 +10:00"}, "endDateTime must be after startDateTime"),
        ({"subject": "s" * 301}, "subject must be a text of at most 300 characters"),
        ({"notes": 7}, "notes must be a text of at most 300 characters"),
        ({"notifyPractitioner": "true"}, "notifyPractitioner must be true or false"),
        ({"isSmsReminderRequired": 1}, "isSmsReminderRequired must be true or false"),
    ],
)
def test_a_booking_of_the_wrong_form_is_refused(steady: Emulator, changes: Row, said: str) -> None:
    answer = book(steady, booking(made_up_slot(steady), known_client(steady), **changes))

    assert answer.status_code == 400
    assert answer.json() == {"result": [{"severity": 2, "reason": said}]}


def test_ids_of_the_other_practice_are_not_known(steady: Emulator) -> None:
    answer = book(steady, booking(made_up_slot(steady), known_client(steady, 1)))

    assert (answer.status_code, reason(answer)) == (400, "clientId is not known")


def test_a_body_that_is_no_object_is_refused(steady: Emulator) -> None:
    assert reason(book(steady, [])) == "The body must be an object"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end"),
    [("10:00", "11:00"), ("10:15", "10:30"), ("09:45", "10:15"), ("10:45", "11:15"), ("09:00", "12:00")],
)
def test_a_practitioner_has_one_appointment_at_a_time(coreplus: Emulator, start: str, end: str) -> None:
    slot, client = free(coreplus), new_client(coreplus)
    assert book(coreplus, booking(slot, client, **at(slot, "10:00", "11:00"))).status_code == 200
    before = coreplus.holdings("appointments")
    answer = book(coreplus, booking(slot, client, **at(slot, start, end)))

    assert answer.status_code == 400
    assert answer.json() == {"result": [{"reason": "The slot is not available"}]}
    assert coreplus.holdings("appointments") == before


@pytest.mark.parametrize(("start", "end"), [("09:00", "10:00"), ("11:00", "11:30")])
def test_one_appointment_may_begin_when_another_ends(coreplus: Emulator, start: str, end: str) -> None:
    slot, client = free(coreplus), new_client(coreplus)
    book(coreplus, booking(slot, client, **at(slot, "10:00", "11:00")))

    assert book(coreplus, booking(slot, client, **at(slot, start, end))).status_code == 200


def test_another_practitioner_is_free_at_that_time(coreplus: Emulator) -> None:
    slot, client = free(coreplus), new_client(coreplus)
    book(coreplus, booking(slot, client))
    same_time = slots(coreplus, slot["startDateTime"][:10])
    other = next(one for one in same_time if one["practitioner"] != slot["practitioner"])

    assert book(coreplus, booking(other, client)).status_code == 200


@pytest.mark.parametrize(("start", "end"), [("08:30", "09:30"), ("17:45", "18:15"), ("03:00", "03:30")])
def test_nobody_is_booked_outside_working_hours(coreplus: Emulator, start: str, end: str) -> None:
    slot = free(coreplus)
    answer = book(coreplus, booking(slot, known_client(coreplus), **at(slot, start, end)))

    assert (answer.status_code, answer.json()) == (400, {"result": [{"reason": "The slot is not available"}]})


def test_nobody_is_booked_over_night(coreplus: Emulator) -> None:
    slot = free(coreplus)
    times = at(slot, "17:00", "09:30")
    following = datetime.fromisoformat(slot["startDateTime"][:10]) + timedelta(days=1)
    times["endDateTime"] = f"{following.date()}{times['endDateTime'][10:]}"
    answer = book(coreplus, booking(slot, known_client(coreplus), **times))

    assert (answer.status_code, reason(answer)) == (400, "The slot is not available")


def test_nobody_is_booked_where_they_do_not_work(coreplus: Emulator) -> None:
    slot, world = free(coreplus), coreplus.worlds[0]
    elsewhere = next(row["locationId"] for row in world.locations() if row["locationId"] != slot["locationId"])
    answer = book(coreplus, booking(slot, known_client(coreplus), locationId=elsewhere))

    assert (answer.status_code, reason(answer)) == (400, "The slot is not available")


def test_one_client_only_is_taken(coreplus: Emulator) -> None:
    clients = [{"clientId": new_client(coreplus)}, {"clientId": new_client(coreplus)}]
    answer = book(coreplus, booking(free(coreplus), "", clients=clients))

    assert (answer.status_code, answer.json()) == (400, {"result": [{"reason": "Only one client is supported"}]})


@pytest.mark.parametrize("status", [200, 409])
def test_a_conflict_can_come_with_another_status(coreplus: Emulator, status: int) -> None:
    slot, client = free(coreplus), new_client(coreplus)
    coreplus.conflict_status = status
    book(coreplus, booking(slot, client))
    answer = book(coreplus, booking(slot, client))

    assert (answer.status_code, list(answer.json())) == (status, ["result"])


@pytest.mark.parametrize("removal", ["cancelled", "deleted"])
def test_the_time_of_what_was_cancelled_or_deleted_is_free_again(coreplus: Emulator, removal: str) -> None:
    slot, client = free(coreplus), new_client(coreplus)
    made = book(coreplus, booking(slot, client)).json()["appointment"]["appointmentId"]
    world = coreplus.worlds[0]
    number = world.find("appointment", made)
    assert number is not None
    if removal == "cancelled":
        world.diary.cancelled[number] = "Unwell"
    else:
        world.diary.deleted.add(number)

    assert book(coreplus, booking(slot, client)).status_code == 200


def test_a_booking_whose_answer_was_lost_was_made(coreplus: Emulator) -> None:
    slot, client = free(coreplus), new_client(coreplus)
    coreplus.weather.add(Fault(path="Appointment", lose_reply=True))
    with pytest.raises(Exception, match="disconnected"):
        book(coreplus, booking(slot, client))

    assert client in [
        row["clients"][0]["clientId"] for row in appointments(coreplus, slot["startDateTime"][:10]).values()
    ]
    assert book(coreplus, booking(slot, client)).status_code == 400


# Cancelling, which is not documented


def test_cancelling_through_the_api_is_off(coreplus: Emulator) -> None:
    made = book(coreplus, booking(free(coreplus), new_client(coreplus))).json()["appointment"]["appointmentId"]

    assert book(coreplus, {"appointmentId": made, "deleted": "true"}).status_code == 400
    assert made in coreplus.holdings("appointments")


def test_where_it_is_on_a_cancelled_appointment_leaves_the_list(coreplus: Emulator) -> None:
    coreplus.take_cancellations(account=0)
    made = book(coreplus, booking(free(coreplus), new_client(coreplus))).json()["appointment"]["appointmentId"]
    answer = book(coreplus, {"appointmentId": made, "deleted": "true"})
    told = ask(coreplus, f"{BASE}/Appointment/{made}/?cancellationId=true").json()["appointment"]

    assert answer.json()["appointment"]["appointmentId"] == made
    assert made not in coreplus.holdings("appointments")
    assert (told["status"], bool(told["cancellationReasonId"])) == ("Cancelled", True)
    assert book(coreplus, {"appointmentId": "unknown", "deleted": "true"}).status_code == 400


def test_cancelling_is_on_for_the_practice_chosen(coreplus: Emulator) -> None:
    coreplus.take_cancellations(account=0)
    own = next(iter(coreplus.holdings("appointments", 1)))

    assert book(coreplus, {"appointmentId": own, "deleted": "true"}, account=1).status_code == 400
    assert book(coreplus, {"appointmentId": own, "deleted": "true"}, account=0).status_code == 400
    assert own in coreplus.holdings("appointments", 1)
