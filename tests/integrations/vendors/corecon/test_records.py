"""By what a row of Corecon's is known again."""

from pathlib import Path

import msgspec
import pytest

from integrations.errors import RecordRejected
from integrations.vendors.corecon.records import company_id, project_id, timecard_id
from integrations.vendors.corecon.streams import STREAMS

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def test_a_row_is_known_by_the_vendors_id():
    assert company_id(payload("company")) == "1204"
    assert project_id(payload("project")) == "50039"
    assert timecard_id(payload("timecard"), {}) == "880417"


def test_an_id_may_be_a_text():
    assert company_id(b'{"CompanyId":" A-17\\u0000"}') == "A-17"


def test_a_company_without_an_id_is_known_by_its_name():
    row = payload("company_without_id")
    moved = row.replace(b"Mobile", b"Erie")
    renamed = row.replace(b"Becker Masonry", b"Becker Roofing")

    assert company_id(row).startswith("row-")
    assert company_id(row) == company_id(moved) != company_id(renamed)


def test_a_project_without_an_id_is_known_by_its_number():
    row = payload("project_without_id")

    assert project_id(row) == project_id(row.replace(b"Phase 2", b"Phase 3")) != project_id(row.replace(b"040", b"041"))


def test_a_timecard_without_an_id_is_known_by_what_was_worked():
    row = payload("timecard_without_id")
    approved = row.replace(b"Pending", b"Approved")
    longer = row.replace(b"7.50", b"9")

    assert timecard_id(row, {}) == timecard_id(approved, {}) != timecard_id(longer, {})


def test_equal_timecards_without_an_id_are_counted():
    row, twins = payload("timecard_without_id"), {}

    first, second = timecard_id(row, twins), timecard_id(row, twins)

    assert first.rpartition("-")[2] == "1"
    assert second == first[:-1] + "2"


def test_fields_of_another_type_do_not_matter_beside_an_id():
    assert timecard_id(b'{"LaborTimecardId":5,"Date":20260324,"CostCode":{"a":1}}', {}) == "5"


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
        timecard_id(row, {})
    assert rejected.value.words.endswith(".")


@pytest.mark.parametrize(("stream", "name"), [*zip(STREAMS, ("company", "project", "timecard"), strict=True)])
def test_every_column_is_found_in_the_payload(stream, name):
    row = msgspec.json.decode(payload(name))

    assert {column.path for column in stream.columns} <= set(row)


def test_no_stream_has_a_typed_kind():
    for stream in STREAMS:
        assert stream.kind is None
        with pytest.raises(TypeError):
            stream.interpret(b"{}", {})
