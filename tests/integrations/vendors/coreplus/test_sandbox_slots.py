"""Free time in the emulator: what working hours are left of."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.vendors.coreplus.sandbox import Emulator
from integrations.vendors.coreplus.sandbox_data import ADELAIDE
from tests.integrations.vendors.coreplus.asking import (
    BASE,
    Row,
    appointments,
    ask,
    book,
    booking,
    days,
    new_client,
    slots,
)

EPOCH = datetime(2026, 3, 16, tzinfo=UTC)
DAY = "2026-03-19"  # a busy one


@pytest.fixture(scope="module")
def practice() -> Iterator[Emulator]:
    """For tests that only read."""
    sandbox = Emulator(sizes=(130, 40), epoch=EPOCH)
    sandbox.clock.freeze(EPOCH + timedelta(hours=3))
    with sandbox.serve():
        yield sandbox


def span(row: Row) -> tuple[datetime, datetime]:
    start, end = (datetime.fromisoformat(row[name].replace(" ", "")) for name in ("startDateTime", "endDateTime"))
    return start, end


def minutes(rows: list[Row]) -> set[int]:
    return {int((end - start).total_seconds()) // 60 for start, end in map(span, rows)}


def type_of(sandbox: Emulator, wanted: str) -> str:
    specialties = ask(sandbox, f"{BASE}/SpecialtyType/").json()["specialtyTypes"]
    kinds = [kind for one in specialties for kind in one["appointmentTypes"]]
    return next(str(kind["appointmentTypeId"]) for kind in kinds if kind["durationMinutes"] == wanted)


def test_free_time_and_appointments_fill_the_working_day(practice: Emulator) -> None:
    free, taken = slots(practice, DAY), list(appointments(practice, DAY).values())
    total: dict[str, timedelta] = defaultdict(timedelta)
    for row in (*free, *taken):
        start, end = span(row)
        total[row["practitioner"]["practitionerId"]] += end - start

    assert free
    assert len(taken) > 20
    assert set(total.values()) == {timedelta(hours=9)}
    assert len(total) == 8


def test_no_slot_lies_in_an_appointment(practice: Emulator) -> None:
    taken = [(row["practitioner"], *span(row)) for row in appointments(practice, DAY).values()]
    for row in slots(practice, DAY):
        start, end = span(row)
        assert not [one for one, a, b in taken if one == row["practitioner"] and a < end and start < b]


def test_for_a_type_free_time_is_cut_into_its_length(practice: Emulator) -> None:
    uncut, cut = slots(practice, DAY), slots(practice, DAY, f"&appointmentTypeId={type_of(practice, '60')}")

    assert minutes(uncut) != {60}
    assert minutes(cut) == {60}
    fitting = sum(int((end - start) / timedelta(hours=1)) for start, end in map(span, uncut))
    assert len(cut) == fitting


def test_a_type_without_a_duration_takes_half_an_hour(coreplus: Emulator) -> None:
    made = ask(coreplus, f"{BASE}/appointmenttype/", body={"description": "Talk"}).json()["appointmentTypeId"]
    tomorrow = (coreplus.epoch.date() + timedelta(days=1)).isoformat()

    assert minutes(slots(coreplus, tomorrow, f"&appointmentTypeId={made}")) == {30}


def test_an_unknown_type_is_refused(practice: Emulator) -> None:
    assert ask(practice, f"{BASE}/AvailabilitySlot/{days(DAY, more='&appointmentTypeId=x')}").status_code == 400


@pytest.mark.parametrize("count", [1, 2])
def test_practitioners_can_be_chosen(practice: Emulator, count: int) -> None:
    wanted = [row["practitionerId"] for row in practice.worlds[0].practitioners()][:count]
    found = slots(practice, DAY, "".join(f"&practitionerId={one}" for one in wanted))

    assert {row["practitioner"]["practitionerId"] for row in found} == set(wanted)


@pytest.mark.parametrize("count", [1, 2])
def test_locations_can_be_chosen(practice: Emulator, count: int) -> None:
    wanted = [row["locationId"] for row in practice.worlds[0].locations()][:count]
    found = slots(practice, DAY, "".join(f"&locationId={one}" for one in wanted))

    assert {row["locationId"] for row in found} == set(wanted)


def test_specialties_share_the_practitioners_between_them(practice: Emulator) -> None:
    specialties = ask(practice, f"{BASE}/SpecialtyType/").json()["specialtyTypes"]
    found = [slots(practice, DAY, f"&specialtyId={one['specialtyId']}") for one in specialties]

    assert all(found)
    assert sum(map(len, found)) == len(slots(practice, DAY))


def test_slots_are_told_in_the_zone_that_was_asked_for(practice: Emulator) -> None:
    melbourne, adelaide = slots(practice, DAY), slots(practice, DAY, zone=ADELAIDE[0])

    assert {row["startDateTime"][19:] for row in melbourne} == {" +11:00"}
    assert {row["startDateTime"][19:] for row in adelaide} == {" +10:30"}
    assert [span(row) for row in melbourne] == [span(row) for row in adelaide]


def test_slots_of_both_days_come_in_order_and_in_pages(practice: Emulator) -> None:
    kind = type_of(practice, "30")
    pages = [
        ask(practice, f"{BASE}/AvailabilitySlot/{days(DAY, '2026-03-20', more)}").json()
        for more in (f"&appointmentTypeId={kind}&pageSize=100&pageNumber={page}" for page in (1, 2, 3))
    ]
    rows = [row for page in pages for row in page["timeslots"]]

    assert len(rows) == pages[0]["paging"]["totalRows"] > 200
    assert [span(row) for row in rows] == sorted(span(row) for row in rows)
    assert {row["startDateTime"][:10] for row in rows} == {DAY, "2026-03-20"}


def test_slots_may_come_without_paging(coreplus: Emulator) -> None:
    coreplus.has_paging = False

    assert list(ask(coreplus, f"{BASE}/AvailabilitySlot/{days(DAY)}").json()) == ["timeslots"]


def test_a_booked_slot_is_no_longer_offered(coreplus: Emulator) -> None:
    kind = type_of(coreplus, "30")
    tomorrow = (coreplus.epoch.date() + timedelta(days=1)).isoformat()
    practitioner = coreplus.worlds[0].practitioner(0)["practitionerId"]
    wanted = f"&appointmentTypeId={kind}&practitionerId={practitioner}"
    before = slots(coreplus, tomorrow, wanted)
    assert book(coreplus, booking(before[0], new_client(coreplus))).status_code == 200

    assert slots(coreplus, tomorrow, wanted) == before[1:]


def test_free_time_of_one_practice_is_not_the_others(practice: Emulator) -> None:
    own, other = (
        {row["practitioner"]["practitionerId"] for row in slots(practice, DAY, account=account)} for account in (0, 1)
    )

    assert own
    assert other
    assert not own & other
