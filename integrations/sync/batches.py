"""Pages, several at a time, made ready to be written: the next ones while the last are being written."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connections

from integrations.connections.access import OpenConnection
from integrations.contract import Page, brought_by
from integrations.records import shadow, store
from integrations.records.batches import prepare
from integrations.sync.lease import Lease, keep
from integrations.sync.reader import Reader
from portal.tenancy.scope import tenant_scope

BATCH_PAGES = 20  # at most, for each has a cost of its own; those of a slow vendor are written page by page


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Pages that are written together. `ids` are those of their records; `write` writes them, in a scope."""

    pages: list[Page]
    ids: frozenset[str]
    write: Callable[[], store.Stored]


class Batches:
    """What a reading brings, batch by batch. Where the vendor is faster than we are, the next is made ready beside the
    writing of the last, as soon as all of it is there; elsewhere there would be nothing to win, and no second
    connection to the database is used. The calls made so far go into the log ahead of what they brought, for each
    record names its own."""

    def __init__(self, lease: Lease, reader: Reader, access: OpenConnection) -> None:
        self._lease, self._reader, self._access = lease, reader, access
        self._beside = ThreadPoolExecutor(1, "batches")
        self._coming: Future[Batch | None] | None = None
        self._written = threading.Event()
        self._ids: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reader.call_off(self._written)
        self._beside.submit(connections.close_all)
        self._beside.shutdown()

    def take(self) -> Batch | None:
        """The next batch, once the one before is written; None at the end. Keeps the lease while it waits. Raises what
        ended the reading."""
        batch = self._taken_beside()
        if batch is None:
            every = settings.SYNC_LEASE_SECONDS / 3
            pages = self._reader.take(BATCH_PAGES, every=every, meanwhile=lambda: keep(self._lease))
            if not pages:
                return None
            batch = self._ready(pages)
        self._ids = batch.ids
        return batch

    def begin_next(self) -> None:
        """Call when the last one is about to be written."""
        self._written = threading.Event()
        self._coming = self._beside.submit(self._ready_when_full, self._written)

    def _taken_beside(self) -> Batch | None:
        if self._coming is None:
            return None
        self._reader.call_off(self._written)
        batch, self._coming = self._coming.result(), None
        if batch and not self._ids.isdisjoint(batch.ids):  # compared with what stood there before the last was written
            batch = self._ready(batch.pages)
        return batch

    def _ready_when_full(self, written: threading.Event) -> Batch | None:
        pages = self._reader.take_when_full(BATCH_PAGES, unless=written)
        return self._ready(pages) if pages else None

    def _ready(self, pages: list[Page]) -> Batch:
        lease = self._lease
        place, stream = lease.place, lease.stream
        records = [brought_by(page.request_id, record) for page in pages for record in page.records]
        rejected = [item for page in pages for item in page.rejected]
        if lease.is_rebuild:
            self._access.log_calls()
            return Batch(pages=pages, ids=frozenset(), write=lambda: shadow.fill(place, stream, records, rejected))
        with tenant_scope(lease.tenant_id):
            ready = prepare(place, stream, records, rejected)
        self._access.log_calls(can_wait=not ready.brings_something)
        return Batch(pages=pages, ids=ready.ids, write=lambda: store.write(place, stream, ready))
