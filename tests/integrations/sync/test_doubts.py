"""A bad record is set aside; when nearly all are bad, the stream stops with words and skips none of them."""

import json
from collections.abc import Callable

import pytest

from integrations.connections.models import Connection, VendorRequest
from integrations.problems.models import Problem
from integrations.records.models import Record, RejectedRecord
from integrations.sandbox.kit import Fault, Sandbox
from integrations.sync.doubts import Doubts
from integrations.sync.models import RunState, StreamState, SyncRun
from integrations.sync.retrying import try_again
from portal.accounts.models import User
from portal.tenancy.scope import tenant_scope
from tests.factories import a_user
from tests.integrations.conftest import Connect, Serve
from tests.integrations.sync.runs import copy_only, runs_of, state_of, stored, sync

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
BILLINGS = "entities/billings"


def with_amount(value: object, *, of: Callable[[int], bool] = lambda number: True) -> Callable[[bytes], bytes]:
    """The bills of an answer with that as their amount, where `of` their place in it says so."""

    def rewrite(body: bytes) -> bytes:
        rows = json.loads(body)
        if not isinstance(rows, list):
            return body
        for number, row in enumerate(rows):
            if of(number) and "total_amount" in row:
                row["total_amount"] = value
        return json.dumps(rows).encode()

    return rewrite


def spoil(sandbox: Sandbox, rewrite: Callable[[bytes], bytes]) -> None:
    sandbox.weather.add(Fault(path=BILLINGS, times=1_000_000, rewrite=rewrite))


def insist(connection: Connection) -> SyncRun:
    """Sync the bills, and again whenever it waits, until the run is over."""
    for _ in range(4):
        sync(connection, "billings")
        run = [run for run in runs_of(connection) if run.stream == "billings"][-1]
        if run.finished_at:
            return run
    raise AssertionError("it goes on")


@pytest.fixture
def kore(serve: Serve) -> Sandbox:
    return serve("kore", sizes=(60, 20))


def test_a_stream_of_which_nearly_nothing_can_be_read_stops_with_words(kore: Sandbox, connect: Connect) -> None:
    connection, neighbour = connect(kore, start=False), connect(kore, account=1, start=False)
    copy_only(neighbour, "billings")
    spoil(kore, with_amount({"net": 1}))
    copy_only(connection, "billings")

    run = insist(connection)

    assert (run.state, run.code) == (RunState.FAILED, "unreadable_records")
    assert "The bill's amount is not a number" in run.words
    assert state_of(connection, "billings").cursor == ""
    with tenant_scope(connection.tenant_id):
        assert RejectedRecord.objects.filter(connection=connection, stream="billings").count() == 60
        assert Problem.objects.filter(connection=connection, closed_at=None, code=run.code).count() == 1
    with tenant_scope(neighbour.tenant_id):
        assert not Problem.objects.exists()

    kore.weather.clear()
    assert insist(connection).state == RunState.DONE
    assert len(stored(connection, "billings")) == 60
    with tenant_scope(connection.tenant_id):
        assert not RejectedRecord.objects.filter(connection=connection).exists()
        assert not Problem.objects.filter(connection=connection, closed_at=None).exists()


def test_a_few_bad_ones_are_only_set_aside(kore: Sandbox, connect: Connect) -> None:
    spoil(kore, with_amount("much", of=lambda number: number % 3 == 0))
    connection = connect(kore, start=False)
    (run,) = copy_only(connection, "billings")
    assert (run.state, run.rejected) == (RunState.DONE, 20)
    assert len(stored(connection, "billings")) == 40


@pytest.mark.parametrize(
    ("batches", "expected", "safe"),
    [
        ([(100, 0), (100, 60)], True, "1"),
        ([(100, 50), (100, 50), (100, 50)], False, "3"),
        ([(10, 10), (10, 10)], False, "0"),
        ([(10, 0), (10, 10), (0, 0), (10, 10), (10, 10)], True, "1"),
        ([(10, 10), (10, 10), (10, 5), (10, 10)], False, "3"),
        ([(1, 1)], False, "0"),
    ],
)
def test_only_many_in_a_row_are_a_change_and_the_way_back_is_before_the_first(
    batches: list[tuple[int, int]], expected: bool, safe: str
) -> None:
    doubts = Doubts("0")
    judged = [
        doubts.are_right(came=came, rejected=rejected, cursor=str(number))
        for number, (came, rejected) in enumerate(batches, start=1)
    ]
    assert (judged[-1], doubts.safe) == (expected, safe)
    assert not any(judged[:-1])


@pytest.fixture
def person() -> User:
    return a_user()


def aside(connection: Connection) -> dict[str, str]:
    with tenant_scope(connection.tenant_id):
        rows = RejectedRecord.objects.filter(connection=connection, stream="billings")
        return dict(rows.values_list("key", "reason"))


def test_what_was_set_aside_is_stored_once_it_can_be_read(
    kore: Sandbox, connect: Connect, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, neighbour = connect(kore, start=False), connect(kore, account=1, start=False)
    spoil(kore, with_amount("1 200,00", of=lambda number: number % 10 == 0))
    copy_only(connection, "billings")
    copy_only(neighbour, "billings")
    before, theirs = aside(connection), aside(neighbour)
    assert len(before) == 6
    state = state_of(connection, "billings")
    with tenant_scope(connection.tenant_id):
        assert try_again(state, by=person).readable == 0
    assert aside(connection) == before

    # The next release reads such amounts.
    stream = state.definition
    reading = type(stream).interpret
    monkeypatch.setattr(
        type(stream),
        "interpret",
        lambda self, payload, context: reading(self, payload.replace(b"1 200,00", b"1200"), context),
    )
    with tenant_scope(connection.tenant_id):
        tried = try_again(state, by=person)

    assert (tried.number, tried.readable) == (6, 6)
    assert aside(connection) == {}
    assert aside(neighbour) == theirs
    assert set(before) < set(stored(connection, "billings"))
    with tenant_scope(connection.tenant_id):
        run = SyncRun.objects.get(connection=connection, stream="billings")
        record = Record.objects.get(connection=connection, external_id=min(before))
        assert record.first_run_id == run.pk
        assert record.changed_request_id
        assert VendorRequest.objects.filter(request_id=record.changed_request_id.hex).exists()
        assert record.context["deal"]
        assert StreamState.objects.get(pk=state.pk).records == 60


def test_what_has_come_in_a_newer_form_is_not_overwritten_by_what_was_set_aside(
    kore: Sandbox, connect: Connect, person: User
) -> None:
    connection = connect(kore, start=False)
    spoil(kore, with_amount("much", of=lambda number: number == 0))
    copy_only(connection, "billings")
    (key,) = aside(connection)
    state = state_of(connection, "billings")
    with tenant_scope(connection.tenant_id):
        left = RejectedRecord.objects.get(connection=connection, stream="billings")
        kore.weather.clear()
    with tenant_scope(connection.tenant_id):
        StreamState.objects.filter(pk=state.pk).update(cursor="")
    sync(connection, "billings")
    newer = stored(connection, "billings")[key]
    with tenant_scope(connection.tenant_id):
        left.pk = None
        left.payload = newer.replace("total_amount", "amount")
        left.save()
        try_again(state, by=person)
    assert stored(connection, "billings")[key] == newer
    assert aside(connection) == {}
