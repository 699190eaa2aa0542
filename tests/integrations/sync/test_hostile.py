"""A hostile vendor cannot hurt us: whatever it sends, its run ends in a clear state, and others go on."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper

from integrations.connections.models import ConnectionState
from integrations.contract import Who
from integrations.problems.models import Problem
from integrations.records.models import Billing, Booking, Record, RejectedRecord, WorkOrder
from integrations.sync import reader
from integrations.sync.models import LookUp, RunState, SyncRun
from portal.tenancy.scope import tenant_scope
from tests.integrations.sync.conftest import Stage
from tests.integrations.sync.runs import reload, stored
from tests.integrations.sync.scoundrel import Asked, Play, answer, page

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]

AGAIN, DEVELOPERS = "ry again", "Our developers have to look at it"
GZIP = {"Content_Encoding": "gzip"}


def always(*pieces: bytes) -> Play:
    return lambda asked: pieces


def body(content: bytes, **headers: str) -> Play:
    return always(answer(content, **headers))


def silence(asked: Asked) -> Iterator[bytes]:
    asked.over.wait(20)
    yield b""


def drip(start: bytes, rest: bytes) -> Play:
    def play(asked: Asked) -> Iterator[bytes]:
        yield start
        for letter in rest:
            yield bytes([letter])
            if asked.over.wait(0.02):
                return

    return play


def endlessly(piece: bytes, start: bytes = b"") -> Play:
    def play(asked: Asked) -> Iterator[bytes]:
        yield start
        while not asked.over.is_set():
            yield piece

    return play


OK = b"HTTP/1.1 200 OK\r\n"
ROW = {"id": "1"}
SLOW: dict[str, tuple[Play, str, str]] = {
    "never answers": (silence, "timeout", "did not answer in time"),
    "drips its head": (drip(OK, b"X: " + b"x" * 5000), "timeout", "did not answer in time"),
    "drips its body": (drip(OK + b"Content-Length: 5000\r\n\r\n", b"x" * 5000), "timeout", "did not answer in time"),
}
BAD: dict[str, tuple[Play, str, str]] = {
    "speaks no HTTP": (always(b"<html>hello there"), "unreachable", AGAIN),
    "sends noise": (always(bytes(range(256)) * 100), "unreachable", AGAIN),
    "sends 10,000 headers": (
        always(OK, b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(10_000)), b"\r\n"),
        "unreachable",
        AGAIN,
    ),
    "sends a header of 10 MB": (always(OK, b"X: ", b"x" * 10_000_000), "unreachable", AGAIN),
    "storms with interim answers": (endlessly(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500), "too_large", DEVELOPERS),
    "frames single bytes with much": (
        endlessly(b"1;" + b"x" * 60_000 + b"\r\n \r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        "too_large",
        DEVELOPERS,
    ),
    "claims a negative length": (always(OK + b"Content-Length: -5\r\n\r\n{}"), "unreachable", AGAIN),
    "claims two lengths": (always(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} "), "unreachable", AGAIN),
    "claims more than it sends": (always(answer(page(ROW), length=5000)), "unreachable", "broke off"),
    "claims less than it sends": (always(answer(page(ROW), length=20)), "unreadable", AGAIN),
    "switches protocols": (always(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n{}"), "unreachable", AGAIN),
    "has nothing": (always(answer(b"", status="204 No Content")), "unreadable", AGAIN),
    "has nothing and sends it": (always(answer(page(ROW), status="204 No Content")), "unreadable", AGAIN),
    "says not modified": (always(answer(b"", status="304 Not Modified", length=99)), "unreadable", AGAIN),
    "sends a web page": (body(b"<!doctype html><p>Sorry", Content_Type="text/html"), "unreadable", AGAIN),
    "writes UTF-16": (body(page(ROW).decode().encode("utf-16")), "unreadable", AGAIN),
    "leads to the metadata service": (
        body(b"", status="302 Found", Location="http://169.254.169.254/latest/"),
        "unreadable",
        AGAIN,
    ),
    "leads to a file": (body(b"", status="307 Temporary Redirect", Location="file:///etc/passwd"), "unreadable", AGAIN),
    "writes NaN": (body(page(b'{"id": "1", "n": NaN}')), "unreadable", DEVELOPERS),
    "writes Infinity": (body(page(b'{"id": "1", "n": -Infinity}')), "unreadable", DEVELOPERS),
    "nests 100,000 deep": (body(page(b"[" * 100_000 + b"]" * 100_000)), "unreadable", DEVELOPERS),
    "nests and breaks off": (body(b'{"records": ' + b"[" * 100_000), "unreadable", AGAIN),
    "has another shape": (body(b'{"records": "none"}'), "vendor_changed", DEVELOPERS),
    "packs as deflate": (body(zlib.compress(page(ROW)), Content_Encoding="deflate"), "encoding", "did not ask for"),
    "packs twice": (
        body(gzip.compress(gzip.compress(page(ROW))), Content_Encoding="gzip, gzip"),
        "encoding",
        "did not ask for",
    ),
    "packs what is packed": (body(gzip.compress(gzip.compress(page(ROW))), **GZIP), "unreadable", AGAIN),
    "packs and goes on": (
        always(answer(gzip.compress(page(ROW)), length=10_000_000, **GZIP), b"junk" * 2_500_000),
        "damaged",
        AGAIN,
    ),
    "sends a million tiny records": (body(page(*([b'{"id":"1"}'] * 1_000_000))), "too_large", DEVELOPERS),
    "sends too many rows": (body(page(*([b'{"id":"1"}'] * 100_001))), "too_large", DEVELOPERS),
    "marks its pages strangely": (body(page(ROW, then="a\0b")), "cursor", DEVELOPERS),
    "marks its pages at length": (body(page(ROW, then="x" * 2_000_000)), "cursor", DEVELOPERS),
}


@pytest.mark.parametrize("name", [*BAD, *SLOW])
def test_a_vendor_that(name: str, stage: Stage) -> None:
    play, code, words = {**BAD, **SLOW}[name]

    run = stage.suffer(play, patience=0.3 if name in SLOW else 30)

    assert (run.state, run.code, run.attempts) == (RunState.WAITING, code, 1)
    assert words in run.words
    assert reload(run.connection).state == ConnectionState.ACTIVE
    assert stored(run.connection, "things") == {}


def test_what_only_needs_time_is_tried_again_and_then_left_to_the_next_run(stage: Stage) -> None:
    run = stage.end(stage.run(body(b"<html>")))

    assert (run.state, run.code, run.calls) == (RunState.FAILED, "unreadable", 0)
    assert open_problems(run) == [("unreadable", Who.NOBODY)]


def test_what_the_vendor_changed_is_put_before_a_developer(stage: Stage) -> None:
    run = stage.end(stage.run(body(page(b"NaN"))))

    assert (run.state, run.code) == (RunState.FAILED, "unreadable")
    assert open_problems(run) == [("unreadable", Who.OPERATOR)]


def open_problems(run: SyncRun) -> list[tuple[str, str]]:
    with tenant_scope(run.tenant_id):
        found = Problem.objects.filter(connection_id=run.connection_id, closed_at=None)
        return list(found.values_list("code", "who"))


def test_a_redirect_is_not_followed_even_to_the_same_place(stage: Stage) -> None:
    asked: list[str] = []

    def play(one: Asked) -> list[bytes]:
        asked.append(one.head)
        return [answer(b"", status="302 Found", Location="/things")]

    run = stage.suffer(play)

    assert (run.state, run.code, len(asked)) == (RunState.WAITING, "unreadable", 1)


def test_a_vendor_that_speaks_plainly_where_it_should_not(stage: Stage) -> None:
    play = always(answer(page(ROW)))
    run = stage.suffer(play, url=stage.serve(play).replace("http:", "https:"))
    assert (run.state, run.code) == (RunState.WAITING, "unreachable")


def test_no_spelling_of_an_address_leads_into_our_own_network(stage: Stage) -> None:
    asked: list[Asked] = []
    port = urlsplit(stage.serve(lambda one: asked.append(one) or [])).port  # type: ignore[func-returns-value]
    spelled = ("127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "localhost")

    for host in (*spelled, "[::1]", "[::ffff:127.0.0.1]", "[::]"):
        run = stage.go_on(stage.run(url=f"http://{host}:{port}"))

        assert (host, run.state, run.code, asked) == (host, RunState.FAILED, "address", [])
        assert reload(run.connection).state == ConnectionState.NEEDS_ATTENTION


def test_an_address_that_is_none_is_a_setting_to_mend(stage: Stage) -> None:
    for url in ("http://exa\u2100mple", "gopher://x", "file:///etc/passwd"):
        run = stage.go_on(stage.run(url=url))
        assert (url, run.state, run.code) == (url, RunState.FAILED, "address")
    for url in ("http://[", "http://x:99999"):
        run = stage.go_on(stage.run(url=url))
        assert (url, run.state, run.code) == (url, RunState.WAITING, "unknown_host")
        assert "Check the address" in run.words


GOOD: dict[str, Play] = {
    "calls it a web page": body(page(ROW), Content_Type="text/html"),
    "begins with a byte order mark": body(b"\xef\xbb\xbf" + page(ROW)),
    "cuts a sign in half": body(page(b'{"id": "1", "name": "so \\ud83d", "kind": "\\ude00\\ud83d\\ude00"}')),
    "says things twice": body(page(b'{"id": "0", "name": "a", "id": "1"}')),
    "counts below zero": body(page(ROW, total=-5)),
    "counts beyond all bounds": body(page(ROW, total=10**30)),
    "sends the same id 1,000 times": body(page(*([ROW] * 1000))),
    "writes 400 digits": body(page(b'{"id": "1", "name": %s}' % (b"9" * 400))),
    "names itself with 10 MB": body(page({**ROW, "name": "n" * 10_000_000, "kind": "k" * 10_000_000})),
    "names itself with nothing": body(page({**ROW, "name": "a\0b", "kind": "\0"})),
    "belongs to 10 MB": body(page({**ROW, "parent": "p" * 10_000_000, "position": "2" * 10_000_000})),
    "belongs to nothing": body(
        page({**ROW, "parent": "\0", "position": "\0", "beside": {"a": "b\0c", "d": "\\u0000"}})
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_vendor_is_understood_although_it(name: str, stage: Stage) -> None:
    run = stage.suffer(GOOD[name])

    assert (run.state, run.words, run.expected) == (RunState.DONE, "", None)
    assert (run.new, run.rejected) == (1, 0)
    with tenant_scope(run.tenant_id):
        record = Record.objects.get(connection=run.connection)
        assert not LookUp.objects.exists()
    assert (record.external_id, record.parent_id) == ("1", "")
    assert max(map(len, [record.title, record.position, *record.facets.values()])) <= 300


REASONS: dict[str, list[bytes | dict[str, str]]] = {
    "id is too long": [{"id": "x" * 10_000_000}, {"id": "a\0b"}],
    "not readable JSON": [
        b'{"id": "2", "n": 1e999}',
        b'{"id": "3", "n": %s}' % (b"9" * 5000),
        b'{"id": "4", "n": "\xff\xfe"}',
    ],
    "in position 0": [b'{"id": "\xff"}'],
    "Expected": [b'{"id": 2}', b'"\xed\xa0\x80"'],
}


def test_records_that_cannot_be_kept_are_set_aside_alone(stage: Stage) -> None:
    bad = [row for rows in REASONS.values() for row in rows]

    run = stage.suffer(body(page(*bad, ROW)))

    assert (run.state, run.new, run.rejected) == (RunState.DONE, 1, len(bad))
    with tenant_scope(run.tenant_id):
        aside = list(RejectedRecord.objects.filter(connection=run.connection))
    for reason, rows in REASONS.items():
        assert (reason, sum(reason in one.reason for one in aside)) == (reason, len(rows))
    assert max(len(one.payload) for one in aside) <= 400_000  # each byte may be written as four signs


def typed(*values: dict[str, object]) -> Play:
    """A page of records with these values, by number, and one that has none."""
    return body(page(*({"id": str(number), "value": value} for number, value in enumerate((*values, {})))))


LONG = "x" * 3_000_000 + "\0"
ORDER = {"number": "7", "title": "Leak", "status": "new", "vendor_status": "New"}
BOOKING = {"kind": "room", "title": "Talk", "status": "confirmed", "vendor_status": "Ok"}
BILL = {"number": "7", "title": "Fee", "status": "billed", "vendor_status": "Sent"}


def test_texts_of_many_megabytes_are_cut_to_what_is_kept(stage: Stage) -> None:
    texts = ("number", "title", "vendor_status", "vendor_priority", "description", "customer", "location", "currency")
    run = stage.suffer(typed({**ORDER, **dict.fromkeys(texts, LONG)}), "orders")

    assert (run.state, run.new, run.rejected) == (RunState.DONE, 1, 1)
    with tenant_scope(run.tenant_id):
        order = WorkOrder.objects.get(connection=run.connection)
    assert (len(order.title), len(order.description), len(order.currency)) == (500, 10_000, 3)


def test_moments_at_the_ends_of_the_calendar_are_none(stage: Stage) -> None:
    ends = ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00")
    opened = "2026-05-04T10:00:00+02:00"

    run = stage.suffer(typed(*({**ORDER, "due_at": end, "opened_at": opened} for end in ends)), "orders")

    assert (run.new, run.rejected) == (3, 1)
    with tenant_scope(run.tenant_id):
        orders = WorkOrder.objects.filter(connection=run.connection)
        assert {(order.due_at, order.opened_at is None) for order in orders} == {(None, False)}


def test_days_at_the_ends_of_the_calendar_are_none(stage: Stage) -> None:
    ends = ("0001-01-01", "9999-12-31")

    run = stage.suffer(typed(*({**BILL, "due_date": end, "billed_date": "2026-05-04"} for end in ends)), "bills")

    assert (run.new, run.rejected) == (2, 1)
    with tenant_scope(run.tenant_id):
        bills = Billing.objects.filter(connection=run.connection)
        assert {(bill.due_date, str(bill.billed_date)) for bill in bills} == {(None, "2026-05-04")}


def test_a_booking_without_a_real_start_is_set_aside(stage: Stage) -> None:
    starts = ("2026-05-04T10:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "")
    starts += ("9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z", "2026-05-04T10:00:00+99:99")

    run = stage.suffer(typed(*({**BOOKING, "starts_at": start} for start in starts)), "bookings")

    assert (run.state, run.new, run.rejected) == (RunState.DONE, 1, 7)
    with tenant_scope(run.tenant_id):
        assert Booking.objects.get(connection=run.connection).record.external_id == "0"


def test_an_amount_that_nobody_owes_is_set_aside(stage: Stage) -> None:
    amounts = ("7.50", "NaN", "Infinity", "1e999", "-1e20", "9" * 400)
    run = stage.suffer(typed(*({**BILL, "amount": amount} for amount in amounts)), "bills")
    assert (run.state, run.new, run.rejected) == (RunState.DONE, 1, 6)


def test_a_cookie_is_not_kept(stage: Stage) -> None:
    heads: list[str] = []

    def play(asked: Asked) -> list[bytes]:
        heads.append(asked.head)
        last = asked.cursor == "3"
        then = None if last else str(int(asked.cursor or 0) + 1)
        return [answer(page({"id": asked.cursor}, then=then), Set_Cookie="id=1; Max-Age=999999; Path=/")]

    run = stage.suffer(play)

    assert (run.state, len(heads)) == (RunState.DONE, 4)
    assert not any("cookie" in head.lower() for head in heads)


DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


WAITS: dict[str, tuple[timedelta, timedelta]] = {
    **dict.fromkeys(("soon", "-5", "\u0663".encode().decode("latin-1")), (MINUTE, 1.1 * MINUTE)),
    "Thu, 01 Jan 1970 00:00:00 GMT": (MINUTE, 1.1 * MINUTE),
    "Mon, 01 Jan 99999999999999999999 00:00:00 GMT": (MINUTE, 1.1 * MINUTE),
    "Mon, 01 Jan 2030 00:00:00 +99999999999999": (MINUTE, 1.1 * MINUTE),
    **dict.fromkeys(("31536000", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 -2359"), (DAY, DAY)),
}


def test_a_limit_is_waited_for_a_sensible_while(stage: Stage) -> None:
    for told, (least, most) in WAITS.items():
        run = stage.go_on(stage.run(body(b"", status="429 Too Many Requests", Retry_After=told)))

        assert (told, run.state, run.code, run.attempts) == (told, RunState.WAITING, "rate_limited", 0)
        assert least - MINUTE / 2 < run.next_slice_at - timezone.now() <= most


def numbered(follow: Callable[[int], int], *, rows: int = 2) -> Play:
    """A list in which the page after the n-th is what `follow` says; each page has rows of its own."""

    def play(asked: Asked) -> list[bytes]:
        number = int(asked.cursor or 0)
        return [answer(page(*({"id": f"{number}-{n}"} for n in range(rows)), then=str(follow(number))))]

    return play


CIRCLES: dict[str, Play] = {
    "one page": numbered(lambda n: 0),
    "two pages": numbered(lambda n: (n + 1) % 2),
    "three pages": numbered(lambda n: (n + 1) % 3),
    "the same rows under new marks": lambda asked: [answer(page(ROW, then=str(asked.number)))],
    "two kinds of rows under new marks": lambda asked: [
        answer(page({"id": str(asked.number % 2)}, then=str(asked.number)))
    ],
    "no rows under few marks": lambda asked: [answer(page(then=str(asked.number % 7)))],
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_list_that_goes_in_circles_is_left(name: str, stage: Stage) -> None:
    run = stage.suffer(CIRCLES[name])

    assert (run.state, run.code) == (RunState.FAILED, "endless")
    assert open_problems(run) == [("endless", Who.OPERATOR)]


@pytest.mark.parametrize("name", ["one page", "three pages", "the same rows under new marks"])
def test_a_list_that_goes_in_circles_too_slowly_for_a_slice_is_left(
    name: str, stage: Stage, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SYNC_SLICE_SECONDS = 0
    monkeypatch.setattr(reader, "_AHEAD", 1)
    monkeypatch.setattr(reader, "_FEW", 10)

    run = stage.end(stage.suffer(CIRCLES[name]))

    assert (run.state, run.code) == (RunState.FAILED, "endless")


def test_a_list_without_end_is_left(stage: Stage, settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SYNC_SLICE_SECONDS = 0
    monkeypatch.setattr(reader, "_MOST_PAGES", 20)

    run = stage.end(stage.suffer(numbered(lambda n: n + 1)))

    assert (run.state, run.code) == (RunState.FAILED, "endless")
    assert 20 < run.pages < 60


def test_a_long_list_of_little_that_is_new_is_no_circle(stage: Stage) -> None:
    play = numbered(lambda n: n + 1)

    def ending(asked: Asked) -> list[bytes]:
        return [answer(page({"id": "last"}))] if asked.cursor == "150" else list(play(asked))

    run = stage.end(stage.run(ending))

    assert (run.state, run.new) == (RunState.DONE, 301)


def test_a_flood_of_what_cannot_be_read_is_bounded(stage: Stage) -> None:
    rows = [{"id": n, "much": "m" * 500} for n in range(1500)] + [{"id": 1500, "much": "m" * 200_000}]

    run = stage.suffer(body(page(*rows)))

    assert (run.state, run.code, run.rejected) == (RunState.WAITING, "unreadable_records", 1501)
    with tenant_scope(run.tenant_id):
        kept = RejectedRecord.objects.filter(connection=run.connection)
        assert kept.count() == 1000
        assert max(map(len, kept.values_list("payload", flat=True))) == 100_000
        assert not kept.filter(payload__contains='"id": 500,').exists()  # the latest are kept


def test_a_reading_of_ours_that_breaks_costs_one_record(stage: Stage) -> None:
    rows = [{"id": "1"}, {"id": "2", "value": BILL}]  # without a value the connector's own code raises KeyError
    run = stage.suffer(body(page(*rows)), "bills")
    assert (run.state, run.new, run.rejected) == (RunState.DONE, 1, 1)
