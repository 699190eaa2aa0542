"""The stockroom, the vendor of the engine's own tests."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings as SettingsWrapper

from integrations import registry
from tests.integrations.sync import vendors
from tests.integrations.sync.vendors.stockroom import Emulator


@pytest.fixture
def stockroom(monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper) -> Iterator[Emulator]:
    monkeypatch.setattr(registry, "vendors", vendors)
    registry.connectors.cache_clear()
    with Emulator().serve() as sandbox:
        parts = urlsplit(sandbox.url)
        settings.SANDBOX_ADDRESSES = settings.SANDBOX_ADDRESSES | {(parts.hostname, parts.port)}
        yield sandbox
    monkeypatch.undo()
    registry.connectors.cache_clear()
