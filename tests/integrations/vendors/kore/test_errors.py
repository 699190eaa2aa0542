"""Every answer that is not what we asked for, and who acts on it."""

import json
from datetime import timedelta

import pytest

from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotBought,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    VendorChanged,
)
from integrations.sandbox.kit import Fault
from integrations.vendors.kore import connector
from tests.integrations.vendor_access import vendor_access

DEALS = connector.stream("deals")
TOLD = json.dumps(
    {"id": "id-1", "error_id": "err-2", "error": "X", "message": "Said so", "link": None, "errors": ["More"]}
).encode()
HTML = b"<html><body>Proxy</body></html>"


@pytest.mark.parametrize("body", [TOLD, HTML, b"", b"[1]", b"\xff\xfe"], ids=["told", "html", "empty", "list", "bytes"])
@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (400, VendorChanged),
        (401, ReconnectNeeded),
        (403, NotBought),
        (418, VendorChanged),
        (429, RateLimited),
        (500, RetryLater),
        (502, RetryLater),
        (503, RetryLater),
        (504, RetryLater),
        (301, ConfigurationNeeded),
    ],
)
def test_every_status_says_who_acts_next_whatever_its_body(kore, status, failure, body):
    with vendor_access(connector, kore) as access:
        access.token()
        kore.weather.add(Fault(path="/entities/", times=2, status=status, body=body))

        with pytest.raises(IntegrationError) as raised:
            access.read_all(DEALS)

    if (status, body) == (403, HTML):
        failure = RetryLater  # a page of a proxy's says nothing about a licence
    assert type(raised.value) is failure
    assert raised.value.detail.startswith(str(status))
    assert raised.value.words.endswith(".")


@pytest.mark.parametrize(
    ("body", "failure"), [(TOLD, VendorChanged), (HTML, ConfigurationNeeded), (b"", ConfigurationNeeded)]
)
def test_a_missing_entity_is_told_from_a_wrong_address_by_who_says_so(kore, body, failure):
    kore.weather.add(Fault(path="/entities/", status=404, body=body))

    with vendor_access(connector, kore) as access, pytest.raises(failure):
        access.read_all(DEALS)


def test_both_error_ids_are_kept_for_the_vendors_support(kore):
    kore.fail(1)

    with vendor_access(connector, kore) as access, pytest.raises(RetryLater) as raised:
        access.read_all(DEALS)

    assert "error_id: " in raised.value.detail
    assert "; id: " in raised.value.detail
    assert "error: Server" in raised.value.detail


def test_further_messages_of_a_validation_error_are_kept(kore, monkeypatch):
    monkeypatch.setattr("integrations.vendors.kore.assumptions.PAGE_SIZE", 101)

    with vendor_access(connector, kore) as access, pytest.raises(VendorChanged) as raised:
        access.read_all(DEALS)

    assert raised.value.code == "bad_request"
    assert "error: Validation" in raised.value.detail
    assert "'top' must be a number from 1 to 100." in raised.value.detail


@pytest.mark.parametrize(
    ("header", "span"), [({"Retry-After": "17"}, timedelta(seconds=17)), ({}, None), ({"Retry-After": "soon"}, None)]
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_vendor_says_how_long_to_wait(kore, status, header, span):
    kore.weather.add(Fault(path="/entities/", status=status, headers=header))

    with vendor_access(connector, kore) as access, pytest.raises(RetryLater) as raised:
        access.read_all(DEALS)

    assert raised.value.retry_after == span


@pytest.mark.parametrize(
    "fault",
    [
        Fault(path="/entities/", truncate=True),
        Fault(path="/entities/", lose_reply=True),
        Fault(path="/entities/", status=200, body=HTML),
        Fault(path="/entities/", status=200, body=b""),
        Fault(path="/entities/", status=200, body=b"[" * 100_000),
        Fault(path="/entities/", status=204),
    ],
    ids=["cut off", "lost", "html", "empty", "deep", "no content"],
)
def test_a_broken_answer_is_asked_for_again_from_the_same_place(kore, fault):
    fault = Fault(**{name: getattr(fault, name) for name in fault.__slots__})  # a fault counts down as it is used
    with vendor_access(connector, kore) as access:
        undisturbed = access.read_all(DEALS)
        kore.weather.add(fault)

        with pytest.raises(RetryLater):
            access.read_all(DEALS)

        assert access.read_all(DEALS) == undisturbed


@pytest.mark.parametrize("body", [b'{"value":[]}', b'"text"', b"7", b"null"])
def test_an_answer_of_another_shape_is_for_a_developer(kore, body):
    kore.weather.add(Fault(path="/entities/", status=200, body=body))

    with vendor_access(connector, kore) as access, pytest.raises(VendorChanged):
        access.read_all(DEALS)


def test_what_is_not_licensed_stops_that_stream_alone(kore):
    kore.refuse("billing-payments")
    with vendor_access(connector, kore) as access:
        with pytest.raises(NotBought) as refusal:
            access.read_all(connector.stream("billing-payments"))

        assert access.read_all(DEALS)
    assert "ask KORE" in refusal.value.words


def test_the_live_test_tells_stream_by_stream_what_may_be_read(kore):
    kore.refuse("billing-payments")
    with vendor_access(connector, kore) as access:
        found = {capability.stream: capability for capability in connector.check(access)}

    assert found.keys() == {stream.key for stream in connector.streams}
    assert {key for key, capability in found.items() if capability.state != "available"} == {"billing-payments"}
    assert found["billing-payments"].state == "not_bought"
    assert "billing-payments" in found["billing-payments"].note
    assert sum(kore.requests.values()) == 20  # a token, and one row of each


def test_the_live_test_says_what_it_means_that_deals_are_not_enabled(kore):
    kore.refuse("deals")
    with vendor_access(connector, kore) as access:
        notes = {capability.stream: capability.note for capability in connector.check(access)}

    assert notes["billings"].startswith("Deals are not enabled, so bills on draft deals cannot be told")


def test_the_live_test_tells_which_fields_were_found_and_which_were_not(kore):
    kore.renamed = {"bill_number": "no_", "name": "title", "due_date": "payable_by"}
    kore.weather.add(Fault(path="/billing-payments", status=200, body=b"[]"))
    with vendor_access(connector, kore) as access:
        notes = {capability.stream: capability.note for capability in connector.check(access)}

    assert notes["billings"].startswith("Not provided by KORE: number, title, due date. Found: ")
    assert "amount = total_amount" in notes["billings"]
    assert notes["divisions"] == (
        "Not provided by KORE: division. Found: short name = abbreviation, state, changed = modified_date."
    )
    assert notes["billing-payments"] == "No records yet, so no fields to compare."


def test_the_live_test_tells_which_of_our_own_names_kore_does_not_send(kore):
    with vendor_access(
        connector, kore, field_map="billings.amount = net_totl\nbillings.due date = bill_date"
    ) as access:
        notes = {capability.stream: capability.note for capability in connector.check(access)}

    assert notes["billings"].startswith("Your field names that KORE does not send: amount = net_totl. Found: ")
    assert "due date = bill_date" in notes["billings"]


def test_only_an_entity_without_id_or_change_date_is_not_taken_on(kore):
    kore.renamed = {"modified_date": "touched"}
    with vendor_access(connector, kore) as access:
        found = {capability.stream: capability for capability in connector.check(access)}

    assert found["deals"].state == "unknown"
    assert found["deals"].note == "KORE sends no modified_date with its deals: without that they cannot be followed."


def test_the_live_test_survives_an_entity_kore_does_not_know(kore):
    kore.weather.add(Fault(path="/entities/billings", status=404, body=TOLD))
    with vendor_access(connector, kore) as access:
        states = {capability.stream: capability.state for capability in connector.check(access)}

    assert {key for key, state in states.items() if state == "unknown"} == {"billings"}


def test_the_live_test_raises_what_a_sync_would_raise(kore):
    kore.revoke()

    with vendor_access(connector, kore) as access, pytest.raises(ReconnectNeeded):
        connector.check(access)


def test_no_secret_is_in_a_path_or_a_log(kore):
    with vendor_access(connector, kore) as access:
        access.read_all(DEALS)

        said = repr(access.exchanges)
        assert not any(secret in said for secret in [*access.secrets.values(), access.access_token])
