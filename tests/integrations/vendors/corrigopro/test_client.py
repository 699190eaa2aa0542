"""Signing in, the live test, and every failure told by who acts next."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from integrations.contract import Capability, Door
from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)
from integrations.sandbox.kit import Fault
from integrations.vendors.corrigopro import connector
from integrations.vendors.corrigopro.client import Client, NotThere, RequestRefused
from integrations.vendors.corrigopro.orders import WorkOrders
from integrations.vendors.corrigopro.sandbox import Emulator
from integrations.vendors.corrigopro.streams import Customers
from tests.integrations.vendor_access import VendorAccess, vendor_access

AVAILABLE = tuple(Capability(stream=stream.key, state="available") for stream in connector.streams)


PAPERS = {"invoices", "attachments", "messages", "procedures", "procedure-steps"}


def body(code: int, message: str = "Words of the vendor", **more: object) -> bytes:
    return json.dumps({"Code": code, "Message": message, "MessageId": None, "ValidationErrors": None, **more}).encode()


def door(access: VendorAccess) -> Door:
    return Door(settings=access.settings, secrets=access.secrets, http=access.http)


@pytest.mark.parametrize("account", [0, 1])
def test_client_id_and_secret_open_each_company(corrigopro: Emulator, account: int) -> None:
    with vendor_access(connector, corrigopro, account) as access:
        tokens = connector.request_token(door(access))
        assert connector.check(access) == AVAILABLE

    assert "<---->" in tokens.access_token
    assert tokens.expires_in == timedelta(seconds=1199)
    assert tokens.refresh_token == ""


def test_the_live_test_takes_one_call_a_stream_beside_the_sign_in(corrigopro: Emulator, access: VendorAccess) -> None:
    connector.check(access)

    assert sum(corrigopro.requests.values()) == 1 + len(connector.streams)


def test_the_identity_tells_companies_apart(corrigopro: Emulator) -> None:
    first, second = (connector.identity(corrigopro.demo_setup(account)[0]) for account in (0, 1))

    assert first != second
    assert first == connector.identity(corrigopro.demo_setup(0)[0] | {"history_days": 7})


def test_a_main_branch_keeps_the_identity_when_the_client_id_changes(corrigopro: Emulator) -> None:
    settings, _ = corrigopro.demo_setup(0)
    without = settings | {"branch_id": None}

    assert connector.identity(settings) == connector.identity(settings | {"client_id": "new"})
    assert connector.identity(without) != connector.identity(without | {"client_id": "new"})


def test_the_end_of_the_subscription_is_foreseen(corrigopro: Emulator) -> None:
    settings, _ = corrigopro.demo_setup(0)

    assert connector.expiries(settings) == ()
    (end,) = connector.expiries(settings | {"subscription_ends_on": "2027-03-31"})
    assert (end.key, end.ends_on) == ("subscription", date(2027, 3, 31))


def test_the_message_id_told_to_the_vendor_is_in_our_log(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="customers", status=400, body=body(3000)))

    with pytest.raises(VendorChanged) as failure:
        Client(access).customers()

    told = failure.value.detail.partition("(MessageId ")[2].rstrip(")")
    assert access.exchanges[-1].request_id == told


@pytest.mark.parametrize("change", [{"client_id": "nobody"}, {"client_secret": "wrong"}, {"client_secret": ""}])
def test_a_wrong_pair_asks_for_the_right_one(corrigopro: Emulator, change: dict[str, Any]) -> None:
    with vendor_access(connector, corrigopro, **change) as access, pytest.raises(ReconnectNeeded) as stop:
        connector.check(access)

    assert stop.value.code == "credentials"
    assert stop.value.detail == "HTTP 400 invalid_client"
    assert "CorrigoPro Direct settings page" in stop.value.words


def test_a_regenerated_pair_matters_only_when_the_token_ends(corrigopro: Emulator, access: VendorAccess) -> None:
    connector.check(access)
    corrigopro.rotate_credentials()
    assert connector.check(access) == AVAILABLE

    corrigopro.clock.advance(timedelta(seconds=1200))
    with pytest.raises(ReconnectNeeded):
        connector.check(access)
    with vendor_access(connector, corrigopro) as reconnected:
        assert connector.check(reconnected) == AVAILABLE


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault(status=400, body=b'{"error":"unsupported_grant_type"}'), VendorChanged, "sign_in_refused"),
        (Fault(status=401, body=b""), ReconnectNeeded, "credentials"),
        (Fault(status=404, body=b"<html>"), ConfigurationNeeded, "address"),
        (Fault(status=302, headers={"Location": "/login"}), ConfigurationNeeded, "address"),
        (Fault(status=429, headers={"Retry-After": "7"}), RateLimited, "rate_limited"),
        (Fault(status=500, body=b"<html>"), RetryLater, "vendor_unavailable"),
        (Fault(status=503), RetryLater, "vendor_unavailable"),
        (Fault(status=200, body=b""), RetryLater, "unreadable"),
        (Fault(status=200, body=b"<html>"), RetryLater, "unreadable"),
        (Fault(status=200, body=b'{"token":"x"}'), VendorChanged, "vendor_changed"),
        (Fault(status=200, body=b'{"access_token":"","expires_in":1199}'), VendorChanged, "vendor_changed"),
        (Fault(status=200, body=b'{"access_token":"x","expires_in":0}'), VendorChanged, "vendor_changed"),
        (Fault(truncate=True), RetryLater, "unreadable"),
        (Fault(lose_reply=True), RetryLater, "unreachable"),
    ],
)
def test_a_failed_sign_in_says_who_acts_next(
    shared: tuple[Emulator, VendorAccess], fault: Fault, error: type[IntegrationError], code: str
) -> None:
    sandbox, access = shared
    sandbox.weather.add(replace(fault, path="Token"))

    with pytest.raises(error) as failure:
        connector.request_token(door(access))

    assert type(failure.value) is error
    assert failure.value.code == code
    assert access.secrets["client_secret"] not in failure.value.words + failure.value.detail


def test_a_lifetime_left_out_or_written_as_text_is_understood(corrigopro: Emulator, access: VendorAccess) -> None:
    for answer in (b'{"access_token":"x"}', b'{"access_token":"x","expires_in":"1199"}'):
        corrigopro.weather.add(Fault(path="Token", status=200, body=answer))
        assert connector.request_token(door(access)).expires_in == timedelta(seconds=1199)


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        (Fault(status=400, body=body(2100)), RequestRefused, "request_refused"),
        (Fault(status=400, body=body(3000)), VendorChanged, "refused_3000"),
        (Fault(status=400, body=body(3003)), NotThere, "refused_3003"),
        (Fault(status=400, body=body(3005)), NotThere, "refused_3005"),
        (Fault(status=400, body=b"Bad Request"), VendorChanged, "http_400"),
        (Fault(status=400, body=b'{"Code":{"a":1}}'), VendorChanged, "http_400"),
        (Fault(status=403, body=b"{}"), NotPermitted, "not_permitted"),
        (Fault(status=403, body=b"<html>"), RetryLater, "unreadable"),
        (Fault(status=404, body=b"<html>"), ConfigurationNeeded, "address"),
        (Fault(status=302, headers={"Location": "/login"}), ConfigurationNeeded, "address"),
        (Fault(status=408), RetryLater, "vendor_unavailable"),
        (Fault(status=418), VendorChanged, "http_418"),
        (Fault(status=204), VendorChanged, "http_204"),
        (Fault(status=429), RateLimited, "rate_limited"),
        (Fault(status=500, body=body(1000)), RetryLater, "general_failure"),
        (Fault(status=500, body=b"<html>"), RetryLater, "vendor_unavailable"),
        (Fault(status=502), RetryLater, "vendor_unavailable"),
        (Fault(status=503), RetryLater, "vendor_unavailable"),
        (Fault(status=504), RetryLater, "vendor_unavailable"),
        (Fault(status=200, body=b""), RetryLater, "unreadable"),
        (Fault(status=200, body=b"<html>maintenance</html>"), RetryLater, "unreadable"),
        (Fault(status=200, body=b"\xff\xfe\x00"), RetryLater, "unreadable"),
        (Fault(status=200, body=b'{"WorkOrders":' + b"[" * 100_000), RetryLater, "unreadable"),
        (Fault(status=200, body=b'"fine"'), VendorChanged, "vendor_changed"),
        (Fault(status=200, body=b'{"MessageId":"x"}'), VendorChanged, "vendor_changed"),
        (Fault(status=200, body=b'{"WorkOrders":null,"Customers":{}}'), VendorChanged, "vendor_changed"),
        (Fault(truncate=True), RetryLater, "unreadable"),
        (Fault(lose_reply=True), RetryLater, "unreachable"),
    ],
)
@pytest.mark.parametrize("stream", [Customers(), WorkOrders()], ids=["customers", "work-orders"])
def test_a_failed_read_says_who_acts_next(
    shared: tuple[Emulator, VendorAccess],
    stream: Customers | WorkOrders,
    fault: Fault,
    error: type[IntegrationError],
    code: str,
) -> None:
    sandbox, access = shared
    sandbox.weather.add(replace(fault, path="Direct/api"))

    with pytest.raises(error) as failure:
        access.read_all(stream)

    assert type(failure.value) is error
    assert failure.value.code == code
    assert access.access_token not in failure.value.words + failure.value.detail


def test_the_vendors_limit_tells_when_to_go_on(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="workOrder$", status=429, headers={"Retry-After": "42"}))

    with pytest.raises(RateLimited) as waiting:
        access.read_all(WorkOrders())

    assert waiting.value.retry_after == timedelta(seconds=42)


def test_the_detail_names_fields_and_the_message_id_support_asks_for(
    corrigopro: Emulator, access: VendorAccess
) -> None:
    mistakes = [{"FieldName": "ids", "ErrorType": "IncorrectType", "Message": "not a number"}]
    corrigopro.weather.add(Fault(path="customers", status=400, body=body(2100, ValidationErrors=mistakes)))

    with pytest.raises(RequestRefused) as failure:
        Client(access).customers()

    assert "code 2100 Words of the vendor; ids: not a number" in failure.value.detail
    assert "(MessageId " in failure.value.detail


def test_a_refused_token_is_renewed_once(corrigopro: Emulator, access: VendorAccess) -> None:
    connector.check(access)
    corrigopro.expire_tokens()

    assert connector.check(access) == AVAILABLE
    assert corrigopro.requests["POST /OAuth/Token"] == 2


def test_a_token_refused_twice_asks_for_a_reconnect(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="customers", status=401, body=body(2000), times=2))

    with pytest.raises(ReconnectNeeded) as stop:
        Client(access).customers()

    assert isinstance(stop.value.__cause__, TokenRefused)
    assert "code 2000" in stop.value.detail


def test_the_wrong_region_is_explained_when_connecting(corrigopro: Emulator) -> None:
    with (
        vendor_access(connector, corrigopro, rest_url=f"{corrigopro.url}/apac/Direct/api") as access,
        pytest.raises(ConfigurationNeeded, match="region") as stop,
    ):
        connector.check(access)

    assert stop.value.code == "region"
    assert "code 1000" in stop.value.detail


def test_a_passing_general_failure_does_not_stop_the_live_test(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="customers", status=500, body=body(1000), times=2))

    assert connector.check(access) == AVAILABLE


@pytest.mark.parametrize("refused", [stream.key for stream in connector.streams])
def test_what_is_not_permitted_is_told_stream_by_stream(
    corrigopro: Emulator, access: VendorAccess, refused: str
) -> None:
    corrigopro.refuse(refused, 0)

    found = {capability.stream: capability for capability in connector.check(access)}

    assert found[refused].state == "not_permitted"
    assert "subscription" in found[refused].note
    hangs_on_it = {"customers": {"customer-settings", "associates"}, "work-orders": PAPERS}.get(refused, set())
    assert {key for key, one in found.items() if one.state != "available"} == {refused} | hangs_on_it
    with pytest.raises(NotPermitted):
        access.read_all(connector.stream(refused))


def test_what_hangs_on_a_refused_parent_is_not_asked_for(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.end_subscription()

    assert {capability.state for capability in connector.check(access)} == {"not_permitted"}
    assert sum(corrigopro.requests.values()) == 3


def test_a_company_without_recent_orders_is_told_that_nothing_could_be_tried() -> None:
    sandbox = Emulator(sizes=(0, 0))
    with sandbox.serve(), vendor_access(connector, sandbox) as access:
        found = {capability.stream: capability.state for capability in connector.check(access)}

    assert found == {stream.key: "unknown" if stream.key in PAPERS else "available" for stream in connector.streams}


def test_a_main_branch_of_another_company_is_refused(corrigopro: Emulator) -> None:
    with vendor_access(connector, corrigopro, branch_id=77) as access, pytest.raises(ConfigurationNeeded) as stop:
        connector.check(access)

    assert (stop.value.code, "no branch 77" in stop.value.words) == ("branch", True)


def test_an_outage_stops_the_live_test(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="customers", status=503))

    with pytest.raises(RetryLater):
        connector.check(access)


def test_the_keys_of_an_answer_may_be_in_any_letter_case(corrigopro: Emulator, access: VendorAccess) -> None:
    corrigopro.weather.add(Fault(path="customers", status=200, body=b'{"customers":[{"id":5}],"messageId":"x"}'))

    assert Client(access).customers().items == [b'{"id":5}']
