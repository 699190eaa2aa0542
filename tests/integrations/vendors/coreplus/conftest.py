from collections.abc import Iterator

import pytest

from integrations.vendors.coreplus import connector
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access


@pytest.fixture
def coreplus() -> Iterator[Emulator]:
    """Two practices of one application in production, and a trial practice in the sandbox environment."""
    with Emulator(sizes=(130, 40, 20)).serve() as sandbox:
        assert isinstance(sandbox, Emulator)
        yield sandbox


@pytest.fixture(scope="module")
def steady() -> Iterator[Emulator]:
    """For what is refused and changes nothing."""
    with Emulator(sizes=(40, 20)).serve() as sandbox:
        assert isinstance(sandbox, Emulator)
        yield sandbox


@pytest.fixture
def access(coreplus: Emulator) -> Iterator[VendorAccess]:
    """The first practice, with client names; it has worked before."""
    with vendor_access(connector, coreplus) as opened:
        opened.has_worked = True
        yield opened


@pytest.fixture
def new(coreplus: Emulator) -> Iterator[VendorAccess]:
    """The first practice, never connected yet."""
    with vendor_access(connector, coreplus) as opened:
        yield opened
