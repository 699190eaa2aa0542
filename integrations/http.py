"""The one way out to a vendor. httpx is imported here only, and of it the transport alone is used: what its client adds
(redirects, cookies, proxies out of the environment) is what we must not do.

Limits that hold whatever the other side does: time for the whole exchange, bytes on the wire (`integrations.network`)
and after decompression, values in a document (`integrations.answers`), no redirects, no cookies, and no address inside
our own network.
"""

import ssl
import threading
import time
import uuid
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpcore
import httpx
import msgspec

from integrations.answers import Answer
from integrations.errors import ConfigurationNeeded, RetryLater, VendorChanged, too_large
from integrations.network import ForbiddenAddress, GuardedNetwork, UnknownHost, limits

K = TypeVar("K")
T = TypeVar("T")
MAX_BYTES = 32 * 1024 * 1024
_LARGE = 4 * 1024 * 1024  # bytes of an answer of which not many are held at once
MAX_HEAD = 256 * 1024  # bytes before the answer itself begins, with whatever is sent ahead of it
_NONSENSE = timedelta(days=366)  # a vendor's clock that far from ours tells nothing
USER_AGENT = "Switchboard/1"
_HEADERS = {"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "gzip"}
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One outbound call for the request log: no query, no headers, no bodies, so no secret."""

    request_id: str
    method: str
    host: str
    path: str
    status: int | None  # None: no answer
    started_at: datetime
    duration: timedelta
    received_bytes: int
    vendor_request_id: str
    error: str


@cache
def _ssl_context() -> ssl.SSLContext:
    """One for all: reading the certificates anew takes longer than most requests."""
    return httpx.create_ssl_context()


class _Transport(httpx.HTTPTransport):
    def __init__(self, allowed: frozenset[tuple[str, int]], parallel: int) -> None:
        super().__init__(verify=_ssl_context())
        self._pool = httpcore.ConnectionPool(
            ssl_context=_ssl_context(),
            max_connections=parallel,
            keepalive_expiry=30,
            network_backend=GuardedNetwork(allowed),
        )


class Http:
    """HTTP for one connection, for any number of threads. `before` is called ahead of every request (rate limits),
    `record` after it, `leave` by a thread of `each` after its piece of work. At most `parallel` requests are under way.
    """

    def __init__(
        self,
        *,
        allowed: frozenset[tuple[str, int]] = frozenset(),
        before: Callable[[], None] = lambda: None,
        record: Callable[[Exchange], None] = lambda exchange: None,
        leave: Callable[[], None] = lambda: None,
        parallel: int = 8,
    ) -> None:
        self._before, self._record, self._leave, self._parallel = before, record, leave, parallel
        self.calls = 0  # made so far
        self._counting = threading.Lock()
        self._has_large_answers = False
        self._ways = threading.BoundedSemaphore(parallel)
        self.clock_offset = timedelta()  # how far the vendor's clock is ahead of ours, by its latest `Date`
        self._transport = _Transport(allowed, parallel)

    def close(self) -> None:
        self._transport.close()

    def send(
        self,
        method: str,
        url: str,
        *,
        query: Pairs = (),
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: object = None,
        basic: tuple[str, str] | None = None,
        request_id: uuid.UUID | None = None,
        timeout: timedelta = timedelta(seconds=30),
    ) -> Answer:
        """One request, one answer of any status. Spaces travel as %20. `request_id` is our name for it in the log, for
        a vendor that is told it too; else it is made up. Raises RetryLater when no answer came, ConfigurationNeeded
        when the address leads nowhere we may go."""
        with self._ways:  # waiting for the others is no part of the exchange, whose time is short
            return self._send(method, url, query, headers, form, json, basic, (request_id or uuid.uuid4()).hex, timeout)

    def _send(
        self,
        method: str,
        url: str,
        query: Pairs,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
        json: object,
        basic: tuple[str, str] | None,
        request_id: str,
        timeout: timedelta,
    ) -> Answer:
        self._before()
        with self._counting:
            self.calls += 1
        body, kind = _body(form, json)
        started_at, clock = datetime.now(UTC), time.monotonic()
        status, received, vendor_id, error = None, b"", "", ""
        limits.ends_at, limits.bytes_left = clock + timeout.total_seconds(), MAX_HEAD
        try:
            text = urlencode(list(query), quote_via=quote)
            target = f"{url}{'&' if '?' in url else '?'}{text}" if text else url
            spans = dict.fromkeys(("connect", "read", "write", "pool"), timeout.total_seconds())
            request = httpx.Request(
                method,
                target,
                content=body,
                headers={**_HEADERS, **kind, **(headers or {})},
                extensions={"timeout": spans},
            )
            if basic:
                next(httpx.BasicAuth(*basic).auth_flow(request))
            answer = self._transport.handle_request(request)
            limits.bytes_left = 2 * MAX_BYTES  # the frames of many small chunks may take as much as what is in them
            try:
                status = answer.status_code
                self._compare_clocks(answer.headers.get("date", ""))
                vendor_id = answer.headers.get("x-request-id", "")[:100]
                received = _read(answer)
                self._has_large_answers |= len(received) > _LARGE
            finally:
                answer.close()
            lowered = {name.lower(): text for name, text in answer.headers.items()}
            return Answer(status=status, headers=lowered, body=received, request_id=request_id)
        except ForbiddenAddress as refusal:
            error = "forbidden address"
            raise ConfigurationNeeded(
                f"The address {refusal} is not one we may call. Check the address you entered.", code="address"
            ) from refusal
        except UnknownHost as failure:
            error = "unknown host"
            raise RetryLater(
                f"We cannot find {failure}. Check the address you entered.", code="unknown_host"
            ) from failure
        except httpx.TimeoutException as failure:
            error = "timeout"
            raise RetryLater("The vendor did not answer in time.", code="timeout") from failure
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as failure:
            error = "bad address"
            raise ConfigurationNeeded("The address of the vendor is not a valid one.", code="address") from failure
        except httpx.RemoteProtocolError as failure:
            error = type(failure).__name__
            words = "What answers at the vendor's address broke off, or does not speak as web servers do."
            if status is None and "disconnected" in str(failure):
                words = "The vendor could not be reached."
            raise RetryLater(f"{words} We will try again.", code="unreachable", detail=error) from failure
        except httpx.HTTPError as failure:
            error = type(failure).__name__
            raise RetryLater("The vendor could not be reached.", code="unreachable", detail=error) from failure
        except (VendorChanged, RetryLater) as failure:
            error = failure.code
            raise
        finally:
            limits.ends_at = limits.bytes_left = float("inf")
            host, path = _place_of(url)
            self._record(
                Exchange(
                    request_id=request_id,
                    method=method,
                    host=host,
                    path=path[:500],
                    status=status,
                    started_at=started_at,
                    duration=timedelta(seconds=time.monotonic() - clock),
                    received_bytes=len(received),
                    vendor_request_id=vendor_id,
                    error=error,
                )
            )

    def each(self, call: Callable[[K], T], items: Iterable[K]) -> Iterator[T]:
        """What `call` gives for each item, in the items' order, with up to `parallel` of them under way: pages whose
        numbers are known need not wait for each other. Items are taken from the caller's thread, as they are needed.

        What a call raises, or the taking of an item, is raised in its turn and ends it; from the moment it is known
        nothing new is begun. Large answers are fetched one by one: many at once would fill the memory."""
        if self._parallel == 1:
            yield from map(call, items)
            return

        def called(item: K) -> T:
            try:
                return call(item)
            finally:
                self._leave()

        remaining, waiting = iter(items), deque[Future[T]]()
        ways = 1  # until it is known how large an answer is
        with ThreadPoolExecutor(self._parallel, "vendor") as pool:
            try:
                while True:
                    while len(waiting) < ways and not any(map(_has_failed, waiting)):
                        try:
                            item = next(remaining)
                        except StopIteration:
                            break
                        except Exception as failure:
                            waiting.append(_failed(failure))
                        else:
                            waiting.append(pool.submit(called, item))
                    if not waiting:
                        return
                    yield waiting.popleft().result()
                    ways = 1 if self._has_large_answers else self._parallel
            finally:
                pool.shutdown(cancel_futures=True)

    def _compare_clocks(self, told: str) -> None:
        """`Date` counts whole seconds: take the middle of the one it names."""
        try:
            offset = parsedate_to_datetime(told) - datetime.now(UTC) + timedelta(seconds=0.5)
        except (TypeError, ValueError, OverflowError, IndexError):
            return
        if abs(offset) < _NONSENSE:
            self.clock_offset = offset


def _has_failed(future: Future[Any]) -> bool:
    return future.done() and future.exception() is not None


def _failed(failure: Exception) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(failure)
    return future


def _place_of(url: str) -> tuple[str, str]:
    """Host and path, as far as they can be told and stored: the address may have come from a vendor."""
    try:
        parts = urlsplit(url.encode(errors="replace").decode().replace("\0", ""))
    except ValueError:
        return "", ""
    return parts.netloc.rpartition("@")[2], parts.path


def _body(form: Mapping[str, str] | None, json: object) -> tuple[bytes | None, dict[str, str]]:
    if form is not None:
        return urlencode(form).encode(), {"content-type": "application/x-www-form-urlencoded"}
    if json is not None:
        return msgspec.json.encode(json), {"content-type": "application/json; charset=utf-8"}
    return None, {}


def _read(answer: httpx.Response) -> bytes:
    """The body, unpacked by ourselves: at no moment is more of it in memory than we take."""
    packing = answer.headers.get("content-encoding", "").strip().lower() or "identity"
    if packing not in {"identity", "gzip"}:
        raise VendorChanged("The vendor packed its answer in a way we did not ask for.", code="encoding")
    has_body = answer.status_code not in {204, 304}
    if has_body and int(answer.headers.get("content-length", "0")) > MAX_BYTES:
        raise too_large()
    unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
    body = bytearray()
    try:
        for chunk in answer.iter_raw():
            if unpacker and unpacker.eof:  # it would keep whatever comes after the end
                raise RetryLater("The vendor's answer went on after its end. We will try again.", code="damaged")
            body += unpacker.decompress(chunk, MAX_BYTES + 1 - len(body)) if unpacker else chunk
            if len(body) > MAX_BYTES or (unpacker and unpacker.unconsumed_tail):
                raise too_large()
    except zlib.error as damage:
        raise RetryLater("The vendor's answer was damaged on its way.", code="damaged") from damage
    if unpacker and has_body and not unpacker.eof:
        raise RetryLater("The vendor's answer was cut off on its way.", code="damaged")
    return bytes(body)
