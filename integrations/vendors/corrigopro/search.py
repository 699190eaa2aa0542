"""What a window of a walk holds: searched, halved until it comes back whole, put in order."""

from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar

from integrations.contract import Access, Rejected, Span
from integrations.errors import RecordRejected, VendorChanged
from integrations.vendors.corrigopro import assumptions, records, wire
from integrations.vendors.corrigopro.client import Client, RequestRefused
from integrations.vendors.corrigopro.records import Listed
from integrations.vendors.corrigopro.windows import Key, Walk, fallback_walk

T = TypeVar("T")


class Row(NamedTuple):
    """One order as search gives it, with its place in the walk's order."""

    key: Key
    payload: bytes
    listed: Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """`walk` stands in the window that came back; `rows` are those still to come, `rejected` those without an id."""

    walk: Walk
    rows: list[Row]
    rejected: list[Rejected]
    is_whole: bool = True

    @property
    def covers(self) -> Span | None:
        return self.walk.covers if self.is_whole else None


def history_of(access: Access) -> timedelta:
    return timedelta(days=int(access.settings.get("history_days") or assumptions.HISTORY_DAYS))


def open_window(client: Client, walk: Walk, history: timedelta, suspicious: int) -> Window:
    """Search the window at hand; the walk that comes back may have a smaller one.

    Where `LastUpdate` leads no further, it goes by `Created`. `suspicious` is how many rows are taken for a cut answer.
    Raises VendorChanged when the span does not decide what comes back: halving would never end.
    """
    while True:
        try:
            span = (walk.asks_from - assumptions.EDGE, walk.closes + assumptions.EDGE)
            raws = client.search(walk.by, *span).items
        except RequestRefused:
            if walk.by == "Created":
                raise
            walk = fallback_walk(walk, history)
            continue
        rows, rejected, outside = _rows(raws, walk)
        is_whole = len(raws) < suspicious
        if is_whole or (walk.by == "Created" and not walk.can_halve):
            rejected = [] if walk.after else rejected  # those went out with the window's first page
            return Window(walk=walk.accepted(len(raws), suspicious), rows=rows, rejected=rejected, is_whole=is_whole)
        if outside * 2 > len(raws):
            raise VendorChanged(
                "CorrigoPro's search gives work orders from outside the time we asked for. Our developers must "
                "look into it.",
                detail=f"{outside} of {len(raws)} rows outside the {walk.by} window",
            )
        walk = walk.halved() if walk.can_halve else fallback_walk(walk, history)


def _rows(payloads: list[bytes], walk: Walk) -> tuple[list[Row], list[Rejected], int]:
    """What of a search's answer belongs to the window and is still to come, ordered; how many lay outside."""
    rows: dict[int, Row] = {}
    rejected: list[Rejected] = []
    outside = 0
    for payload in payloads:
        try:
            row = records.listed(payload)
        except RecordRejected as refusal:
            rejected.append(Rejected(payload=payload, reason=refusal.words))
            continue
        updated = wire.readable(row.last_update)
        # A row without its moment cannot be placed: it goes first, and its detail decides.
        moment = (wire.readable(row.created) if walk.by == "Created" else updated) or walk.opens
        key = (moment, row.work_order_id)
        if not walk.opens - assumptions.EDGE <= moment <= walk.closes + assumptions.EDGE:
            outside += 1
        elif (
            walk.opens <= moment < walk.closes
            and not (walk.after and key <= walk.after)
            and not (walk.changed_since and updated and updated < walk.changed_since)
        ):
            rows[row.work_order_id] = Row(key, payload, row)
    return sorted(rows.values(), key=lambda row: row.key), rejected, outside


def batches(things: list[T], size: int) -> list[list[T]]:
    """At least one, perhaps empty: an empty window is a checkpoint too."""
    return [things[start : start + size] for start in range(0, len(things), size)] or [[]]
