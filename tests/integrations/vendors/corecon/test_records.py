"""By what a row of Corecon's is known again."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.errors import RecordRejected
from integrations.vendors.corecon.records import (
    COMPANY,
    CONTACT,
    EQUIPMENT,
    EXPENSE,
    LABOR,
    PROJECT,
    Known,
    day_of,
    fields_of,
    given_id,
    identify,
    identify_report_row,
    vendor_date,
)
from integrations.vendors.corecon.streams import STREAMS

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def known_as(known: Known, row: bytes, twins: dict[str, int] | None = None) -> str:
    return identify(known, fields_of(row), {} if twins is None else twins)


def test_a_row_is_known_by_the_vendors_id():
    assert known_as(COMPANY, payload("company")) == "1204"
    assert known_as(PROJECT, payload("project")) == "50039"
    assert known_as(LABOR, payload("timecard"), {}) == "880417"


def test_an_id_may_be_a_text():
    assert known_as(COMPANY, b'{"CompanyId":" A-17\\u0000"}') == "A-17"


def test_a_company_without_an_id_is_known_by_its_name():
    row = payload("company_without_id")
    moved = row.replace(b"Mobile", b"Erie")
    renamed = row.replace(b"Becker Masonry", b"Becker Roofing")

    assert known_as(COMPANY, row).startswith("row-")
    assert known_as(COMPANY, row) == known_as(COMPANY, moved) != known_as(COMPANY, renamed)


def test_a_project_without_an_id_is_known_by_its_number():
    row = payload("project_without_id")

    assert (
        known_as(PROJECT, row)
        == known_as(PROJECT, row.replace(b"Phase 2", b"Phase 3"))
        != known_as(PROJECT, row.replace(b"040", b"041"))
    )


def test_a_timecard_without_an_id_is_known_by_what_was_worked():
    row = payload("timecard_without_id")
    approved = row.replace(b"Pending", b"Approved")
    longer = row.replace(b"7.50", b"9")

    assert known_as(LABOR, row, {}) == known_as(LABOR, approved, {}) != known_as(LABOR, longer, {})


def test_equal_timecards_without_an_id_are_counted():
    row, twins = payload("timecard_without_id"), {}

    first, second = known_as(LABOR, row, twins), known_as(LABOR, row, twins)

    assert first.startswith("row-")
    assert second == f"{first}-2"


def test_fields_of_another_type_do_not_matter_beside_an_id():
    assert known_as(LABOR, b'{"LaborTimecardId":5,"Date":20260324,"CostCode":{"a":1}}', {}) == "5"


@pytest.mark.parametrize(
    "row",
    [
        b"{}",
        b"[]",
        b"7",
        b'{"LaborTimecardId":null,"Date":"24-Mar-2026"}',
        b'{"LaborTimecardId":"","EmployeeName":"Pat Lee"}',
        b'{"LaborTimecardId":{"a":1}}',
        b'{"LaborTimecardId":"%b"}' % (b"9" * 201),
        b'{"Date":"24-Mar-2026","EmployeeName":" "}',
    ],
)
def test_a_row_that_cannot_be_told_apart_is_rejected_with_a_reason(row):
    with pytest.raises(RecordRejected) as rejected:
        known_as(LABOR, row, {})
    assert rejected.value.words.endswith(".")


PAYLOAD_NAMES = (
    *("company", "contact", "project", "timecard", "equipment_timecard", "expense"),
    *("overview", "overview", "cost", "change_order", "hours", "hours", "wip", "overview"),
)


@pytest.mark.parametrize(
    ("stream", "name"),
    [*zip(STREAMS, PAYLOAD_NAMES, strict=True)],
    ids=lambda value: value if isinstance(value, str) else value.key,
)
def test_every_column_is_found_in_the_payload(stream, name):
    row = msgspec.json.decode(payload(name))

    assert {column.path for column in stream.columns} <= set(row)


@pytest.mark.parametrize(
    ("known", "name", "expected"),
    [
        (CONTACT, "contact", "20117"),
        (EQUIPMENT, "equipment_timecard", "4000031"),
        (EXPENSE, "expense", "700012"),
    ],
)
def test_each_kind_has_an_id_of_its_own(known, name, expected):
    assert known_as(known, payload(name)) == expected


@pytest.mark.parametrize(
    ("known", "name", "change"),
    [
        (CONTACT, "contact", (b"Superintendent", b"Foreman")),
        (EQUIPMENT, "equipment_timecard", (b"Pending", b"Approved")),
        (EXPENSE, "expense", (b"Lodging, Erie", b"Hotel, Erie")),
    ],
)
def test_without_an_id_a_row_stays_the_same_when_something_else_changes(known, name, change):
    row = payload(name).replace(known.id_field.encode(), b"NoId")

    assert known_as(known, row) == known_as(known, row.replace(*change))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("overview", "50003/70031"),
        ("cost", "50003/70031/200312"),
        ("change_order", "50003/70031/400311"),
    ],
)
def test_a_row_of_a_report_is_known_by_what_it_is_about(name, expected):
    assert identify_report_row(fields_of(payload(name)), {}) == expected


def test_a_row_of_a_report_may_have_numbers_instead_of_ids():
    row = {"ProjectNumber": "GC-004", "PrimeContractNumber": "002", "JobCostCode": "03-110"}

    assert identify_report_row(row, {}) == "GC-004/002/03-110"


def test_rows_of_a_report_about_the_same_are_counted():
    row, twins = fields_of(payload("hours")), {}

    assert [identify_report_row(row, twins) for _ in range(3)] == [
        "50003/70031/200312",
        "50003/70031/200312-2",
        "50003/70031/200312-3",
    ]


def test_a_row_of_a_report_without_a_project_is_rejected():
    with pytest.raises(RecordRejected):
        identify_report_row({"PrimeContractId": 1}, {})


@pytest.mark.parametrize("value", [True, 1.5, ["7"]])
def test_an_id_of_another_type_is_no_id(value):
    with pytest.raises(RecordRejected):
        given_id({"CompanyId": value}, "CompanyId")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("24-Mar-2026", date(2026, 3, 24)),
        ("2-mar-2026", date(2026, 3, 2)),
        ("2026-03-24", date(2026, 3, 24)),
        ("2026-03-24T23:30:00", date(2026, 3, 24)),
        ("2026-11-01T01:30:00-05:00", date(2026, 11, 1)),
        ("31-Feb-2026", None),
        ("24-03-2026", None),
        ("03/24/2026", None),
        ("24-Mär-2026", None),
        ("", None),
        (None, None),
        (20260324, None),
    ],
)
def test_a_day_is_read_as_it_stands_or_not_at_all(text, day):
    assert day_of(text) == day


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)))
def test_a_day_that_is_sent_is_read_back(day):
    assert day_of(vendor_date(day)) == day


def test_no_stream_has_a_typed_kind():
    for stream in STREAMS:
        assert stream.kind is None
        with pytest.raises(TypeError):
            stream.interpret(b"{}", {})
