"""What is kept tells which request brought it, as the request log knows it."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from integrations.connections.models import Connection, VendorRequest
from integrations.contract import Access, Page, Stream
from integrations.records import store
from integrations.records.batches import Batch, Place
from integrations.records.models import Record, RecordVersion
from integrations.registry import connectors
from integrations.sandbox.kit import Fault
from integrations.sync import batches, lookups, switch
from integrations.sync.models import LookUpReason, StreamState
from portal.tenancy.scope import tenant_scope
from tests.factories import a_tenant, a_user
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import copy_only, sync, work_off
from tests.integrations.sync.vendors.stockroom import Emulator

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


def brought(connection: Connection, stream: str) -> dict[str, UUID | None]:
    """The request of each record by its id."""
    with tenant_scope(connection.tenant_id):
        rows = Record.objects.filter(connection=connection, stream=stream)
        return dict(rows.values_list("external_id", "changed_request_id"))


def logged(connection: Connection) -> dict[UUID, str]:
    """The path of each request in the log."""
    with tenant_scope(connection.tenant_id):
        return {
            UUID(one): path
            for one, path in VendorRequest.objects.filter(connection=connection).values_list("request_id", "path")
        }


@pytest.fixture
def stocked(stockroom: Emulator, connect: Connect) -> Connection:
    for number in range(7):
        stockroom.put("parts", f"part-{number}")
    connection = connect(stockroom)
    work_off(connection)
    return connection


def test_each_record_of_pages_that_are_read_side_by_side_names_its_own_request(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = serve("condeco", sizes=(60, 20))
    connection, other = connect(sandbox, start=False), connect(sandbox, tenant=a_tenant("Other"), start=False)
    stream = connectors()["condeco"].stream("rooms")
    read, told = stream.read, dict[str, UUID]()

    def listening(access: Access, cursor: str) -> Iterator[Page]:
        for page in read(access, cursor):
            told.update({record.external_id: UUID(page.request_id) for record in page.records})
            yield page

    monkeypatch.setattr(stream, "read", listening)
    (run,) = copy_only(connection, "rooms")

    assert run.pages <= batches.BATCH_PAGES
    found = brought(connection, "rooms")
    assert found == told
    requests = set(found.values())
    assert len(requests) > 2
    assert all(logged(connection)[one].endswith("/rooms") for one in requests if one)
    assert not brought(other, "rooms")
    assert requests.isdisjoint(logged(other))


def test_an_unchanged_record_keeps_its_request_and_a_changed_one_has_its_version_keep_it(
    stockroom: Emulator, stocked: Connection
) -> None:
    before = brought(stocked, "parts")
    stockroom.put("parts", "part-3", kind="Steel")

    sync(stocked, "parts")

    after = brought(stocked, "parts")
    assert {key for key in after if after[key] != before[key]} == {"part-3"}
    assert logged(stocked)[after["part-3"]] == "/parts"  # type: ignore[index]
    with tenant_scope(stocked.tenant_id):
        version = RecordVersion.objects.get(record__connection=stocked)
    assert version.request_id == before["part-3"]


def test_what_is_looked_up_names_the_request_that_asked_for_it(stockroom: Emulator, stocked: Connection) -> None:
    stockroom.put("parts", "part-3", kind="Steel")
    stockroom.weather.add(Fault(path="^/parts$", rewrite=lambda body: body.replace(b"Steel", b"Glass")))
    with tenant_scope(stocked.tenant_id):
        lookups.ask(stocked.tenant_id, stocked.pk, "parts", ["part-3"], LookUpReason.STIRRED)

    sync(stocked, "parts")

    request = brought(stocked, "parts")["part-3"]
    assert request
    assert logged(stocked)[request] == "/parts/part-3"


def test_a_request_is_in_the_log_before_what_it_brought_is_stored(
    stockroom: Emulator, stocked: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a worker killed in between leaves no record whose request nobody knows."""
    stockroom.put("parts", "part-3", kind="Steel")
    stockroom.weather.add(Fault(path="^/parts$", rewrite=lambda body: body.replace(b"Steel", b"Glass")))
    with tenant_scope(stocked.tenant_id):
        lookups.ask(stocked.tenant_id, stocked.pk, "parts", ["part-3"], LookUpReason.STIRRED)
    write, paths = store.write, []

    def listening(place: Place, stream: Stream, batch: Batch) -> store.Stored:
        calls = VendorRequest.objects.filter(connection=stocked).order_by("at")
        paths.append(calls.values_list("path", flat=True).last())
        return write(place, stream, batch)

    monkeypatch.setattr(store, "write", listening)
    sync(stocked, "parts")

    assert paths == ["/parts", "/parts/part-3"]


def test_a_record_from_a_new_copy_names_the_request_that_filled_it_and_the_way_back_the_former(
    stockroom: Emulator, stocked: Connection
) -> None:
    before = brought(stocked, "parts")
    stockroom.put("parts", "part-2", kind="Glass")
    stockroom.put("parts", "part-8")
    with tenant_scope(stocked.tenant_id):
        one = switch.start(StreamState.objects.get(connection=stocked, stream="parts"), by=a_user())
    known = logged(stocked)
    work_off(stocked, stream="parts")
    filling = logged(stocked).keys() - known

    with tenant_scope(stocked.tenant_id):
        one.refresh_from_db()
        switch.use(one, by=a_user())

    after = brought(stocked, "parts")
    assert {after["part-2"], after["part-8"]} <= filling
    assert {key: after[key] for key in before if key != "part-2"} == {
        key: before[key] for key in before if key != "part-2"
    }
    with tenant_scope(stocked.tenant_id):
        assert RecordVersion.objects.get(record__connection=stocked).request_id == before["part-2"]
        one.refresh_from_db()
        switch.undo(one, by=a_user())
    assert brought(stocked, "parts") == before
