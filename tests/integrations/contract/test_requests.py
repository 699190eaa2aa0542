"""Each record names the very request that brought it: what is kept of the record stands in that request's answer."""

from typing import Any

from integrations.contract import Page, Record, brought_by
from integrations.http import Http
from tests.integrations.contract.test_side_by_side import at_once
from tests.integrations.contract.vendor import Shelf, Vendor, drain


def heard_by(http: Http) -> dict[str, bytes]:
    """What is answered from now on, by request."""
    heard: dict[str, bytes] = {}
    send = http.send

    def listening(*asked: Any, **more: Any) -> Any:
        answer = send(*asked, **more)
        heard[answer.request_id] = answer.body
        return answer

    http.send = listening  # type: ignore[method-assign]
    return heard


def is_in(answer: bytes, record: Record) -> bool:
    """Its own bytes; or its own id, where no more than a part of it is kept."""
    own_id = record.external_id.rpartition("/")[2].encode()
    return record.payload in answer or own_id.lower() in answer.lower()


def records_of(pages: list[Page]) -> list[Record]:
    return [brought_by(page.request_id, record) for page in pages for record in page.records]


def test_every_record_names_the_request_that_brought_it(box: Vendor, stream_key: str) -> None:
    stream, access = box.stream(stream_key), at_once(box, 0)
    heard = heard_by(access.http)
    found = records_of(drain(stream.read(access, ""), stream))
    assert found
    assert not [one.external_id for one in found if not is_in(heard.get(one.request_id, b""), one)]


def test_a_thing_looked_up_names_the_request_that_brought_it(box: Vendor, sought_key: str) -> None:
    stream, access = box.stream(sought_key), at_once(box, 0)
    external_id = min(Shelf().put(box.pages(stream)).records)
    heard = heard_by(access.http)
    found = stream.look_up(access, external_id)
    assert found
    assert is_in(heard.get(found.request_id, b""), found)
