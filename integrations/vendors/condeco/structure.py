"""What the bookings are for: countries, regions, locations, groups, rooms and desks. Read whole, once a day."""

from dataclasses import replace
from datetime import timedelta

import msgspec

from integrations.contract import Access, Column, Record
from integrations.errors import RecordRejected
from integrations.vendors.condeco import assumptions, records
from integrations.vendors.condeco.client import Collection, Listing, read_list
from integrations.vendors.condeco.walk import (
    HierarchyWalk,
    Level,
    Step,
    Walk,
    children,
    chosen_places,
    is_named,
    read_hierarchy,
)


class Structure(HierarchyWalk):
    """A list of the hierarchy that changes rarely; every call counts against the week."""

    interval = timedelta(days=1)
    sweep_interval = timedelta(days=1)
    reads_whole = True

    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record | None:
        return Record(external_id=records.node(raw).id, payload=bytes(raw), parent_id=step.id if self.parent else "")


class Countries(Structure):
    key = "countries"
    label = "Countries"
    level = Level.WORLD
    columns = (Column(label="Country", path="ResourceName"), Column(label="Number", path="InternalId"))


class Regions(Structure):
    key = "regions"
    label = "Regions"
    parent = "countries"
    level = Level.COUNTRY
    columns = (Column(label="Region", path="ResourceName"), Column(label="Number", path="InternalId"))


class Groups(Structure):
    """Condeco's groups of rooms and desks, by country."""

    key = "groups"
    label = "Groups"
    parent = "countries"
    level = Level.COUNTRY
    columns = (Column(label="Group", path="ResourceName"), Column(label="Number", path="InternalId"))

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        return read_list(access, Collection.HIERARCHY, "groups", [("countryId", step.id)])


class Locations(Structure):
    key = "locations"
    label = "Locations"
    parent = "regions"
    level = Level.REGION
    columns = (
        Column(label="Location", path="ResourceName"),
        Column(label="City", path="LocationCity"),
        Column(label="Country", path="LocationCountry", is_filter=True),
        Column(label="Address", path="LocationAddress"),
        Column(label="Post code", path="PostCode"),
        Column(label="Time zone", path="TimeZone", is_filter=True),
        Column(label="Floors", path="NumberOfFloorsAboveGround", kind="number"),
    )

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        found, places = read_hierarchy(access, step), chosen_places(access)
        if step.is_chosen or not places:
            return found
        return replace(found, rows=[raw for raw in found.rows if _is_chosen(raw, places)])


class Rooms(Structure):
    key = "rooms"
    label = "Rooms"
    parent = "locations"
    level = Level.LOCATION
    columns = (
        Column(label="Room", path="ResourceName"),
        Column(label="Floor", path="FloorName", is_filter=True),
        Column(label="Type", path="WorkspaceTypeName", is_filter=True),
    )

    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record | None:
        """Desks have numbers of their own, so one among the rooms is left to the stream of desks."""
        node = records.node(raw)
        return None if node.is_desk else _with_place(node, raw, step)


class Desks(Structure):
    """Desks as the floor plans show them: floor by floor, group by group."""

    key = "desks"
    label = "Desks"
    parent = "locations"
    level = Level.FLOOR
    columns = (
        Column(label="Desk", path="ResourceName"),
        Column(label="Floor", path="FloorNumber", is_filter=True),
        Column(label="Number", path="InternalId"),
    )

    def descend(self, access: Access, walk: Walk, step: Step) -> tuple[Step, ...]:
        return floors(step) if step.level is Level.LOCATION else children(access, step)

    def ask(self, access: Access, walk: Walk, step: Step) -> Listing:
        return read_floor(access, step)

    def file(self, access: Access, raw: msgspec.Raw, walk: Walk, step: Step) -> Record | None:
        return _with_place(records.node(raw), raw, walk.place or step)


def floors(location: Step) -> tuple[Step, ...]:
    """The parts of a location that a floor plan shows: each floor with each group, or without where it has none."""
    return tuple(
        Step(Level.FLOOR, location.id, first=str(floor), last=str(floor), groups=(group,) if group else ())
        for floor in range(int(location.first or 0), int(location.last or 0) + 1)
        for group in (location.groups or ("",))
    )


def read_floor(access: Access, step: Step) -> Listing:
    """The desks of one floor and group."""
    query = [("locationId", step.id), ("floorNumber", step.first)]
    query += [("groupId", group) for group in step.groups]
    query.append(("resourceTypeId", assumptions.DESK_RESOURCE_TYPE))
    return read_list(access, Collection.HIERARCHY, "floorPlan", query)


def _with_place(node: records.Node, raw: msgspec.Raw, location: Step) -> Record:
    context = {"location": location.name, "zone": location.zone}
    return Record(external_id=node.id, payload=bytes(raw), context=context, parent_id=location.id)


def _is_chosen(raw: msgspec.Raw, places: frozenset[str]) -> bool:
    try:
        return is_named(records.node(raw), places)
    except RecordRejected:
        return True  # set aside with its reason by `file`
