from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integrations.vendors.kore.sandbox import Emulator

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)
NOON = MONDAY.replace(hour=12)


@pytest.fixture
def kore(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Two customers, with 330 and 120 bills; time stands still at noon, for both sides."""
    sandbox = Emulator(sizes=(330, 120), epoch=MONDAY)
    sandbox.clock.freeze(NOON)
    monkeypatch.setattr("integrations.vendors.kore.walk.now", sandbox.clock.now)
    with sandbox.serve():
        yield sandbox
