"""Reading: complete, in order, resumable anywhere, and nothing lost while rows move."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.contract import Page
from integrations.errors import VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.kore import assumptions, connector, walk
from integrations.vendors.kore.sandbox import Emulator
from tests.integrations.vendor_access import vendor_access

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)
NOON = MONDAY.replace(hour=12)

STREAMS = [stream.key for stream in connector.streams]
MOVING = ["deals", "billings", "billing-payments", "deal-lines", "expenses"]
BILLINGS = connector.stream("billings")
SEASONS = connector.stream("seasons")  # as plain as they come


def ids(pages: list[Page]) -> list[str]:
    return [record.external_id for page in pages for record in page.records]


def stored(*readings: list[Page]) -> dict[str, bytes]:
    return {record.external_id: record.payload for pages in readings for page in pages for record in page.records}


def bulk_edit(kore: Emulator, numbers: range, entity: str = "billings") -> None:
    """As an import does: many rows with one and the same change date."""
    for number in numbers:
        kore.table(0, entity).touch(number, kore.clock.now())


@pytest.mark.parametrize("account", [0, 1])
@pytest.mark.parametrize("key", STREAMS)
def test_each_customer_sees_all_its_own_rows_once_and_in_order_of_change(kore, key, account):
    with vendor_access(connector, kore, account) as access:
        pages = access.read_all(connector.stream(key))

    times = [json.loads(record.payload)["modified_date"] for page in pages for record in page.records]
    assert len(ids(pages)) == len(set(ids(pages))) > 0
    assert times == sorted(times)
    assert set(ids(pages)) == kore.holdings(key, account)


@pytest.mark.parametrize("key", STREAMS)
def test_customers_share_no_row(kore, key):
    with vendor_access(connector, kore, 0) as first, vendor_access(connector, kore, 1) as second:
        assert not set(ids(first.read_all(connector.stream(key)))) & set(ids(second.read_all(connector.stream(key))))


def test_a_payment_belongs_to_its_bill(kore):
    with vendor_access(connector, kore) as access:
        bills = stored(access.read_all(BILLINGS))
        payments = [r for p in access.read_all(connector.stream("billing-payments")) for r in p.records]

    assert all(payment.parent_id in bills for payment in payments)
    first = payments[0]
    assert json.loads(first.payload)["billing_id"] == first.parent_id
    assert json.loads(first.payload)["amount"] == json.loads(bills[first.parent_id])["paid_amount"]


@pytest.mark.parametrize("key", ["deals", "billings", "billing-payments", "events"])
def test_resuming_at_any_cursor_gives_the_rest(kore, key, monkeypatch):
    monkeypatch.setattr(assumptions, "PAGE_SIZE", 20)
    bulk_edit(kore, range(10, 31), key)
    stream = connector.stream(key)
    with vendor_access(connector, kore) as access:
        pages = access.read_all(stream)

        assert len(pages) > 1
        for place, page in enumerate(pages[:-1]):
            assert access.read_all(stream, page.cursor) == pages[place + 1 :]


def test_an_incremental_run_brings_what_changed_and_what_is_new(kore):
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.clock.advance(timedelta(hours=1))
        bulk_edit(kore, range(3, 8))
        table = kore.table(0, "billings")
        new = table.ids[table.add(kore.clock.now())]

        second = access.read_all(BILLINGS, first[-1].cursor)

        assert {*table.ids[3:8], new} <= set(ids(second))
        assert len(ids(second)) < 10
        assert stored(first, second) == stored(access.read_all(BILLINGS))


def test_time_passing_at_the_vendor_is_followed_run_by_run(monkeypatch):
    kore = Emulator(sizes=(80,), epoch=MONDAY, change_every=timedelta(seconds=30))
    kore.clock.freeze(MONDAY)
    monkeypatch.setattr(walk, "now", kore.clock.now)
    with kore.serve(), vendor_access(connector, kore) as access:
        for key in MOVING:
            stream, held, cursor = connector.stream(key), {}, ""
            for _ in range(4):
                pages = access.read_all(stream, cursor)
                held, cursor = held | stored(pages), pages[-1].cursor
                kore.clock.advance(timedelta(minutes=17))
            held |= stored(access.read_all(stream, cursor))

            assert held == stored(access.read_all(stream))


def test_a_run_without_news_leaves_the_cursor_where_it_was(kore):
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        second = access.read_all(BILLINGS, first[-1].cursor)
        third = access.read_all(BILLINGS, second[-1].cursor)

    assert len(second) == len(third) == 1
    assert first[-1].cursor == second[-1].cursor == third[-1].cursor


def test_the_cursor_does_not_go_back_when_its_newest_row_is_deleted(kore):
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        table = kore.table(0, "billings")
        for _ in range(5):
            table.delete(table.by_change[-1][2])

        again = access.read_all(BILLINGS, first[-1].cursor)

    assert again[-1].cursor == first[-1].cursor
    assert len(again) == 1


def test_an_empty_entity_gives_one_page_and_is_read_again_in_full_later(kore):
    kore.weather.add(Fault(path="/entities/deals", status=200, body=b"[]"))
    with vendor_access(connector, kore) as access:
        (page,) = access.read_all(connector.stream("deals"))

        assert page.records == ()
        assert len(ids(access.read_all(connector.stream("deals"), page.cursor))) == 33


def test_a_change_date_in_the_future_does_not_hide_later_changes(kore):
    table = kore.table(0, "billings")
    table.touch(5, NOON + timedelta(days=20_000))
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.clock.advance(timedelta(days=19_000))
        table.touch(6, kore.clock.now())

        second = access.read_all(BILLINGS, first[-1].cursor)

    assert table.ids[6] in ids(second)


def test_a_row_that_is_edited_while_we_read_pushes_no_other_one_past_us(kore):
    table = kore.table(0, "billings")
    kore.after_page = lambda entity: table.touch(0, kore.clock.now())
    with vendor_access(connector, kore) as access:
        pages = access.read_all(BILLINGS)

    assert set(ids(pages)) == set(table.ids)
    assert ids(pages)[-1] == table.ids[0]


def test_a_second_that_fills_many_pages_is_read_through(kore):
    bulk_edit(kore, range(330))
    with vendor_access(connector, kore) as access:
        pages = access.read_all(BILLINGS)

    assert len(ids(pages)) == len(set(ids(pages))) == 330
    assert len(pages) == 4


def test_a_second_that_shrinks_while_we_read_it_is_read_again(kore):
    bulk_edit(kore, range(330))
    kore.clock.advance(timedelta(seconds=10))
    table = kore.table(0, "billings")
    with vendor_access(connector, kore) as access:
        pages = []
        for page in BILLINGS.read(access, ""):
            if len(pages) < 2:
                for record in page.records[1:4]:
                    table.touch(table.number_of[record.external_id], kore.clock.now())
            pages.append(page)

    assert set(ids(pages)) == set(table.ids)


def test_a_second_edit_within_the_present_second_is_seen_by_the_next_run(kore, monkeypatch):
    monkeypatch.setattr(assumptions, "PAGE_SIZE", 20)
    table = kore.table(0, "billings")
    bulk_edit(kore, range(330))
    with vendor_access(connector, kore) as access:
        reading = BILLINGS.read(access, "")
        pages = [next(reading)]
        bulk_edit(kore, range(330))
        kore.clock.advance(timedelta(hours=2))
        table.add(kore.clock.now())
        pages += reading

        pages += access.read_all(BILLINGS, pages[-1].cursor)

        assert stored(pages) == stored(access.read_all(BILLINGS))


moves = st.lists(st.tuples(st.sampled_from(["edit", "delete", "add", "bulk", "tick"]), st.integers(0, 39)), max_size=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(is_import=st.booleans(), before=moves, during=st.lists(moves, max_size=12), stops=st.sets(st.integers(0, 12)))
def test_whatever_moves_and_whenever_we_stop_what_is_held_equals_a_full_reading(is_import, before, during, stops):
    kore = Emulator(sizes=(40,), epoch=MONDAY)
    kore.clock.freeze(NOON)
    table = kore.table(0, "billings")

    def move(steps: list[tuple[str, int]]) -> None:
        for step, number in steps:
            if step == "tick":
                kore.clock.advance(timedelta(minutes=number))
            elif step == "add":
                table.add(kore.clock.now())
            elif step == "delete" and table.ids[number] in table.number_of:
                table.delete(number)
            elif step in ("edit", "bulk"):
                for place in range(number, min(40, number + (1 if step == "edit" else 15))):
                    table.touch(place, kore.clock.now())

    if is_import:
        bulk_edit(kore, range(40))
    move(before)
    with pytest.MonkeyPatch.context() as patch, kore.serve(), vendor_access(connector, kore) as access:
        patch.setattr(walk, "now", kore.clock.now)
        patch.setattr(assumptions, "PAGE_SIZE", 5)
        patch.setattr(assumptions, "MAX_RESTARTS", 99)
        held, count, there_from_the_start = {}, 0, set(table.number_of)
        reading = BILLINGS.read(access, "")
        while (page := next(reading, None)) is not None:
            held |= stored([page])
            cursor = page.cursor
            move(during[count] if count < len(during) else [])
            if count in stops:
                reading = BILLINGS.read(access, cursor)
            count += 1
            assert count < 300
        assert there_from_the_start & set(table.number_of) <= set(held)
        held |= stored(access.read_all(BILLINGS, cursor))

        full = stored(access.read_all(BILLINGS))
        assert set(full) == set(table.number_of)
        assert {key: held.get(key) for key in full} == full


def test_one_bad_row_is_set_aside_and_the_rest_goes_on(kore):
    rows = [
        b'{"id":"AAAA-1","name":"Good","modified_date":"2026-03-16T10:00:00Z"}',
        b'{"name":"No id","modified_date":"2026-03-16T10:00:01Z"}',
        b'{"id":7,"modified_date":"2026-03-16T10:00:02Z"}',
        b'{"id":"","modified_date":"2026-03-16T10:00:02Z"}',
        b'{"id":"bbbb-2","modified_date":"yesterday"}',
        b'"a word"',
        b'{"id":"\xff\xfe","modified_date":"2026-03-16T10:00:02Z"}',
        b'{"id":"cccc-3", "modified_date":"2026-03-16T10:00:03"}',
    ]
    kore.weather.add(Fault(path="/entities/", status=200, body=b"[%s]" % b" ,\n".join(rows)))
    with vendor_access(connector, kore) as access:
        (page,) = access.read_all(SEASONS)

    assert [(r.external_id, r.payload) for r in page.records] == [("aaaa-1", rows[0]), ("cccc-3", rows[7])]
    assert [r.payload for r in page.rejected] == rows[1:7]
    assert all(r.reason for r in page.rejected)
    assert json.loads(page.cursor)["since"] == "2026-03-16T09:55:03Z"


def row(number: int, modified: str | None) -> bytes:
    return json.dumps({"id": f"{number:08x}", **({"modified_date": modified} if modified else {})}).encode()


FULL_PAGE = [row(n, f"2026-03-01T10:00:{n // 2:02d}Z") for n in range(100)]


def test_the_empty_date_of_the_year_one_is_followed_like_any_other(kore, monkeypatch):
    monkeypatch.setattr(assumptions, "PAGE_SIZE", 2)
    answers = [[row(1, "0001-01-01T00:00:00"), row(2, "0001-01-01T00:00:00Z")], [row(2, "0001-01-01T00:00:00Z")]]
    for answer in answers:
        kore.weather.add(Fault(path="/entities/", status=200, body=b"[%s]" % b",".join(answer)))
    with vendor_access(connector, kore) as access:
        first, second = access.read_all(SEASONS)

    assert len(first.records) == 2
    assert second.records == ()
    assert json.loads(first.cursor)["since"] == "0001-01-01T00:00:00Z"
    assert json.loads(second.cursor)["since"] == "1899-12-31T23:55:00Z"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row(n, None) for n in range(100)], "no_change_date"),
        ([row(1, None)], "no_change_date"),
        ([b'{"name":"no id"}'] * 100, "no_change_date"),
        (FULL_PAGE[::-1], "order"),
    ],
)
def test_rows_we_could_not_follow_stop_the_stream(kore, rows, code):
    kore.weather.add(Fault(path="/entities/", times=9, status=200, body=b"[%s]" % b",".join(rows)))

    with vendor_access(connector, kore) as access, pytest.raises(VendorChanged) as raised:
        access.read_all(SEASONS)

    assert raised.value.code == code


@pytest.mark.parametrize(
    "rows",
    [FULL_PAGE, [row(n, "2026-03-01T10:00:00Z") for n in range(100)]],
    ids=["the filter is ignored", "skip is ignored"],
)
def test_a_page_that_comes_again_and_again_stops_the_stream(kore, rows):
    kore.weather.add(Fault(path="/entities/", times=99, status=200, body=b"[%s]" % b",".join(rows)))

    with vendor_access(connector, kore) as access, pytest.raises(VendorChanged) as raised:
        list(islice(SEASONS.read(access, ""), 20))

    assert raised.value.code == "order"


def test_both_shapes_of_state_and_of_system_times_read_alike(kore):
    with vendor_access(connector, kore) as access:
        usual = access.read_all(BILLINGS)
        kore.has_bare_state = kore.has_naive_times = True
        bare = access.read_all(BILLINGS)

    assert b'"state":0' in bare[0].records[0].payload
    assert usual[0].records[0].payload != bare[0].records[0].payload
    assert json.loads(usual[-1].cursor)["bills"] == json.loads(bare[-1].cursor)["bills"]
    for one, other in zip(usual, bare, strict=True):
        for left, right in zip(one.records, other.records, strict=True):
            first, second = (BILLINGS.interpret(r.payload, r.context) for r in (left, right))
            assert (first.status, first.opened_at, first.changed_at) == (
                second.status,
                second.opened_at,
                second.changed_at,
            )
