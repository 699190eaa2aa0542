"""A server that sends whatever it is told to, as HTTP or not: `http.server` has better manners than some vendors."""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

Play = Callable[["Asked"], Iterable[bytes]]


class Asked:
    """One request: its head as it came, where in the list it wants to go on, and when nobody listens any more."""

    def __init__(self, head: str, over: threading.Event, number: int) -> None:
        self.head, self.over, self.number = head, over, number

    @property
    def cursor(self) -> str:
        return parse_qs(urlsplit(self.head.split(" ", 2)[1]).query).get("from", [""])[0]


@contextmanager
def serving(play: Play) -> Iterator[tuple[str, int]]:
    """The address at which each request gets what `play` gives; then the connection is closed."""
    over, lock, numbers = threading.Event(), threading.Lock(), iter(range(10**9))

    def meet(caller: socket.socket) -> None:
        with caller, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head and not head.startswith(b"\x16"):  # a handshake where plain words belong
                received = caller.recv(65536)
                if not received:
                    return
                head += received
            with lock:
                number = next(numbers)
            for piece in play(Asked(head.decode("latin-1"), over, number)):
                caller.sendall(piece)
            caller.shutdown(socket.SHUT_WR)

    def listen() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=meet, args=[server.accept()[0]], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        try:
            yield server.getsockname()
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def answer(body: bytes, *, status: str = "200 OK", length: int | None = None, **headers: str) -> bytes:
    """A whole answer; `length` is what it claims to be. Header names are given with `_` for `-`."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def page(*rows: Mapping[str, object] | bytes, then: str | None = None, total: int | None = None) -> bytes:
    """The body of a page; rows in bytes are taken as they are."""
    written = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return b'{"next": %s, "total": %s, "records": [%s]}' % (
        json.dumps(then).encode(),
        json.dumps(total).encode(),
        b",".join(written),
    )
