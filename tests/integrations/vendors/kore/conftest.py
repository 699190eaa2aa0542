from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integrations.vendors.kore.sandbox import Emulator

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)
NOON = MONDAY.replace(hour=12)


@pytest.fixture
def kore() -> Iterator[Emulator]:
    """Two customers, with 330 and 120 bills; time stands still at noon."""
    sandbox = Emulator(sizes=(330, 120), epoch=MONDAY)
    sandbox.clock.freeze(NOON)
    with sandbox.serve():
        yield sandbox
