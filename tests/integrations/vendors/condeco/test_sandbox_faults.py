"""Every row of the table of errors can be had from the emulator for the next calls of one customer."""

import httpx
import pytest

from integrations.vendors.condeco.sandbox import Emulator
from integrations.vendors.condeco.sandbox_faults import ROWS

from .program import NO_TLS, Program

COUNTRIES, ONE, START, BOOK, VISITORS, TOKEN = (
    ("GET", "countries", "HierarchyMapping"),
    ("GET", "bookings/310007", "ExternalBookings"),
    ("PUT", "bookings/310007", "ExternalBookings"),
    ("POST", "bookings", "ExternalBookings"),
    ("GET", "visitor", "Visitor"),
    ("POST", "/tokenproviderapi/token", ""),
)
TABLE = {
    "token_grant": (TOKEN, 400, "invalid_grant"),
    "token_client": (TOKEN, 401, "invalid_client"),
    "token_lost": (TOKEN, 404, ""),
    "token_down": (TOKEN, 503, ""),
    "key_missing": (COUNTRIES, 401, "missing subscription key"),
    "key_invalid": (COUNTRIES, 401, "invalid subscription key"),
    "token_refused": (COUNTRIES, 401, "Authorization has been denied"),
    "quota_used": (COUNTRIES, 403, "Quota will be replenished in 02:30:00"),
    "forbidden": (COUNTRIES, 403, "not licensed"),
    "path_unknown": (COUNTRIES, 404, "Resource not found"),
    "booking_gone": (ONE, 400, "Booking Id does not exist."),
    "booking_lost": (ONE, 404, ""),
    "start_refused": (START, 400, "Meeting cannot be started at this moment."),
    "started_already": (START, 400, "Meeting already started."),
    "write_invalid": (BOOK, 400, '"IsError":true'),
    "write_message": (BOOK, 400, '{"message":"The title is too long."}'),
    "write_text": (BOOK, 400, "The title is too long."),
    "read_invalid": (COUNTRIES, 400, '"IsError":true'),
    "error_in_success": (COUNTRIES, 200, '"IsError":true'),
    "room_taken": (BOOK, 409, "not available"),
    "room_overlap": (BOOK, 400, "overlaps"),
    "visit_date": (VISITORS, 400, "next 14 days"),
    "too_many": (COUNTRIES, 429, "Try again in 7 seconds"),
    "portal_page": (COUNTRIES, 200, "<!doctype html>"),
    "outage_page": (COUNTRIES, 503, "<h1>"),
    **{f"status_{code}": (COUNTRIES, code, "") for code in (405, 406, 408, 413, 415, 429, 500, 502, 503, 504)},
}


def ask(program: Program, call: tuple[str, str, str], **options: object) -> httpx.Response:
    method, path, key = call
    if key:
        return program.client.request(method, path, headers={"ocp-apim-subscription-key": program.keys[key]}, **options)
    base = program.client.base_url
    return program.client.post(f"{base.scheme}://{base.host}:{base.port}{path}", data=program.sign_in)


def fail(condeco: Emulator, row: str, **query: str) -> httpx.Response:
    address = f"{condeco.url}/_control/fail_{row}"
    return httpx.post(address, params={"account": "0", **query}, trust_env=False, verify=NO_TLS)


def test_the_table_is_complete():
    assert {*TABLE, "silence"} == {*ROWS}


@pytest.mark.parametrize("row", TABLE)
def test_a_row_of_the_table_is_answered_to_the_next_calls(condeco, program, row):
    call, status, words = TABLE[row]
    fail(condeco, row, times="2")

    answers = [ask(program, call) for _ in range(3)]

    assert [(one.status_code, words in one.text) for one in answers[:2]] == [(status, True)] * 2
    assert answers[2].content != answers[1].content


def test_a_row_is_for_three_calls_unless_told_otherwise(condeco, program):
    condeco.fail_status_503(account=0)

    assert [ask(program, COUNTRIES).status_code for _ in range(4)] == [503, 503, 503, 200]


def test_a_row_for_one_customer_leaves_the_other_alone(condeco, program):
    fail(condeco, "status_503")
    other = Program(condeco, account=1)

    assert (ask(other, COUNTRIES).status_code, ask(program, COUNTRIES).status_code) == (200, 503)
    other.client.close()


def test_a_row_about_writing_lets_reading_pass(condeco, program):
    fail(condeco, "write_text")

    assert ask(program, COUNTRIES).status_code == 200
    assert ask(program, BOOK).text == "The title is too long."


def test_condeco_can_keep_silent(condeco, program):
    fail(condeco, "silence")

    with pytest.raises(httpx.ReadTimeout):
        ask(program, COUNTRIES, timeout=0.3)


def test_a_number_of_calls_that_is_none_is_refused(condeco):
    assert fail(condeco, "status_503", times="many").status_code == 400
