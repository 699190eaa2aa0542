"""HTTP to Corecon: the token endpoint, and reads with the keys in the query. Its failures become ours here."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from integrations.answers import Answer
from integrations.contract import Access, Door, Settings, with_token
from integrations.errors import ConfigurationNeeded, NotPermitted, RetryLater, VendorChanged
from integrations.http import Http
from integrations.vendors.corecon.assumptions import RESOURCE_PATHS, ROOT_PATH, TEST_PATH, TOKEN_PATHS
from integrations.vendors.corecon.codes import MOVED, STRANGE, meaning_of
from integrations.vendors.corecon.failures import Asking, failure, number_of

logger = logging.getLogger(__name__)
NOTHING = frozenset({204, 205})
PARTIAL = 206
CODE_MISMATCH = 470
END_OF_PAGES = frozenset({404, 416})  # on a page after the first


class TokenAnswer(msgspec.Struct):
    """The token endpoint's answer (vendor's sample server client, `Credential_Mvc_sample`)."""

    access_token: str = ""
    expires_in: float | str | None = None  # seconds
    refresh_token: str | None = None


class _Resource(msgspec.Struct):
    Name: str = ""
    Url: str = ""


class _Root(msgspec.Struct):
    Resources: list[_Resource] = []


class _Wrapper(msgspec.Struct):
    Data: list[msgspec.Raw] | None
    ItemPerPage: int | None = None
    TotalRecords: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a list: the rows' own bytes. `is_partial`: ask again for fewer at once. `size` and `total` where the
    vendor tells them. `request_id` names the request that brought it."""

    rows: list[msgspec.Raw] = field(default_factory=list)
    size: int | None = None
    total: int | None = None
    is_partial: bool = False
    request_id: str = ""


def base_of(settings: Settings) -> str:
    """The API Account Base URL without the `/api` that some accounts show at its end."""
    address = str(settings["base_url"]).rstrip("/")
    return address[: -len("/api")] if address.lower().endswith("/api") else address


def client_credentials(door: Door) -> dict[str, str]:
    """The grant with which the app signs in by itself."""
    return {
        "grant_type": "client_credentials",
        "scope": str(door.settings["scopes"]),
        "client_id": str(door.settings["integration_key"]),
        "secret_key": door.secrets.get("secret_key", ""),
    }


def ask_tokens(door: Door, form: Mapping[str, str], *, timeout: timedelta, redirect_uri: str = "") -> TokenAnswer:
    """POST a grant to the token endpoint. Raises ReconnectNeeded or ConfigurationNeeded where it is refused."""
    base = base_of(door.settings)
    asking = Asking(
        grant=form["grant_type"],
        redirect_uri=redirect_uri,
        hidden=tuple(value for name, value in form.items() if name not in ("grant_type", "scope")),
        fine=frozenset({404}),
    )
    for path in TOKEN_PATHS:
        answer = _ask(
            door.http,
            "POST",
            base + path,
            asking,
            form=form,
            basic=(str(door.settings["integration_key"]), door.secrets.get("secret_key", "")),
            timeout=timeout,
        )
        if answer.status != 404:
            tokens = answer.decode(TokenAnswer)
            if not tokens.access_token:
                raise VendorChanged(STRANGE, detail=f"HTTP {answer.status} without an access_token")
            return tokens
    raise ConfigurationNeeded(
        "There is no Corecon sign-in at this address. Copy the API Account Base URL again from Developer Mode.",
        code="address",
        detail="404 at both token addresses",
    )


class Client:
    """Reads one account. Every call carries the account's and the app's key in the query, the token in the header."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._base = base_of(access.settings)
        self._keys = (
            ("accountId", str(access.settings["account_key"])),
            ("integrationKey", str(access.settings["integration_key"])),
        )

    def test(self) -> None:
        """Prove the token at the address that the vendor's sample uses for it, if that is there at all."""
        self._call("GET", self._base + TEST_PATH, (), Asking(feature="the API", fine=frozenset({404, 410})))

    def path_of(self, resource: str) -> str:
        """Where a resource is listed: what the API root says, if it answers and stays on this host, else our table."""
        for entry in self._resources:
            target = urljoin(f"{self._base}{ROOT_PATH}/", entry.Url)
            if entry.Url and entry.Name.casefold() == resource.casefold() and _is_same_place(self._base, target):
                return urlsplit(target).path
        return urlsplit(self._base + RESOURCE_PATHS[resource]).path

    def rows(self, path: str, *, page: int, size: int, feature: str, body: Mapping[str, Any] | None = None) -> Listing:
        """One page of a list, counted from 1; a POST where the list is asked for with a body."""
        fine = END_OF_PAGES if page > 1 else frozenset()
        query = (("page", str(page)), ("itemPerPage", str(size)))
        answer = self._call(
            "GET" if body is None else "POST",
            urljoin(self._base, path),
            query,
            Asking(feature=feature, fine=fine),
            json=body,
        )
        if answer.status in NOTHING or answer.status in fine:
            return Listing()
        if answer.status == PARTIAL:
            return Listing(is_partial=True)
        if answer.body.lstrip()[:1] == b"[":
            return Listing(rows=answer.decode(list[msgspec.Raw]), request_id=answer.request_id)
        wrapper = answer.decode(_Wrapper)
        return Listing(
            rows=wrapper.Data or [],
            size=wrapper.ItemPerPage,
            total=wrapper.TotalRecords,
            request_id=answer.request_id,
        )

    @cached_property
    def _resources(self) -> list[_Resource]:
        try:
            answer = self._call("GET", self._base + ROOT_PATH, (), Asking(feature="the list of resources"))
            return answer.decode(_Root).Resources
        except (VendorChanged, NotPermitted):
            return []
        except RetryLater as failure:
            if failure.code != "unreadable":  # a busy vendor is waited for; a web page says that there is no root
                raise
            return []

    def _call(
        self, method: str, url: str, query: tuple[tuple[str, str], ...], asking: Asking, json: object = None
    ) -> Answer:
        def call(token: str) -> Answer:
            return _ask(
                self._access.http,
                method,
                url,
                replace(asking, hidden=(token,)),
                query=(*self._keys, *query),
                headers={"authorization": f"Bearer {token}"},
                json=json,
            )

        return with_token(self._access, call)


def _ask(http: Http, method: str, url: str, asking: Asking, **parts: Any) -> Answer:
    """An answer that is a success or `asking.fine`; anything else is raised as what it means."""
    answer = _send(http, method, url, **parts)
    number = number_of(answer, asking)
    if number is not None and meaning_of(number).repeat:
        answer = _send(http, method, url, **parts)
        number = number_of(answer, asking)
    if number == CODE_MISMATCH:
        logger.warning("Corecon refuses a sign-in code as not belonging to the request (470): it may be a forged one.")
    if number is not None:
        raise failure(answer, number, asking)
    if answer.status == 202:
        raise RetryLater(
            "Corecon is still working on the answer. We will ask again by ourselves.", code="not_finished", detail="202"
        )
    if answer.status == 250:
        logger.warning("Corecon says that an account is low on storage space (250).")
    return answer


def _send(http: Http, method: str, url: str, **parts: Any) -> Answer:
    """One request; a move is followed once, on the same host only, for the token goes along."""
    answer = http.send(method, url, **parts)
    target = urljoin(url, answer.headers.get("location", ""))
    if answer.status in MOVED and target != url and _is_same_place(url, target):
        return http.send(method, target, **({**parts, "query": ()} if urlsplit(target).query else parts))
    return answer


def _is_same_place(one: str, other: str) -> bool:
    ours, theirs = urlsplit(one), urlsplit(other)
    return (ours.scheme, ours.hostname, ours.port) == (theirs.scheme, theirs.hostname, theirs.port)
