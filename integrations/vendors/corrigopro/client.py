"""HTTP to CorrigoPro Direct: signing in, every read we use, and its failures turned into ours."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import msgspec

from integrations.answers import Answer
from integrations.contract import Access, Door, Tokens, with_token
from integrations.errors import (
    ConfigurationNeeded,
    NotPermitted,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)
from integrations.vendors.corrigopro import assumptions

GENERAL_FAILURE = "general_failure"  # our code for HTTP 500 with the vendor's 1000
CREDENTIALS = "credentials"  # our code for a client id and secret that open nothing
ADDRESS = "address"  # our code for an address at which CorrigoPro does not answer as itself
NEW_PAIR = (
    "An administrator must open the CorrigoPro Direct settings page at CorrigoPro, copy the client id and secret shown "
    "there and enter them here."
)
_NOT_THERE = frozenset({3003, 3005})  # "an entity was not found", "work order not found or recalled" (hub)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list as CorrigoPro gave it, each item as its own bytes, and the request that brought it."""

    items: list[bytes]
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """An answer's members by key."""

    members: dict[str, msgspec.Raw]
    request_id: str


class RequestRefused(VendorChanged):
    """Code 2100: the request itself is not understood. Ours to mend, unless another way to ask is known."""

    default_code = "request_refused"


class NotThere(VendorChanged):
    """Codes 3003 and 3005: what was asked about does not exist (any more), or is an order that was recalled."""


class Client:
    """One connection's reads, at another REST address where one is given, for any number of threads. All ids are work
    order ids, never the numbers people see."""

    def __init__(self, access: Access, rest_url: str = "") -> None:
        self._access = access
        self._base = (rest_url or str(access.settings["rest_url"])).rstrip("/")
        self._told: set[str] = set()  # the message ids of all calls
        self._calls_before = access.http.calls

    @property
    def calls(self) -> int:
        """Requests made since."""
        return self._access.http.calls - self._calls_before

    def customers(self) -> Listing:
        """Every organisation that sends us work orders: `Id`, `Name`, `BranchIds`."""
        return _listed(self._get("customers"), "Customers")

    def customer_settings(self, customer: int) -> Listing:
        """What a customer wants to be told, one object: custom fields, repair categories and codes."""
        found = _one(self._get("customerSettings", ("customerId", str(customer))), assumptions.SETTINGS_NAME)
        if not found.items:
            raise NotThere("CorrigoPro has no settings of this customer.", detail=f"customer {customer}")
        return found

    def search(self, criterion: str, begin: datetime, end: datetime) -> Listing:
        """Basic rows of every order whose `criterion` lies in the span, in no particular order and perhaps cut."""
        span = {"From": moment_text(begin), "To": moment_text(end)}
        # POST: the guide's curl line says GET, its text and every live client say POST.
        return _listed(self._post("workOrder/search", {"Parameters": {criterion: span}}), "WorkOrders")

    def details(self, ids: Sequence[int]) -> Listing:
        """Whole orders of at most 50 ids, in no particular order; ids that CorrigoPro does not know are left out."""
        return _listed(self._get("workOrder", *(("ids", str(number)) for number in ids)), "WorkOrders")

    def invoice(self, order: int) -> Listing:
        """The order's one invoice, if any: an empty draft from the start. Raises NotThere for an order that is gone."""
        return _one(self._get("invoice", (assumptions.ORDER_PARAMETER, str(order))), "Invoice")

    def of_order(self, path: str, name: str, order: int) -> Listing:
        """What hangs on one order: `path` is asked, the list is called `name`. Raises NotThere as `invoice` does."""
        return _listed(self._get(path, (assumptions.ORDER_PARAMETER, str(order))), name, is_certain=False)

    def associates(self, branch: int) -> Listing:
        """The people and companies that a branch can send."""
        told = self._get("associates", (assumptions.BRANCH_PARAMETER, str(branch)))
        return _listed(told, assumptions.ASSOCIATES_NAME, is_certain=False)

    def _get(self, path: str, *query: tuple[str, str]) -> _Told:
        return self._send("GET", path, query=query)

    def _post(self, path: str, body: dict[str, Any]) -> _Told:
        return self._send("POST", path, body=body)

    def _send(
        self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: dict[str, Any] | None = None
    ) -> _Told:
        def attempt(token: str) -> _Told:
            # One an attempt: it is what CorrigoPro's support searches for, and what our own log has beside the call.
            request_id = uuid.uuid4()
            message_id = request_id.hex
            self._told.add(message_id)
            answer = self._access.http.send(
                method,
                f"{self._base}/{path}",
                query=[("messageId", message_id), *query] if body is None else (),
                json=None if body is None else {**body, "MessageId": message_id},
                headers={"authorization": f"Bearer {token}"},
                request_id=request_id,
                timeout=assumptions.REQUEST_TIMEOUT,
            )
            if answer.status != 200:
                _fail(answer, path, message_id)
            members = answer.decode(dict[str, msgspec.Raw])
            self._compare(members, message_id)
            return _Told(members=members, request_id=answer.request_id)

        return with_token(self._access, attempt)

    def _compare(self, members: dict[str, msgspec.Raw], message_id: str) -> None:
        """Answers echo our message id (guide). One that echoes another call's answers another question."""
        for echo in _named(members, "MessageId"):
            told = bytes(echo).decode(errors="replace").strip('"').casefold()
            if told != message_id and told in self._told:
                raise RetryLater(
                    "CorrigoPro repeated an earlier answer instead of answering. We try again by ourselves.",
                    code="stale_answer",
                    detail=f"MessageId {message_id}",
                )


def moment_text(moment: datetime) -> str:
    """As CorrigoPro writes moments: UTC, milliseconds, and always the Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: int = int(assumptions.USUAL_LIFETIME.total_seconds())


def ask_token(door: Door, timeout: timedelta, address: str = "") -> Tokens:
    """Trade client id and secret for a token of 1199 seconds; there is no refresh token. `address` instead of the
    OAuth server in the settings: to see whether the pair belongs elsewhere."""
    answer = door.http.send(
        "POST",
        address or str(door.settings["oauth_url"]),
        form={
            "grant_type": "client_credentials",
            "client_id": str(door.settings["client_id"]),
            "client_secret": door.secrets.get("client_secret", ""),
        },
        timeout=timeout,
    )
    if answer.status != 200:
        _fail_token(answer)
    grant = answer.decode(_Grant, strict=False)
    if not grant.access_token or grant.expires_in <= 0:
        raise VendorChanged("CorrigoPro's sign-in server answered without a usable token.")
    return Tokens(access_token=grant.access_token, expires_in=timedelta(seconds=grant.expires_in))


def _fail_token(answer: Answer) -> NoReturn:
    error = str(answer.told().get("error") or "")[:100]
    detail = f"HTTP {answer.status} {error}".strip()
    if error == "invalid_client" or answer.status == 401:
        raise ReconnectNeeded(
            f"CorrigoPro does not accept the client id and secret; they may have been regenerated there. {NEW_PAIR}",
            code=CREDENTIALS,
            detail=detail,
        )
    if passing := answer.passing_failure("CorrigoPro", detail):
        raise passing
    if answer.status == 404 or 300 <= answer.status < 400:
        raise _wrong_address("OAUTH SERVER URL", detail)
    raise VendorChanged(
        "CorrigoPro's sign-in server did not understand our request. Our developers must look into it.",
        code="sign_in_refused",
        detail=detail,
    )


def _fail(answer: Answer, path: str, message_id: str) -> NoReturn:
    code, message, told = _failure(answer)
    detail = f"HTTP {answer.status} code {code or '-'} {told} (MessageId {message_id})"
    if answer.status == 401:
        raise TokenRefused(f"CorrigoPro does not accept our sign-in any more. {NEW_PAIR}", detail=detail)
    if answer.status == 403 and answer.is_html:
        raise RetryLater(
            "A page of somebody else's answers in place of CorrigoPro. We try again by ourselves.",
            code="unreadable",
            detail=detail,
        )
    if answer.status == 403:
        raise NotPermitted(
            "CorrigoPro does not let these credentials read this. An administrator of your CorrigoPro company must "
            "check the CorrigoPro Direct subscription.",
            detail=detail,
        )
    if answer.status == 500 and code == 1000:
        raise RetryLater(
            "CorrigoPro reports a general failure. We try again by ourselves. If it stays, an administrator should "
            "compare the region and the REST SERVICE URL with the CorrigoPro Direct settings page.",
            code=GENERAL_FAILURE,
            detail=detail,
        )
    if passing := answer.passing_failure("CorrigoPro", detail):
        raise passing
    if 300 <= answer.status < 400 or (answer.status == 404 and path in assumptions.SURE_PATHS):
        raise _wrong_address("REST SERVICE URL", detail)
    if code == 2100:
        raise RequestRefused(
            "CorrigoPro did not understand what we asked. Our developers must look into it.", detail=detail
        )
    if code in _NOT_THERE:
        raise NotThere(
            f"CorrigoPro does not know what we asked about: {message[:300]}", code=f"refused_{code}", detail=detail
        )
    if code and message:
        raise VendorChanged(
            f"CorrigoPro refused: {message[:300]} Our developers must look into it.",
            code=f"refused_{code}",
            detail=detail,
        )
    raise VendorChanged(
        "CorrigoPro gave an answer we do not know. Our developers must look into it.",
        code=f"http_{answer.status}",
        detail=detail,
    )


def _failure(answer: Answer) -> tuple[int, str, str]:
    """The vendor's code (0: none), its message, and both with the fields it complains of."""
    told = {key.casefold(): value for key, value in answer.told().items()}
    code, message = told.get("code"), told.get("message")
    message = message if isinstance(message, str) else ""
    mistakes = told.get("validationerrors")
    fields = [
        f"{mistake.get('FieldName') or '?'}: {mistake.get('Message') or ''}"
        for mistake in (mistakes if isinstance(mistakes, list) else [])
        if isinstance(mistake, dict)
    ]
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdecimal()) else 0
    return number, message, "; ".join([message, *fields]).strip("; ")[:500]


def _wrong_address(name: str, detail: str) -> ConfigurationNeeded:
    return ConfigurationNeeded(
        f"CorrigoPro does not answer at this address. An administrator must compare it with the {name} on the "
        "CorrigoPro Direct settings page.",
        code=ADDRESS,
        detail=detail,
    )


def _listed(told: _Told, name: str, *, is_certain: bool = True) -> Listing:
    """The list under that key, whatever its letter case.

    Where the key is our assumption (not `is_certain`), an answer that holds one list only will do, and null means none.
    """
    for value in _named(told.members, name):
        if bytes(value) == b"null" and not is_certain:
            return Listing(items=[], request_id=told.request_id)
        if _opens_with(value, b"["):
            return _items(value, told.request_id)
    lists = [value for value in told.members.values() if _opens_with(value, b"[")]
    if not is_certain and len(lists) == 1:
        return _items(lists[0], told.request_id)
    raise VendorChanged(
        "CorrigoPro's answer lacks the list we asked for. Our developers must look into it.", detail=f"no list {name}"
    )


def _items(value: msgspec.Raw, request_id: str) -> Listing:
    return Listing(
        items=[bytes(raw) for raw in msgspec.json.decode(value, type=list[msgspec.Raw])], request_id=request_id
    )


def _one(told: _Told, name: str) -> Listing:
    """The object under that key, or the only object there is; nothing for null."""
    objects = [value for value in told.members.values() if _opens_with(value, b"{")]
    candidates: list[msgspec.Raw] = [*_named(told.members, name), *(objects if len(objects) == 1 else ())]
    for value in candidates:
        if bytes(value) == b"null":
            return Listing(items=[], request_id=told.request_id)
        if _opens_with(value, b"{"):
            return Listing(items=[bytes(value)], request_id=told.request_id)
    raise VendorChanged(
        "CorrigoPro's answer lacks what we asked for. Our developers must look into it.", detail=f"no object {name}"
    )


def _named(members: dict[str, msgspec.Raw], name: str) -> list[msgspec.Raw]:
    return [value for key, value in members.items() if key.casefold() == name.casefold()]


def _opens_with(value: msgspec.Raw, sign: bytes) -> bool:
    return bytes(value)[:1] == sign
