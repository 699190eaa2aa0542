"""Batches that are made ready while others are being written."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.connections.access import open_connection
from integrations.contract import Page, Record
from integrations.records.batches import Batch, prepare
from integrations.records.models import Record as StoredRecord
from integrations.records.models import RecordVersion
from integrations.records.store import Stored
from integrations.sync import batches, lease
from integrations.sync.reader import Reader
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import runs_of

PAGES = 12  # more than are read ahead


def test_a_record_that_comes_again_is_compared_with_what_was_written_meanwhile(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH_PAGES", 1)
    sandbox = serve("kore", sizes=(5, 5))
    connection, other = connect(sandbox), connect(sandbox, tenant=a_tenant("Other"))
    run = next(run for run in runs_of(connection) if run.stream == "divisions")
    held = lease.take(connection.tenant_id, run.pk)
    assert held is not None
    is_full, prepared = threading.Event(), threading.Semaphore(0)

    def noted(*facts: Any) -> Batch:
        try:
            return prepare(*facts)
        finally:
            prepared.release()

    monkeypatch.setattr(batches, "prepare", noted)

    def read() -> Iterator[Page]:
        for number in range(PAGES):
            if number == PAGES - 1:
                is_full.set()
            yield Page(records=(Record(external_id="1", payload=b'{"n":%d}' % number),), cursor=str(number))

    opened = open_connection(connection.tenant_id, connection.pk)
    with opened as access, Reader(read(), "divisions") as reader, batches.Batches(held, reader, access) as coming:
        first = coming.take()
        assert first
        assert is_full.wait(30)
        coming.begin_next()
        for _ in range(2):
            assert prepared.acquire(timeout=30)  # the second too: compared while nothing was stored
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
