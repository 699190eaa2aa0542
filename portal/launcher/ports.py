"""Ports on the loopback, remembered so that addresses stay the same from one start to the next."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

from portal.launcher.problems import LaunchError
from portal.launcher.state import write_private

_HOST = "127.0.0.1"
# Below what systems hand out to outgoing connections, so that a remembered port is seldom taken.
_RANGE = range(20_000, 32_000)
_WEB = 8000


class Ports:
    """The choices of a state directory, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def choose(self, name: str, *, running: bool = False) -> int:
        """The remembered port when it is free, else another one, remembered from now on.

        `running` says that what uses the port may be there already.
        """
        taken = set(self._known().values())
        former = self._known().get(name)
        if former is not None and (running or is_free(former)):
            return former
        for _attempt in range(200):
            port = random.choice(_RANGE)  # noqa: S311
            if port not in taken and is_free(port):
                self.remember(name, port)
                return port
        raise LaunchError("There is no free port on 127.0.0.1.")

    def listen(self, asked: int | None) -> socket.socket:
        """The web's socket, listening already: nobody can take the port between the choice and the use.

        A port asked for must be free; otherwise the remembered one, then 8000, then the next free one.
        """
        if asked is not None:
            found = _listen(asked)
            if found is None:
                raise LaunchError(f"Port {asked} is taken: set PORT to another one.", status=2)
            self.remember("web", asked)
            return found
        for port in (self.web(), *range(_WEB, _WEB + 1000)):
            if found := _listen(port):
                self.remember("web", port)
                return found
        raise LaunchError("There is no free port from 8000 on: set PORT.", status=2)

    def web(self) -> int:
        """Where the web was last, or would be first."""
        return self._known().get("web", _WEB)

    def remember(self, name: str, port: int) -> None:
        """Writes the choice down."""
        write_private(self._path, json.dumps(self._known() | {name: port}, indent=2, sort_keys=True))

    def _known(self) -> dict[str, int]:
        try:
            known = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return {name: port for name, port in known.items() if isinstance(port, int)} if isinstance(known, dict) else {}


def is_free(port: int) -> bool:
    """Whether nobody listens there now."""
    found = _listen(port)
    if found is None:
        return False
    found.close()
    return True


def answers(port: int, host: str = _HOST) -> bool:
    """Whether connections are accepted there. Unlike `is_free` it never stands in the way of who is about to listen."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def _listen(port: int) -> socket.socket | None:
    # `localhost` may mean ::1 to a browser: a stranger there would be taken for us.
    if answers(port, "::1"):
        return None
    listener = socket.socket()
    try:
        # Connections of a former run that are still closing do not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        return None
    return listener
