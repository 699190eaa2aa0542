"""What we asked of a vendor, put into the request log: no query, no headers, no bodies."""

import logging
from collections import deque
from uuid import UUID

from django.db import DatabaseError, connection

from integrations.connections.models import VendorRequest
from integrations.http import Exchange
from portal.tenancy.scope import tenant_scope

_logger = logging.getLogger(__name__)


class RequestLog:
    """The calls made for one connection. Any thread may note one; `write` opens its own scope, so call it outside any
    other tenant's."""

    def __init__(self, tenant_id: int, connection_id: UUID) -> None:
        self._tenant_id, self._connection_id = tenant_id, connection_id
        self._waiting: deque[Exchange] = deque()

    def note(self, exchange: Exchange) -> None:
        self._waiting.append(exchange)

    def write(self, *, at_least: int = 1) -> None:
        """Put the calls noted so far into the log, if they are so many."""
        if len(self._waiting) < at_least:
            return
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            is_alone = not connection.in_atomic_block
            with tenant_scope(self._tenant_id):
                if is_alone:  # a crash of the database may cost the latest lines, but nothing that is not ours
                    with connection.cursor() as cursor:
                        cursor.execute("set local synchronous_commit = off")
                VendorRequest.objects.bulk_create(map(self._row, batch))
        except DatabaseError as failure:
            # The vendor's answer in our hands is worth more than its line in the log.
            _logger.warning("%s requests could not be logged: %s", len(batch), type(failure).__name__)

    def _row(self, call: Exchange) -> VendorRequest:
        return VendorRequest(
            tenant_id=self._tenant_id,
            connection_id=self._connection_id,
            request_id=call.request_id,
            method=call.method,
            host=call.host[:255],
            path=call.path,
            status=call.status,
            at=call.started_at,
            duration_ms=round(call.duration.total_seconds() * 1000),
            received_bytes=call.received_bytes,
            vendor_request_id=call.vendor_request_id,
            error=call.error[:100],
        )
