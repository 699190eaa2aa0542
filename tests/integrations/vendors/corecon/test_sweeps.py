"""Finding what is gone, although the vendor gives no sign of it."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

import msgspec
import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.contract import Page, Span
from integrations.vendors.corecon.entries import first_day, swept_days, windows
from integrations.vendors.corecon.streams import STREAMS

LISTS, ENTRIES, REPORTS = STREAMS[:3], STREAMS[3:6], STREAMS[6:]
TIMECARDS, OVERVIEW = STREAMS[3], STREAMS[6]
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def swept(access, stream, cursor: str = "") -> list[Page]:
    return list(stream.sweep(access, cursor))


def seen(pages: Iterable[Page]) -> set[str]:
    return {record.external_id for page in pages for record in page.records}


def covered(pages: Iterable[Page]) -> list[Span]:
    return [page.covers for page in pages if page.covers]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.key)
def test_what_was_deleted_is_absent_from_the_next_sweep(stream, access, corecon):
    known = {record.external_id: record for page in access.read_all(stream) for record in page.records}
    for _ in range(3):
        corecon.delete_rows()
        corecon.delete_project()
    gone = known.keys() - corecon.holdings(stream.key)

    pages = swept(access, stream)

    assert gone
    assert not gone & seen(pages)
    spans = covered(pages)
    for external_id in gone:
        position = known[external_id].position
        assert stream.reads_whole or any(
            span == Span() or (position and span.since <= position < span.until) for span in spans
        )


def test_lists_are_read_in_full_each_time_and_swept_daily():
    for stream in LISTS:
        assert stream.reads_whole
        assert stream.sweep_interval == timedelta(days=1)


def test_a_sweep_of_entries_covers_the_five_weeks_that_still_change(access):
    with time_machine.travel("2026-03-15T18:00:00Z", tick=True):
        pages = swept(access, TIMECARDS)

    spans = covered(pages)
    assert [span.since for span in spans][-2:] == ["2026-02-08", "2026-03-11"]
    assert spans[-1].until == "2026-03-23"


def test_a_window_is_covered_only_when_its_last_page_was_read(access, corecon):
    for _ in range(120):  # more than one page
        corecon.enter_rows()
    pages = list(TIMECARDS.sweep(access, ""))

    assert [page.covers is None for page in pages] == [
        msgspec.json.decode(page.cursor).get("page", 1) > 1 for page in pages
    ]
    assert any(page.covers is None for page in pages)


@settings(deadline=None)
@given(DAYS)
def test_thirteen_days_of_sweeps_go_through_all_that_a_first_reading_reads(today):
    run_dates = [today + timedelta(days=count) for count in range(14)]
    looked_at = {
        since + timedelta(days=count)
        for run_date in run_dates
        for since, until in swept_days(run_date)
        for count in range((until - since).days + 1)
    }
    oldest = first_day(run_dates[-1], None) + timedelta(days=31)  # the month that falls out of reach meanwhile

    assert {oldest + timedelta(days=count) for count in range((today - oldest).days)} <= looked_at


@settings(deadline=None)
@given(DAYS)
def test_the_parts_of_a_sweep_follow_each_other_without_an_overlap(today):
    days = [window for span in swept_days(today) for window in windows(span)]

    assert all(since <= until for since, until in days)
    assert all(before[1] < after[0] for before, after in pairwise(days))
    assert days[0][0] >= first_day(today, None)


def test_a_sweep_brings_what_changed_in_a_closed_month_too(access, corecon):
    known = {record.external_id: record.payload for page in access.read_all(TIMECARDS) for record in page.records}
    access.settings["grant"], access.refresh_token = "client_credentials", ""
    corecon.books[0].shelves["LaborTime"].version[5] += 1  # thirteen months ago, beyond the vendor's edit window

    with time_machine.travel(corecon.clock.now(), tick=True) as clock:
        changed = set()
        for _ in range(14):
            pages = swept(access, TIMECARDS)
            changed |= {
                record.external_id
                for page in pages
                for record in page.records
                if known.get(record.external_id) != record.payload
            }
            clock.shift(timedelta(days=1))

    assert str(corecon.books[0].first_id * 10 + 5) in changed


def test_a_sweep_of_reports_goes_through_closed_projects_and_covers_everything(access, corecon):
    pages = swept(access, OVERVIEW)

    assert seen(pages) == corecon.holdings("financials-overview")
    assert covered(pages) == [Span()]
    assert pages[-1].covers == Span()


def test_between_sweeps_reports_leave_closed_projects_alone(access, corecon):
    *_, last = access.read_all(OVERVIEW)
    access.exchanges.clear()

    pages = list(OVERVIEW.read(access, last.cursor))

    assert not covered(pages)
    going_on = len(corecon.books[0].going_on())
    assert going_on < len(corecon.books[0].numbers("Project"))
    assert sum(exchange.path.endswith("Overview") for exchange in access.exchanges) == going_on


def test_a_sweep_of_reports_without_a_project_covers_everything(access, corecon):
    access.read_all(OVERVIEW)
    corecon.books[0].removed |= {("Project", number) for number in range(7)}

    assert [(page.records, page.covers) for page in swept(access, OVERVIEW)] == [((), Span())]
