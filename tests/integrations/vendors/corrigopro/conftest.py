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
