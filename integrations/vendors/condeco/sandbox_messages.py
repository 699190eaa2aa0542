"""The notifications of Condeco's six services, spelled as in its "Notification messages overview"; pure functions.

Only the emulator relies on these guesses:
- CD-A24: the bodies of Resource and Visitor, which nobody published, are as written here.
- OURS-11: a Resource is of type 1 when it is a room and 2 when it is a desk.
- OURS-12: a day or time in a notification is the one on the clocks of the location.
- OURS-13: a visitor who comes to no meeting has the booking id 0.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from typing import Any

from integrations.sandbox.notices import Notice
from integrations.vendors.condeco.sandbox_places import NO_VALUE


class Service(IntEnum):
    """By the number under which a listener asks for it. Meeting (1) and IPPhone (4) have numbers but no messages."""

    Desk = 2
    MeetingExternal = 3
    MeetingProgression = 5
    DeskProgression = 6
    Resource = 7
    Visitor = 8


class Step(IntEnum):
    """How a meeting or a day at a desk goes on."""

    START = 0
    STOP = 1
    EXTEND = 2


class Source(IntEnum):
    """Where a step was taken: on Condeco's web pages, or anywhere else, its API included."""

    WEB = 0
    OTHER = 1


class Visiting(IntEnum):
    DELETED = 0
    CREATED = 1
    UPDATED = 2
    ARRIVED = 3
    UNARRIVED = 4
    DEPARTED = 5
    UNDEPARTED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that happened. `day` is the key under which a MeetingExternal stands."""

    service: Service
    fields: Mapping[str, Any]
    day: str = ""


def meeting_external(booking: int, room: int, day: date, *, is_deleted: bool) -> Item:
    fields = {"Action": _action(is_deleted=is_deleted), "BookingID": booking, "ResourceItemID": room}
    return Item(service=Service.MeetingExternal, fields=fields, day=_midnight(day))


def meeting_progression(booking: int, room: int, step: Step, source: Source, until: str = NO_VALUE) -> Item:
    fields = {
        "BookingId": booking,
        "ResourceItemId": room,
        "UpdatedTime": until,
        "MeetingProgressionAction": int(step),
        "ActionSource": int(source),
    }
    return Item(service=Service.MeetingProgression, fields=fields)


def desk(booking: int, desk: int, day: date, *, is_deleted: bool, is_open: bool) -> Item:
    fields = {
        "Date": _midnight(day),
        "BookingID": booking,
        "ResourceItemID": desk,
        "Action": _action(is_deleted=is_deleted),
        "UntilFurtherNotice": is_open,
    }
    return Item(service=Service.Desk, fields=fields)


def desk_progression(booking: int, desk: int, step: Step, source: Source, until: str = NO_VALUE) -> Item:
    fields = {
        "BookingId": booking,
        "ResourceItemId": desk,
        "UpdateTime": until,  # where a meeting has `UpdatedTime`
        "DeskProgressionAction": int(step),
        "ActionSource": int(source),
    }
    return Item(service=Service.DeskProgression, fields=fields)


def room_changed(room: int, *, is_deleted: bool = False) -> Item:
    return _resource(room, 1, is_deleted=is_deleted)


def desk_changed(desk: int, *, is_deleted: bool = False) -> Item:
    return _resource(desk, 2, is_deleted=is_deleted)


def visitor(visitor: int, location: int, action: Visiting, at: str) -> Item:
    fields = {
        "VisitorID": visitor,
        "BookingID": 0,
        "LocationID": location,
        "VisitorAction": int(action),
        "UpdatedTime": at,
    }
    return Item(service=Service.Visitor, fields=fields)


def body_of(items: Sequence[Item]) -> bytes:
    """The body that tells these, all of one service: an object by days for MeetingExternal, else an array."""
    if items[0].service is not Service.MeetingExternal:
        return _json([item.fields for item in items])
    days: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for item in items:
        days.setdefault(item.day, {"ChangedItems": []})["ChangedItems"].append(item.fields)
    return _json(days)


# What may go wrong with a notification on its way


def misaddressed(notice: Notice) -> Notice:
    """To an address whose last part, the secret one, is wrong."""
    start, _, last = notice.url.rstrip("/").rpartition("/")
    return replace(notice, url=f"{start}/{'x' * len(last)}{'/' * notice.url.endswith('/')}")


def in_year_one(notice: Notice) -> Notice:
    """Every time but a MeetingExternal's day is the one that means no value."""
    body = re.sub(rb'(?<=:)"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"', _json(NO_VALUE), notice.body)
    return replace(notice, body=body)


def respelled(notice: Notice) -> Notice:
    """With `Id` for `ID`, `UpdateTime` for `UpdatedTime`, each the other way round, and a small first letter."""
    return replace(notice, body=_json(_respelled(json.loads(notice.body))))


def _respelled(value: object) -> object:
    if isinstance(value, dict):
        return {_other_spelling(name): _respelled(inner) for name, inner in value.items()}
    return [_respelled(inner) for inner in value] if isinstance(value, list) else value


def _other_spelling(name: str) -> str:
    twins = (("UpdatedTime", "UpdateTime"), ("UpdateTime", "UpdatedTime"), ("ID", "Id"), ("Id", "ID"))
    for ending, other in twins:
        if name.endswith(ending):
            name = name.removesuffix(ending) + other
            break
    return name[:1].lower() + name[1:]


def _resource(number: int, kind: int, *, is_deleted: bool) -> Item:
    fields = {"ResourceItemID": number, "ResourceType": kind, "Action": _action(is_deleted=is_deleted)}
    return Item(service=Service.Resource, fields=fields)


def _action(*, is_deleted: bool) -> int:
    return 0 if is_deleted else 1


def _midnight(day: date) -> str:
    return f"{day}T00:00:00"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
