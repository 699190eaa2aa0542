"""A listener for an emulator's notices, on a real port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


class Listener(ThreadingHTTPServer):
    """Keeps what it is told, in order, and answers with `status`; while `may_answer` is not set it keeps silent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        self.status = 200
        self.got: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.heard, self.may_answer = threading.Event(), threading.Event()
        self.may_answer.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        listener = cast(Listener, self.server)
        listener.headers.append(dict(self.headers.items()))
        listener.paths.append(self.path)
        listener.got.append(self.rfile.read(int(self.headers["content-length"])).decode())
        listener.heard.set()
        listener.may_answer.wait(10)
        self.send_response(listener.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.may_answer.set()
        listener.shutdown()
        listener.server_close()
        thread.join()
