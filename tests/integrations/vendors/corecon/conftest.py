"""A small Corecon on a real port, and one of its accounts connected."""

from collections.abc import Iterator

import pytest

from integrations.vendors.corecon.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess
from tests.integrations.vendors.corecon.browser import connected


@pytest.fixture
def corecon() -> Iterator[Emulator]:
    emulator = Emulator(sizes=(230, 40), projects=(7, 4), timecards=(520, 90))
    with emulator.serve():
        yield emulator


@pytest.fixture
def access(corecon: Emulator) -> Iterator[VendorAccess]:
    with connected(corecon) as access:
        yield access


@pytest.fixture
def one_by_one(corecon: Emulator) -> Iterator[VendorAccess]:
    """The same account, asked one question at a time: for tests in which the first answer is not the vendor's own."""
    with connected(corecon, parallel=1) as access:
        yield access
