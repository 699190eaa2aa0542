"""Countries, regions, locations, groups, rooms and desks; and which of them are copied."""

import msgspec
import pytest

from integrations.contract import Page, Record
from integrations.errors import NotPermitted
from integrations.sandbox.kit import Fault
from integrations.vendors.condeco.connector import connector
from integrations.vendors.condeco.sandbox import Emulator
from tests.integrations.vendor_access import vendor_access

HIERARCHY = ("countries", "regions", "locations", "groups", "rooms", "desks")
A_DESK_AMONG_ROOMS = (
    b'{"IsError":false,"Data":[{"ResourceName":"Ash","InternalId":501,"WorkspaceTypeId":1},'
    b'{"ResourceName":"Desk 1","InternalId":502,"WorkspaceTypeId":2}]}'
)


def read(sandbox: Emulator, key: str, account: int = 0, **changes: object) -> list[Page]:
    with vendor_access(connector, sandbox, account, **changes) as access:
        return access.read_all(connector.stream(key))


def records_of(pages: list[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def names(sandbox: Emulator, key: str, **changes: object) -> set[str]:
    found = records_of(read(sandbox, key, **changes))
    return {msgspec.json.decode(record.payload)["ResourceName"] for record in found}


@pytest.mark.parametrize("key", HIERARCHY)
def test_everything_is_read_once_and_belongs_to_something_that_is_read(condeco, key):
    stream = connector.stream(key)
    found = records_of(read(condeco, key))

    assert {record.external_id for record in found} == condeco.holdings(key)
    assert len(found) == len(condeco.holdings(key))
    if stream.parent:
        assert {record.parent_id for record in found} <= condeco.holdings(stream.parent)


def test_all_of_it_is_swept_because_it_is_read_whole():
    assert all(connector.stream(key).reads_whole and connector.stream(key).sweep_interval for key in HIERARCHY)


def test_rooms_and_desks_with_the_same_number_are_different_things(condeco):
    rooms, desks = condeco.holdings("rooms"), condeco.holdings("desks")

    assert rooms & desks
    assert len(records_of(read(condeco, "rooms"))) == len(rooms)
    assert len(records_of(read(condeco, "desks"))) == len(desks)


def test_a_desk_among_the_rooms_is_no_room(condeco):
    condeco.weather.add(Fault(path="/rooms", status=200, body=A_DESK_AMONG_ROOMS, times=4))

    pages = read(condeco, "rooms")

    assert {record.external_id for record in records_of(pages)} == {"501"}
    assert not any(page.rejected for page in pages)


def test_desks_are_asked_for_floor_by_floor_with_the_group_of_their_location(condeco):
    with vendor_access(connector, condeco) as access:
        access.read_all(connector.stream("desks"))
        plans = [call for call in access.exchanges if call.path.endswith("/floorPlan")]

    assert len(plans) == 4 * 3  # the ground floor and two above it


@pytest.mark.parametrize(
    ("places", "locations"),
    [
        ("", {"Hudson Yard House", "Lakeshore Centre", "Pier 9 Studios", "Whitefield Campus"}),
        ("India", {"Whitefield Campus"}),
        ("india\n\n  PIER 9 STUDIOS ", {"Whitefield Campus", "Pier 9 Studios"}),
        ("102", {"Lakeshore Centre"}),
        ("Atlantis", set()),
    ],
)
def test_only_the_chosen_countries_and_locations_are_copied(condeco, places, locations):
    assert names(condeco, "locations", places=places) == locations
    rooms = records_of(read(condeco, "rooms", places=places))
    assert {record.context["location"] for record in rooms} == locations


def test_the_calls_for_places_that_were_not_chosen_are_spared(condeco):
    read(condeco, "room-bookings", places="Whitefield Campus")

    assert sum(count for asked, count in condeco.requests.items() if asked.endswith("/rooms")) == 1
    assert sum(count for asked, count in condeco.requests.items() if asked.endswith("/bookings")) == 2


def test_countries_are_copied_whatever_was_chosen(condeco):
    assert names(condeco, "countries", places="India") == {"United States", "India"}


@pytest.mark.parametrize("key", HIERARCHY)
def test_without_the_hierarchy_key_none_of_it_is_read(condeco, key):
    condeco.withdraw_hierarchy_key()

    with pytest.raises(NotPermitted, match="HierarchyMapping"):
        read(condeco, key)


@pytest.mark.parametrize("environment", ["production", "uat", "developer"])
def test_every_environment_has_its_own_keys_and_opens_with_them(condeco, environment):
    settings, secrets = condeco.setup_in(environment)

    assert len(records_of(read(condeco, "locations", **settings, **secrets))) == 4


def test_fields_nobody_knows_do_no_harm_and_floors_that_are_no_numbers_are_none(condeco):
    odd = (
        b'{"Data":[{"internalid":"7","RESOURCENAME":"Odd","NumberOfFloorsAboveGround":"many",'
        b'"NumberOfFloorsBelowGround":null,"LocationGroupMappings":[{"GroupIdExternal":"x"}],"New":{"a":[1]}}]}'
    )
    condeco.weather.add(Fault(path="/locations", status=200, body=odd, times=3))

    with vendor_access(connector, condeco) as access:
        pages = access.read_all(connector.stream("desks"))
        plans = [call for call in access.exchanges if call.path.endswith("/floorPlan")]

    assert pages
    assert len(plans) == 3  # the ground floor of each
