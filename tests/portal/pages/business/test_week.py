"""The week's grid, without a database."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from integrations.records.queries import Span
from portal.pages.business.week import LANES, QUARTERS, Block, Week, bounds, monday_of, week_of

CHICAGO = ZoneInfo("America/Chicago")


def booking(start: str, end: str | None, *, kind: str = "room", resource: str = "Studio 1") -> Span:
    """A booking between two UTC times."""
    starts, ends = (datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None for text in (start, end))
    return Span(1, kind, "", resource, "Level 1", "", starts, ends)


def drawn(*bookings: Span, monday: date) -> Week:
    return week_of(monday, bookings, CHICAGO, today=monday)


def only(week: Week) -> Block:
    (block,) = [block for day in week.days for block in (*day.blocks, *day.all_day)]
    return block


def test_the_night_the_clocks_go_forward_has_no_third_hour():
    monday = date(2026, 3, 2)
    start, end = bounds(monday, CHICAGO)
    assert (end - start).total_seconds() == 167 * 3600
    block = only(drawn(booking("2026-03-08T07:30", "2026-03-08T08:30"), monday=monday))  # 01:30 CST to 03:30 CDT
    assert (block.at, block.lasts) == (6, 8)
    assert (block.starts, block.ends) == ("01:30 CST", "03:30 CDT")


def test_the_night_the_clocks_go_back_an_hour_comes_twice():
    monday = date(2026, 10, 26)
    start, end = bounds(monday, CHICAGO)
    assert (end - start).total_seconds() == 169 * 3600
    block = only(drawn(booking("2026-11-01T06:45", "2026-11-01T07:15"), monday=monday))  # 01:45 CDT to 01:15 CST
    assert (block.at, block.lasts) == (7, 2)
    assert (block.starts, block.ends) == ("01:45 CDT", "01:15 CST")


def test_a_booking_over_midnight_is_cut_into_its_days():
    week = drawn(booking("2026-11-25T04:00", "2026-11-25T08:00"), monday=date(2026, 11, 23))  # 22:00 to 02:00
    tuesday, wednesday = week.days[1], week.days[2]
    assert (tuesday.blocks[0].at, tuesday.blocks[0].lasts) == (88, 8)
    assert (wednesday.blocks[0].at, wednesday.blocks[0].lasts) == (0, 8)
    assert (week.from_hour, week.until_hour) == (0, 24)


def test_a_whole_day_stands_above_the_hours():
    week = drawn(booking("2026-11-24T06:00", "2026-11-25T06:00"), monday=date(2026, 11, 23))
    assert week.has_all_day
    assert week.days[1].all_day
    assert not week.days[1].blocks
    assert not week.days[2].all_day


def test_a_booking_without_an_end_is_drawn_as_half_an_hour():
    block = only(drawn(booking("2026-11-24T15:00", None), monday=date(2026, 11, 23)))
    assert (block.at, block.lasts) == (36, 2)


def test_the_night_is_left_out_where_nothing_happens():
    week = drawn(booking("2026-11-24T15:00", "2026-11-24T16:00"), monday=date(2026, 11, 23))
    assert (week.from_hour, week.until_hour) == (8, 18)


MINUTES = st.integers(0, 7 * 24 * 60 - 1)


@given(
    spans=st.lists(st.tuples(MINUTES, st.integers(0, 30 * 60)), max_size=25),
    monday=st.dates(date(2026, 1, 1), date(2027, 12, 31)).map(monday_of),
)
def test_nothing_is_lost_and_nothing_lies_on_top_of_another(spans, monday):
    start, end = bounds(monday, CHICAGO)
    rows = []
    for number, (minute, length) in enumerate(spans):
        begins = datetime.fromtimestamp(start.timestamp() + minute * 60, UTC)
        ends = datetime.fromtimestamp(begins.timestamp() + length * 60, UTC)
        if begins < end:
            rows.append(Span(number, "room", "", f"{number}", f"{number}", "", begins, ends))

    week = week_of(monday, rows, CHICAGO, today=monday)

    in_week = {row.resource for row in rows}
    for day in week.days:
        assert sum(block.number for block in (*day.blocks, *day.all_day)) == day.number
        taken: set[tuple[int, int]] = set()
        for block in day.blocks:
            assert 0 <= block.at < QUARTERS
            assert 1 <= block.lasts <= QUARTERS - block.at
            assert 1 <= block.lane <= block.lanes <= LANES
            cells = {(block.lane, quarter) for quarter in range(block.at, block.until)}
            assert not cells & taken
            taken |= cells
    shown = sum(day.number for day in week.days)
    assert shown >= len(in_week) or len(week.days) == 5
