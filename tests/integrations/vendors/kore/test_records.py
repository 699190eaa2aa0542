"""What a bill of KORE's becomes; the payloads lie beside this file."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import RecordRejected
from integrations.values import Billing, BillingStatus
from integrations.vendors.kore import connector
from integrations.vendors.kore.records import Picklist, is_active, parse_picklist, parse_system_time

PAYLOADS = Path(__file__).parent / "payloads"
BILLINGS = connector.stream("billings")


def read(name: str, **context: str) -> Billing:
    value = BILLINGS.interpret((PAYLOADS / f"{name}.json").read_bytes(), context)
    assert isinstance(value, Billing)
    return value


def test_a_full_bill_keeps_every_value_to_the_cent():
    assert read("full") == Billing(
        number="0010421",
        title="Acme – 2026 – Bill 1 of 4",
        status=BillingStatus.PARTIALLY_PAID,
        vendor_status="Partially Paid",
        account="Acme",
        deal_id="5d0a77e1-22bb-4c6d-9e8f-0123456789ab",
        currency="USD",
        amount=Decimal("26750.10"),
        tax_amount=Decimal("1750.10"),
        paid_amount=Decimal("10000.00"),
        balance=Decimal("16750.10"),
        billed_date=date(2026, 1, 15),
        due_date=date(2026, 2, 14),
        paid_date=None,
        opened_at=datetime(2026, 1, 2, 10, tzinfo=UTC),
        changed_at=datetime(2026, 1, 20, 9, 30, tzinfo=UTC),
    )


def test_a_missing_key_means_null():
    bill = read("nothing_but_an_id")

    assert bill == Billing(number="", title="", status=BillingStatus.SCHEDULED, vendor_status="")


def test_bare_codes_and_times_without_a_zone_are_read():
    bill = read("bare_state_and_naive_times")

    assert bill.status == BillingStatus.BILLED
    assert bill.vendor_status == "0"
    assert bill.opened_at == datetime(2018, 4, 30, 16, 20, 19, tzinfo=UTC)
    assert bill.changed_at == datetime(2018, 5, 1, 14, 20, 19, tzinfo=UTC)


def test_a_date_is_never_moved_by_a_zone():
    assert read("bare_state_and_naive_times").billed_date == date(2018, 4, 30)


@pytest.mark.parametrize(
    ("name", "status", "vendor_status"),
    [
        ("inactive", "void", "Inactive"),
        ("paid_in_full", "paid", ""),
        ("draft", "draft", "Draft"),
        ("still_to_come", "scheduled", "Scheduled"),
        ("unknown_status", "unknown", "In dispute"),
        ("unknown_status_but_invoiced", "billed", "In dispute"),
        ("only_the_word_says_paid", "paid", "Paid"),
    ],
)
def test_the_status_follows_state_money_and_word_and_keeps_the_vendors_word(name, status, vendor_status):
    bill = read(name)

    assert (bill.status, bill.vendor_status) == (status, vendor_status)


def test_the_second_candidate_serves_where_the_first_is_missing():
    bill = read("second_candidates", currency="GBP")

    assert (bill.number, bill.account, bill.deal_id) == ("N-7", "7f2c", "")
    assert (bill.amount, bill.balance, bill.currency) == (Decimal("12.50"), Decimal("10.00"), "EUR")
    assert bill.billed_date == date(2026, 4, 1)


def test_the_default_currency_serves_a_bill_without_one():
    assert read("paid_in_full", currency="GBP").currency == "GBP"
    assert read("paid_in_full").currency == ""


def test_a_currency_is_not_guessed_from_its_name():
    assert read("odd_text").currency == ""


def test_text_is_freed_of_nul_and_cut_to_what_fits():
    bill = read("odd_text")

    assert bill.title.startswith("Nul here")
    assert len(bill.title) < 500
    assert bill.number == "10421"
    assert bill.account == ""


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"id":"a","total_amount":"much"}', "The bill's amount is not a number: much"),
        (b'{"id":"a","total_amount":true}', "The bill's amount is not a number: True"),
        (b'{"id":"a","paid_amount":1e400}', "The bill's paid is not a sensible sum: 1E+400"),
        (b'{"id":"a","balance":"NaN"}', "The bill's balance is not a sensible sum: NaN"),
        (b'{"id":"a","due_date":"soon"}', "The bill's due date is not a date: soon"),
        (b'{"id":"a","bill_date":"2026-02-30"}', "The bill's billed date is not a date: 2026-02-30"),
        (b'{"id":"a","created_date":"0001-01-01T00:00:00+14:00"}', "The bill's created is not a time: 0001"),
        (b"[1]", "This record is not a JSON object we can read."),
        (b'{"id":', "This record is not a JSON object we can read."),
        (b'{"id":"\xff"}', "This record is not a JSON object we can read."),
    ],
)
def test_a_bill_that_cannot_be_read_is_set_aside_with_the_reason(payload, reason):
    with pytest.raises(RecordRejected) as rejection:
        BILLINGS.interpret(payload, {})

    assert rejection.value.words.startswith(reason)


@pytest.mark.parametrize(
    ("given_state", "active"),
    [
        ({"code": 0, "value": "Active"}, True),
        ({"code": 1, "value": "Inactive"}, False),
        ({"code": 1}, False),
        ({"value": "ACTIVE"}, True),
        ({"value": "Closed"}, False),
        ({}, True),
        (0, True),
        (1, False),
        ("0", True),
        ("active", True),
        ("Inactive", False),
        (None, True),
        ([], True),
    ],
)
def test_state_is_understood_in_every_shape(given_state, active):
    assert is_active(parse_picklist(given_state)) is active


def test_a_picklist_keeps_code_and_word():
    assert parse_picklist({"code": 4, "value": " Wire "}) == Picklist(code="4", value="Wire")


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_system_times_mean_the_same_with_and_without_their_z(moment):
    text = moment.isoformat(timespec="milliseconds")

    assert parse_system_time(text) == parse_system_time(f"{text}Z") == moment.replace(microsecond=0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Australia/Melbourne", "2026-04-05T02:30:00+11:00", "2026-04-05T02:30:00+10:00"),
        ("Australia/Melbourne", "2026-10-04T01:59:59+10:00", "2026-10-04T03:00:00+11:00"),
        ("America/Chicago", "2026-11-01T01:30:00-05:00", "2026-11-01T01:30:00-06:00"),
        ("America/Chicago", "2026-03-08T01:59:59-06:00", "2026-03-08T03:00:00-05:00"),
        ("Europe/London", "2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00"),
        ("Europe/London", "2026-03-29T00:59:59+00:00", "2026-03-29T02:00:00+01:00"),
    ],
)
def test_system_times_keep_their_moment_in_the_nights_of_the_clock_change(zone, before, after):
    first, second = parse_system_time(before), parse_system_time(after)

    for given_text, moment in ((before, first), (after, second)):
        assert moment.astimezone(ZoneInfo(zone)).isoformat() == given_text
    assert second - first in (timedelta(seconds=1), timedelta(hours=1))


@pytest.mark.parametrize("day", ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"])
@pytest.mark.parametrize("tail", ["", "T02:30:00", "T02:30:00Z", "T23:59:59+14:00", "T00:00:00-11:00"])
def test_a_bare_date_stays_the_same_day_whatever_stands_behind_it(day, tail):
    bill = BILLINGS.interpret(f'{{"id":"a","due_date":"{day}{tail}"}}'.encode(), {})

    assert isinstance(bill, Billing)
    assert bill.due_date == date.fromisoformat(day)


def test_wall_clock_times_are_shown_as_they_come():
    (starts,) = [column for column in connector.stream("events").columns if column.path == "event_date"]

    assert starts.kind == "wall"


def test_names_of_fields_beside_the_record_come_before_the_assumed_ones():
    payload = b'{"id":"a","total_amount":1,"net":2,"gross":3}'

    named = BILLINGS.interpret(payload, {"field: amount": "nothing,net"})

    assert isinstance(named, Billing)
    assert named.amount == Decimal(2)
