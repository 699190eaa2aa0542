"""While people at the vendor work: what we hold after the next run is what the vendor has.

Where the vendor cannot be asked for changes and a stream's regular reading looks at a window only, the next sweep
brings the rest: then the law holds after both.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.contract import Span, Stream
from tests.integrations.contract.vendor import Shelf, Vendor, is_covered, read, serving, sweep

PLANS = st.lists(st.integers(0, 99), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def first_readings(boxes: dict[str, Vendor]) -> Callable[[str], dict[str, Shelf]]:
    """`first_readings(vendor_key)`: each stream before anything happened, which is the same in every new box."""

    @cache
    def of(vendor_key: str) -> dict[str, Shelf]:
        vendor = boxes[vendor_key]
        return {stream.key: Shelf().put(read(vendor, stream)) for stream in vendor.connector.streams}

    return lambda vendor_key: deepcopy(of(vendor_key))


def disturb(vendor: Vendor, number: int) -> None:
    mishaps = vendor.sandbox.mishaps
    getattr(vendor.sandbox, mishaps[number % len(mishaps)])(account=0)


def catch_up(vendor: Vendor, stream: Stream, shelf: Shelf) -> Shelf:
    shelf.put(read(vendor, stream, shelf.cursor))
    if stream.sweep_interval is not None and not stream.reads_whole:
        found = Shelf().put(sweep(vendor, stream))
        if Span() not in found.spans:
            shelf.records |= found.records
    return shelf


def test_things_happen_at_the_vendor(vendor_key: str) -> None:
    with serving(vendor_key) as vendor:
        assert vendor.sandbox.mishaps
        for name in vendor.sandbox.mishaps:
            getattr(vendor.sandbox, name)(account=0)


@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plan=PLANS)
def test_an_incremental_run_after_any_changes_equals_a_full_one(
    vendor_key: str, plan: list[int], first_readings: Callable[[str], dict[str, Shelf]]
) -> None:
    shelves = first_readings(vendor_key)
    with serving(vendor_key) as vendor:
        for number in plan:
            disturb(vendor, number)
        for stream in vendor.connector.streams:
            kept = catch_up(vendor, stream, shelves[stream.key]).payloads
            full = Shelf().put(read(vendor, stream)).payloads
            assert {key: kept.get(key) for key in full} == full, f"{stream.key} after {plan}"


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plan=PLANS)
def test_rows_that_slip_while_a_list_is_read_are_there_after_the_next_run(vendor_key: str, plan: list[int]) -> None:
    with serving(vendor_key) as vendor:
        for stream in vendor.connector.streams:
            shelf, left = Shelf(), list(plan)
            for page in stream.read(vendor.access(), ""):
                shelf.put([page])
                if left:  # a list that grew with every page would never end
                    disturb(vendor, left.pop(0))
            kept = catch_up(vendor, stream, shelf).payloads
            full = Shelf().put(read(vendor, stream)).payloads
            assert {key: kept.get(key) for key in full} == full, f"{stream.key} during {plan}"


@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plan=PLANS)
def test_sweeps_tell_what_is_gone_and_nothing_else(
    vendor_key: str, plan: list[int], first_readings: Callable[[str], dict[str, Shelf]]
) -> None:
    shelves = first_readings(vendor_key)
    with serving(vendor_key) as vendor:
        for number in plan:
            disturb(vendor, number)
        for stream in vendor.connector.streams:
            if stream.sweep_interval is None:
                continue
            kept, there = shelves[stream.key].records, vendor.sandbox.holdings(stream.key, 0)
            found = Shelf().put(sweep(vendor, stream))
            in_sight = {key for key, record in kept.items() if stream.reads_whole or is_covered(record, found.spans)}
            missed = in_sight - found.seen
            gone = {key for key in missed if not stream.can_look_up or stream.look_up(vendor.access(), key) is None}
            assert (in_sight - there) & found.seen == set(), f"{stream.key}: seen although it is not there"
            assert gone & there == set(), f"{stream.key}: called gone although it is there"
