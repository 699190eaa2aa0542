"""Each request's own token: what is in it, what it is for, and what is tried when it is refused."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from integrations.errors import ConfigurationNeeded, ReconnectNeeded
from integrations.sandbox.kit import Reply, Request
from integrations.vendors.coreplus import client, connector
from integrations.vendors.coreplus.client import Keys, sign
from integrations.vendors.coreplus.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

KEYS = Keys(api_url="https://api.example.com/API/Core/v2", consumer_id="app", secret="s" * 40, access_token="practice")
NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)


def claims_of(token: str, secret: str = KEYS.secret) -> dict[str, Any]:
    return jwt.decode(
        token, secret, algorithms=["HS256"], options={"verify_exp": False, "verify_nbf": False, "verify_aud": False}
    )


def test_a_token_holds_the_eight_claims(settings: Any) -> None:
    settings.SITE_URL = "https://switchboard.example.com"
    token = sign(KEYS, "GET", "/API/Core/v2/Location/", audience="https://api.example.com", at=NOON)

    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}
    assert claims_of(token) == {
        "iss": "https://switchboard.example.com",
        "aud": "https://api.example.com",
        "nbf": int(NOON.timestamp()) - 10,
        "exp": int(NOON.timestamp()) + 50,
        "consumerId": "app",
        "accessToken": "practice",
        "url": "/API/Core/v2/Location/",
        "httpMethod": "GET",
    }


def test_a_secret_that_looks_like_base64_is_used_as_it_is() -> None:
    keys = Keys(api_url="", consumer_id="", access_token="", secret="c2VjcmV0LXRoYXQtbG9va3MtZW5jb2RlZC0wMQ==")
    token = sign(keys, "GET", "/", audience="", at=NOON)

    assert claims_of(token, keys.secret)["httpMethod"] == "GET"
    with pytest.raises(jwt.InvalidSignatureError):
        claims_of(token, "secret-that-looks-encoded-01" * 2)


def test_an_empty_secret_is_asked_for_again(coreplus: Emulator) -> None:
    with vendor_access(connector, coreplus, secret="") as access, pytest.raises(ConfigurationNeeded) as stop:
        connector.check(access)

    assert stop.value.code == "secret"


def test_the_token_names_the_very_path_and_query_that_are_sent(
    coreplus: Emulator, access: VendorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator compares them; here both are looked at."""
    seen: list[tuple[str, str]] = []
    handle = coreplus.handle

    def watch(request: Request) -> Reply:
        token = request.headers["authorization"].removeprefix("JwToken ")
        query = "&".join(f"{name}={value}" for name, value in request.query)
        seen.append((claims_of(token, access.secret("secret"))["url"], f"{request.path}?{query}"))
        return handle(request)

    monkeypatch.setattr(coreplus, "handle", watch)
    since = datetime(2026, 3, 16, tzinfo=UTC).date()
    zone = "39D62534-501C-49CD-9DA9-6FA8D6A81F48"
    client.fetch_appointments(access, since=since, until=since, zone=zone, page=1, size=100)

    (pair,) = seen
    assert pair[0] == pair[1]
    assert pair[0].startswith("/API/Core/v2/Appointment/?startDate=2026-03-16&endDate=2026-03-16&timezoneId=39D62534-")
    assert coreplus.refusals == []


def test_an_id_with_unusual_characters_is_still_signed_as_it_is_sent(coreplus: Emulator, access: VendorAccess) -> None:
    assert client.fetch_appointment(access, "not an id? #1&2%é") is None
    assert coreplus.refusals == []


def test_every_request_carries_the_scheme_and_the_content_type(
    coreplus: Emulator, access: VendorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers: list[Any] = []
    handle = coreplus.handle
    monkeypatch.setattr(coreplus, "handle", lambda request: headers.append(request.headers) or handle(request))
    connector.check(access)

    assert len(headers) == 5
    assert all(one["authorization"].startswith("JwToken ey") for one in headers)
    assert all(one["content-type"] == one["accept"] == "application/json" for one in headers)
    assert len({one["authorization"] for one in headers}) == 5


@pytest.mark.parametrize("minutes", [-7, 7])
def test_a_clock_that_is_off_is_found_out_and_followed(
    coreplus: Emulator, new: VendorAccess, minutes: int, caplog: pytest.LogCaptureFixture
) -> None:
    coreplus.clock.advance(timedelta(minutes=minutes))
    with caplog.at_level(logging.WARNING):
        connector.check(new)

    assert coreplus.refusals == ["time"]  # the first only; afterwards we know
    assert "clock" in caplog.text
    assert abs(client.vendor_now(new.http) - coreplus.clock.now()) < timedelta(seconds=5)


def test_a_clock_that_is_a_little_off_changes_nothing(coreplus: Emulator, new: VendorAccess) -> None:
    coreplus.clock.advance(timedelta(seconds=8))
    connector.check(new)

    assert coreplus.refusals == []
    assert abs(client.vendor_now(new.http) - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_refused_token_is_tried_twice_and_no_more(coreplus: Emulator, access: VendorAccess) -> None:
    coreplus.revoke(0)
    with pytest.raises(ReconnectNeeded):
        connector.check(access)

    assert coreplus.refusals == ["disabled", "disabled"]


def test_the_keys_are_in_no_log_line_and_no_error(
    coreplus: Emulator, access: VendorAccess, caplog: pytest.LogCaptureFixture
) -> None:
    coreplus.revoke(0)
    coreplus.clock.advance(timedelta(hours=1))
    with caplog.at_level(logging.DEBUG), pytest.raises(ReconnectNeeded) as stop:
        connector.check(access)

    told = f"{caplog.text} {stop.value.words} {stop.value.detail} {access.exchanges} {Keys.of(access)}"
    assert access.secret("secret") not in told
    assert access.secret("access_token") not in told
    assert "eyJ" not in told
