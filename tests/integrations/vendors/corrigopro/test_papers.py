"""What hangs on orders: asked for where something may have changed, resumable anywhere, and swept."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from integrations.contract import Page, Record
from integrations.errors import VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.corrigopro import connector
from integrations.vendors.corrigopro.papers import Attachments, Invoices, Messages, Papers, Procedures, ProcedureSteps
from integrations.vendors.corrigopro.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

EACH = [Invoices, Attachments, Messages, Procedures, ProcedureSteps]
ASKED = "GET /am/Direct/api/messages"


def held(pages: Iterable[Page]) -> dict[str, Record]:
    return {record.external_id: record for page in pages for record in page.records}


def small(kind: type[Papers], **options: int) -> Papers:
    return kind(suspicious_rows=20, batch=3, **options)


@pytest.mark.parametrize("kind", EACH)
def test_the_papers_of_orders_that_changed_lately_come_with_their_order(
    corrigopro: Emulator, access: VendorAccess, kind: type[Papers]
) -> None:
    found = held(access.read_all(small(kind)))

    assert found.keys() == corrigopro.holdings(kind.key)
    for external_id, record in found.items():
        assert record.parent_id == external_id.partition("/")[0]
        assert record.position
        assert record.context["customer"]


@pytest.mark.parametrize("kind", EACH)
def test_reading_on_from_any_page_gives_the_rest(
    corrigopro: Emulator, access: VendorAccess, kind: type[Papers]
) -> None:
    stream = small(kind)
    pages = access.read_all(stream)

    for index, page in enumerate(pages[:-1]):
        assert held(access.read_all(stream, page.cursor)) == held(pages[index + 1 :])


def test_only_orders_that_changed_are_asked_about_again(corrigopro: Emulator, access: VendorAccess) -> None:
    stream = small(Messages)
    cursor = access.read_all(stream)[-1].cursor
    corrigopro.send_message()
    corrigopro.requests.clear()

    pages = access.read_all(stream, cursor)

    assert held(pages)
    assert corrigopro.requests[ASKED] < 10


def test_a_run_that_took_its_calls_goes_on_where_it_stood(corrigopro: Emulator, access: VendorAccess) -> None:
    stream = small(Messages, calls=10)
    pages, runs, cursor = [], 0, ""
    while not pages or json.loads(cursor).get("walk"):
        calls = len(access.exchanges)
        pages += access.read_all(stream, cursor)
        cursor, runs = pages[-1].cursor, runs + 1
        assert len(access.exchanges) - calls <= 10 + 3 + 5  # a page's calls and its searches more

    assert runs > 2
    assert held(pages).keys() == corrigopro.holdings("messages")


@pytest.mark.parametrize(("calls", "pause"), [(9, timedelta(minutes=15)), (10, timedelta(minutes=1))])
def test_after_a_run_cut_short_the_next_follows_soon(calls: int, pause: timedelta) -> None:
    assert small(Messages, calls=10).interval_after(calls) == pause


def test_open_orders_are_gone_round_when_their_papers_change_in_silence(
    corrigopro: Emulator, access: VendorAccess
) -> None:
    stream = small(Messages)
    place = json.loads(access.read_all(stream)[-1].cursor)
    corrigopro.keep_silent()
    book, cabinet = corrigopro.accounts[0].book, corrigopro.accounts[0].cabinet
    for number in range(130):
        cabinet.talk[number] += 1
    assert not set(held(access.read_all(stream, json.dumps(place)))) >= corrigopro.holdings("messages")

    place["rounded"] = (datetime.now(UTC) - timedelta(hours=7)).isoformat()
    corrigopro.requests.clear()
    pages = access.read_all(stream, json.dumps(place))

    open_ones = {n for n in range(130) if book.status(n) not in {"Verified", "Rejected", "Recalled"}}
    assert {int(record.parent_id) - book.first_id for record in held(pages).values()} >= open_ones
    assert corrigopro.requests[ASKED] < 130
    for index, page in enumerate(pages[:-1]):
        assert held(access.read_all(stream, page.cursor)) == held(pages[index + 1 :])
    assert json.loads(pages[-1].cursor)["rounded"] > place["rounded"]


def test_a_sweep_finds_what_a_customer_deleted(corrigopro: Emulator, access: VendorAccess) -> None:
    stream = small(Attachments)
    before = held(stream.sweep(access, ""))
    corrigopro.keep_silent()
    book, cabinet = corrigopro.accounts[0].book, corrigopro.accounts[0].cabinet
    number = next(n for n in range(125, 0, -1) if cabinet.attachments(n))
    deleted = cabinet.attachments(number)[0]["AttachmentId"]
    cabinet.removed.add(deleted)

    pages = list(stream.sweep(access, ""))

    gone = f"{book.first_id + number}/{deleted}"
    assert before.keys() - held(pages).keys() == {gone}
    spans = [page.covers for page in pages if page.covers]
    assert any(span.since <= before[gone].position < span.until for span in spans)
    assert stream.look_up(access, gone) is None


def test_a_sweep_says_what_it_covers_only_when_a_window_is_through(access: VendorAccess) -> None:
    pages = list(small(Messages).sweep(access, ""))

    spans = [page.covers for page in pages if page.covers]
    assert len(spans) < len(pages)
    assert all(one.until == two.since for one, two in pairwise(spans))
    assert spans[-1].until < datetime.now(UTC).isoformat()


@pytest.mark.parametrize("kind", EACH)
def test_one_is_looked_up_by_its_id(corrigopro: Emulator, access: VendorAccess, kind: type[Papers]) -> None:
    stream = small(kind)
    external_id, record = next(iter(held(access.read_all(stream)).items()))

    assert stream.look_up(access, external_id) == record
    corrigopro.accounts[0].book.vanished.add(int(external_id.partition("/")[0]) - 15_849)
    assert stream.look_up(access, external_id) is None


def test_an_order_that_goes_between_two_calls_has_no_papers(corrigopro: Emulator, access: VendorAccess) -> None:
    body = json.dumps({"Code": 3005, "Message": "Recalled", "MessageId": None}).encode()
    corrigopro.weather.add(Fault(path="messages", status=400, body=body, times=5))

    assert len(held(access.read_all(small(Messages)))) < len(corrigopro.holdings("messages"))


def test_orders_without_procedures_are_not_asked_for_them(corrigopro: Emulator, access: VendorAccess) -> None:
    found = held(access.read_all(Procedures(suspicious_rows=20)))

    orders = {record.parent_id for record in found.values()}
    assert corrigopro.requests["GET /am/Direct/api/procedure"] == len(orders)


def test_a_path_we_know_wrongly_is_for_a_developer(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="messages", status=404, body=b"<html>"))

    with pytest.raises(VendorChanged) as change:
        access.read_all(small(Messages))

    assert change.value.code == "http_404"


@pytest.mark.parametrize(
    "answer", [b'{"Messages":null}', b'{"messages":[]}', b'{"Items":[{"id":1,"text":"Hello"}]}', b'{"TextMessages":[]}']
)
def test_a_list_of_another_name_is_read_too(corrigopro: Emulator, access: VendorAccess, answer: bytes) -> None:
    corrigopro.weather.add(Fault(path="messages", status=200, body=answer, times=1000))

    ids = held(access.read_all(small(Messages))).keys()

    assert len(ids) == (len({key.partition("/")[0] for key in ids}) if b"Hello" in answer else 0)


def test_a_message_without_an_id_is_known_by_its_content(corrigopro: Emulator, access: VendorAccess) -> None:
    answer = b'{"Messages":[{"Text":"Hello"},{"Text":"Hello again"},{},7]}'
    corrigopro.weather.add(Fault(path="messages", status=200, body=answer))

    pages = access.read_all(Messages(suspicious_rows=20))

    first = [record for page in pages for record in page.records][:2]
    assert len({record.external_id for record in first}) == 2
    assert [item.payload for page in pages for item in page.rejected] == [b"{}", b"7"]


def test_an_answer_to_an_earlier_question_is_not_taken(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="attachments", is_stuck=True, times=1000))

    with pytest.raises(Exception, match="repeated an earlier answer") as failure:
        access.read_all(small(Attachments))

    assert getattr(failure.value, "code", "") == "stale_answer"


@pytest.mark.parametrize("key", ["customers", "customer-settings", "associates"])
def test_what_is_read_whole_resumes_at_every_page(corrigopro: Emulator, access: VendorAccess, key: str) -> None:
    stream = connector.stream(key)
    pages = access.read_all(stream)

    assert held(pages).keys() == corrigopro.holdings(key)
    for index, page in enumerate(pages[:-1]):
        assert access.read_all(stream, page.cursor) == pages[index + 1 :]


@pytest.mark.parametrize("key", ["customer-settings", "associates"])
def test_what_is_read_whole_is_looked_up(corrigopro: Emulator, access: VendorAccess, key: str) -> None:
    stream = connector.stream(key)
    external_id, record = next(iter(held(access.read_all(stream)).items()))

    assert stream.look_up(access, external_id) == record
    assert stream.look_up(access, external_id + "9") is None


def test_the_second_company_sees_only_its_own(corrigopro: Emulator, access: VendorAccess) -> None:
    with vendor_access(connector, corrigopro, 1) as other:
        for stream in connector.streams:
            assert held(other.read_all(stream)).keys().isdisjoint(held(access.read_all(stream)))
