"""The one way out holds its limits whatever the other side does."""

import contextlib
import gzip
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from integrations import http, network
from integrations.answers import Answer
from integrations.errors import ConfigurationNeeded, RetryLater, VendorChanged
from integrations.http import Exchange, Http
from integrations.sandbox.kit import Fault, Reply, Request, Sandbox, route

Way = Callable[..., Http]


class Stranger(Sandbox):
    key = "stranger"

    @route("GET", "/echo")
    def echo(self, request: Request) -> Reply:
        return Reply.json({"query": request.query, "authorization": request.headers.get("authorization", "")})

    @route("GET", "/away")
    def away(self, request: Request) -> Reply:
        return Reply.redirect("http://169.254.169.254/latest/meta-data/")

    @route("GET", "/bomb")
    def bomb(self, request: Request) -> Reply:
        return Reply(body=gzip.compress(b"0" * 100_000_000), headers={"Content-Encoding": "gzip"})

    @route("GET", "/packed/{how}")
    def packed(self, request: Request, how: str) -> Reply:
        whole = gzip.compress(b'{"a": 1}')
        return {
            "well": Reply(body=whole, headers={"Content-Encoding": "gzip"}),
            "short": Reply(body=whole[:-6], headers={"Content-Encoding": "gzip"}),
            "badly": Reply(body=b"not gzip at all", headers={"Content-Encoding": "gzip"}),
            "twice": Reply(body=gzip.compress(whole), headers={"Content-Encoding": "gzip, gzip"}),
            "otherwise": Reply(body=whole, headers={"Content-Encoding": "br"}),
        }[how]

    @route("GET", "/flood")
    def flood(self, request: Request) -> Reply:
        return Reply(body=b"x" * 2_000_000)

    @route("GET", "/large")
    def large(self, request: Request) -> Reply:
        return Reply(body=b"x" * 5_000_000)


@pytest.fixture
def stranger() -> Iterator[Sandbox]:
    with Stranger().serve() as running:
        yield running


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def way(stranger: Sandbox) -> Iterator[Way]:
    """`way(parallel=2)`: a way out to the stranger for so many calls at once."""
    host, port = stranger.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as opened:

        def open_one(parallel: int) -> Http:
            return opened.enter_context(
                contextlib.closing(Http(allowed=frozenset({(host, int(port))}), parallel=parallel))
            )

        yield open_one


@pytest.fixture
def way_out(stranger: Sandbox, exchanges: list[Exchange]) -> Iterator[Http]:
    host, port = stranger.url.removeprefix("http://").split(":")
    out = Http(allowed=frozenset({(host, int(port))}), record=exchanges.append)
    yield out
    out.close()


def test_blanks_and_pluses_in_a_query_arrive_as_they_were(stranger: Sandbox, way_out: Http) -> None:
    answer = way_out.send("GET", f"{stranger.url}/echo", query=[("filter", "a b+c"), ("x", "&=#")])
    assert answer.decode(dict)["query"] == [["filter", "a b+c"], ["x", "&=#"]]


def test_an_address_inside_our_own_network_is_refused(stranger: Sandbox) -> None:
    with pytest.raises(ConfigurationNeeded):
        Http().send("GET", f"{stranger.url}/echo")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"])
def test_a_name_that_leads_into_our_network_is_refused(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443))]
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ConfigurationNeeded):
        Http().send("GET", "https://vendor.example/")


@pytest.mark.parametrize("host", ["::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1"])
def test_the_same_holds_for_the_newer_protocol(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (host, 443, 0, 0))]
    monkeypatch.setattr(network.socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(ConfigurationNeeded):
        Http().send("GET", "https://vendor.example/")


def test_a_redirect_is_an_answer_not_a_way(stranger: Sandbox, way_out: Http) -> None:
    assert way_out.send("GET", f"{stranger.url}/away").status == 302


def test_a_flood_is_cut_off(stranger: Sandbox, way_out: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BYTES", 1_000_000)
    with pytest.raises(VendorChanged):
        way_out.send("GET", f"{stranger.url}/flood")


def test_a_compressed_bomb_is_cut_off_before_it_unfolds(stranger: Sandbox, way_out: Http) -> None:
    way_out.send("GET", f"{stranger.url}/packed/well")  # what is loaded once is not the bomb's
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(VendorChanged):
        way_out.send("GET", f"{stranger.url}/bomb")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 3 * http.MAX_BYTES / 1024


def test_a_packed_answer_is_unpacked(stranger: Sandbox, way_out: Http) -> None:
    assert way_out.send("GET", f"{stranger.url}/packed/well").decode(dict) == {"a": 1}


@pytest.mark.parametrize("how", ["short", "badly"])
def test_a_packed_answer_damaged_on_its_way_is_asked_for_again(stranger: Sandbox, way_out: Http, how: str) -> None:
    with pytest.raises(RetryLater):
        way_out.send("GET", f"{stranger.url}/packed/{how}")


@pytest.mark.parametrize("how", ["twice", "otherwise"])
def test_a_packing_we_did_not_ask_for_is_refused(stranger: Sandbox, way_out: Http, how: str) -> None:
    with pytest.raises(VendorChanged):
        way_out.send("GET", f"{stranger.url}/packed/{how}")


def test_a_drip_of_bytes_buys_no_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        stop = threading.Event()

        def drip() -> None:
            caller, _ = server.accept()
            with caller, contextlib.suppress(OSError):
                for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1000:
                    caller.sendall(bytes([letter]))
                    if stop.wait(0.05):
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(RetryLater) as failure:
            Http(allowed=frozenset({address})).send(
                "GET", f"http://127.0.0.1:{address[1]}/", timeout=timedelta(milliseconds=400)
            )
        took = time.monotonic() - began
        stop.set()
        thread.join()
    assert failure.value.code == "timeout"
    assert took < 20  # the whole drip would last 50 s


def test_a_slow_answer_ends_in_time(stranger: Sandbox, way_out: Http) -> None:
    stranger.weather.add(Fault(delay=timedelta(seconds=1)))
    with pytest.raises(RetryLater) as failure:
        way_out.send("GET", f"{stranger.url}/echo", timeout=timedelta(milliseconds=50))
    assert failure.value.code == "timeout"


def test_an_answer_that_never_comes_is_said_so(stranger: Sandbox, way_out: Http) -> None:
    stranger.weather.add(Fault(lose_reply=True))
    with pytest.raises(RetryLater) as failure:
        way_out.send("GET", f"{stranger.url}/echo")
    assert failure.value.code == "unreachable"


def test_the_request_log_holds_no_query_and_no_header(
    stranger: Sandbox, way_out: Http, exchanges: list[Exchange]
) -> None:
    way_out.send("GET", f"{stranger.url}/echo", query=[("key", "hush")], headers={"authorization": "Bearer hush"})
    (exchange,) = exchanges
    assert (exchange.method, exchange.path, exchange.status) == ("GET", "/echo", 200)
    assert "hush" not in repr(exchange)


@pytest.mark.parametrize("address", ["ftp://vendor.example/", "https://", "https://exa mple/", "nonsense"])
def test_a_bad_address_is_a_setting_to_mend(address: str) -> None:
    with pytest.raises((ConfigurationNeeded, RetryLater)):
        Http().send("GET", address)


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("0", 0), ("999999999", 86_400), ("soon", None), ("", None), ("-5", None)]
)
def test_retry_after_in_seconds(text: str, seconds: int | None) -> None:
    answer = Answer(status=429, headers={"retry-after": text}, body=b"")
    assert answer.retry_after() == (None if seconds is None else timedelta(seconds=seconds))


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    headers = {"retry-after": format_datetime(now + timedelta(minutes=5), usegmt=True)}
    assert Answer(status=503, headers=headers, body=b"").retry_after(now) == timedelta(minutes=5)


def test_an_unknown_shape_is_told_without_the_body() -> None:
    with pytest.raises(VendorChanged) as change:
        Answer(status=200, headers={"content-type": "application/json"}, body=b'["hush"]').decode(dict)
    assert "hush" not in change.value.detail


def test_what_is_no_json_at_all_is_a_bad_moment_of_the_vendor() -> None:
    with pytest.raises(RetryLater) as moment:
        Answer(status=200, headers={"content-type": "text/html"}, body=b"<html>hush").decode(dict)
    assert moment.value.code == "unreadable"
    assert "hush" not in moment.value.detail


def test_each_gives_the_answers_in_order_with_no_more_under_way_than_allowed(stranger: Sandbox, way: Way) -> None:
    stranger.weather.latency = timedelta(milliseconds=10)
    http = way(parallel=3)

    answers = http.each(lambda n: http.send("GET", f"{stranger.url}/echo", query=[("n", str(n))]), range(12))

    assert [answer.told()["query"][0][1] for answer in answers] == [str(n) for n in range(12)]
    assert stranger.most_at_once == 3


def test_large_answers_are_fetched_one_by_one(stranger: Sandbox, way: Way) -> None:
    http = way(parallel=3)

    answers = http.each(lambda _: http.send("GET", f"{stranger.url}/large"), range(4))

    assert [len(answer.body) for answer in answers] == [5_000_000] * 4
    assert stranger.most_at_once == 1


def test_no_more_are_under_way_than_allowed_however_the_calls_are_nested(stranger: Sandbox, way: Way) -> None:
    stranger.weather.latency = timedelta(milliseconds=10)
    http = way(parallel=2)

    def call(n: int) -> int:
        return http.send("GET", f"{stranger.url}/echo").status

    assert [list(http.each(call, range(2))) for _ in http.each(call, range(4))] == [[200, 200]] * 4
    assert stranger.most_at_once == 2


def test_what_fails_among_several_is_told_in_its_turn_and_nothing_more_is_begun(way: Way) -> None:
    begun = []

    def call(n: int) -> int:
        begun.append(n)
        if n == 4:
            raise RetryLater("no")
        return n

    given: list[int] = []
    with pytest.raises(RetryLater):
        given.extend(way(parallel=3).each(call, range(100)))

    assert given == [0, 1, 2, 3]
    assert max(begun) < 8


def test_items_that_cannot_be_had_lose_nothing_of_those_before_them(way: Way) -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise RetryLater("no")

    given: list[int] = []
    with pytest.raises(RetryLater):
        given.extend(way(parallel=4).each(lambda n: n, items()))

    assert given == [1, 2]
