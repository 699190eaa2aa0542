"""The supervisor with light programs in place of the demo's: run as a script by test_up."""

from __future__ import annotations

import sys
from os import environ

from portal.launcher import up
from portal.launcher.programs import Programs

WEB = """
import http.server, socket, sys
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health/ready" else 404)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.1", 0), Site, bind_and_activate=False)
server.socket = socket.socket(fileno=int(sys.argv[1]))
server.serve_forever()
"""
SANDBOX = """
import os, socket, time
boxes = [
    socket.create_server(("127.0.0.1", int(entry.rpartition(":")[2])))
    for entry in os.environ["SANDBOX_URLS"].split(",") if entry
]
time.sleep(600)
"""
SEED = 'print(\'a word before\'); print(\'{"email": "ada@example.com", "password": "engine"}\')'
WAIT = "import time; time.sleep(600)"


def python(code: str, *arguments: str) -> list[str]:
    """A command line for the code, or for what the test put in its place."""
    return [sys.executable, "-c", code, *arguments]


if __name__ == "__main__":
    sys.exit(
        up.main(
            Programs(
                setup=[("Setting up", python(environ.get("SETUP", "pass")))],
                collect=python("pass"),
                sandbox=python(SANDBOX),
                seed=python(SEED),
                web=lambda descriptor: python(WEB, str(descriptor)),
                worker=python(environ.get("WORKER", WAIT)),
                beat=python(WAIT),
                first_pause=float(environ.get("PAUSE", "0.2")),
            )
        )
    )
