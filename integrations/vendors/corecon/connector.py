"""Corecon (today sold as Sage Construction Management), construction management: start reading here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import quote, urlencode

from integrations.contract import Access, Capability, Door, Expiry, Limit, RedirectConnector, Settings, Tokens
from integrations.errors import NotPermitted, ReconnectNeeded, VendorChanged
from integrations.vendors.corecon.assumptions import (
    ACCESS_LIFETIME,
    AUTHORIZATION_PATH,
    CALLS_PER_SECOND,
    PARALLEL,
    REFRESH_MINUTES,
)
from integrations.vendors.corecon.client import Client, TokenAnswer, ask_tokens, base_of, client_credentials
from integrations.vendors.corecon.diagnosis import RULES
from integrations.vendors.corecon.forms import CoreconForm, Grant
from integrations.vendors.corecon.reading import CoreconStream
from integrations.vendors.corecon.streams import STREAMS


class CoreconConnector(RedirectConnector):
    key = "corecon"
    label = "Corecon"
    initials = "Co"
    colour = "#3453c4"
    summary = "Companies, contacts, projects and their financials, timecards and expenses of your construction jobs."
    form = CoreconForm
    streams = STREAMS
    rules = RULES
    limit = Limit(calls=CALLS_PER_SECOND, per=timedelta(seconds=1), burst=CALLS_PER_SECOND, parallel=PARALLEL)

    def identity(self, settings: Settings) -> str:
        """The environment and the Account Key: the base address of an account may change, its key stays."""
        return f"{settings['environment']}:{str(settings['account_key']).lower()}"

    def uses_redirect(self, settings: Settings) -> bool:
        return bool(settings["grant"] == Grant.AUTHORIZATION_CODE)

    def registered_state(self, settings: Settings) -> str:
        return str(settings.get("registered_state") or "")

    def authorization_url(self, settings: Settings, *, redirect_uri: str, state: str) -> str:
        """The consent page. The parameter is `scopes` here and `scope` in the token form; PKCE is not spoken."""
        query = {
            "response_type": "code",
            "scopes": settings["scopes"],
            "state": state,
            "client_id": settings["integration_key"],
            "redirect_uri": redirect_uri,
        }
        return f"{base_of(settings)}{AUTHORIZATION_PATH}?{urlencode(query, quote_via=quote, safe='')}"

    def exchange_code(self, door: Door, *, code: str, redirect_uri: str, state: str) -> Tokens:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if self.registered_state(door.settings):
            form["state"] = state
        return self._tokens(door, form, redirect_uri=redirect_uri)

    def request_token(self, door: Door) -> Tokens:
        settings = door.settings
        if settings["grant"] == Grant.PASSWORD:
            return self._tokens(
                door,
                {
                    "grant_type": "password",
                    "username": str(settings["username"]),
                    "password": door.secrets.get("password", ""),
                    "scope": str(settings["scopes"]),
                },
            )
        if settings["grant"] == Grant.CLIENT_CREDENTIALS:
            return self._tokens(door, client_credentials(door))
        raise ReconnectNeeded("Somebody has to sign in at Corecon. Press Connect.", code="consent")

    def refresh_token(self, door: Door, refresh_token: str) -> Tokens:
        """Trade the refresh token, which works once. Client credentials have none; with a stored user name and
        password a refused one is no reason to trouble anybody."""
        if door.settings["grant"] == Grant.CLIENT_CREDENTIALS or not refresh_token:
            return self.request_token(door)
        try:
            return self._tokens(door, {"grant_type": "refresh_token", "refresh_token": refresh_token}, refresh_token)
        except ReconnectNeeded:
            if door.settings["grant"] != Grant.PASSWORD:
                raise
            return self.request_token(door)

    def check(self, access: Access) -> tuple[Capability, ...]:
        """The token at the vendor's test address, then one row of each feature."""
        client = Client(access)
        client.test()
        found: dict[str, Capability] = {}
        return tuple(self._capability(access, client, stream, found) for stream in STREAMS)

    def expiries(self, settings: Settings) -> tuple[Expiry, ...]:
        """The end of a sandbox database. Refresh tokens are kept alive by using them."""
        if settings.get("environment") != "sandbox" or not settings.get("sandbox_ends_on"):
            return ()
        return (
            Expiry(
                key="sandbox",
                what="The sandbox database at Corecon",
                ends_on=date.fromisoformat(str(settings["sandbox_ends_on"])),
                cure="Ask Corecon for an extension and enter the new date here, or connect production.",
                warn_days=(7, 1),
            ),
        )

    def _tokens(
        self, door: Door, form: Mapping[str, str], kept_refresh_token: str = "", redirect_uri: str = ""
    ) -> Tokens:
        answer = ask_tokens(door, form, timeout=self.token_timeout, redirect_uri=redirect_uri)
        refresh_token = answer.refresh_token or kept_refresh_token
        if form["grant_type"] == "client_credentials":
            refresh_token = ""
        minutes = door.settings.get("refresh_minutes") or REFRESH_MINUTES
        return Tokens(
            access_token=answer.access_token,
            expires_in=_lifetime(answer),
            refresh_token=refresh_token,
            refresh_expires_in=timedelta(minutes=minutes) if refresh_token else None,
        )

    def _capability(
        self, access: Access, client: Client, stream: CoreconStream, found: dict[str, Capability]
    ) -> Capability:
        """What the feature lets us read. One call tells it for all its streams; `found` keeps it by feature."""
        for feature in stream.needs:
            if feature in found and found[feature].state == "not_permitted":
                return replace(found[feature], stream=stream.key)
        if stream.feature not in found:
            found[stream.feature] = self._try(access, client, stream)
        return replace(found[stream.feature], stream=stream.key)

    def _try(self, access: Access, client: Client, stream: CoreconStream) -> Capability:
        try:
            stream.try_one(access, client)
        except NotPermitted:
            return Capability(stream=stream.key, state="not_permitted", note=f"Allowed feature: {stream.feature}")
        except VendorChanged as surprise:
            return Capability(stream=stream.key, state="unknown", note=surprise.words)
        return Capability(stream=stream.key, state="available")


def _lifetime(answer: TokenAnswer) -> timedelta:
    try:
        seconds = float(answer.expires_in or 0)
    except ValueError:
        seconds = 0
    return timedelta(seconds=seconds) if 0 < seconds < 10**8 else ACCESS_LIFETIME
