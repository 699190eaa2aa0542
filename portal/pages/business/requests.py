"""The request that brought a record, or an earlier version of it, as far as the request log still tells."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from integrations.connections.models import VendorRequest
from integrations.records.models import Record
from integrations.sync.models import SyncRun
from portal.pages.keyset import Cursor, Order

_AT_ODDS = timedelta(minutes=1)  # our machines' clocks
_IN_ONE_GO = timedelta(days=1)  # between a request and the storing of what it brought, where the run does not tell
_LATEST = Order(column="at", is_descending=True, tie="id")  # the order of the list of all requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Something that a request brought: what was stored at `at`, by that run unless that is forgotten."""

    request_id: UUID
    run: SyncRun | None
    at: datetime

    @property
    def since(self) -> datetime:
        return self.run.started_at if self.run and self.run.started_at else self.at - _IN_ONE_GO

    @property
    def until(self) -> datetime:
        """The end of the run, where that was earlier: a new copy is put to use, and what was set aside read, later."""
        ended_at = self.run.finished_at if self.run else None
        return min(self.at, ended_at or self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`call` is None where the log has no line of it: `is_forgotten` as it is too old, else as none was written."""

    id: str
    call: VendorRequest | None
    is_forgotten: bool

    @property
    def place(self) -> str:
        """The query under which the list of all requests begins with this one."""
        if self.call is None:
            return ""
        cursor = Cursor(value=self.call.at, id=self.call.pk + 1, position=0)
        return urlencode({"after": cursor.encode(_LATEST)})


def requests_of(record: Record, brought: Iterable[Brought]) -> dict[UUID, Request]:
    """The requests by their ids. One statement, which looks for each along the log in the time of its run."""
    sought = {one.request_id: one for one in brought}
    if not sought:
        return {}
    of_it = VendorRequest.objects.filter(tenant_id=record.tenant_id, connection_id=record.connection_id)
    first, *others = [
        of_it.filter(request_id=request_id.hex, at__range=(one.since - _AT_ODDS, one.until + _AT_ODDS)).order_by("-at")[
            :1
        ]
        for request_id, one in sought.items()
    ]
    calls = {UUID(call.request_id): call for call in first.union(*others, all=True)}
    kept_since = timezone.now() - VendorRequest.KEPT_FOR
    return {
        request_id: Request(id=request_id.hex, call=calls.get(request_id), is_forgotten=one.until < kept_since)
        for request_id, one in sought.items()
    }
