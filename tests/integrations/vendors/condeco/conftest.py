from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from integrations.sandbox.control import with_control
from integrations.vendors.condeco.sandbox import Emulator

from .program import Program

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)  # daylight saving in New York, not yet in Frankfurt
MID_MORNING = MONDAY.replace(hour=15)  # 11:00 in New York


@pytest.fixture
def condeco() -> Iterator[Emulator]:
    sandbox = Emulator(sizes=(60, 30), desk_bookings=(60, 20), visitors=(20, 10), epoch=MONDAY)
    sandbox.clock.freeze(MID_MORNING)
    with with_control(sandbox).serve():
        yield sandbox


@pytest.fixture
def program(condeco: Emulator) -> Iterator[Program]:
    opened = Program(condeco)
    yield opened
    opened.client.close()
