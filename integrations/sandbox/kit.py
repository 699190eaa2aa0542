"""What every emulator needs: routes on a real port, a clock that can be moved, weather and tokens.

An emulator subclasses `Sandbox`, marks its methods with `@route`, and answers `Reply` values. State is small: records
are worked out from their number whenever they are asked for.
"""

import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    path: str  # decoded
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    target: str = ""  # path and query byte for byte as they were sent

    def get(self, name: str, default: str = "") -> str:
        """The first query value of that name, whatever its case."""
        return next((value for key, value in self.query if key.lower() == name.lower()), default)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        body = json.dumps(value, separators=(",", ":")).encode()
        return cls(status=status, body=body, headers={"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def html(cls, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> "Reply":
        return cls(
            status=status, body=text.encode(), headers={"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        )

    @classmethod
    def redirect(cls, address: str) -> "Reply":
        return cls(status=302, headers={"Location": address})


Handler = Callable[..., Reply]


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Answer `method` on `pattern`; `{name}` parts are passed by name. Letter case and a last slash do not matter."""

    def mark(handler: Handler) -> Handler:
        expression = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(pattern.rstrip("/")))
        routes = [*getattr(handler, "_routes", []), (method, re.compile(f"{expression}/?", re.IGNORECASE))]
        handler._routes = routes  # type: ignore[attr-defined]
        return handler

    return mark


class Clock:
    """The emulator's own time: real time plus whatever it was moved by. Tests may freeze it."""

    def __init__(self) -> None:
        self._shift = timedelta()
        self._frozen: datetime | None = None

    def now(self) -> datetime:
        return (self._frozen or datetime.now(UTC)) + self._shift

    def advance(self, span: timedelta) -> None:
        self._shift += span

    def freeze(self, at: datetime) -> None:
        self._frozen, self._shift = at, timedelta()


@dataclass(slots=True, kw_only=True)
class Fault:
    """Bad weather for the next `times` requests whose path and method match. With `lose_reply` the request is carried
    out and the connection closed without an answer; with `status` it is not carried out at all; `truncate` cuts the
    answer; `rewrite` makes something else of a good one; `is_stuck` gives each path's first answer again and again,
    whatever is asked; `account` limits it to one of the emulator's accounts."""

    path: str = ""  # regular expression searched in the path
    method: str = ""  # the same for the method: "POST|PUT"
    account: int | None = None
    times: int = 1
    status: int | None = None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: timedelta = timedelta()
    lose_reply: bool = False
    truncate: bool = False
    rewrite: Callable[[bytes], bytes] | None = None
    is_stuck: bool = False


class Weather:
    """Faults in the order they were put in; each is used up request by request."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self.latency = timedelta()  # added to every answer

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self.latency = timedelta()

    def take(self, path: str, account: int | None = None, method: str = "") -> Fault | None:
        with self._lock:
            for fault in self._faults:
                is_meant = fault.account in (None, account) and re.search(fault.method, method)
                if is_meant and re.search(fault.path, path, re.IGNORECASE):
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None


class TokenBook:
    """Tokens the emulator gave out, by value: who they belong to, until when, and whether a single-use one is spent.

    Kept in a file when `path` is given, so that a restarted demo still honours what it gave out.
    """

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock, self._path, self._lock = clock, path, threading.RLock()
        self._tokens: dict[str, dict[str, Any]] = {}
        if path and path.exists():
            self._tokens = json.loads(path.read_text())

    def issue(self, value: str, *, kind: str, lifetime: timedelta, **facts: Any) -> str:
        ends = (self._clock.now() + lifetime).timestamp()
        with self._lock:
            self._tokens[value] = {"kind": kind, "ends": ends, "spent": False, **facts}
            self._save()
        return value

    def find(self, value: str, kind: str) -> dict[str, Any] | None:
        """The facts of a known token of that kind, expired and spent ones too (see `is_expired`, `spent`)."""
        with self._lock:
            token = self._tokens.get(value)
            return dict(token) if token and token["kind"] == kind else None

    def is_expired(self, facts: Mapping[str, Any]) -> bool:
        return bool(facts["ends"] <= self._clock.now().timestamp())

    def spend(self, value: str, kind: str) -> dict[str, Any] | None:
        """Use a single-use token up. None when it is unknown, spent or expired."""
        with self._lock:
            token = self._tokens.get(value)
            if not token or token["kind"] != kind or token["spent"] or self.is_expired(token):
                return None
            token["spent"] = True
            self._save()
            return dict(token)

    def revoke(self, kind: str | None = None, **facts: Any) -> int:
        """Forget every token of that kind with those facts; how many."""
        with self._lock:
            doomed = [
                value
                for value, token in self._tokens.items()
                if (kind is None or token["kind"] == kind) and all(token.get(k) == v for k, v in facts.items())
            ]
            for value in doomed:
                del self._tokens[value]
            self._save()
            return len(doomed)

    def _save(self) -> None:
        if self._path:
            now = self._clock.now().timestamp()
            kept = {value: token for value, token in self._tokens.items() if token["ends"] > now - 86_400}
            draft = self._path.with_suffix(".new")
            draft.write_text(json.dumps(kept))
            draft.replace(self._path)


class NothingLeft(ValueError):
    """What a mishap would befall is no longer there."""


class Sandbox:
    """Base of every emulator. `serve()` puts it on a loopback port; `url` is then its address.

    `change_every` makes time pass (None: the data stands still); `state_dir` keeps tokens over a restart.
    `requests` counts what was asked, by "METHOD path", and `most_at_once` how many requests were ever under way
    together, for tests.
    """

    key: ClassVar[str]
    account_names: tuple[str, ...] = ()  # of the accounts, in the order of their numbers
    # (method, label) for the control page. A method that takes `account` (a number, None: all) is offered per account.
    controls: ClassVar[tuple[tuple[str, str], ...]] = ()
    # Methods that change an account's data as people at the vendor do. Any may raise NothingLeft, having done nothing.
    mishaps: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        seed: int = 1,
        epoch: datetime | None = None,
        change_every: timedelta | None = None,
        state_dir: Path | None = None,
    ) -> None:
        self.clock, self.weather = Clock(), Weather()
        self.seed, self.change_every = seed, change_every
        self.epoch = epoch or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.tokens = TokenBook(self.clock, state_dir / f"{self.key}-tokens.json" if state_dir else None)
        self.requests: dict[str, int] = {}
        self.most_at_once = self._under_way = 0
        self.url = ""
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            (method, pattern, getattr(self, name))
            for name in dir(type(self))
            for method, pattern in getattr(getattr(type(self), name), "_routes", [])
        ]
        self._count_lock = threading.Lock()
        self._stuck: dict[str, Reply] = {}

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        """Settings and secrets with which the portal connects to this emulator's account number `account`, as the
        vendor's setup form would give them. An emulator without accounts has none."""
        return {}, {}

    def sign_ins(self, account: int = 0) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
        """Settings and secrets for each documented way to sign in, by its name; the first is `demo_setup`'s."""
        return {"as documented": self.demo_setup(account)}

    def consent(self, address: str, account: int = 0) -> dict[str, str]:
        """What the browser brings back (`code`, `state`) when a person allows access on the consent page at that
        address; for vendors that have one."""
        raise NotImplementedError

    def account_of(self, request: Request) -> int | None:
        """Whose request it is, where that can be told without judging it: for weather over one account."""
        return None

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        """The external ids that a reading of the whole stream must bring now: the truth that tests compare with."""
        raise NotImplementedError

    def refuse(self, stream: str, account: int | None = None) -> None:
        """Take away the permission (licence, key, feature) that this stream needs, as the vendor would."""
        raise NotImplementedError

    def revoke(self, account: int | None = None) -> None:
        """Make the credentials worthless: tokens end, and what was entered opens nothing any more."""
        raise NotImplementedError

    def clear_weather(self) -> None:
        """Fair weather again."""
        self.weather.clear()

    def not_found(self, request: Request) -> Reply:
        """What the vendor says on a path it does not know."""
        return Reply.json({"message": "not found"}, 404)

    def handle(self, request: Request) -> Reply:
        """Answer one request; a vendor overrides this to check something ahead of every route."""
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if method == request.method and found:
                return handler(request, **found.groupdict())
        return self.not_found(request)

    def answer(self, request: Request) -> Reply | None:
        """Weather first, then the vendor. None: close without an answer."""
        with self._count_lock:
            key = f"{request.method} {request.path}"
            self.requests[key] = self.requests.get(key, 0) + 1
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            return self._answer(request)
        finally:
            with self._count_lock:
                self._under_way -= 1

    def _answer(self, request: Request) -> Reply | None:
        if self.weather.latency:
            time.sleep(self.weather.latency.total_seconds())
        if request.path.startswith("/_"):
            return self.handle(request)
        fault = self.weather.take(request.path, self.account_of(request), request.method)
        return self.handle(request) if fault is None else self._in_bad_weather(request, fault)

    def _in_bad_weather(self, request: Request, fault: Fault) -> Reply | None:
        time.sleep(fault.delay.total_seconds())
        if fault.status is not None:
            return Reply(status=fault.status, body=fault.body, headers=fault.headers)
        reply = self.handle(request)
        if fault.lose_reply:
            return None
        if fault.is_stuck and reply.status < 300:
            reply = self._stuck.setdefault(f"{request.method} {request.path}", reply)
        body = reply.body
        if fault.rewrite and reply.status < 300:
            body = fault.rewrite(body)
        if fault.truncate:
            body = body[: len(body) // 2]
        return Reply(status=reply.status, body=body, headers=reply.headers)

    @contextmanager
    def serve(self, port: int = 0) -> Iterator["Sandbox"]:
        """Answer on 127.0.0.1 until the block ends; port 0 takes a free one."""
        server = _Server(("127.0.0.1", port), _Handler)
        server.sandbox = self
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    sandbox: Sandbox

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that was killed is no error of the vendor's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def _serve(self) -> None:
        sandbox = cast(_Server, self.server).sandbox
        parts = urlsplit(self.path)
        length = int(self.headers.get("content-length") or 0)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
            target=self.path,
        )
        reply = sandbox.answer(request)
        if reply is None:
            self.close_connection = True
            return
        head = [f"HTTP/1.1 {reply.status} {self.responses.get(reply.status, ('Vendor status',))[0]}"]
        head += [f"Date: {format_datetime(sandbox.clock.now().astimezone(UTC), usegmt=True)}"]
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        head += [f"Content-Length: {len(reply.body)}", "", ""]
        try:
            self.wfile.write("\r\n".join(head).encode("latin-1") + (b"" if self.command == "HEAD" else reply.body))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_HEAD = do_PATCH = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: addresses may carry codes."""
