"""When a vendor's answers change: new fields are kept and noted, lost ones and other types too, and nothing is lost."""

import pytest

from integrations.connections.models import Connection
from integrations.records import drift
from integrations.records.models import KnownField, Record, RecordVersion
from integrations.registry import connectors
from integrations.sync.models import StreamState
from integrations.sync.services import forget_streams, start_sweep
from portal.tenancy.scope import tenant_scope
from tests.integrations.conftest import Connect
from tests.integrations.sync.runs import copy_only, stored, sync, work_off
from tests.integrations.sync.vendors.stockroom import Emulator

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
NUMBER = 12


@pytest.fixture
def shelves(stockroom: Emulator, connect: Connect) -> Connection:
    """Twelve shelves after the first copy; another tenant has the same ones, and reads nothing more."""
    for number in range(NUMBER):
        stockroom.put("shelves", f"s{number:02}", size=number, place={"aisle": "A", "bay": number})
    connection = connect(stockroom, start=False)
    for one in (connection, connect(stockroom, start=False)):
        copy_only(one, "shelves")
    return connection


def fields(connection: Connection, **wanted: object) -> dict[str, KnownField]:
    with tenant_scope(connection.tenant_id):
        return {one.name: one for one in KnownField.objects.filter(connection=connection, stream="shelves", **wanted)}


def put_all(stockroom: Emulator, **change: object) -> None:
    for row in stockroom.things["shelves"].values():
        row.update(change)


def drop_all(stockroom: Emulator, name: str) -> None:
    for row in stockroom.things["shelves"].values():
        row.pop(name)


def sweep(connection: Connection) -> None:
    with tenant_scope(connection.tenant_id):
        start_sweep(StreamState.objects.get(connection=connection, stream="shelves"), by=None)
    work_off(connection)


def test_the_fields_of_a_first_copy_are_known_one_level_deep_and_no_news(shelves: Connection) -> None:
    known = fields(shelves)
    assert {name: one.types for name, one in known.items()} == {
        "id": "text",
        "name": "text",
        "size": "number",
        "place": "object",
        "place.aisle": "text",
        "place.bay": "number",
    }
    assert not any(one.is_new for one in known.values())


def test_a_new_field_is_kept_and_noted_with_the_number_of_records(stockroom: Emulator, shelves: Connection) -> None:
    for number in range(3):
        stockroom.things["shelves"][f"s{number:02}"]["warrantyEnds"] = "2027-01-01"
    sync(shelves, "shelves")

    new = fields(shelves, is_new=True)

    assert {name: (one.types, one.records) for name, one in new.items()} == {"warrantyEnds": ("text", 3)}
    stockroom.things["shelves"]["s05"]["warrantyEnds"] = "2028-01-01"
    sync(shelves, "shelves")
    assert fields(shelves, is_new=True)["warrantyEnds"].records == 4
    with tenant_scope(shelves.tenant_id):
        kept = Record.objects.get(connection=shelves, stream="shelves", external_id="s05")
        assert kept.fields["warrantyEnds"] == "2028-01-01"
        assert not KnownField.objects.exclude(tenant_id=shelves.tenant_id).exists()


def test_a_field_that_changed_its_type_is_noted_with_the_former_one(stockroom: Emulator, shelves: Connection) -> None:
    put_all(stockroom, size="large", place={"aisle": "A", "bay": None})
    sync(shelves, "shelves")

    changed = fields(shelves, types_changed_at__isnull=False)

    assert {name: (one.types_before, one.types) for name, one in changed.items()} == {"size": ("number", "number,text")}


def test_a_field_that_no_record_has_any_more_is_noted_and_back_when_it_is_back(
    stockroom: Emulator, shelves: Connection
) -> None:
    drop_all(stockroom, "size")
    sweep(shelves)
    assert set(fields(shelves, lost_at__isnull=False)) == {"size"}

    put_all(stockroom, size=7)
    sync(shelves, "shelves")

    assert not fields(shelves, lost_at__isnull=False)


def test_a_field_that_some_records_still_have_is_not_lost(stockroom: Emulator, shelves: Connection) -> None:
    for number in range(NUMBER - 1):
        stockroom.things["shelves"][f"s{number:02}"].pop("size")
    sweep(shelves)
    assert not fields(shelves, lost_at__isnull=False)


def test_what_is_unchanged_is_not_looked_at(stockroom: Emulator, shelves: Connection, monkeypatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise AssertionError("looked at")

    monkeypatch.setattr(drift, "_known", fail)
    monkeypatch.setattr(drift.Shapes, "add", fail)
    (run,) = sync(shelves, "shelves")
    assert (run.state, run.read) == ("done", NUMBER)


def test_what_was_stored_before_fields_were_noted_is_no_news(stockroom: Emulator, shelves: Connection) -> None:
    with tenant_scope(shelves.tenant_id):
        KnownField.objects.filter(connection=shelves).delete()
    stockroom.things["shelves"]["s00"]["name"] = "another"
    sync(shelves, "shelves")
    assert {"size", "place.bay"} < set(fields(shelves))
    assert not fields(shelves, is_new=True)


def test_a_stream_that_is_forgotten_is_learned_anew(stockroom: Emulator, shelves: Connection) -> None:
    with tenant_scope(shelves.tenant_id):
        forget_streams(shelves, ["shelves"])
    assert not fields(shelves)
    put_all(stockroom, warrantyEnds="2027-01-01")
    sync(shelves, "shelves")
    assert not fields(shelves)["warrantyEnds"].is_new


def test_keys_that_are_data_do_not_fill_the_table(
    stockroom: Emulator, shelves: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drift, "_MOST", 10)
    stockroom.things["shelves"]["s00"]["readings"] = {f"2026-01-{day:02}": day for day in range(1, 29)}
    sync(shelves, "shelves")
    assert len(fields(shelves)) == 10
    with tenant_scope(shelves.tenant_id):
        assert RecordVersion.objects.filter(record__connection=shelves).count() == 1


@pytest.fixture
def numbered(stockroom: Emulator, shelves: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """The shelves, which are known by their serial number from now on."""
    put_all(stockroom, serial="A-1")
    sync(shelves, "shelves")
    monkeypatch.setattr(type(connectors()["stockroom"].stream("shelves")), "keys", {"serial": "name"})
    return shelves


@pytest.mark.parametrize("serial", [None, {"value": "A-1"}])
def test_records_that_lost_what_they_are_known_by_stop_the_stream_with_words(
    stockroom: Emulator, numbered: Connection, serial: object
) -> None:
    before = stored(numbered, "shelves")
    put_all(stockroom, serial=serial)

    (run,) = sync(numbered, "shelves")

    assert (run.code, run.new, run.changed) == ("lost_key", 0, 0)
    assert "without their “serial”" in run.words
    assert stored(numbered, "shelves") == before


def test_one_record_without_what_the_others_are_known_by_is_stored(stockroom: Emulator, numbered: Connection) -> None:
    stockroom.things["shelves"]["s03"].pop("serial")
    (run,) = sync(numbered, "shelves")
    assert (run.state, run.changed) == ("done", 1)
