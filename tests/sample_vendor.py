"""The parts the sample vendors have in common: they list streams and never call anybody."""

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from integrations.contract import Access, Capability, Connector, Door, Limit, Page, Settings, Stream, Tokens
from integrations.forms import ConnectionForm


class SampleStream(Stream):
    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        yield Page(records=(), cursor=cursor)


class SampleConnector(Connector):
    form = ConnectionForm
    summary = "Brings what the tests need."
    limit: ClassVar[Limit] = Limit(calls=10, per=timedelta(seconds=1))

    def identity(self, settings: Settings) -> str:
        return str(settings.get("account", self.key))

    def request_token(self, door: Door) -> Tokens:
        return Tokens(access_token="none", expires_in=timedelta(hours=1))

    def check(self, access: Access) -> tuple[Capability, ...]:
        return tuple(Capability(stream=stream.key, state="available") for stream in self.streams)
