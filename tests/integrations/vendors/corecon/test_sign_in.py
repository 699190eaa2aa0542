"""Every way in: the consent page, a user's password, the app by itself; and staying in."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from integrations.contract import with_token
from integrations.errors import ConfigurationNeeded, ReconnectNeeded, RetryLater, TokenRefused, VendorChanged
from integrations.sandbox.kit import Fault
from integrations.vendors.corecon import connector
from integrations.vendors.corecon.client import Client
from integrations.vendors.corecon.sandbox import Emulator
from integrations.vendors.corecon.streams import STREAMS
from tests.integrations.vendor_access import VendorAccess, vendor_access
from tests.integrations.vendors.corecon.browser import (
    CALLBACK,
    allow,
    connected,
    consent_url,
    door_of,
    exchange,
    visit,
)

COMPANIES = STREAMS[0]
both_accounts = pytest.mark.parametrize("account", [0, 1])


@pytest.fixture
def unconnected(corecon):
    with vendor_access(connector, corecon) as access:
        yield access


def with_password(access: VendorAccess, corecon: Emulator) -> VendorAccess:
    access.settings |= {"grant": "password", "username": corecon.apps[0].username}
    access.secrets["password"] = corecon.apps[0].password
    return access


# Consent


@both_accounts
def test_the_consent_leads_back_with_a_code_and_the_registered_state(corecon, account):
    brought = allow(corecon, account)

    assert set(brought) == {"code", "state"}
    assert brought["state"] == corecon.apps[account].state


def test_the_authorization_address_is_encoded_and_says_nothing_more(corecon):
    parts = urlsplit(consent_url(corecon, scopes="add,read,edit"))

    assert parts.path == "/sandbox/Authorization"
    assert not parts.fragment
    assert [name for name, _ in parse_qsl(parts.query)] == [
        "response_type",
        "scopes",
        "state",
        "client_id",
        "redirect_uri",
    ]
    assert "scopes=add%2Cread%2Cedit" in parts.query
    assert "Harbor%232026%24%25line%26ok" in parts.query


def test_the_page_shows_who_asks_for_what(corecon):
    status, text, _ = visit(consent_url(corecon))

    assert status == 200
    assert "Harborline Builders" in text
    assert "read your records" in text


def test_the_consent_page_stands_at_the_other_address_too(corecon):
    assert visit(consent_url(corecon).replace("/Authorization", "/api/Authorization"))[0] == 200


def test_a_denial_comes_back_as_access_denied(corecon):
    _, _, target = visit(consent_url(corecon), {"decision": "deny"})

    assert dict(parse_qsl(urlsplit(target).query)) == {"error": "access_denied", "state": corecon.apps[0].state}


def test_a_wrong_password_stays_on_the_page(corecon):
    status, text, target = visit(consent_url(corecon), {"decision": "allow", "username": "<x>", "password": "no"})

    assert (status, target) == (200, "")
    assert "User name or password is wrong" in text
    assert "&lt;x&gt;" in text


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"integration_key": "not-a-guid"}, 465),
        ({"integration_key": "00000000-0000-4000-8000-000000000000"}, 474),
        ({"registered_state": "another"}, 471),
        ({"registered_state": ""}, 471),
        ({"scopes": "read,add"}, 489),
    ],
)
def test_a_wrong_value_is_told_on_the_page_by_its_number(corecon, changes, number):
    status, text, _ = visit(consent_url(corecon, **changes))

    assert status == number
    assert str(number) in text


def test_only_registered_redirect_addresses_are_taken():
    emulator = Emulator(sizes=(1, 1), redirect_uris=(CALLBACK,))
    with emulator.serve():
        assert visit(consent_url(emulator))[0] == 200
        assert visit(consent_url(emulator).replace("corecon%2F", "corecon"))[0] == 488


def test_a_code_is_traded_for_tokens(unconnected, corecon):
    tokens = exchange(unconnected, allow(corecon))

    assert tokens.expires_in == timedelta(seconds=3599)
    assert tokens.refresh_expires_in == timedelta(minutes=1440)
    assert tokens.refresh_token


def test_the_refresh_token_lives_as_long_as_the_form_says(corecon):
    with vendor_access(connector, corecon, 1) as access:
        assert exchange(access, allow(corecon, 1)).refresh_expires_in == timedelta(minutes=4320)


def test_an_unknown_lifetime_is_taken_for_a_day(unconnected, corecon):
    unconnected.settings["refresh_minutes"] = None

    assert exchange(unconnected, allow(corecon)).refresh_expires_in == timedelta(minutes=1440)


def test_without_a_registered_state_none_is_sent_with_the_code(unconnected, corecon):
    corecon.apps[0].state = unconnected.settings["registered_state"] = ""

    assert exchange(unconnected, allow(corecon, registered_state="")).access_token


def test_a_code_works_once(unconnected, corecon):
    brought = allow(corecon)
    exchange(unconnected, brought)

    with pytest.raises(ReconnectNeeded) as refused:
        exchange(unconnected, brought)
    assert refused.value.detail == "481 Invalid Code"


def test_a_code_lives_five_minutes(unconnected, corecon):
    brought = allow(corecon)
    corecon.clock.advance(timedelta(minutes=6))

    with pytest.raises(ReconnectNeeded) as refused:
        exchange(unconnected, brought)
    assert refused.value.words == "The sign-in took too long. Press Connect again."


def test_a_code_of_another_app_is_refused_and_noted(unconnected, corecon, caplog):
    brought = allow(corecon, 1)

    with pytest.raises(ReconnectNeeded) as refused:
        exchange(unconnected, brought)
    assert refused.value.detail.startswith("470")
    assert "(470)" in caplog.text
    assert brought["code"] not in caplog.text


def test_another_redirect_address_is_told_with_the_right_one(unconnected, corecon):
    with pytest.raises(ConfigurationNeeded) as refused:
        exchange(unconnected, allow(corecon), redirect_uri="http://localhost:8000/other/")
    assert "exactly http://localhost:8000/other/" in refused.value.words


# The other grants


def test_a_stored_password_opens_the_door(unconnected, corecon):
    access = with_password(unconnected, corecon)

    assert len(access.read_all(COMPANIES)) == 3
    assert access.refresh_token


def test_the_app_may_sign_in_by_itself_and_asks_anew_each_time(unconnected):
    unconnected.settings["grant"] = "client_credentials"

    tokens = connector.request_token(door_of(unconnected))
    again = connector.refresh_token(door_of(unconnected), "")

    assert (tokens.refresh_token, tokens.refresh_expires_in) == ("", None)
    assert again.access_token != tokens.access_token


def test_only_a_person_can_consent(unconnected):
    with pytest.raises(ReconnectNeeded):
        connector.request_token(door_of(unconnected))


@pytest.mark.parametrize(
    ("grant", "is_redirect"), [("authorization_code", True), ("password", False), ("client_credentials", False)]
)
def test_only_the_authorization_code_sends_the_browser_away(unconnected, grant, is_redirect):
    assert connector.uses_redirect({**unconnected.settings, "grant": grant}) is is_redirect


def test_an_app_of_another_authentication_type_is_named_as_the_cause(unconnected, corecon):
    corecon.apps[0].grants = frozenset({"authorization_code"})

    with pytest.raises(ConfigurationNeeded) as refused:
        with_password(unconnected, corecon).token()
    assert refused.value.code == "grant"


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"secret_key": "wrong"}, ConfigurationNeeded, 466),
        ({"integration_key": "wrong"}, ConfigurationNeeded, 465),
        ({"integration_key": "00000000-0000-4000-8000-000000000000"}, ConfigurationNeeded, 474),
        ({"password": "wrong"}, ReconnectNeeded, 475),
        ({"password": ""}, ReconnectNeeded, 476),
        ({"scopes": "read,add"}, ConfigurationNeeded, 489),
    ],
)
def test_a_wrong_value_is_told_by_what_to_correct(unconnected, corecon, changes, error, number):
    access = with_password(unconnected, corecon)
    for name, value in changes.items():
        (access.secrets if name in access.secrets else access.settings)[name] = value

    with pytest.raises(error) as refused:
        access.token()
    assert refused.value.detail.startswith(str(number))


# Staying in


def test_an_expired_token_is_renewed_once(access, corecon):
    corecon.expire_tokens()
    before = access.refresh_token

    assert len(access.read_all(COMPANIES)) == 3
    assert access.refresh_token != before


def test_a_token_ends_after_an_hour(access, corecon):
    corecon.clock.advance(timedelta(minutes=61))

    access.read_all(COMPANIES)

    assert "/sandbox/api/token" in {exchange.path for exchange in access.exchanges}


def test_a_refresh_token_works_once(access):
    old = access.refresh_token
    connector.refresh_token(door_of(access), old)

    with pytest.raises(ReconnectNeeded) as refused:
        connector.refresh_token(door_of(access), old)
    assert refused.value.detail == "480 Token Invalid"


def test_a_lost_answer_to_a_refresh_is_to_be_tried_again_and_then_said(access, corecon):
    old = access.refresh_token
    corecon.weather.add(Fault(path="/api/token$", lose_reply=True))

    with pytest.raises(RetryLater):
        connector.refresh_token(door_of(access), old)
    with pytest.raises(ReconnectNeeded):
        connector.refresh_token(door_of(access), old)


def test_an_unused_connection_asks_for_a_reconnect_and_says_why(access, corecon):
    corecon.clock.advance(timedelta(minutes=1441))

    with pytest.raises(ReconnectNeeded) as refused:
        access.read_all(COMPANIES)
    assert "unused for longer" in refused.value.words


def test_revoked_access_asks_for_a_reconnect(access, corecon):
    corecon.revoke_access()

    with pytest.raises(ReconnectNeeded) as refused:
        access.read_all(COMPANIES)
    assert refused.value.detail == "480 Token Invalid"


def test_a_stored_password_makes_up_for_revoked_access(unconnected, corecon):
    access = with_password(unconnected, corecon)
    access.token()
    corecon.revoke_access()

    assert len(access.read_all(COMPANIES)) == 3


def test_a_second_refusal_asks_for_a_reconnect(access, corecon):
    corecon.weather.add(Fault(path="Company/List$", status=401, times=2))

    with pytest.raises(ReconnectNeeded) as refused:
        access.read_all(COMPANIES)
    assert refused.value.words == "Corecon no longer accepts our sign-in. Reconnect the account."


def test_an_answer_without_a_new_refresh_token_keeps_the_old(access, corecon):
    corecon.weather.add(Fault(path="/api/token$", status=200, body=b'{"access_token":"t","expires_in":"60"}'))

    tokens = connector.refresh_token(door_of(access), "kept")

    assert (tokens.refresh_token, tokens.expires_in) == ("kept", timedelta(minutes=1))


@pytest.mark.parametrize("body", [b"{}", b'{"access_token":""}', b"[]"])
def test_a_token_answer_in_another_form_is_told_to_the_developers(access, corecon, body):
    corecon.weather.add(Fault(path="/api/token$", status=200, body=body))

    with pytest.raises(VendorChanged):
        connector.refresh_token(door_of(access), access.refresh_token)


@pytest.mark.parametrize("body", [b"", b"<html>Sign in</html>", b'{"access_token":'])
def test_a_token_answer_that_cannot_be_read_is_asked_for_again_later(access, corecon, body):
    corecon.weather.add(Fault(path="/api/token$", status=200, body=body))

    with pytest.raises(RetryLater) as unreadable:
        connector.refresh_token(door_of(access), access.refresh_token)
    assert unreadable.value.code == "unreadable"


@pytest.mark.parametrize("seconds", [b"null", b'"soon"', b"-5", b"0", b"1e30"])
def test_a_lifetime_that_makes_no_sense_is_taken_for_the_usual_hour(access, corecon, seconds):
    corecon.weather.add(Fault(path="/api/token$", status=200, body=b'{"access_token":"t","expires_in":%b}' % seconds))

    assert connector.refresh_token(door_of(access), "r").expires_in == timedelta(seconds=3599)


def test_the_other_token_address_is_tried_where_the_first_is_not_there(access, corecon):
    corecon.weather.add(Fault(path="/api/token$", status=404))

    assert connector.refresh_token(door_of(access), access.refresh_token).access_token
    assert [exchange.path for exchange in access.exchanges] == ["/sandbox/api/token", "/sandbox/token"]


def test_no_token_address_at_all_points_to_the_base_url(access, corecon):
    corecon.weather.add(Fault(path="/token$", status=404, times=2))

    with pytest.raises(ConfigurationNeeded) as refused:
        connector.refresh_token(door_of(access), access.refresh_token)
    assert refused.value.code == "address"


# What a call carries, and the live test


def test_a_base_url_may_end_in_api(access, corecon):
    access.settings["base_url"] += "/api"

    assert len(access.read_all(COMPANIES)) == 3


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"account_key": ""}, ConfigurationNeeded, 483),
        ({"account_key": "00000000-0000-4000-8000-000000000000"}, ConfigurationNeeded, 483),
        ({"integration_key": ""}, ConfigurationNeeded, 474),
    ],
)
def test_a_call_with_a_wrong_key_is_told_by_what_to_correct(access, changes, error, number):
    access.settings |= changes

    with pytest.raises(error) as refused:
        access.read_all(COMPANIES)
    assert refused.value.detail.startswith(str(number))


def test_keys_of_two_accounts_do_not_belong_together(access, corecon):
    access.settings |= {"account_key": corecon.apps[1].account_key, "base_url": corecon.url}  # of both environments

    with pytest.raises(ConfigurationNeeded) as refused:
        access.read_all(COMPANIES)
    assert refused.value.code == "not_together"


def test_a_token_opens_only_its_own_account(access, corecon):
    with connected(corecon, 1) as other:
        other.access_token, other.refresh_token = access.access_token, ""
        with pytest.raises(ConfigurationNeeded):
            other.read_all(COMPANIES)


def test_a_token_in_the_query_is_refused(access, corecon):
    status, _, _ = visit(f"{corecon.url}/api/Company/List?access_token={access.access_token}")

    assert status == 401


@both_accounts
def test_the_live_test_finds_every_stream_with_a_call_a_feature(corecon, account):
    with connected(corecon, account) as access:
        assert {(c.stream, c.state) for c in connector.check(access)} == {
            (stream.key, "available") for stream in STREAMS
        }
        assert len(access.exchanges) == 9  # the test address, the root, and seven features


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.key)
def test_the_live_test_names_the_feature_that_is_not_allowed(access, corecon, stream):
    corecon.refuse(stream.key)

    refused = {c.stream: c.note for c in connector.check(access) if c.state == "not_permitted"}

    concerned = {other.key for other in STREAMS if stream.feature in (other.feature, *other.needs)}
    assert refused == dict.fromkeys(concerned, f"Allowed feature: {stream.feature}")


def test_the_live_test_does_not_need_the_test_address(access, corecon):
    corecon.weather.add(Fault(path="resource1$", status=404))

    assert connector.check(access)[0].state == "available"


def test_the_live_test_leaves_open_what_it_cannot_tell(access, corecon):
    corecon.weather.add(Fault(path="Project/List$", status=404))

    assert connector.check(access)[2].state == "unknown"


def test_the_live_test_raises_what_a_sync_would(access, corecon):
    corecon.end_databases()

    with pytest.raises(ConfigurationNeeded) as refused:
        connector.check(access)
    assert "The sandbox has ended" in refused.value.words


def test_a_refused_token_is_told_as_such_to_the_contract(access, corecon):
    corecon.weather.add(Fault(path="resource1$", status=454))

    def renews(refused: str) -> str:
        raise TokenRefused("none")

    access.renew_token = renews
    with pytest.raises(ReconnectNeeded):
        Client(access).test()
    with pytest.raises(ReconnectNeeded):
        with_token(access, lambda token: renews(token))


def test_the_account_is_known_by_environment_and_account_key(corecon):
    first, second = (corecon.demo_setup(account)[0] for account in (0, 1))

    assert connector.identity(first) == connector.identity({**first, "base_url": "https://moved.example"})
    assert connector.identity(first) == connector.identity({**first, "account_key": first["account_key"].upper()})
    assert connector.identity(first) != connector.identity({**first, "environment": "production"})
    assert connector.identity(first) != connector.identity(second)
