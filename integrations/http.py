"""The one way out to a vendor. httpx is imported here only.

Limits that hold whatever the other side does: time for the whole exchange, bytes on the wire and after decompression,
values in a document, no redirects, no cookies, and no address inside our own network; the address is checked when
connecting, so that a name cannot change its mind.
"""

import re
import socket
import ssl
import threading
import time
import uuid
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpcore
import httpx
import msgspec

from integrations.addresses import is_public
from integrations.errors import ConfigurationNeeded, RateLimited, RetryLater, VendorChanged

K = TypeVar("K")
T = TypeVar("T")
MAX_BYTES = 32 * 1024 * 1024
MAX_HEAD = 256 * 1024  # bytes before the answer itself begins, with whatever is sent ahead of it
MAX_VALUES = 1_000_000  # in one document: a value may take a hundred times the memory of its three bytes
_MAX_REMARK = 1024 * 1024  # bytes of an error's document that are looked into
_NONSENSE = timedelta(days=366)  # a vendor's clock that far from ours tells nothing
_BOM = b"\xef\xbb\xbf"
_HALF_A_PAIR = re.compile(
    rb"(?<!\\)((?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
USER_AGENT = "Switchboard/1"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def decode(self, shape: type[T], *, strict: bool = True) -> T:
        """The body as `shape` (msgspec). What is no JSON at all (half an answer, a maintenance page) is a bad moment
        and raises RetryLater; JSON in another shape, or nearly JSON, is the vendor's change and raises VendorChanged.

        Two slips are overlooked, for one slip of one record must not hide all others: a byte order mark, and half of a
        surrogate pair (a text cut in the middle of a sign), which becomes U+FFFD."""
        body = self.body.removeprefix(_BOM)
        if len(body) > MAX_VALUES and sum(map(body.count, (b",", b"{", b"["))) > MAX_VALUES:
            raise _too_large()
        try:
            return msgspec.json.decode(body, type=shape, strict=strict)
        except msgspec.ValidationError as mistake:
            raise VendorChanged(
                "The vendor answered in a form we do not know. Our developers have to look at it.",
                detail=self._about(mistake),
            ) from mistake
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as mistake:
            mended = _HALF_A_PAIR.sub(rb"\1\\ufffd", body)
            if mended != body:
                return replace(self, body=mended).decode(shape, strict=strict)
            if (body[:1], body.rstrip()[-1:]) in {(b"{", b"}"), (b"[", b"]")}:
                raise VendorChanged(
                    "The vendor answered in something that is not quite JSON. Our developers have to look at it.",
                    code="unreadable",
                    detail=self._about(mistake),
                ) from mistake
            raise RetryLater(
                "The vendor's answer was cut off, or is a web page instead of data. We will try again.",
                code="unreadable",
                detail=self._about(mistake),
            ) from mistake

    def told(self) -> dict[str, Any]:
        """The JSON object of an error; {} for HTML, an empty body or whatever else a proxy may send."""
        if len(self.body) > _MAX_REMARK:
            return {}
        try:
            found = msgspec.json.decode(self.body.removeprefix(_BOM))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def is_html(self) -> bool:
        """Whether a web page came, whatever it calls itself."""
        return self.content_type in {"text/html", "application/xhtml+xml"} or self.body[:64].lstrip().startswith(b"<")

    def passing_failure(self, vendor: str, detail: str = "") -> RetryLater | None:
        """What time mends by itself, if that is what came: a limit (429), a slow moment (408), an outage (5xx)."""
        detail = detail or f"HTTP {self.status}"
        if self.status == 429:
            return RateLimited(
                f"{vendor} asks us to slow down. We wait and go on by ourselves.",
                retry_after=self.retry_after(),
                detail=detail,
            )
        if self.status == 408 or self.status >= 500:
            return RetryLater(
                f"{vendor} is not working properly at the moment. We try again by ourselves.",
                retry_after=self.retry_after(),
                detail=detail,
            )
        return None

    def _about(self, mistake: Exception) -> str:
        return f"HTTP {self.status}, {self.content_type or 'no content type'}, {len(self.body)} bytes: {mistake}"[:500]

    def retry_after(self, now: datetime | None = None) -> timedelta | None:
        """`Retry-After` in both its forms (seconds or an HTTP date), never negative, at most a day."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdecimal():
            span = timedelta(seconds=int(text.lstrip("0")[:6] or 0))  # more digits would be more than a day anyway
        else:
            try:
                span = parsedate_to_datetime(text) - (now or datetime.now(UTC))
            except (TypeError, ValueError, OverflowError, IndexError):
                return None
        return min(max(span, timedelta()), timedelta(days=1))


class _Limits(threading.local):
    """When the exchange that this thread carries out must be over (monotonic seconds), and what may still come."""

    ends_at = float("inf")
    bytes_left = float("inf")

    def take(self, count: int) -> None:
        """So many bytes came. Raises VendorChanged when they are too many."""
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise _too_large()

    def left(self, timeout: float | None) -> float:
        """Never longer than what is left of the whole exchange. Raises httpcore.ReadTimeout when that is nothing."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the exchange took too long")
        return left if timeout is None else min(timeout, left)


_limits = _Limits()


def _too_large() -> VendorChanged:
    return VendorChanged(
        "The vendor sent an answer that is far too large. Our developers have to look at it.", code="too_large"
    )


class _LimitedStream(httpcore.NetworkStream):
    """A connection on which a drip of bytes does not buy time: every wait ends with the exchange. Nor does a flood of
    what is no body (interim answers, the frames of tiny chunks) go on for ever."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = self._stream.read(max_bytes, _limits.left(timeout))
        _limits.take(len(received))
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _limits.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _LimitedStream(self._stream.start_tls(ssl_context, server_hostname, _limits.left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _GuardedNetwork(httpcore.NetworkBackend):
    """Connects only to public addresses, and to the sandbox's where it is switched on."""

    def __init__(self, allowed: frozenset[tuple[str, int]]) -> None:
        self._network = httpcore.SyncBackend()
        self._allowed = allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        if (host, port) in self._allowed:
            return self._connect(host, port, timeout, local_address, socket_options)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as failure:
            raise UnknownHost(host) from failure
        addresses = [str(entry[4][0]) for entry in found]
        if not all(map(is_public, addresses)):
            raise ForbiddenAddress(host)
        return self._connect(addresses[0], port, timeout, local_address, socket_options)

    def _connect(
        self, host: str, port: int, timeout: float | None, local_address: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        return _LimitedStream(self._network.connect_tcp(host, port, _limits.left(timeout), local_address, options))


class ForbiddenAddress(Exception):
    """A name that leads into our own network."""


class UnknownHost(Exception):
    """A name that leads nowhere: mistyped, or the name service is away."""


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
            network_backend=_GuardedNetwork(allowed),
        )


class _NoCookies(CookieJar):
    """Keeps none and sends none: who we are is told by credentials, and a jar would grow as the vendor likes."""

    def extract_cookies(self, response: Any, request: Any) -> None: ...

    def add_cookie_header(self, request: Any) -> None: ...


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
        self._ways = threading.BoundedSemaphore(parallel)
        self.clock_offset = timedelta()  # how far the vendor's clock is ahead of ours, by its latest `Date`
        self._client = httpx.Client(
            transport=_Transport(allowed, parallel),
            follow_redirects=False,
            cookies=_NoCookies(),
            trust_env=False,
            headers={"user-agent": USER_AGENT, "accept": "application/json", "accept-encoding": "gzip"},
        )

    def close(self) -> None:
        self._client.close()

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
        request_id: str = "",
        timeout: timedelta = timedelta(seconds=30),
    ) -> Answer:
        """One request, one answer of any status. Spaces travel as %20. `request_id` is our name for it in the log,
        where the vendor is told one too. Raises RetryLater when no answer came, ConfigurationNeeded when the address
        leads nowhere we may go."""
        with self._ways:  # waiting for the others is no part of the exchange, whose time is short
            return self._send(method, url, query, headers, form, json, basic, request_id, timeout)

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
        request_id = request_id[:32] or uuid.uuid4().hex
        started_at, clock = datetime.now(UTC), time.monotonic()
        status, received, vendor_id, error = None, b"", "", ""
        _limits.ends_at, _limits.bytes_left = clock + timeout.total_seconds(), MAX_HEAD
        try:
            text = urlencode(list(query), quote_via=quote)
            target = f"{url}{'&' if '?' in url else '?'}{text}" if text else url
            request = self._client.build_request(
                method, target, content=body, headers={**kind, **(headers or {})}, timeout=timeout.total_seconds()
            )
            auth = httpx.BasicAuth(*basic) if basic else None
            answer = self._client.send(request, auth=auth, stream=True)
            _limits.bytes_left = 2 * MAX_BYTES  # the frames of many small chunks may take as much as what is in them
            try:
                status = answer.status_code
                self._compare_clocks(answer.headers.get("date", ""))
                vendor_id = answer.headers.get("x-request-id", "")[:100]
                received = _read(answer)
            finally:
                answer.close()
            return Answer(status=status, headers={k.lower(): v for k, v in answer.headers.items()}, body=received)
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
            _limits.ends_at = _limits.bytes_left = float("inf")
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
        nothing new is begun."""
        if self._parallel == 1:
            yield from map(call, items)
            return

        def called(item: K) -> T:
            try:
                return call(item)
            finally:
                self._leave()

        remaining, waiting = iter(items), deque[Future[T]]()
        with ThreadPoolExecutor(self._parallel, "vendor") as pool:
            try:
                while True:
                    while len(waiting) < self._parallel and not any(map(_has_failed, waiting)):
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
        raise _too_large()
    unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
    body = bytearray()
    try:
        for chunk in answer.iter_raw():
            if unpacker and unpacker.eof:  # it would keep whatever comes after the end
                raise RetryLater("The vendor's answer went on after its end. We will try again.", code="damaged")
            body += unpacker.decompress(chunk, MAX_BYTES + 1 - len(body)) if unpacker else chunk
            if len(body) > MAX_BYTES or (unpacker and unpacker.unconsumed_tail):
                raise _too_large()
    except zlib.error as damage:
        raise RetryLater("The vendor's answer was damaged on its way.", code="damaged") from damage
    if unpacker and has_body and not unpacker.eof:
        raise RetryLater("The vendor's answer was cut off on its way.", code="damaged")
    return bytes(body)
