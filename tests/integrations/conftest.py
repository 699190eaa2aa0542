"""Fixtures for what needs a database and a vendor: emulators on real ports, and connections to them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
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
from tests.integrations.sync.runs import start_only

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
def at_any_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vendors that allow any number of calls, for what asks a lot of them and is not about how long that takes."""
    for connector in connectors().values():
        limit = replace(connector.limit, calls=10_000, per=timedelta(seconds=1), burst=10_000)
        monkeypatch.setattr(type(connector), "limit", limit)


@pytest.fixture
def connect(transactional_db: None) -> Connect:
    """`connect(sandbox)`: a tenant's active connection to one of its accounts, made the way its form makes one. Every
    stream has begun, or those named in `streams` alone; none with `start=False`."""

    def make(
        sandbox: Sandbox,
        *,
        account: int = 0,
        tenant: Tenant | None = None,
        start: bool = True,
        streams: Iterable[str] = (),
    ) -> Connection:
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
            if streams:
                start_only(connection, *streams)
            elif start:
                begin(connection, by=None)
        return connection

    return make
