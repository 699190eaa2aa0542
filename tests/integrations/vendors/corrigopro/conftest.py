from collections.abc import Iterator

import pytest

from integrations.vendors.corrigopro import connector
from integrations.vendors.corrigopro.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access


@pytest.fixture
def corrigopro() -> Iterator[Emulator]:
    """Two companies with few orders; a search gives at most 20 rows."""
    sandbox = Emulator(sizes=(130, 40), search_cap=20)
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def access(corrigopro: Emulator) -> Iterator[VendorAccess]:
    with vendor_access(connector, corrigopro) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Emulator, VendorAccess]]:
    """One small sandbox for all examples of a law or a table; it keeps what they change."""
    sandbox = Emulator(sizes=(60, 5), search_cap=20)
    with sandbox.serve(), vendor_access(connector, sandbox) as opened:
        yield sandbox, opened
