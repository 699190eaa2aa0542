"""What the vendor's bad days become: always one of our errors, of the kind that says who acts next."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)
from tests.integrations.contract.vendor import Shelf, Vendor, outcome, read

A_PERSON = (ReconnectNeeded, ConfigurationNeeded, NotPermitted)


@pytest.fixture
def stormy(box: Vendor) -> Iterator[Vendor]:
    """The shared box, signed in; its weather is cleared afterwards."""
    box.pages(box.connector.streams[0])
    yield box
    box.calm()


def failure(vendor: Vendor, stream_key: str) -> IntegrationError:
    with pytest.raises(IntegrationError) as raised:
        read(vendor, vendor.stream(stream_key))
    assert raised.value.words
    assert not isinstance(raised.value, TokenRefused), "renewing is the client's own affair"
    return raised.value


def test_401_for_ever_asks_for_a_person(stormy: Vendor, stream_key: str) -> None:
    stormy.disturb(status=401)
    assert isinstance(failure(stormy, stream_key), A_PERSON)


def test_403_asks_for_a_person(stormy: Vendor, stream_key: str) -> None:
    stormy.disturb(status=403)
    assert isinstance(failure(stormy, stream_key), A_PERSON)


def test_429_is_a_limit_and_waits_as_long_as_was_said(stormy: Vendor, stream_key: str) -> None:
    stormy.disturb(status=429, headers={"Retry-After": "17"})
    error = failure(stormy, stream_key)
    assert isinstance(error, RateLimited)
    assert error.retry_after is not None
    assert error.retry_after.total_seconds() == 17


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_outage_is_left_to_time(stormy: Vendor, stream_key: str, status: int) -> None:
    stormy.disturb(status=status)
    assert isinstance(failure(stormy, stream_key), RetryLater)


def test_an_answer_cut_in_half_is_left_to_time(stormy: Vendor, stream_key: str) -> None:
    stormy.disturb(truncate=True)
    assert isinstance(failure(stormy, stream_key), RetryLater)


@pytest.mark.parametrize("garbage", [b"<html>Maintenance</html>", b"\xff\xfe\x00", b"[[[[", b"nonsense"])
def test_garbage_is_an_error_of_ours(stormy: Vendor, stream_key: str, garbage: bytes) -> None:
    stormy.disturb(status=200, body=garbage)
    assert isinstance(failure(stormy, stream_key), RetryLater | VendorChanged | ConfigurationNeeded)


@pytest.mark.parametrize("body", [b"7", b"true", b'"text"', b'{"unheard": "of"}', b"[7]"])
def test_json_of_another_shape_loses_nothing_in_silence(stormy: Vendor, stream_key: str, body: bytes) -> None:
    stormy.disturb(status=200, body=body)
    result = outcome(stormy, stormy.stream(stream_key))
    if isinstance(result, Shelf):
        assert (set(result.records), result.rejected > 0) == (set(), True)
    else:
        assert isinstance(result, RetryLater | VendorChanged | ConfigurationNeeded)


def test_a_list_without_end_ends(stormy: Vendor, stream_key: str) -> None:
    stormy.disturb(is_stuck=True)
    result = outcome(stormy, stormy.stream(stream_key))
    if isinstance(result, Shelf):
        assert set(result.records) <= stormy.sandbox.holdings(stream_key, 0)
    else:
        assert isinstance(result, RetryLater | VendorChanged)


def put_in_first_place(value: Any) -> Callable[[bytes], bytes]:
    """The answer with the first thing of its first list replaced."""

    def first_list(found: Any) -> list[Any] | None:
        if isinstance(found, list):
            return found if found and isinstance(found[0], dict) else None
        nested = found.values() if isinstance(found, dict) else ()
        return next((one for one in map(first_list, nested) if one is not None), None)

    def rewrite(body: bytes) -> bytes:
        answer = json.loads(body)
        rows = first_list(answer)
        if rows is not None:
            rows[0] = value
        return json.dumps(answer).encode()

    return rewrite


@pytest.mark.parametrize("value", [None, 7, "text", [], {}, {"id": {"deep": []}}], ids=repr)
def test_a_thing_that_changed_its_shape_takes_nothing_else_with_it(stormy: Vendor, stream_key: str, value: Any) -> None:
    stormy.disturb(rewrite=put_in_first_place(value))
    result = outcome(stormy, stormy.stream(stream_key))
    if isinstance(result, Shelf):
        there = stormy.sandbox.holdings(stream_key, 0)
        missing = there - set(result.records)
        assert result.rejected or not missing, "lost in silence"
        assert missing != there or len(there) == 1
    else:
        assert isinstance(result, RetryLater | VendorChanged)
