"""What is gone is found by going through the ids, and any record can be asked for by its own."""

import json

import pytest

from integrations.contract import Span
from integrations.errors import ConfigurationNeeded, NotBought, RecordRejected, RetryLater, VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.kore import assumptions, connector
from tests.integrations.vendor_access import vendor_access

BILLINGS = connector.stream("billings")
STREAMS = [stream.key for stream in connector.streams]


@pytest.mark.parametrize("key", STREAMS)
def test_a_sweep_sees_every_id_there_is_and_says_so_at_its_end(kore, key):
    with vendor_access(connector, kore) as access:
        pages = list(connector.stream(key).sweep(access, ""))

    assert {one for page in pages for one in page.seen} == kore.holdings(key)
    assert [page.covers for page in pages] == [None] * (len(pages) - 1) + [Span()]
    assert not any(page.records for page in pages)


def test_a_sweep_goes_on_from_any_of_its_pages(kore, monkeypatch):
    monkeypatch.setattr(assumptions, "PAGE_SIZE", 50)
    with vendor_access(connector, kore) as access:
        pages = list(BILLINGS.sweep(access, ""))

        assert len(pages) == 7
        for place, page in enumerate(pages[:-1]):
            assert list(BILLINGS.sweep(access, page.cursor)) == pages[place + 1 :]


def test_an_edit_during_a_sweep_hides_nothing(kore):
    kore.edit_while_paging()
    with vendor_access(connector, kore) as access:
        pages = list(BILLINGS.sweep(access, ""))

    assert {one for page in pages for one in page.seen} == kore.holdings("billings")


def test_what_was_deleted_is_not_seen_and_what_is_inactive_is(kore):
    kore.delete_a_bill()
    kore.void_a_bill()
    everything = set(kore.table(0, "billings").ids)
    with vendor_access(connector, kore) as access:
        seen = {one for page in BILLINGS.sweep(access, "") for one in page.seen}

    assert seen == kore.holdings("billings")
    assert len(everything - seen) == 1


def test_a_list_that_never_ends_stops_the_sweep(kore):
    kore.weather.add(Fault(path="/entities/billings", times=50, is_stuck=True))

    with vendor_access(connector, kore) as access, pytest.raises(VendorChanged) as raised:
        list(BILLINGS.sweep(access, ""))

    assert raised.value.code == "endless"


def test_an_empty_list_is_a_page_too(kore):
    kore.weather.add(Fault(path="/entities/billings", status=200, body=b"[]"))
    with vendor_access(connector, kore) as access:
        (page,) = BILLINGS.sweep(access, "")

    assert (page.seen, page.covers) == ((), Span())


@pytest.mark.parametrize("key", STREAMS)
def test_a_record_looked_up_is_the_one_that_was_read(kore, key):
    stream = connector.stream(key)
    with vendor_access(connector, kore, 1) as access:
        read = access.read_all(stream)[0].records[0]

        assert stream.look_up(access, read.external_id) == read
        assert stream.look_up(access, read.external_id.upper()) == read


def test_a_record_that_does_not_exist_any_more_is_none(kore):
    with vendor_access(connector, kore) as access:
        gone = access.read_all(BILLINGS)[0].records[0].external_id
        table = kore.table(0, "billings")
        table.delete(table.number_of[gone])

        assert BILLINGS.look_up(access, gone) is None


def test_an_id_cannot_lead_to_another_path(kore):
    with vendor_access(connector, kore) as access:
        assert BILLINGS.look_up(access, "../deals?top=1#") is None


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (Fault(status=404, body=b"<html>Nothing here</html>"), ConfigurationNeeded),
        (Fault(status=403, body=b"{}"), NotBought),
        (Fault(status=500), RetryLater),
        (Fault(truncate=True), RetryLater),
        (Fault(status=200, body=b"[]"), VendorChanged),
        (Fault(status=200, body=b'{"name":"no id"}'), RecordRejected),
        (Fault(status=200, body=b'{"id":"another","modified_date":"2026-03-01T00:00:00Z"}'), VendorChanged),
    ],
    ids=["another server", "not licensed", "down", "cut off", "a list", "no id", "another id"],
)
def test_only_kores_own_word_makes_a_record_gone(kore, fault, failure):
    with vendor_access(connector, kore) as access:
        known = access.read_all(BILLINGS)[0].records[0].external_id
        kore.weather.add(Fault(**{name: getattr(fault, name) for name in fault.__slots__}))

        with pytest.raises(failure):
            BILLINGS.look_up(access, known)


def test_a_payment_that_leaves_its_bills_date_alone_is_seen_when_the_bill_is_looked_up(kore):
    payments = connector.stream("billing-payments")
    with vendor_access(connector, kore) as access:
        bills = {r.external_id: r for p in access.read_all(BILLINGS) for r in p.records}
        paid_before = access.read_all(payments)
        kore.pay_silently(0)

        (new,) = [r for p in access.read_all(payments, paid_before[-1].cursor) for r in p.records if is_new(r, kore)]
        looked_up = BILLINGS.look_up(access, new.parent_id)

    assert payments.stirs_parent
    assert looked_up is not None
    assert json.loads(bills[new.parent_id].payload)["paid_amount"] == 0
    assert json.loads(looked_up.payload)["paid_amount"] == json.loads(new.payload)["amount"] > 0
    assert json.loads(looked_up.payload)["modified_date"] == json.loads(bills[new.parent_id].payload)["modified_date"]


def is_new(record, kore) -> bool:
    return record.external_id == kore.table(0, "billing-payments").ids[-1]
