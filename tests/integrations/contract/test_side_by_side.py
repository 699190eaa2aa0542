"""Calls side by side: as many as the connector allows and no more, and nothing that is read is another for it."""

from contextlib import suppress
from datetime import timedelta

from integrations.contract import Page
from integrations.errors import RetryLater
from tests.integrations.contract.vendor import Shelf, Vendor, drain
from tests.integrations.vendor_access import VendorAccess


def told(pages: list[Page]) -> list[tuple[object, ...]]:
    """Pages without their cursors, which name the moment when their reading began."""
    return [(page.records, page.rejected, page.expected) for page in pages]


def at_once(vendor: Vendor, parallel: int, account: int = 0) -> VendorAccess:
    """The account opened once more, for so many calls at once; 0: as many as the connector allows."""
    access = vendor.opened(*vendor.sandbox.demo_setup(account), account=account, parallel=parallel)
    known = vendor.access(account)
    access.access_token, access.refresh_token = known.access_token, known.refresh_token
    return access


def test_pages_read_side_by_side_are_those_read_one_by_one(box: Vendor, stream_key: str) -> None:
    stream = box.stream(stream_key)
    for account in (0, 1):
        one_by_one = drain(stream.read(at_once(box, 1, account), ""), stream)
        assert told(box.pages(stream, account)) == told(one_by_one)


def test_side_by_side_costs_no_more_calls(box: Vendor, stream_key: str) -> None:
    stream, one_by_one, side_by_side = box.stream(stream_key), at_once(box, 1), at_once(box, 0)
    for access in (one_by_one, side_by_side):
        drain(stream.read(access, ""), stream)

    assert side_by_side.http.calls <= one_by_one.http.calls


def test_a_reading_that_breaks_off_among_several_calls_goes_on_where_it_stood(box: Vendor, stream_key: str) -> None:
    stream = box.stream(stream_key)
    whole = box.pages(stream)
    pages: list[Page] = []
    with suppress(RetryLater):
        for page in stream.read(box.access(), ""):
            pages.append(page)
            if len(pages) == (len(whole) + 1) // 2:
                box.disturb(status=503)
    box.calm()

    rest = drain(stream.read(box.access(), pages[-1].cursor), stream) if len(pages) < len(whole) else []
    assert Shelf().put([*pages, *rest]).payloads == Shelf().put(whole).payloads


def test_calls_overlap_up_to_the_limit_and_never_beyond(fresh: Vendor) -> None:
    access = fresh.access()
    fresh.sandbox.weather.latency = timedelta(milliseconds=10)
    for stream in fresh.connector.streams:
        drain(stream.read(access, ""), stream)

    assert fresh.sandbox.most_at_once == fresh.connector.limit.parallel
