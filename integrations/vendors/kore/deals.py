"""Deals, and what a bill needs to know of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from integrations.contract import Access, Column
from integrations.errors import NotPermitted, RecordRejected, VendorChanged
from integrations.vendors.kore import assumptions, fieldmap
from integrations.vendors.kore.client import fetch_by_ids
from integrations.vendors.kore.records import Fields, currency_of
from integrations.vendors.kore.streams import KoreStream
from integrations.vendors.kore.walk import Row, read_row


class Deals(KoreStream):
    key = "deals"
    label = "Deals"
    columns = (
        Column(label="Deal", path="name"),
        Column(label="Number", path="deal_number"),
        Column(label="Account", path="account_name"),
        Column(label="Status", path="status.value", is_filter=True),
        Column(label="Starts", path="start_date", kind="date"),
        Column(label="Ends", path="end_date", kind="date"),
        Column(label="Total", path="total_amount", kind="money"),
        Column(label="Currency", path="currency", is_filter=True),
        Column(label="State", path="state.value", is_filter=True),
        Column(label="Changed", path="modified_date", kind="instant"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What a deal tells about its bills; "" where it does not."""

    name: str = ""
    status: str = ""
    account: str = ""
    currency: str = ""


class DealBook:
    """Deals by id, each asked for once. Lives as long as one reading: the next one begins with the deals that have
    changed since."""

    def __init__(self, access: Access, *, is_closed: bool = False) -> None:
        self.is_closed = is_closed  # KORE does not let us read deals
        self._access = access
        self._names = fieldmap.names(access.settings, "deals")
        self._deals: dict[str, Deal | None] = {}

    def keep(self, rows: Iterable[Row]) -> None:
        self._deals |= {row.id: self._read(row) for row in rows if row.id}

    def of(self, ids: Iterable[str]) -> Mapping[str, Deal]:
        """Those of the deals that KORE has and lets us see."""
        wanted = set(ids)
        missing = sorted(one for one in wanted - self._deals.keys() if is_guid(one))
        for start in range(0, len(missing), assumptions.IDS_PER_FILTER):
            if not self.is_closed:
                self._fetch(missing[start : start + assumptions.IDS_PER_FILTER])
        return {one: deal for one in wanted if (deal := self._deals.get(one))}

    def _fetch(self, ids: list[str]) -> None:
        try:
            rows = [read_row(bytes(raw)) for raw in fetch_by_ids(self._access, "deals", ids)]
        except NotPermitted:
            self.is_closed = True
            return
        if any(row.id not in ids for row in rows if row.id):
            raise VendorChanged("KORE sent other deals than those we asked for.", code="filter")
        self._deals |= dict.fromkeys(ids)
        self.keep(rows)

    def _read(self, row: Row) -> Deal | None:
        try:
            fields = Fields(row.payload, self._names)
            return Deal(
                name=fields.text("name"),
                status=fields.text("status"),
                account=fields.text("account"),
                currency=currency_of(fields.text("currency")),
            )
        except RecordRejected:
            return None  # set aside where deals are read; here its bills just know nothing of it


def is_guid(text: str) -> bool:
    """Whether it may stand in a filter; KORE's ids are GUIDs (guide: "Common fields")."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
