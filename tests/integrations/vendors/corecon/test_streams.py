"""Reading: pages in order, resuming anywhere, and what happens when the vendor does not behave."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.contract import Page
from integrations.errors import RetryLater, VendorChanged
from integrations.sandbox.kit import Fault, Reply, Request
from integrations.vendors.corecon.reading import Place
from integrations.vendors.corecon.records import vendor_date
from integrations.vendors.corecon.sandbox import Emulator
from integrations.vendors.corecon.sandbox_data import Books
from integrations.vendors.corecon.streams import STREAMS
from integrations.zones import windows_of
from tests.integrations.vendor_access import VendorAccess
from tests.integrations.vendors.corecon.browser import connected

COMPANIES, CONTACTS, PROJECTS, TIMECARDS, EQUIPMENT, EXPENSES, *REPORTS = STREAMS
ENTRIES = (TIMECARDS, EQUIPMENT, EXPENSES)
LISTS = (COMPANIES, CONTACTS, PROJECTS, *ENTRIES)
every_stream = pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.key)
every_list = pytest.mark.parametrize("stream", LISTS, ids=lambda stream: stream.key)


def rows(pages: list[Page]) -> list[tuple[str, bytes]]:
    return [(record.external_id, record.payload) for page in pages for record in page.records]


def ids(pages: list[Page]) -> list[str]:
    return [external_id for external_id, _ in rows(pages)]


def told(pages: list[Page]) -> list[tuple[Any, ...]]:
    return [(page.records, page.rejected, page.cursor, page.expected) for page in pages]


def serve_instead(corecon: Emulator, path: str, body: bytes, status: int = 200, times: int = 1) -> None:
    corecon.weather.add(Fault(path=f"{path}$", status=status, body=body, times=times))


@every_stream
def test_a_first_reading_brings_every_row_once_and_in_order(stream, access, corecon):
    found = ids(access.read_all(stream))

    assert len(found) == len(set(found)) == len(corecon.holdings(stream.key))
    assert set(found) == corecon.holdings(stream.key)
    assert found == sorted(found, key=lambda text: [int(part) for part in text.split("/")])


@every_list
def test_a_row_is_kept_byte_for_byte(stream, access, corecon):
    _, payload = rows(access.read_all(stream))[0]

    assert payload == corecon.books[0].row(stream.resource, 0)


@every_stream
def test_reading_on_from_any_page_gives_the_rest(stream, access):
    pages = access.read_all(stream)

    for number, page in enumerate(pages[:-1]):
        assert told(access.read_all(stream, page.cursor)) == told(pages[number + 1 :])


@pytest.fixture(scope="module")
def open_account() -> Iterator[tuple[Emulator, VendorAccess]]:
    emulator = Emulator(sizes=(3, 1), projects=(5, 1), timecards=(1, 1))
    with emulator.serve(), connected(emulator) as access:
        yield emulator, access


@settings(max_examples=20, deadline=None)
@given(
    timecards=st.sampled_from([0, 1, 260, 520]),
    is_bare=st.booleans(),
    with_ids=st.booleans(),
    stop_after=st.integers(0, 20),
)
def test_a_resumed_reading_stores_what_an_uninterrupted_one_stores(
    open_account, timecards, is_bare, with_ids, stop_after
):
    emulator, access = open_account
    emulator.is_bare = is_bare
    emulator.books[0] = Books(
        seed=1,
        epoch=emulator.epoch,
        prefix="GC",
        sizes={**emulator.books[0].sizes, "LaborTime": timecards},
        first_id=1,
        with_ids=with_ids,
    )

    whole = access.read_all(TIMECARDS)
    resumed = whole[: stop_after + 1]
    if len(resumed) < len(whole):
        resumed += access.read_all(TIMECARDS, resumed[-1].cursor)

    assert told(resumed) == told(whole)
    assert len(set(ids(whole))) == len(rows(whole)) == timecards


@every_stream
def test_an_incremental_reading_after_mishaps_brings_what_a_full_one_would(stream, access, corecon):
    pages = access.read_all(stream)
    known = dict(rows(pages))
    for mishap in corecon.mishaps:
        getattr(corecon, mishap)()

    changes = dict(rows(access.read_all(stream, pages[-1].cursor)))

    whole = dict(rows(access.read_all(stream)))
    assert whole.keys() == corecon.holdings(stream.key)
    assert {key: row for key, row in (known | changes).items() if key in whole} == whole


def test_a_moving_sandbox_stays_in_step_with_incremental_readings():
    emulator = Emulator(sizes=(9, 3), timecards=(300, 10), change_every=timedelta(minutes=5))
    emulator.clock.freeze(emulator.epoch)
    with emulator.serve(), connected(emulator) as access:
        pages = access.read_all(TIMECARDS)
        known = dict(rows(pages))
        emulator.clock.advance(timedelta(minutes=500))
        known |= dict(rows(access.read_all(TIMECARDS, pages[-1].cursor)))

        assert known == dict(rows(access.read_all(TIMECARDS)))
        assert len(known) == 310  # every tenth change is a new one


def test_a_removed_row_is_missing_from_the_next_reading(access, corecon):
    before = ids(access.read_all(COMPANIES))
    corecon.books[0].removed.add(("Company", 7))

    assert set(before) - set(ids(access.read_all(COMPANIES))) == {before[7]}


@every_stream
def test_the_second_account_sees_only_its_own(stream, access, corecon):
    with connected(corecon, 1) as other:
        theirs = ids(other.read_all(stream))

    assert set(theirs) == corecon.holdings(stream.key, 1)
    assert not set(theirs) & set(ids(access.read_all(stream)))


@every_stream
def test_a_reading_without_rows_ends_in_a_checkpoint(stream):
    emulator = Emulator(sizes=(0, 0), projects=(0, 0), timecards=(0, 0))
    with emulator.serve(), connected(emulator) as access:
        pages = access.read_all(stream)

    assert not ids(pages)
    assert pages[-1].cursor


# Windows of timecards


@pytest.fixture
def asked(corecon: Emulator) -> list[dict[str, Any]]:
    """The bodies of the questions for timecards."""
    bodies: list[dict[str, Any]] = []
    answer = corecon.handle

    def note(request: Request) -> Reply:
        if request.path.endswith("LaborTime/List"):
            bodies.append({**request.json, "page": request.get("page")})
        return answer(request)

    corecon.handle = note  # type: ignore[method-assign]
    return bodies


def windows(asked: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(body["Date"]["FromDate"], body["Date"]["ToDate"]) for body in asked if body["page"] == "1"]


def test_the_first_reading_goes_back_thirteen_months_a_month_at_a_time(one_by_one, asked):
    with time_machine.travel("2026-03-15T18:00:00Z", tick=True):
        list(TIMECARDS.read(one_by_one, ""))

    found = windows(asked)
    assert found[:2] == [("15-Feb-2025", "17-Mar-2025"), ("18-Mar-2025", "17-Apr-2025")]
    assert found[-1][1] == "22-Mar-2026"
    assert len(found) == 13


def test_the_next_reading_begins_five_weeks_before_the_day_of_the_last(one_by_one, asked):
    with time_machine.travel("2026-03-15T18:00:00Z", tick=True):
        *_, last = TIMECARDS.read(one_by_one, "")
    asked.clear()
    with time_machine.travel("2026-03-16T18:00:00Z", tick=True):
        *_, last = TIMECARDS.read(one_by_one, last.cursor)

    assert windows(asked) == [("08-Feb-2026", "10-Mar-2026"), ("11-Mar-2026", "23-Mar-2026")]
    assert msgspec.json.decode(last.cursor) == {"done": "2026-03-16"}


def test_a_run_keeps_its_day_when_it_goes_on_after_midnight(access, asked):
    with time_machine.travel("2026-03-15T18:00:00Z", tick=True):
        pages = access.read_all(TIMECARDS)
    with time_machine.travel("2026-03-17T18:00:00Z", tick=True):
        resumed = access.read_all(TIMECARDS, pages[0].cursor)

    assert told(resumed) == told(pages[1:])


def test_the_day_is_that_of_the_account(one_by_one, asked):
    one_by_one.settings["time_zone"] = "Pacific/Auckland"
    with time_machine.travel("2026-03-15T18:00:00Z", tick=True):
        list(TIMECARDS.read(one_by_one, ""))

    assert windows(asked)[-1][1] == "23-Mar-2026"
    assert asked[0]["Timezone"] == "New Zealand Standard Time"


@pytest.mark.parametrize(
    ("zone", "before_midnight", "day"),
    [  # the nights on which the clock is put forward and back
        ("Australia/Melbourne", "2026-04-04T12:59:30Z", date(2026, 4, 4)),
        ("Australia/Melbourne", "2026-04-05T13:59:30Z", date(2026, 4, 5)),
        ("Australia/Melbourne", "2026-10-03T13:59:30Z", date(2026, 10, 3)),
        ("Australia/Melbourne", "2026-10-04T12:59:30Z", date(2026, 10, 4)),
        ("America/Chicago", "2026-03-08T05:59:30Z", date(2026, 3, 7)),
        ("America/Chicago", "2026-03-09T04:59:30Z", date(2026, 3, 8)),
        ("America/Chicago", "2026-11-01T04:59:30Z", date(2026, 10, 31)),
        ("America/Chicago", "2026-11-02T05:59:30Z", date(2026, 11, 1)),
        ("Europe/London", "2026-03-28T23:59:30Z", date(2026, 3, 28)),
        ("Europe/London", "2026-03-29T22:59:30Z", date(2026, 3, 29)),
        ("Europe/London", "2026-10-24T22:59:30Z", date(2026, 10, 24)),
        ("Europe/London", "2026-10-25T23:59:30Z", date(2026, 10, 25)),
    ],
)
def test_the_day_of_a_run_changes_at_the_accounts_midnight(zone, before_midnight, day):
    with time_machine.travel(before_midnight, tick=False) as clock:
        assert TIMECARDS.begin(Place(), {"time_zone": zone}).run_date == day
        clock.shift(timedelta(minutes=1))
        assert TIMECARDS.begin(Place(), {"time_zone": zone}).run_date == day + timedelta(days=1)


@pytest.mark.parametrize("zone", ["Australia/Melbourne", "America/Chicago", "Europe/London"])
@pytest.mark.parametrize("day", ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"])
def test_the_position_of_an_entry_is_its_bare_date_in_every_zone(one_by_one, corecon, zone, day):
    one_by_one.settings["time_zone"] = zone
    row = b'{"LaborTimecardId":1,"Date":"%b"}' % vendor_date(date.fromisoformat(day)).encode()
    serve_instead(corecon, "LaborTime/List", b"[" + row + b"]")

    page = next(TIMECARDS.read(one_by_one, ""))

    assert page.records[0].position == day


def test_dates_are_sent_with_english_months():
    assert vendor_date(date(2022, 3, 2)) == "02-Mar-2022"


@pytest.mark.parametrize(
    ("iana", "windows_name"),
    [
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_has_its_windows_name(iana, windows_name):
    assert windows_of(iana) == windows_name


# A vendor that does not behave


def test_rows_without_an_id_get_a_key_that_stays(access, corecon):
    corecon.books[0].with_ids = False

    for stream in LISTS:
        first = ids(access.read_all(stream))
        assert first == ids(access.read_all(stream))
        assert len(set(first)) == len(corecon.books[0].numbers(stream.resource))


def test_equal_rows_without_an_id_are_counted_over_the_pages(one_by_one, corecon):
    row = b'{"Date":"02-Mar-2026","EmployeeName":"Ana Li","ProjectNumber":"GC-1","CostCode":"1","Hours":8}'
    other = row.replace(b"Ana", b"Bo")
    serve_instead(corecon, "LaborTime/List", b"[" + b",".join([row] * 99 + [other]) + b"]")
    serve_instead(corecon, "LaborTime/List", b"[" + b",".join([other, row]) + b"]")
    pages = list(zip(TIMECARDS.read(one_by_one, ""), range(2), strict=False))

    second = [record.external_id for record in pages[1][0].records]
    assert [key.rpartition("-")[2] for key in second] == ["2", "100"]


@every_list
def test_one_bad_row_is_set_aside_and_the_rest_goes_on(stream, one_by_one, corecon):
    good = corecon.books[0].row(stream.resource, 0)
    serve_instead(corecon, f"{stream.resource}/List", b'{"Data":[%b,"what",{"Notes":1},%b]}' % (good, b'{"Hours":1}'))

    page = next(stream.read(one_by_one, ""))

    assert len(page.records) == 1
    assert [rejected.payload for rejected in page.rejected] == [b'"what"', b'{"Notes":1}', b'{"Hours":1}']
    assert all(rejected.reason for rejected in page.rejected)


def test_a_page_that_comes_twice_stops_the_stream(one_by_one, corecon):
    page = corecon.books[0].page("Company", range(100))
    serve_instead(corecon, "Company/List", page, times=2)

    with pytest.raises(VendorChanged) as stopped:
        one_by_one.read_all(COMPANIES)
    assert stopped.value.code == "repeated_page"


def test_a_page_that_comes_twice_is_noticed_after_a_resume_too(one_by_one, corecon):
    pages = one_by_one.read_all(COMPANIES)
    serve_instead(corecon, "Company/List", corecon.books[0].page("Company", range(100)))

    with pytest.raises(VendorChanged):
        one_by_one.read_all(COMPANIES, pages[0].cursor)


@pytest.mark.parametrize("status", [204, 205, 404, 416])
def test_the_end_may_be_told_by_status(one_by_one, corecon, status):
    page = corecon.books[0].page("Company", range(100))
    serve_instead(corecon, "Company/List", page)
    serve_instead(corecon, "Company/List", b"", status=status)

    assert len(ids(one_by_one.read_all(COMPANIES))) == 100


def test_a_bare_array_is_read_too(access, corecon):
    corecon.is_bare = True

    assert len(ids(access.read_all(COMPANIES))) == 230


def test_a_vendor_that_gives_less_at_once_is_read_to_its_end(access, corecon):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("integrations.vendors.corecon.sandbox.LARGEST_PAGE", 40)
        assert len(ids(access.read_all(COMPANIES))) == 230


def test_a_total_that_is_too_small_loses_nothing(one_by_one, corecon):
    page = corecon.books[0].page("Company", range(100))
    serve_instead(corecon, "Company/List", b'{"Data":%b,"TotalRecords":100}' % page)

    assert len(ids(one_by_one.read_all(COMPANIES))) == 230


def test_an_answer_in_part_is_asked_for_in_smaller_pages(one_by_one, corecon):
    whole = rows(one_by_one.read_all(COMPANIES))
    corecon.weather.add(Fault(path="Company/List$", status=206))

    pages = one_by_one.read_all(COMPANIES)

    assert rows(pages) == whole
    assert len(pages) == 5
    assert rows(one_by_one.read_all(COMPANIES, pages[2].cursor)) == whole[150:]


@pytest.mark.parametrize("stream", [COMPANIES, TIMECARDS], ids=lambda stream: stream.key)
def test_an_answer_in_part_among_several_loses_nothing(stream, access, corecon):
    whole = rows(access.read_all(stream))
    reading = stream.read(access, "")
    pages = [next(reading)]
    corecon.weather.add(Fault(path="List$", status=206))
    pages += reading

    assert rows(pages) == whole


def test_not_even_one_row_in_full_is_told_to_the_developers(one_by_one, corecon):
    corecon.weather.add(Fault(path="Company/List$", status=206, times=9))

    with pytest.raises(VendorChanged):
        one_by_one.read_all(COMPANIES)


def test_an_answer_that_is_not_ready_is_waited_for(one_by_one, corecon):
    corecon.weather.add(Fault(path="Company/List$", status=202))

    with pytest.raises(RetryLater) as waiting:
        one_by_one.read_all(COMPANIES)
    assert waiting.value.code == "not_finished"


@pytest.mark.parametrize("body", [b'{"Rows":[]}', b'"nothing"', b"7"])
def test_a_body_that_is_no_list_stops_the_stream(one_by_one, corecon, body):
    serve_instead(corecon, "Company/List", body)

    with pytest.raises(VendorChanged):
        one_by_one.read_all(COMPANIES)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><body>Welcome</body></html>", b'{"Data":[{"CompanyId":1},', b"\xff\xfe\x00", b"[" * 5000],
)
def test_a_body_that_cannot_be_read_is_asked_for_again_later(one_by_one, corecon, body):
    serve_instead(corecon, "Company/List", body)

    with pytest.raises(RetryLater) as unreadable:
        one_by_one.read_all(COMPANIES)
    assert unreadable.value.code == "unreadable"


def test_a_cut_off_answer_is_asked_for_again_later(one_by_one, corecon):
    corecon.weather.add(Fault(path="Company/List$", truncate=True))

    with pytest.raises(RetryLater):
        one_by_one.read_all(COMPANIES)


def test_a_lost_reply_is_tried_again_later(one_by_one, corecon):
    corecon.weather.add(Fault(path="Company/List$", lose_reply=True))

    with pytest.raises(RetryLater):
        one_by_one.read_all(COMPANIES)


def test_a_cursor_of_another_time_begins_anew(access):
    assert len(ids(access.read_all(COMPANIES, '{"page":"x"}'))) == 230


# Where things are


def test_the_addresses_are_those_the_api_root_tells(one_by_one, corecon):
    moved = f'{{"Resources":[{{"Name":"company","Url":"{corecon.url}/API/company/LIST"}}]}}'
    serve_instead(corecon, "/api", moved.encode())

    one_by_one.read_all(COMPANIES)

    assert one_by_one.exchanges[-1].path == "/API/company/LIST"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (403, b""),
        (200, b"<html>"),
        (200, b'{"Resources":[{"Name":"Company","Url":"http://evil.example/api/Company/List"}]}'),
        (200, b'{"Resources":[{"Name":"Company"}]}'),
    ],
)
def test_a_root_that_does_not_help_leaves_the_known_addresses(one_by_one, corecon, status, body):
    serve_instead(corecon, "/api", body, status=status)

    assert len(ids(one_by_one.read_all(COMPANIES))) == 230


def test_a_resumed_reading_does_not_ask_the_root_again(access, corecon):
    pages = access.read_all(COMPANIES)
    access.exchanges.clear()

    access.read_all(COMPANIES, pages[0].cursor)

    assert {exchange.path for exchange in access.exchanges} == {"/sandbox/api/Company/List"}


def test_a_move_on_the_same_host_is_followed_once(access, corecon):
    answer = corecon.handle
    corecon.handle = lambda request: (  # type: ignore[method-assign]
        Reply(status=308, headers={"Location": "/sandbox/API/Company/List"})
        if request.path == "/sandbox/api/Company/List"
        else answer(request)
    )

    assert len(ids(access.read_all(COMPANIES))) == 230


# Reports


def test_each_page_of_a_report_is_of_one_project(access, corecon):
    for report in REPORTS:
        for page in access.read_all(report):
            assert len({record.parent_id for record in page.records}) <= 1


def test_a_report_whose_name_is_wrong_stops_that_report_only(one_by_one, corecon):
    corecon.weather.add(Fault(path="HoursHistorical$", status=404, times=9))

    failed = []
    for report in REPORTS:
        try:
            one_by_one.read_all(report)
        except VendorChanged:
            failed.append(report.key)
    assert failed == ["financials-hours-history"]


def test_a_project_that_begins_while_reports_are_read_is_there_the_next_time(access, corecon):
    pages = access.read_all(REPORTS[0])
    corecon.books[0].shelves["Project"].add(corecon.clock.now())

    assert len(ids(access.read_all(REPORTS[0], pages[-1].cursor))) > 0
    assert set(ids(access.read_all(REPORTS[0]))) == corecon.holdings("financials-overview")


def test_a_project_list_that_cannot_be_read_is_told_to_the_developers(one_by_one, corecon):
    serve_instead(corecon, "Project/List", b"[7]")

    with pytest.raises(VendorChanged):
        one_by_one.read_all(REPORTS[0])


def test_many_projects_are_read_page_by_page():
    emulator = Emulator(sizes=(1, 1), projects=(130, 1), timecards=(1, 1))
    with emulator.serve(), connected(emulator) as access:
        assert set(ids(access.read_all(PROJECTS))) == emulator.holdings("projects")
        assert len(access.exchanges) == 3
