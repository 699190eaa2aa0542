"""Fixtures for what needs a database and a vendor: emulators on real ports, and connections to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings as SettingsWrapper

from integrations.connections.checks import try_out
from integrations.connections.models import Connection
from integrations.connections.services import mark_connected, save_draft, secrets_of
from integrations.registry import connectors
from integrations.sandbox.__main__ import emulator
from integrations.sandbox.kit import Sandbox
from integrations.sync.services import begin
from portal.tenancy.models import Tenant
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant

Serve = Callable[..., Sandbox]
Connect = Callable[..., Connection]
SIZES = (60, 20)  # a demo's full data would take longer to make than most tests to run


@pytest.fixture
def serve(settings: SettingsWrapper) -> Iterator[Serve]:
    """`serve("kore", sizes=(300, 40))`: that vendor in a box, small unless told, on a real port the site may call."""
    with ExitStack() as running:

        def start(vendor: str, **options: object) -> Sandbox:
            sandbox = running.enter_context(emulator(vendor, **{"sizes": SIZES, **options}).serve())
            parts = urlsplit(sandbox.url)
            settings.SANDBOX_URLS = {**settings.SANDBOX_URLS, vendor: sandbox.url}
            settings.SANDBOX_ADDRESSES = settings.SANDBOX_ADDRESSES | {(parts.hostname, parts.port)}
            return sandbox

        yield start


@pytest.fixture
def connect(transactional_db: None) -> Connect:
    """`connect(sandbox)`: a tenant's active connection to one of its accounts, made the way its form makes one."""

    def make(sandbox: Sandbox, *, account: int = 0, tenant: Tenant | None = None, start: bool = True) -> Connection:
        tenant = tenant or a_tenant()
        connector = connectors()[sandbox.key]
        settings, secrets = sandbox.demo_setup(account)
        with tenant_scope(tenant.pk):
            connection = save_draft(
                None, vendor=sandbox.key, name=connector.label, settings=settings, secrets=secrets, by=None
            )
            opened = secrets_of(connection, {})
        found, tokens = try_out(connector, settings, opened)
        with tenant_scope(tenant.pk):
            mark_connected(connection, found, tokens, by=None)
            if start:
                begin(connection, by=None)
        return connection

    return make
