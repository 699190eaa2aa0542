"""A bill is told together with what its deal says, and is read anew when that changes."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.contract import Page, Record
from integrations.errors import VendorChanged
from integrations.sandbox.kit import Fault
from integrations.values import Billing, BillingStatus
from integrations.vendors.kore import assumptions, connector, walk
from integrations.vendors.kore.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access
from tests.integrations.vendors.kore.conftest import MONDAY, NOON

BILLINGS = connector.stream("billings")


def by_id(*readings: Iterable[Page]) -> dict[str, Record]:
    return {record.external_id: record for pages in readings for page in pages for record in page.records}


def values(*readings: Iterable[Page]) -> dict[str, Billing]:
    found = {}
    for key, record in by_id(*readings).items():
        value = BILLINGS.interpret(record.payload, record.context)
        assert isinstance(value, Billing)
        found[key] = value
    return found


def drafts(kore: Emulator, account: int = 0) -> set[str]:
    """Bills whose deal is a draft, by the emulator's own word."""
    world = kore.worlds[account]
    deals = {world.deals.ids[number] for number in world.deals.number_of.values() if world.is_draft(number)}
    bills = world.billings
    return {guid for guid, number in bills.number_of.items() if bills.link(number)["deal_id"] in deals}


def test_bills_on_a_draft_deal_are_drafts_and_all_others_are_not(kore):
    kore.draft_a_deal()
    with vendor_access(connector, kore) as access:
        bills = values(access.read_all(BILLINGS))

    found = {key for key, bill in bills.items() if bill.status == BillingStatus.DRAFT}
    assert found == {key for key in drafts(kore) if bills[key].status != BillingStatus.VOID}
    assert len(found) >= 4


def test_signing_a_deal_makes_its_untouched_bills_owed(kore):
    kore.draft_a_deal()
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        before = drafts(kore)
        kore.clock.advance(timedelta(hours=1))
        kore.sign_a_deal()

        second = access.read_all(BILLINGS, first[-1].cursor)

    signed = before - drafts(kore)
    assert signed
    assert signed <= by_id(second).keys()
    assert all(values(second)[key].status != BillingStatus.DRAFT for key in signed)
    assert all(by_id(first)[key].payload == by_id(second)[key].payload for key in signed)


def test_reopening_a_deal_makes_drafts_of_its_bills(kore):
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.clock.advance(timedelta(hours=1))
        kore.reopen_a_deal()

        second = access.read_all(BILLINGS, first[-1].cursor)

    reopened = {key for key in drafts(kore) if key in by_id(second)}
    assert reopened
    assert {values(second)[key].status for key in reopened} <= {BillingStatus.DRAFT, BillingStatus.VOID}


def test_a_void_bill_on_a_draft_deal_stays_void():
    bill = BILLINGS.interpret(b'{"id":"a","state":1}', {"deal_status": "Draft"})

    assert isinstance(bill, Billing)
    assert bill.status == BillingStatus.VOID


def test_the_word_for_a_draft_counts_in_any_case():
    bill = BILLINGS.interpret(b'{"id":"a","total_amount":5,"invoiced_amount":5}', {"deal_status": " DRAFT "})

    assert isinstance(bill, Billing)
    assert bill.status == BillingStatus.DRAFT


@pytest.mark.parametrize("account", [0, 1])
def test_the_currency_is_the_bills_else_the_deals_else_the_default_and_says_which(kore, account):
    with vendor_access(connector, kore, account, currency="EUR") as access:
        records = by_id(access.read_all(BILLINGS))
        deals = by_id(access.read_all(connector.stream("deals")))

    for record in records.values():
        bill, deal = json.loads(record.payload), json.loads(deals[record.parent_id].payload)
        expected = (
            (bill["currency"], None)
            if "currency" in bill
            else (deal["currency"], "deal")
            if "currency" in deal
            else ("EUR", "default")
        )
        value = BILLINGS.interpret(record.payload, record.context)
        assert isinstance(value, Billing)
        assert (value.currency, record.context.get("currency_from")) == expected
    found = {record.context.get("currency_from") for record in records.values()}
    assert found == ({None} if account == 0 else {"deal", "default"})


def test_the_account_is_the_deals_where_the_bill_names_none(kore):
    with vendor_access(connector, kore, 1) as access:
        bills = by_id(access.read_all(BILLINGS))
        deals = by_id(access.read_all(connector.stream("deals")))

    for key, bill in values([Page(records=tuple(bills.values()), cursor="")]).items():
        assert "account_name" not in json.loads(bills[key].payload)
        assert bill.account == json.loads(deals[bill.deal_id].payload)["account_name"]


def test_a_bill_belongs_to_its_deal_and_carries_its_name(kore):
    with vendor_access(connector, kore) as access:
        bills = by_id(access.read_all(BILLINGS))
        deals = by_id(access.read_all(connector.stream("deals")))

    for bill in bills.values():
        deal = json.loads(deals[bill.parent_id].payload)
        assert (bill.context["deal"], bill.context["deal_status"]) == (deal["name"], deal["status"]["value"])


def test_each_deal_is_asked_for_once_in_a_reading(kore, monkeypatch):
    monkeypatch.setattr(assumptions, "PAGE_SIZE", 20)
    with vendor_access(connector, kore) as access:
        access.read_all(BILLINGS)

    assert kore.requests["GET /api/entities/billings"] > 16
    assert kore.requests["GET /api/entities/deals"] == 1 + 3  # the newest one, then 33 deals as they turn up


def test_bills_are_read_without_deals_where_those_are_not_licensed(kore):
    kore.draft_a_deal()
    kore.refuse("deals")
    with vendor_access(connector, kore) as access:
        pages = access.read_all(BILLINGS)

    assert by_id(pages).keys() == kore.holdings("billings")
    assert all("deal_status" not in record.context for record in by_id(pages).values())
    assert kore.requests["GET /api/entities/deals"] == 1


def test_once_deals_are_licensed_every_bill_is_read_anew_with_its_deal(kore):
    kore.refuse("deals")
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.license_everything()

        second = access.read_all(BILLINGS, first[-1].cursor)

        assert by_id(second) == by_id(access.read_all(BILLINGS))
        assert all("deal_status" in record.context for record in by_id(second).values())


def test_when_the_licence_for_deals_goes_bills_are_still_followed(kore):
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.refuse("deals")
        kore.clock.advance(timedelta(hours=1))
        kore.record_a_payment()

        second = access.read_all(BILLINGS, first[-1].cursor)
        third = access.read_all(BILLINGS, second[-1].cursor)

    assert 0 < len(by_id(second)) < 10
    assert len(third) == 1


def test_deals_that_come_again_unchanged_are_no_reason_to_read_their_bills(kore):
    deals = kore.table(0, "deals")
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.clock.advance(timedelta(hours=1))
        for number in range(10):
            deals.touch(number, kore.clock.now())

        second = access.read_all(BILLINGS, first[-1].cursor)
        third = access.read_all(BILLINGS, second[-1].cursor)

    assert len(by_id(second)) >= 100
    assert len(by_id(third)) < 5


def test_a_reading_may_stop_anywhere_between_deals_and_bills(kore, monkeypatch):
    monkeypatch.setattr(assumptions, "PAGE_SIZE", 12)
    monkeypatch.setattr(assumptions, "IDS_PER_FILTER", 5)
    with vendor_access(connector, kore) as access:
        start = access.read_all(BILLINGS)[-1].cursor
        kore.clock.advance(timedelta(hours=1))
        for number in range(14):
            kore.table(0, "deals").touch(number, kore.clock.now())
        kore.edit_many_at_once()
        pages = access.read_all(BILLINGS, start)

        assert len(pages) > 12
        for place, page in enumerate(pages[:-1]):
            assert access.read_all(BILLINGS, page.cursor) == pages[place + 1 :]


def test_other_deals_than_those_asked_for_stop_the_stream(kore):
    with vendor_access(connector, kore) as access:
        strange = json.dumps([{"id": "0" * 8, "modified_date": "2026-01-01T00:00:00Z"}]).encode()
        kore.weather.add(Fault(path="/deals", times=9, status=200, body=strange))

        with pytest.raises(VendorChanged) as raised:
            access.read_all(BILLINGS)

    assert raised.value.code == "filter"


def test_an_id_that_is_no_guid_is_never_put_into_a_filter(kore):
    odd = {"id": "a-1", "deal_id": "x or id ne null", "modified_date": "2026-03-01T00:00:00Z"}
    with vendor_access(connector, kore) as access:
        kore.weather.add(Fault(path="/billings", status=200, body=json.dumps([odd]).encode()))

        (page,) = access.read_all(BILLINGS)

    assert page.records[0].parent_id == "x or id ne null"
    assert kore.requests["GET /api/entities/deals"] == 1


@pytest.mark.parametrize("change", [{"currency": "EUR"}, {"field_map": "billings.amount = amount"}])
def test_a_setting_that_changes_how_bills_are_read_has_them_all_read_anew(kore, change):
    with vendor_access(connector, kore) as access:
        cursor = access.read_all(BILLINGS)[-1].cursor
    with vendor_access(connector, kore, **change) as access:
        assert len(by_id(access.read_all(BILLINGS, cursor))) == 330


def test_names_of_fields_of_this_connection_reach_the_bill(kore):
    kore.renamed = {"total_amount": "net_total", "due_date": "payable_by", "account_name": "sponsor"}
    field_map = "billings.amount = gross, net_total\nbillings.due_date = payable_by\nbillings.account = sponsor"
    with vendor_access(connector, kore) as plain, vendor_access(connector, kore, field_map=field_map) as mapped:
        without, with_names = values(plain.read_all(BILLINGS)), values(mapped.read_all(BILLINGS))
        kore.renamed = {}
        usual = values(plain.read_all(BILLINGS))

    assert with_names == usual
    assert all(bill.due_date is None for bill in without.values())
    assert without != usual


def test_a_deal_that_bills_name_otherwise_is_still_found_and_followed(kore):
    kore.renamed = {"deal_id": "contract_id"}
    with vendor_access(connector, kore, field_map="billings.deal = contract_id") as access:
        first = access.read_all(BILLINGS)
        kore.clock.advance(timedelta(hours=1))
        kore.reopen_a_deal()
        second = access.read_all(BILLINGS, first[-1].cursor)

    assert all(record.parent_id for record in by_id(first).values())
    assert {bill.status for bill in values(second).values()} >= {BillingStatus.DRAFT}


def test_where_bills_name_no_deal_changed_deals_are_not_walked(kore):
    kore.renamed = {"deal_id": "contract_id"}
    with vendor_access(connector, kore) as access:
        first = access.read_all(BILLINGS)
        kore.clock.advance(timedelta(hours=1))
        kore.reopen_a_deal()
        asked = kore.requests["GET /api/entities/deals"]
        access.read_all(BILLINGS, first[-1].cursor)

    assert kore.requests["GET /api/entities/deals"] == asked == 1


steps = st.lists(st.sampled_from([*Emulator.mishaps, "tick"]), max_size=4)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=steps, during=st.lists(steps, max_size=8), stops=st.sets(st.integers(0, 12)), account=st.sampled_from([0, 1])
)
def test_whatever_people_do_what_is_held_equals_a_full_reading_deal_and_all(before, during, stops, account):
    kore = Emulator(sizes=(60, 60), epoch=MONDAY)
    kore.clock.freeze(NOON)

    def go(names: list[str]) -> None:
        for name in names:
            if name == "tick":
                kore.clock.advance(timedelta(minutes=20))
            else:
                getattr(kore, name)(account)

    def read(access: VendorAccess, cursor: str, held: dict[str, Record], happens: list[list[str]]) -> str:
        reading, count = BILLINGS.read(access, cursor), 0
        while (page := next(reading, None)) is not None:
            held |= by_id([page])
            cursor = page.cursor
            go(happens.pop() if happens else [])
            if count in stops:
                reading = BILLINGS.read(access, cursor)
            count += 1
            assert count < 400
        return cursor

    with pytest.MonkeyPatch.context() as patch, kore.serve(), vendor_access(connector, kore, account) as access:
        patch.setattr(walk, "now", kore.clock.now)
        patch.setattr(assumptions, "PAGE_SIZE", 7)
        patch.setattr(assumptions, "IDS_PER_FILTER", 3)
        patch.setattr(assumptions, "MAX_RESTARTS", 99)
        held: dict[str, Record] = {}
        cursor = read(access, "", held, during)
        kore.clock.advance(timedelta(minutes=1))
        go(before)
        cursor = read(access, cursor, held, during)
        kore.clock.advance(timedelta(minutes=1))
        read(access, cursor, held, [])

        full = by_id(access.read_all(BILLINGS))
        assert full.keys() == kore.holdings("billings", account)
        assert {key: held.get(key) for key in full} == full
