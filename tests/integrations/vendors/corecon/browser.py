"""A person with a browser: consents on Corecon's page and comes back with a code."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.contract import Door, Tokens
from integrations.vendors.corecon import connector
from integrations.vendors.corecon.sandbox import Emulator
from tests.integrations.vendor_access import VendorAccess, vendor_access

CALLBACK = "http://localhost:8000/oauth/callback/corecon/"


def visit(url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Open a page, or post a form to it: status, text, and the address the browser is sent to."""
    parts = urlsplit(url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    target = f"{parts.path}?{parts.query}"
    if form is None:
        line.request("GET", target)
    else:
        line.request("POST", target, urlencode(form), {"content-type": "application/x-www-form-urlencoded"})
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, text, answer.headers.get("location", "")


def consent_url(corecon: Emulator, account: int = 0, **changes: object) -> str:
    """Where our connector sends the browser, with the account's settings changed by `changes`."""
    settings = {**corecon.demo_setup(account)[0], **changes}
    state = connector.registered_state(settings) or "random"
    return connector.authorization_url(settings, redirect_uri=CALLBACK, state=state)


def allow(corecon: Emulator, account: int = 0, **changes: object) -> dict[str, str]:
    """Sign in and press Allow: the values the browser brings to our callback."""
    app = corecon.apps[account]
    form = {"decision": "allow", "username": app.username, "password": app.password}
    status, _, target = visit(consent_url(corecon, account, **changes), form)
    assert status == 302
    assert target.startswith(f"{CALLBACK}?")
    return dict(parse_qsl(urlsplit(target).query))


def door_of(access: VendorAccess) -> Door:
    return Door(settings=access.settings, secrets=access.secrets, http=access.http)


def exchange(access: VendorAccess, brought: dict[str, str], redirect_uri: str = CALLBACK) -> Tokens:
    return connector.exchange_code(
        door_of(access), code=brought["code"], redirect_uri=redirect_uri, state=brought["state"]
    )


@contextmanager
def connected(corecon: Emulator, account: int = 0, *, parallel: int = 0) -> Iterator[VendorAccess]:
    """An account as the portal has it after the consent. See `vendor_access`."""
    with vendor_access(connector, corecon, account, parallel=parallel) as access:
        tokens = exchange(access, allow(corecon, account))
        access.access_token, access.refresh_token = tokens.access_token, tokens.refresh_token
        access.exchanges.clear()
        yield access
