"""Batches that are made ready while others are being written."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import pytest

from integrations.connections.access import open_connection
from integrations.connections.models import Connection
from integrations.contract import Page, Record
from integrations.records.batches import Batch, Place, prepare
from integrations.records.models import Record as StoredRecord
from integrations.records.models import RecordVersion
from integrations.records.store import Stored, store, write
from integrations.sync import batches, lease
from integrations.sync.reader import Reader
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import runs_of

WHOLE = batches.BATCH_PAGES  # pages


class Preparing:
    """Notes the thread in which each batch is made ready."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._threads: SimpleQueue[str] = SimpleQueue()
        monkeypatch.setattr(batches, "prepare", self._noted)

    def _noted(self, *facts: Any) -> Batch:
        try:
            return prepare(*facts)
        finally:
            self._threads.put(threading.current_thread().name)

    def was_beside(self) -> bool:
        """Where the next one was made; waits for it."""
        return self._threads.get(timeout=30).startswith("batches")


@contextmanager
def reading(connection: Connection, pages: Iterator[Page]) -> Iterator[batches.Batches]:
    run = next(run for run in runs_of(connection) if run.stream == "divisions")
    held = lease.take(connection.tenant_id, run.pk)
    assert held is not None
    opened = open_connection(connection.tenant_id, connection.pk)
    with opened as access, Reader(pages, "divisions") as reader, batches.Batches(held, reader, access) as coming:
        yield coming


def page(number: int, external_id: str = "") -> Page:
    record = Record(external_id=external_id or str(number), payload=b'{"n":%d}' % number)
    return Page(records=(record,), cursor=str(number))


def test_a_record_that_comes_again_is_compared_with_what_was_written_meanwhile(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_PAGES", 1)
    sandbox = serve("kore", sizes=(5, 5))
    connection, other = connect(sandbox), connect(sandbox, tenant=a_tenant("Other"))
    preparing = Preparing(monkeypatch)

    with reading(connection, (page(number, "1") for number in range(WHOLE + 2))) as coming:
        first = coming.take()
        assert first
        coming.begin_next()
        assert not preparing.was_beside()
        assert preparing.was_beside()  # the second: compared while nothing was stored
        with tenant_scope(connection.tenant_id):
            assert first.write() == Stored(new=1)
        second = coming.take()
        assert second
        with tenant_scope(connection.tenant_id):
            assert second.write() == Stored(changed=1)

    with tenant_scope(connection.tenant_id):
        assert StoredRecord.objects.get(connection=connection).payload == '{"n":1}'
        assert RecordVersion.objects.get().payload == '{"n":0}'
    with tenant_scope(other.tenant_id):
        assert not StoredRecord.objects.exists()


def test_a_batch_that_becomes_whole_during_the_writing_of_the_last_is_made_ready_at_once(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(serve("kore", sizes=(5, 5)))
    preparing = Preparing(monkeypatch)
    is_writing = threading.Event()

    def read() -> Iterator[Page]:
        yield page(0)
        assert is_writing.wait(30)
        yield from map(page, range(1, WHOLE + 1))

    with reading(connection, read()) as coming:
        first = coming.take()
        assert first
        assert len(first.pages) == 1
        assert not preparing.was_beside()
        coming.begin_next()
        is_writing.set()
        assert preparing.was_beside()
        second = coming.take()
        assert second
        assert len(second.pages) == WHOLE
        coming.begin_next()
        assert coming.take() is None


def test_a_slow_vendors_next_page_is_not_made_ready_beside(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(serve("kore", sizes=(5, 5)))
    preparing = Preparing(monkeypatch)
    is_written = threading.Event()

    def read() -> Iterator[Page]:
        yield page(0)
        assert is_written.wait(30)
        yield page(1)

    with reading(connection, read()) as coming:
        assert coming.take()
        coming.begin_next()
        is_written.set()
        assert coming.take()
        assert coming.take() is None
    assert [preparing.was_beside(), preparing.was_beside()] == [False, False]


def test_what_was_stored_since_it_was_compared_is_merged(serve: Serve, connect: Connect) -> None:
    sandbox = serve("kore", sizes=(5, 5))
    connection, other = connect(sandbox), connect(sandbox, tenant=a_tenant("Other"))
    stream = connection.connector.stream("divisions")
    place, elsewhere = (
        Place(tenant_id=one.tenant_id, connection_id=one.pk, stream=stream.key, run_id=1) for one in (connection, other)
    )
    with tenant_scope(connection.tenant_id):
        batch = prepare(place, stream, [*page(1).records, *page(2).records])
        store(place, stream, [Record(external_id="2", payload=b'{"n":0}')])
        assert write(place, stream, batch) == Stored(new=1, changed=1)
        stored = StoredRecord.objects.filter(connection=connection).order_by("external_id")
        assert list(stored.values_list("payload", flat=True)) == ['{"n":1}', '{"n":2}']
    with tenant_scope(other.tenant_id):
        assert write(elsewhere, stream, prepare(elsewhere, stream, page(1).records)) == Stored(new=1)
