"""Batches that are made ready while others are being written."""

import threading
from collections.abc import Iterator

import pytest

from integrations.contract import Page, Record
from integrations.records.models import Record as StoredRecord
from integrations.records.models import RecordVersion
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
    is_full = threading.Event()

    def read() -> Iterator[Page]:
        for number in range(PAGES):
            if number == PAGES - 1:
                is_full.set()
            yield Page(records=(Record(external_id="1", payload=b'{"n":%d}' % number),), cursor=str(number))

    found = []
    with Reader(read(), "divisions") as reader, batches.Batches(held, reader) as coming:
        while batch := coming.take():
            assert is_full.wait(30)
            coming.begin_next()
            with tenant_scope(connection.tenant_id):
                found.append(batch.write())

    assert [(one.new, one.changed) for one in found] == [(1, 0)] + [(0, 1)] * (PAGES - 1)
    with tenant_scope(connection.tenant_id):
        assert StoredRecord.objects.get(connection=connection).payload == '{"n":11}'
        assert RecordVersion.objects.count() == PAGES - 1
    with tenant_scope(other.tenant_id):
        assert not StoredRecord.objects.exists()
