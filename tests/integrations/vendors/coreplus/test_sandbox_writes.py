"""Clients and appointment types made at the emulator through the API, and whom it lets make what."""

import pytest

from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendors.coreplus.asking import (
    BASE,
    Row,
    appointments,
    ask,
    book,
    booking,
    day_ahead,
    free,
    new_client,
    reason,
)

TYPES = f"{BASE}/appointmenttype/"
CLIENT = {"firstName": "Noor", "lastName": "Haddad", "dateOfBirth": "1972-07-02"}


# Clients


def test_a_client_is_listed_as_coreplus_lists_clients(coreplus: Emulator) -> None:
    made = new_client(coreplus, title="Dr", middleName="Kim", gender="Female", pronoun="she", ExternalId="ours-1")
    rows = {row["clientId"]: row for row in ask(coreplus, f"{BASE}/Client/?pageSize=100").json()["clients"]}

    assert rows[made] == {
        "clientId": made,
        "title": "Dr",
        "firstName": "Noor",
        "middleName": "Kim",
        "lastName": "Haddad",
        "preferredName": "",
        "dateOfBirth": "1972-07-02T00:00:00",
        "gender": "Female",
        "culture": "",
        "pronouns": "she",
        "practitionerId": "",
    }
    assert made in coreplus.holdings("clients")
    others = ask(coreplus, f"{BASE}/Client/?pageSize=100", account=1).json()["clients"]
    assert made not in [row["clientId"] for row in others]


def test_the_same_client_sent_twice_is_made_twice(coreplus: Emulator) -> None:
    assert new_client(coreplus, ExternalId="ours-1") != new_client(coreplus, ExternalId="ours-1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"firstName": None}, "firstName is required"),
        ({"lastName": ""}, "lastName is required"),
        ({"dateOfBirth": None}, "dateOfBirth is required"),
        ({"dateOfBirth": "1972-07-02T00:00:00"}, "dateOfBirth must be a date, yyyy-mm-dd"),
        ({"firstName": "f" * 51}, "firstName must be a text of at most 50 characters"),
        ({"culture": "c" * 21}, "culture must be a text of at most 20 characters"),
        ({"title": "Sir"}, "title must be one of Acs Prof, Dr, Master, Miss, Mr, Mrs, Ms, Prof, Rev"),
        ({"gender": "female"}, "gender must be one of Male, Female, Other"),
        ({"pronoun": "it"}, "pronoun must be one of e, he, she, they, xe, ze, other"),
    ],
)
def test_a_client_of_the_wrong_form_is_refused(steady: Emulator, changes: Row, said: str) -> None:
    before = steady.holdings("clients")
    answer = ask(steady, f"{BASE}/Client/", body=CLIENT | changes)

    assert answer.status_code == 400
    assert answer.json() == {"result": [{"severity": 2, "reason": said}]}
    assert steady.holdings("clients") == before


# Appointment types


def test_a_type_is_listed_with_the_others(coreplus: Emulator) -> None:
    sent = {"description": "Home visit", "durationMinutes": "45", "blockColour": "#a1B2c3"}
    answer = ask(coreplus, TYPES, body=sent)
    made = answer.json()["appointmentTypeId"]
    listed = {
        row["appointmentTypeId"]: row
        for specialty in ask(coreplus, f"{BASE}/SpecialtyType/").json()["specialtyTypes"]
        for row in specialty["appointmentTypes"]
    }

    assert answer.json() == {"appointmentTypeId": made, "description": "Home visit"}
    assert listed[made] == {"appointmentTypeId": made, "description": "Home visit", "durationMinutes": "45"}
    assert set(listed) == coreplus.holdings("appointment-types")
    assert made not in coreplus.holdings("appointment-types", 1)


def test_a_type_that_was_made_can_be_booked(coreplus: Emulator) -> None:
    kind = ask(coreplus, TYPES, body={"description": "Home visit"}).json()["appointmentTypeId"]
    made = book(coreplus, booking(free(coreplus), new_client(coreplus), appointmentTypeId=kind))

    assert made.json()["appointment"]["appointmentTypeId"] == kind


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"description": None}, "description is required"),
        ({"blockColour": "blue"}, "blockColour must be a hexadecimal colour"),
        ({"durationMinutes": "121"}, "durationMinutes must be a number of at most 120, as a text"),
        ({"durationMinutes": "half"}, "durationMinutes must be a number of at most 120, as a text"),
        ({"durationMinutes": 30}, "durationMinutes must be a text of at most 200 characters"),
        ({"practitionerId": "unknown"}, "practitionerId is not known"),
        ({"locationId": "unknown"}, "locationId is not known"),
    ],
)
def test_a_type_of_the_wrong_form_is_refused(steady: Emulator, changes: Row, said: str) -> None:
    answer = ask(steady, TYPES, body={"description": "Home visit"} | changes)

    assert (answer.status_code, answer.json()) == (400, {"result": [{"severity": 2, "reason": said}]})


# Permissions


@pytest.mark.parametrize(
    ("deed", "path", "body", "said"),
    [
        ("make-appointments", "Appointment/", {}, "Not authorized for creating appointment"),
        ("make-clients", "Client/", {}, "Not authorized for creating client"),
        ("make-appointment-types", "appointmenttype/", {}, "Not authorized for creating appointment type"),
        ("availability", "AvailabilitySlot/", None, "Not authorized for viewing availability slot list"),
    ],
)
def test_each_deed_has_a_permission_of_its_own(
    coreplus: Emulator, deed: str, path: str, body: Row | None, said: str
) -> None:
    coreplus.untick(deed, 0)
    assert ask(coreplus, f"{BASE}/{path}", body=body).status_code == 400  # waits for the add-on
    coreplus.reenable(0)
    answer = ask(coreplus, f"{BASE}/{path}", body=body)

    assert (answer.status_code, answer.json()) == (401, {"result": [{"severity": 2, "reason": said}]})
    assert ask(coreplus).status_code == 200
    assert ask(coreplus, f"{BASE}/{path}", body=body, account=1).status_code == 400


def test_whoever_may_read_appointments_may_not_make_them_for_that(coreplus: Emulator) -> None:
    coreplus.refuse_bookings(account=0)

    assert appointments(coreplus, day_ahead(coreplus), day_ahead(coreplus, 9))
    assert book(coreplus, {}).status_code == 401


def test_messages_are_not_enabled(steady: Emulator) -> None:
    how = {"content_type": "multipart/form-data; boundary=x"}
    answer = ask(steady, f"{BASE}/Message/", body={}, how=how)

    assert (answer.status_code, reason(answer)) == (403, "Messages are not enabled for this account")
