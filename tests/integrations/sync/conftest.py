"""The vendors of the engine's own tests: the stockroom, and a connector that believes everything, with a stage for
vendors of ill will."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from django.db import connections
from pytest_django import Settings as SettingsWrapper

from integrations import registry
from integrations.connections.models import Connection, ConnectionState
from integrations.sync.engine import carry_out_slice
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.services import start_sync
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant
from tests.integrations.sync import vendors
from tests.integrations.sync.runs import stored, work_off
from tests.integrations.sync.scoundrel import Asked, Play, answer, page, serving
from tests.integrations.sync.vendors.stockroom import Emulator


@pytest.fixture
def own_vendors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(registry, "vendors", vendors)
        registry.connectors.cache_clear()
        yield
    registry.connectors.cache_clear()


@pytest.fixture
def stockroom(own_vendors: None, settings: SettingsWrapper) -> Iterator[Emulator]:
    with Emulator().serve() as sandbox:
        parts = urlsplit(sandbox.url)
        settings.SANDBOX_ADDRESSES = settings.SANDBOX_ADDRESSES | {(parts.hostname, parts.port)}
        yield sandbox


class Stage:
    """Where vendors of ill will meet the engine, while another tenant's vendor means well."""

    def __init__(self, running: ExitStack, settings: SettingsWrapper) -> None:
        self._running, self._settings = running, settings

    def serve(self, play: Play) -> str:
        host, port = self._running.enter_context(serving(play))
        self._settings.SANDBOX_ADDRESSES = self._settings.SANDBOX_ADDRESSES | {(host, port)}
        return f"http://{host}:{port}"

    def run(self, play: Play | None = None, stream: str = "things", **settings: object) -> SyncRun:
        """A queued run that reads the stream from that vendor, of a tenant of its own."""
        tenant, details = a_tenant(), {"url": self.serve(play) if play else "", **settings}
        with tenant_scope(tenant.pk):
            connection = Connection.objects.create(
                tenant=tenant, vendor="gullible", name="Gullible", state=ConnectionState.ACTIVE, settings=details
            )
            StreamState.objects.create(tenant=tenant, connection=connection, stream=stream)
            (run,) = start_sync(connection, by=None, stream=stream)
        return self.look(run)

    def suffer(self, play: Play, stream: str = "things", **settings: object) -> SyncRun:
        """One slice of a run with that vendor, during which another tenant's run comes to its end."""
        ours, theirs = self.run(play, stream, **settings), self.run(well_behaved)
        with ThreadPoolExecutor(1) as worker:
            slice_ = worker.submit(self.go_on, ours)
            work_off(theirs.connection)
            slice_.result()
        assert (self.look(theirs).state, self.look(theirs).words) == (RunState.DONE, "")
        assert len(stored(theirs.connection, "things")) == 4
        return self.look(ours)

    def go_on(self, run: SyncRun) -> SyncRun:
        """The next slice, whatever it was to wait for."""
        try:
            with tenant_scope(run.tenant_id):
                SyncRun.objects.filter(pk=run.pk).update(next_slice_at=run.queued_at)
            carry_out_slice(run.tenant_id, run.pk)
            return self.look(run)
        finally:
            connections.close_all()

    def end(self, run: SyncRun, patience: int = 60) -> SyncRun:
        """Slice after slice until it has ended."""
        for _ in range(patience):
            if not run.is_open:
                return run
            run = self.go_on(run)
        raise AssertionError(f"still open after {patience} slices")

    def look(self, run: SyncRun) -> SyncRun:
        with tenant_scope(run.tenant_id):
            return SyncRun.objects.select_related("connection", "stream_state").get(pk=run.pk)


def well_behaved(asked: Asked) -> list[bytes]:
    if asked.cursor:
        return [answer(page({"id": "3"}, {"id": "4"}))]
    return [answer(page({"id": "1"}, {"id": "2"}, then="2"))]


@pytest.fixture
def stage(own_vendors: None, transactional_db: None, settings: SettingsWrapper) -> Iterator[Stage]:
    with ExitStack() as running:
        yield Stage(running, settings)
