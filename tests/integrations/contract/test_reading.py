"""Each stream of each vendor: everything once, in order, from any checkpoint on, and only one's own."""

from tests.integrations.contract.vendor import Shelf, Vendor, drain, read, sweep


def test_a_full_reading_brings_every_record(box: Vendor, stream_key: str) -> None:
    shelf = Shelf().put(box.pages(box.stream(stream_key)))
    assert set(shelf.records) == box.sandbox.holdings(stream_key, 0)
    assert shelf.rejected == 0


def test_there_is_something_to_read(box: Vendor, stream_key: str) -> None:
    assert box.sandbox.holdings(stream_key, 0)


def test_a_second_account_sees_only_its_own(box: Vendor, stream_key: str) -> None:
    shelf = Shelf().put(box.pages(box.stream(stream_key), account=1))
    assert set(shelf.records) == box.sandbox.holdings(stream_key, 1)


def test_it_resumes_at_any_checkpoint(box: Vendor, stream_key: str) -> None:
    stream = box.stream(stream_key)
    pages = box.pages(stream)
    whole = Shelf().put(pages).payloads
    step = max(1, len(pages) // 6)
    for place in range(0, len(pages), step):
        resumed = Shelf().put(pages[: place + 1]).put(drain(stream.read(box.access(), pages[place].cursor), stream))
        assert resumed.payloads == whole


def test_an_incremental_run_after_nothing_happened_changes_nothing(box: Vendor, stream_key: str) -> None:
    stream = box.stream(stream_key)
    shelf = Shelf().put(box.pages(stream))
    before = dict(shelf.payloads)
    again = read(box, stream, shelf.cursor)
    assert again, "a reading has at least one page"
    assert shelf.put(again).payloads == before


def test_a_sweep_sees_what_is_there_and_says_how_much_it_covers(box: Vendor, swept_key: str) -> None:
    stream, there = box.stream(swept_key), box.sandbox.holdings(swept_key, 0)
    shelf = Shelf().put(sweep(box, stream))
    if stream.reads_whole:
        assert shelf.seen == there
    else:
        assert shelf.spans
        assert shelf.seen <= there


def test_what_reads_the_whole_is_swept(box: Vendor, stream_key: str) -> None:
    stream = box.stream(stream_key)
    assert stream.sweep_interval is not None or not stream.reads_whole


def test_a_sweep_resumes_at_any_checkpoint(box: Vendor, swept_key: str) -> None:
    stream = box.stream(swept_key)
    pages = sweep(box, stream)
    whole = Shelf().put(pages)
    for place in range(0, max(1, len(pages) - 1), max(1, len(pages) // 4)):
        resumed = Shelf().put(pages[: place + 1]).put(drain(stream.sweep(box.access(), pages[place].cursor), stream))
        assert resumed.seen == whole.seen
        assert set(resumed.spans) == set(whole.spans)


def test_a_thing_looked_up_is_the_thing_that_was_read(box: Vendor, sought_key: str) -> None:
    stream = box.stream(sought_key)
    records = Shelf().put(box.pages(stream)).records
    for external_id in sorted(records)[:3]:
        found = stream.look_up(box.access(), external_id)
        assert found is not None
        assert found.external_id == external_id


def test_a_thing_that_does_not_exist_is_not_found(box: Vendor, sought_key: str) -> None:
    there = box.sandbox.holdings(sought_key, 0)
    known = min(there)
    unknown = known[:-4] + ("9999" if known[-4:] != "9999" else "9998")
    assert unknown not in there
    assert box.stream(sought_key).look_up(box.access(), unknown) is None
