"""Tells a bad record, which is set aside, from a vendor that has changed: going on would then skip nearly all."""

from integrations.contract import Stream
from integrations.errors import VendorChanged
from integrations.records.batches import Place
from integrations.records.models import RejectedRecord

MOST = 20  # rejected records in a row of batches that are mostly rejected


class Doubts:
    """Follows a reading batch by batch. `safe` is the checkpoint behind the last batch of which at least half could be
    read: from there it has to begin again when the doubts are right."""

    def __init__(self, cursor: str) -> None:
        self.safe = cursor
        self._rejected = 0

    def are_right(self, *, came: int, rejected: int, cursor: str) -> bool:
        """Weigh a batch of so many records, and the checkpoint behind it: whether too much is rejected by now."""
        if came and rejected * 2 <= came:
            self.safe, self._rejected = cursor, 0
        else:
            self._rejected += rejected
        return self._rejected > MOST


def objection(place: Place, stream: Stream) -> VendorChanged:
    """What to say then, with the reason of one of them."""
    aside = RejectedRecord.objects.filter(
        tenant_id=place.tenant_id, connection=place.connection_id, stream=place.stream, run_id=place.run_id
    )
    reason = aside.order_by("-last_seen_at", "-pk").values_list("reason", flat=True).first()
    example = f"Of one of them: {reason[:300]} " if reason else ""
    return VendorChanged(
        f"Most {stream.label.lower()} that came now cannot be read, so we stopped before skipping them. {example}"
        "Our developers have to look at it; there is nothing you can do.",
        code="unreadable_records",
        detail=reason or "",
    )
