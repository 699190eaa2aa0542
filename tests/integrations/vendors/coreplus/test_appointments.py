"""Windows of appointments: complete, in slices and zones, resumable anywhere; and what sweeps find out."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from integrations.contract import Page, Record, Span
from integrations.errors import VendorChanged
from integrations.sandbox.kit import Fault
from integrations.values import BookingStatus
from integrations.vendors.coreplus import assumptions, connector
from integrations.vendors.coreplus.appointments import Appointments, Walk
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

STREAM = Appointments()
NEVER = 10_000


def held(*readings: list[Page]) -> dict[str, Record]:
    return {record.external_id: record for pages in readings for page in pages for record in page.records}


def asked(sandbox: Emulator) -> int:
    return sandbox.requests.get("GET /API/Core/v2/Appointment/", 0)


def days_of(records: dict[str, Record]) -> set[int]:
    """How many days from now they start."""
    now = datetime.now(UTC)
    return {(datetime.fromisoformat(record.position) - now).days for record in records.values()}


@pytest.mark.parametrize("account", [0, 1, 2])
def test_the_first_copy_brings_the_wide_window_each_appointment_once(coreplus: Emulator, account: int) -> None:
    with vendor_access(connector, coreplus, account) as access:
        pages = access.read_all(STREAM)

    found = [record.external_id for page in pages for record in page.records]
    assert len(found) == len(set(found))
    assert set(found) == coreplus.holdings("appointments", account)


def test_the_next_run_reads_the_hot_window_only(coreplus: Emulator, access: VendorAccess) -> None:
    first = access.read_all(STREAM)
    before = asked(coreplus)
    second = access.read_all(STREAM, first[-1].cursor)

    assert asked(coreplus) - before == 6  # three slices in two zones
    assert held(second).items() <= held(first).items()
    days = days_of(held(second))
    assert min(days) >= -2
    assert 13 <= max(days) <= 15
    assert second[-1].cursor == first[-1].cursor


def test_after_a_pause_the_hot_window_reaches_back_over_it(coreplus: Emulator, access: VendorAccess) -> None:
    week_ago = (datetime.now(UTC) - timedelta(days=7)).date()
    pages = access.read_all(STREAM, json.dumps({"began": week_ago.isoformat()}))

    assert min(days_of(held(pages))) <= -8


def test_a_reading_goes_on_at_any_page(coreplus: Emulator, access: VendorAccess, monkeypatch: Any) -> None:
    monkeypatch.setattr(assumptions, "APPOINTMENTS_PER_PAGE", 20)
    monkeypatch.setattr(assumptions, "DAYS_AHEAD_WIDE", 20)
    pages = access.read_all(STREAM)

    assert len(pages) > 14
    for place, page in enumerate(pages[:-1]):
        assert access.read_all(STREAM, page.cursor) == pages[place + 1 :]


def test_a_slice_has_a_week_and_one_more_day_on_both_sides_is_asked_for(
    coreplus: Emulator, access: VendorAccess
) -> None:
    queries: list[dict[str, str]] = []
    list_appointments = coreplus.handle

    def watch(request: Any) -> Any:
        queries.append(dict(request.query))
        return list_appointments(request)

    coreplus.handle = watch  # type: ignore[method-assign]
    access.read_all(STREAM)
    # Two are under way at a time, so either may be heard first.
    windows = sorted((query for query in queries if "startDate" in query), key=lambda query: query["startDate"])

    first = datetime.now(UTC).date() - timedelta(days=30)
    assert windows[0]["startDate"] == (first - timedelta(days=1)).isoformat()
    assert windows[0]["endDate"] == (first + timedelta(days=7)).isoformat()
    assert windows[0]["pageSize"] == "100"
    assert windows[0]["getPractitionerProfiles"] == "true"
    last = datetime.now(UTC).date() + timedelta(days=180)
    assert windows[-1]["endDate"] == (last + timedelta(days=1)).isoformat()
    assert len({query["timezoneId"] for query in windows}) == 2


def test_each_appointment_is_told_in_the_time_of_its_own_location(access: VendorAccess) -> None:
    for record in held(access.read_all(STREAM)).values():
        text = json.loads(record.payload)["startDateTime"]
        start = datetime.fromisoformat(text.replace(" ", ""))
        assert start.utcoffset() == start.astimezone(ZoneInfo(record.context["zone"])).utcoffset()
        assert 9 <= start.hour < 23


@pytest.mark.parametrize("epoch", [datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)])
def test_both_offsets_of_a_clock_change_lie_in_the_window(epoch: datetime) -> None:
    sandbox = Emulator(sizes=(200,), epoch=epoch)
    sandbox.clock.freeze(epoch + timedelta(hours=3))
    with sandbox.serve(), vendor_access(connector, sandbox) as access:
        found = held(access.read_all(STREAM))  # the window follows coreplus's clock

    assert set(found) == sandbox.holdings("appointments")
    offsets = {json.loads(record.payload)["startDateTime"][-6:] for record in found.values()}
    assert offsets == {"+10:00", "+11:00", "+09:30", "+10:30"}
    for record in found.values():
        assert STREAM.interpret(record.payload, record.context).starts_at.isoformat()[:19] == record.position[:19]


def test_names_come_beside_the_ids(access: VendorAccess) -> None:
    record = next(iter(held(access.read_all(STREAM)).values()))
    booking = STREAM.interpret(record.payload, record.context)

    assert booking.title != "Appointment"
    assert booking.location
    assert booking.zone.startswith("Australia/")
    assert " " in booking.resource
    assert record.parent_id == json.loads(record.payload)["practitioner"]["practitionerId"]


def test_without_names_neither_subject_nor_notes_are_brought(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, 1) as access:
        found = held(access.read_all(STREAM))
        looked_up = STREAM.look_up(access, next(iter(found)))

    assert looked_up is not None
    for record in (*found.values(), looked_up):
        assert not {"subject", "notes"} & json.loads(record.payload).keys()


def test_with_names_the_subject_is_brought(access: VendorAccess) -> None:
    assert all("subject" in json.loads(record.payload) for record in held(access.read_all(STREAM)).values())


def test_practitioners_without_profiles_are_named_by_their_list(coreplus: Emulator, access: VendorAccess) -> None:
    def without_names(body: bytes) -> bytes:
        answer = json.loads(body)
        for row in answer["appointments"]:
            row["practitioner"] = {"practitionerId": row["practitioner"]["practitionerId"]}
        return json.dumps(answer).encode()

    whole = held(access.read_all(STREAM))
    coreplus.weather.add(Fault(path="Appointment", times=NEVER, rewrite=without_names))
    bare = held(access.read_all(STREAM))

    for key, record in bare.items():
        read, known = (STREAM.interpret(one.payload, one.context) for one in (record, whole[key]))
        assert read.resource == known.resource != ""


@pytest.mark.parametrize("lost", ["locations", "practitioners", "appointment-types"])
def test_appointments_go_on_without_what_we_may_not_read(coreplus: Emulator, access: VendorAccess, lost: str) -> None:
    coreplus.refuse(lost, 0)

    assert set(held(access.read_all(STREAM))) == coreplus.holdings("appointments")


def test_types_whose_path_does_not_exist_leave_titles_plain(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.has_types = False
    records = held(access.read_all(STREAM)).values()

    assert {STREAM.interpret(record.payload, record.context).title for record in records} == {"Appointment"}


def test_a_list_without_paging_is_read_to_its_short_page(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.has_paging = False

    assert set(held(access.read_all(STREAM))) == coreplus.holdings("appointments")


def test_a_day_of_more_than_a_hundred_takes_more_than_a_page() -> None:
    big = Emulator(sizes=(520,))
    with big.serve(), vendor_access(connector, big) as access:
        pages = access.read_all(STREAM)

    assert set(held(pages)) == big.holdings("appointments")
    assert len(pages) > 62  # one for each of 31 slices in two zones would be the least


def test_an_appointment_that_slips_while_pages_are_turned_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assumptions, "APPOINTMENTS_PER_PAGE", 10)
    sandbox = Emulator(sizes=(200,))
    with sandbox.serve(), vendor_access(connector, sandbox) as access:
        first = access.read_all(STREAM)
        hot = sorted(held(access.read_all(STREAM, first[-1].cursor)))
        before = asked(sandbox)
        pages: list[Page] = []
        for page in STREAM.read(access, first[-1].cursor):
            pages.append(page)
            if len(pages) in (1, 2):
                sandbox.cancel(0)

    assert asked(sandbox) - before > len(hot) // 10
    today = datetime.now(UTC).date()
    still = {
        sandbox.worlds[0].ids["appointment"].of(number)
        for number in sandbox.worlds[0].diary.between(today, today + timedelta(days=13))
    }
    assert still <= set(held(pages))


def test_appointments_of_other_days_are_not_believed(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.weather.add(Fault(path="Appointment", times=NEVER, is_stuck=True))
    with pytest.raises(VendorChanged) as stop:
        access.read_all(STREAM)

    assert stop.value.code == "window"


def test_a_zone_that_coreplus_no_longer_knows_is_asked_for_anew(coreplus: Emulator, access: VendorAccess) -> None:
    today = datetime.now(UTC).date()
    walk = Walk.begin(Walk(began=today), today, ("5f0e0000-0000-4000-8000-000000000000",))
    pages = access.read_all(STREAM, _encoded(walk))

    assert held(pages).keys() == held(access.read_all(STREAM, pages[-1].cursor)).keys()


def test_a_zone_that_stays_unknown_is_told(coreplus: Emulator, access: VendorAccess) -> None:
    reason = b'{"result": [{"severity": 2, "reason": "The time zone is not known"}]}'
    coreplus.weather.add(Fault(path="Appointment", times=NEVER, status=400, body=reason))
    with pytest.raises(VendorChanged) as stop:
        access.read_all(STREAM)

    assert stop.value.code == "zone"
    assert coreplus.requests["GET /API/Core/v2/Location/"] == 4


def test_a_sweep_covers_the_wide_window_without_a_gap(coreplus: Emulator, access: VendorAccess) -> None:
    pages = list(STREAM.sweep(access, ""))
    spans = [page.covers for page in pages if page.covers]

    assert set(held(pages)) == coreplus.holdings("appointments")
    assert all(former.until == later.since for former, later in pairwise(spans))
    today = datetime.now(UTC).date()
    assert spans[0].since == f"{today - timedelta(days=30)}T00:00:00Z"
    assert spans[-1].until == f"{today + timedelta(days=181)}T00:00:00Z"
    assert all(_lies_in(record, spans) for record in held(pages).values())


def test_a_reading_claims_to_cover_nothing(access: VendorAccess) -> None:
    assert not [page for page in access.read_all(STREAM) if page.covers]


def test_a_slice_that_never_stood_still_is_not_covered(coreplus: Emulator, access: VendorAccess) -> None:
    totals = iter(range(1000, 9000))

    def moving(body: bytes) -> bytes:
        answer = json.loads(body)
        if len(answer["appointments"]) == 20 or answer["paging"]["pageNumber"] > 1:
            answer["paging"]["totalRows"] = next(totals)
        return json.dumps(answer).encode()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assumptions, "APPOINTMENTS_PER_PAGE", 20)
        coreplus.weather.add(Fault(path="Appointment", times=NEVER, rewrite=moving))
        pages = list(STREAM.sweep(access, ""))

    spans = [page.covers for page in pages if page.covers]
    uncovered = [record for record in held(pages).values() if not _lies_in(record, spans)]
    assert set(held(pages)) == coreplus.holdings("appointments")
    assert len(uncovered) >= 20
    assert len(spans) > 20


def _lies_in(record: Record, spans: list[Span]) -> bool:
    return any(span.since <= record.position < span.until for span in spans)


def _encoded(walk: Walk) -> str:
    return msgspec.json.encode(walk).decode()


def test_a_cancelled_appointment_is_missed_and_found_cancelled(coreplus: Emulator, access: VendorAccess) -> None:
    appointment_id = coreplus.cancel(0)
    assert appointment_id not in held(list(STREAM.sweep(access, "")))
    record = STREAM.look_up(access, appointment_id)

    assert record is not None
    assert STREAM.interpret(record.payload, record.context).status == BookingStatus.CANCELLED
    assert json.loads(record.payload)["cancellationReasonId"]
    assert record.position == ""  # so that no later sweep misses it again


def test_a_moved_appointment_is_found_at_its_new_time(coreplus: Emulator, access: VendorAccess) -> None:
    first = held(access.read_all(STREAM))
    appointment_id = coreplus.move(0)
    record = STREAM.look_up(access, appointment_id)

    assert record is not None
    assert record.position != first[appointment_id].position
    assert record.position == held(access.read_all(STREAM))[appointment_id].position


def test_a_deleted_appointment_is_gone(coreplus: Emulator, access: VendorAccess) -> None:
    assert STREAM.look_up(access, coreplus.delete(0)) is None


def test_what_is_looked_up_reads_like_what_was_listed(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, 1) as access:
        for key, record in list(held(access.read_all(STREAM)).items())[:8]:
            assert STREAM.look_up(access, key) == record


def test_a_practice_sees_only_its_own(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, 0) as first, vendor_access(connector, coreplus, 1) as second:
        ours, theirs = held(first.read_all(STREAM)), held(second.read_all(STREAM))
        assert not ours.keys() & theirs.keys()
        assert STREAM.look_up(second, next(iter(ours))) is None


def test_time_passing_at_the_practice_is_followed_run_by_run() -> None:
    sandbox = Emulator(sizes=(120,), change_every=timedelta(minutes=3))
    with sandbox.serve(), vendor_access(connector, sandbox) as access:
        pages = access.read_all(STREAM)
        known, cursor = held(pages), pages[-1].cursor
        for _ in range(4):
            sandbox.clock.advance(timedelta(minutes=31))
            pages = access.read_all(STREAM, cursor)
            known, cursor = known | held(pages), pages[-1].cursor
        swept = held(list(STREAM.sweep(access, "")))
        for key in known.keys() - swept.keys():
            found = STREAM.look_up(access, key)
            assert found is not None
            assert found.position == ""

    assert {key: known[key].payload for key in swept} == {key: record.payload for key, record in swept.items()}
