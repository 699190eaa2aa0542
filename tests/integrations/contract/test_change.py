"""While people at the vendor work: what we hold after the next run is what the vendor has.

Where the vendor cannot be asked for changes and a stream's regular reading looks at a window only, the next sweep
brings the rest: then the law holds after both.
"""

import random

import pytest

from integrations.contract import Span, Stream
from tests.integrations.contract.vendor import Shelf, Vendor, is_covered, read, serving, sweep

HANDS = 2


@pytest.fixture
def shelves(box: Vendor) -> dict[str, Shelf]:
    """Each stream before anything happened, which is the same in every new box."""
    return {stream.key: Shelf().put(box.pages(stream)) for stream in box.connector.streams}


def dealt(vendor: Vendor, hand: int) -> list[str]:
    """The mishaps of one hand: shuffled, and each dealt to one of the hands."""
    mishaps = random.Random(1).sample(vendor.sandbox.mishaps, len(vendor.sandbox.mishaps))
    return mishaps[hand::HANDS]


def disturb(vendor: Vendor, mishap: str) -> None:
    getattr(vendor.sandbox, mishap)(account=0)


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
        for mishap in vendor.sandbox.mishaps:
            disturb(vendor, mishap)


@pytest.mark.parametrize("hand", range(HANDS))
def test_an_incremental_run_after_any_changes_equals_a_full_one(
    vendor_key: str, hand: int, shelves: dict[str, Shelf]
) -> None:
    with serving(vendor_key) as vendor:
        plan = dealt(vendor, hand)
        for mishap in plan:
            disturb(vendor, mishap)
        for stream in vendor.connector.streams:
            kept = catch_up(vendor, stream, shelves[stream.key]).payloads
            full = Shelf().put(read(vendor, stream)).payloads
            assert {key: kept.get(key) for key in full} == full, f"{stream.key} after {plan}"


@pytest.mark.parametrize("hand", range(HANDS))
def test_rows_that_slip_while_a_list_is_read_are_there_after_the_next_run(vendor_key: str, hand: int) -> None:
    with serving(vendor_key) as vendor:
        plan = dealt(vendor, hand)
        for stream in vendor.connector.streams:
            shelf, left = Shelf(), list(plan)
            plan.append(plan.pop(0))  # the next stream meets others first
            for page in stream.read(vendor.access(), ""):
                shelf.put([page])
                if left:  # a list that grew with every page would never end
                    disturb(vendor, left.pop(0))
            kept = catch_up(vendor, stream, shelf).payloads
            full = Shelf().put(read(vendor, stream)).payloads
            assert {key: kept.get(key) for key in full} == full, f"{stream.key}, begun amid {plan}"


@pytest.mark.parametrize("hand", range(HANDS))
def test_sweeps_tell_what_is_gone_and_nothing_else(vendor_key: str, hand: int, shelves: dict[str, Shelf]) -> None:
    with serving(vendor_key) as vendor:
        plan = dealt(vendor, hand)
        for mishap in plan:
            disturb(vendor, mishap)
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
