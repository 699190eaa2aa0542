"""The emulator itself: what it promises to the demo and to the tests."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.errors import ConfigurationNeeded, ReconnectNeeded
from integrations.sandbox.kit import Request
from integrations.vendors.corecon import connector
from integrations.vendors.corecon.sandbox import Emulator
from integrations.vendors.corecon.sandbox_data import workday
from integrations.vendors.corecon.streams import STREAMS
from tests.integrations.vendors.corecon.browser import connected

COMPANIES = STREAMS[0]
EPOCH = datetime(2026, 3, 16, tzinfo=UTC)


def page(emulator: Emulator, resource: str, account: int = 0, **options: object) -> bytes:
    return emulator.books[account].page(resource, emulator.books[account].numbers(resource, **options))


def test_the_demo_has_its_sizes():
    emulator = Emulator()

    assert [
        [len(books.shelves[resource]) for resource in ("Project", "Company", "LaborTime")] for books in emulator.books
    ] == [[8, 250, 2400], [5, 150, 1200]]


@pytest.mark.parametrize(
    "resource", ["Company", "Contact", "Project", "LaborTime", "EquipmentTime", "EmployeeMiscExpenses"]
)
def test_the_same_seed_gives_the_same_data(resource):
    first, second, other = (Emulator(sizes=(9, 4), seed=seed, epoch=EPOCH) for seed in (1, 1, 2))

    assert page(first, resource) == page(second, resource) != page(other, resource)
    assert page(first, resource) != page(first, resource, account=1)


def test_company_names_are_unique():
    books = Emulator(sizes=(5000, 1)).books[0]

    assert len({books.company_name(number) for number in range(5000)}) == 5000


def test_forty_people_work_on_weekdays_of_the_last_thirteen_months():
    emulator = Emulator(epoch=EPOCH)
    days = [workday(created) for created in emulator.books[0].shelves["LaborTime"].created]

    assert len(set(emulator.books[0].people)) == 40
    assert days == sorted(days)
    assert max(day.weekday() for day in days) == 4
    assert EPOCH.date() - days[0] < timedelta(days=394)


def test_every_switch_of_the_control_page_is_there_and_can_be_undone(corecon):
    for method, label in corecon.controls:
        assert label
        getattr(corecon, method)()
    with connected(corecon) as access:
        assert connector.check(access)


@pytest.mark.parametrize(
    ("switch", "error"),
    [
        ("revoke_access", ReconnectNeeded),
        ("switch_apps_off", ConfigurationNeeded),
        ("end_databases", ConfigurationNeeded),
    ],
)
def test_a_switch_stops_the_reading(access, corecon, switch, error):
    getattr(corecon, switch)()

    with pytest.raises(error):
        access.read_all(COMPANIES)


def test_tokens_are_good_after_a_restart(tmp_path):
    first = Emulator(sizes=(1, 1), state_dir=tmp_path)
    with first.serve(), connected(first) as access:
        token = access.access_token
    second = Emulator(sizes=(1, 1), state_dir=tmp_path)
    with second.serve(), connected(second) as access:
        access.access_token = token
        assert access.read_all(COMPANIES)
        assert "/sandbox/api/token" not in {exchange.path for exchange in access.exchanges}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"Date":{"FromDate":"02-03-2026","ToDate":"03-03-2026"},"Timezone":"UTC"}',
        b'{"Date":{"FromDate":"02-Mar-2026","ToDate":"31-Feb-2026"},"Timezone":"UTC"}',
        b'{"Date":{"FromDate":"02-Mar-2026","ToDate":"03-Mar-2026"},"Timezone":"America/Chicago"}',
        b'{"Date":{"FromDate":"02-Mar-2026","ToDate":"03-Mar-2026"}}',
    ],
)
def test_a_question_for_timecards_must_be_well_formed(corecon, body):
    answer = corecon.handle(Request(method="POST", path="/api/LaborTime/List", query=(), headers={}, body=body))

    assert answer.status in (400, 451)
