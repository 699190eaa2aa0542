"""The audit trail in words: "Mara Okafor paused Billing"."""

from collections.abc import Iterable
from dataclasses import dataclass

from portal.tenancy.models import Event

SYSTEM = "Switchboard"
VERBS: dict[str, str] = {
    "connection.saved": "saved the details of",
    "connection.connected": "connected",
    "connection.waiting": "keeps until the vendor answers:",
    "connection.secrets_asked": "made a link that asks for secrets of",
    "connection.secrets_entered": "sealed what came through a link for",
    "connection.secrets_link_revoked": "took back a link for",
    "connection.paused": "paused",
    "connection.resumed": "resumed",
    "connection.disconnected": "disconnected",
    "connection.erased": "erased",
    "sync.deletions_confirmed": "confirmed deletions in",
    "sync.tried_again": "tried again what was set aside in",
    "sync.rebuild_started": "began to read everything anew in",
    "sync.rebuild_used": "took a new copy into use in",
    "sync.rebuild_undone": "went back to the former copy in",
    "sync.rebuild_discarded": "discarded a new copy in",
    "people.invited": "invited",
    "people.invitation_withdrawn": "withdrew the invitation of",
    "people.invited_again": "sent the invitation again to",
    "people.joined": "joined:",
    "people.role_changed": "changed the role of",
    "people.removed": "removed",
    "people.left": "left:",
    "records.exported": "exported",
    "tenant.created": "created",
    "tenant.changed": "changed the settings of",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """An event as a row of a table."""

    event: Event
    who: str
    verb: str
    details: str


def lines_of(events: Iterable[Event]) -> list[EventLine]:
    return [
        EventLine(
            event=event,
            who=str(event.actor) if event.actor else SYSTEM,
            verb=VERBS.get(event.action, event.action.replace(".", ": ").replace("_", " ")),
            details=" · ".join(
                _detail(name, value) for name, value in event.details.items() if value not in (None, "", [])
            ),
        )
        for event in events
    ]


def _detail(name: str, value: object) -> str:
    told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"{name.replace('_', ' ')}: {told}"
