"""The smallest `Access`: what a vendor's client is given, with tokens kept in memory. For tests of one vendor alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from integrations.contract import Connector, Door, Page, Settings, Stream
from integrations.http import Exchange, Http
from integrations.sandbox.kit import Sandbox


class VendorAccess:
    """Opens one of a running sandbox's accounts with the real client code over real HTTP."""

    def __init__(self, connector: Connector, settings: Settings, secrets: dict[str, str], http: Http) -> None:
        self.connector, self.settings, self.secrets, self.http = connector, settings, secrets, http
        self.access_token = self.refresh_token = ""
        self.has_worked = False
        self.exchanges: list[Exchange] = []
        self._one_renews = threading.Lock()

    def secret(self, name: str) -> str:
        return self.secrets.get(name, "")

    def token(self) -> str:
        with self._one_renews:
            return self.access_token or self._renew()

    def renew_token(self, refused: str) -> str:
        with self._one_renews:
            return self._renew() if self.access_token == refused else self.access_token

    def _renew(self) -> str:
        door = Door(settings=self.settings, secrets=self.secrets, http=self.http)
        if self.refresh_token:
            tokens = self.connector.refresh_token(door, self.refresh_token)
        else:
            tokens = self.connector.request_token(door)
        self.access_token, self.refresh_token = tokens.access_token, tokens.refresh_token
        return self.access_token

    def read_all(self, stream: Stream, cursor: str = "") -> list[Page]:
        return list(stream.read(self, cursor))


@contextmanager
def vendor_access(
    connector: Connector, sandbox: Sandbox, account: int = 0, *, parallel: int = 0, **changes: object
) -> Iterator[VendorAccess]:
    """`changes` override settings and secrets of the sandbox's own account by name. `parallel` is how many calls are
    under way at once; 0: as many as the connector allows."""
    settings, secrets = sandbox.demo_setup(account)
    for name, value in changes.items():
        (secrets if name in secrets else settings)[name] = value  # type: ignore[index]
    parts = urlsplit(sandbox.url)
    assert parts.hostname
    assert parts.port
    exchanges: list[Exchange] = []
    http = Http(
        allowed=frozenset({(parts.hostname, parts.port)}),
        record=exchanges.append,
        parallel=parallel or connector.limit.parallel,
    )
    access = VendorAccess(connector, settings, secrets, http)
    access.exchanges = exchanges
    try:
        yield access
    finally:
        http.close()
