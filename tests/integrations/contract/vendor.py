"""A vendor under test: its emulator running, its accounts opened with the real client, its streams read into a dict."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from integrations.contract import Connector, Door, Page, Record, RedirectConnector, Span, Stream
from integrations.errors import IntegrationError
from integrations.http import Http
from integrations.registry import connectors
from integrations.sandbox.__main__ import emulator
from integrations.sandbox.kit import Fault, Sandbox
from integrations.sync.reader import Reader
from tests.integrations.vendor_access import VendorAccess

SIZES = (130, 25)  # more than two pages of the largest size
EPOCH = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # one for all boxes, past midnight too
DATA = r"^(?!.*token)(?!/_)"  # every path but the token endpoint's
MOST_PAGES = 3000


@dataclass(eq=False)
class Vendor:
    connector: Connector
    sandbox: Sandbox
    _opened: ExitStack = field(default_factory=ExitStack)
    _kept: dict[int, VendorAccess] = field(default_factory=dict)
    _read: dict[tuple[str, int], tuple[Page, ...]] = field(default_factory=dict)

    def access(self, account: int = 0) -> VendorAccess:
        """The account, opened once."""
        if account not in self._kept:
            self._kept[account] = self.opened(*self.sandbox.demo_setup(account), account=account)
        return self._kept[account]

    def opened(
        self, settings: dict[str, Any], secrets: dict[str, str], *, account: int = 0, parallel: int = 0
    ) -> VendorAccess:
        """An account opened with these, by a person's consent where that is the way; `parallel` calls at once, 0: as
        many as the connector allows."""
        parts = urlsplit(self.sandbox.url)
        assert parts.hostname
        assert parts.port
        http = Http(
            allowed=frozenset({(parts.hostname, parts.port)}), parallel=parallel or self.connector.limit.parallel
        )
        self._opened.callback(http.close)
        access = VendorAccess(self.connector, settings, secrets, http)
        if self.connector.uses_redirect(settings):
            assert isinstance(self.connector, RedirectConnector)
            self._consent(self.connector, access, account)
        return access

    def _consent(self, connector: RedirectConnector, access: VendorAccess, account: int) -> None:
        redirect_uri = f"http://localhost:8000/oauth/callback/{connector.key}/"
        state = connector.registered_state(access.settings) or "random"
        address = connector.authorization_url(access.settings, redirect_uri=redirect_uri, state=state)
        brought = self.sandbox.consent(address, account)
        assert brought["state"] == state
        door = Door(settings=access.settings, secrets=access.secrets, http=access.http)
        tokens = connector.exchange_code(door, code=brought["code"], redirect_uri=redirect_uri, state=state)
        access.access_token, access.refresh_token = tokens.access_token, tokens.refresh_token

    def stream(self, key: str) -> Stream:
        return self.connector.stream(key)

    def pages(self, stream: Stream, account: int = 0) -> list[Page]:
        """Every page of the stream, read once: for boxes that stay as they are."""
        if (stream.key, account) not in self._read:
            self._read[stream.key, account] = tuple(read(self, stream, account=account))
        return list(self._read[stream.key, account])

    def disturb(self, **fault: Any) -> None:
        """Bad weather over everything but signing in, from now on."""
        self.sandbox.weather.add(Fault(**{"path": DATA, "times": 1_000_000, **fault}))

    def calm(self) -> None:
        self.sandbox.weather.clear()

    def close(self) -> None:
        self._opened.close()


@contextmanager
def serving(key: str) -> Iterator[Vendor]:
    with emulator(key, sizes=SIZES, epoch=EPOCH).serve() as sandbox:
        vendor = Vendor(connectors()[key], sandbox)
        try:
            yield vendor
        finally:
            vendor.close()


@dataclass
class Shelf:
    """What pages bring, as the site would keep it: the later form of a thing replaces the earlier."""

    records: dict[str, Record] = field(default_factory=dict)
    rejected: int = 0
    seen: set[str] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)
    cursor: str = ""

    def put(self, pages: Iterable[Page]) -> "Shelf":
        for page in pages:
            for record in page.records:
                self.records[record.external_id] = record
            self.rejected += len(page.rejected)
            self.seen |= {record.external_id for record in page.records} | set(page.seen)
            self.spans += [page.covers] if page.covers else []
            self.cursor = page.cursor
        return self

    @property
    def payloads(self) -> dict[str, tuple[bytes, str]]:
        return {key: (record.payload, record.parent_id) for key, record in self.records.items()}


def read(vendor: Vendor, stream: Stream, cursor: str = "", account: int = 0) -> list[Page]:
    """Every page from there on, guarded as the engine guards it."""
    return drain(stream.read(vendor.access(account), cursor), stream)


def outcome(vendor: Vendor, stream: Stream, cursor: str = "", account: int = 0) -> Shelf | IntegrationError:
    """What a reading from there on brings, or the error it ends in."""
    try:
        return Shelf().put(read(vendor, stream, cursor, account))
    except IntegrationError as error:
        return error


def sweep(vendor: Vendor, stream: Stream, cursor: str = "", account: int = 0) -> list[Page]:
    return drain(stream.sweep(vendor.access(account), cursor), stream)


def drain(source: Iterator[Page], stream: Stream) -> list[Page]:
    pages: list[Page] = []
    with Reader(source, stream.key) as reader:
        while taken := reader.take(10, every=60, meanwhile=lambda: None):
            pages += taken
            assert len(pages) < MOST_PAGES, "a reading without end"
    return pages


def is_covered(record: Record, spans: list[Span]) -> bool:
    return any(
        (not span.since and not span.until)
        or (
            record.position != "" and record.position >= span.since and (not span.until or record.position < span.until)
        )
        for span in spans
    )
