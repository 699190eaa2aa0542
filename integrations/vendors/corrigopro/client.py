"""HTTP to CorrigoPro Direct: signing in, the three reads we use, and its failures turned into ours."""

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, TypeVar

import msgspec

from integrations.contract import Access, Door, Tokens, with_token
from integrations.errors import (
    ConfigurationNeeded,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)
from integrations.http import Answer
from integrations.vendors.corrigopro import assumptions

T = TypeVar("T")
D = TypeVar("D")
GENERAL_FAILURE = "general_failure"  # our code for HTTP 500 with the vendor's 1000
NEW_PAIR = (
    "An administrator must open the CorrigoPro Direct settings page at CorrigoPro, copy the client id and secret shown "
    "there and enter them here."
)


class RequestRefused(VendorChanged):
    """Code 2100: the request itself is not understood. Ours to mend, unless another way to ask is known."""

    default_code = "request_refused"


class Client:
    """One connection's reads. All ids are work order ids, never the numbers people see."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._base = str(access.settings["rest_url"]).rstrip("/")

    def customers(self) -> list[msgspec.Raw]:
        """Every organisation that sends us work orders: `Id`, `Name`, `BranchIds`."""
        return _listed(self._get("customers"), "Customers")

    def search(self, criterion: str, begin: datetime, end: datetime) -> list[msgspec.Raw]:
        """Basic rows of every order whose `criterion` lies in the span, in no particular order and perhaps cut."""
        span = {"From": moment_text(begin), "To": moment_text(end)}
        # POST: the guide's curl line says GET, its text and every live client say POST.
        return _listed(self._post("workOrder/search", {"Parameters": {criterion: span}}), "WorkOrders")

    def details(self, ids: Sequence[int]) -> list[msgspec.Raw]:
        """Whole orders of at most 50 ids, in no particular order; ids that CorrigoPro does not know are left out."""
        return _listed(self._get("workOrder", *(("ids", str(number)) for number in ids)), "WorkOrders")

    def _get(self, path: str, *query: tuple[str, str]) -> Answer:
        def call(token: str, message_id: str) -> Answer:
            return self._access.http.send(
                "GET",
                f"{self._base}/{path}",
                query=[("messageId", message_id), *query],
                headers={"authorization": f"Bearer {token}"},
                timeout=assumptions.REQUEST_TIMEOUT,
            )

        return self._authorised(call)

    def _post(self, path: str, body: dict[str, Any]) -> Answer:
        def call(token: str, message_id: str) -> Answer:
            return self._access.http.send(
                "POST",
                f"{self._base}/{path}",
                json={**body, "MessageId": message_id},
                headers={"authorization": f"Bearer {token}"},
                timeout=assumptions.REQUEST_TIMEOUT,
            )

        return self._authorised(call)

    def _authorised(self, call: Callable[[str, str], Answer]) -> Answer:
        def attempt(token: str) -> Answer:
            message_id = str(uuid.uuid4())  # one an attempt: it is what CorrigoPro's support searches for
            answer = call(token, message_id)
            return answer if answer.status == 200 else _fail(answer, message_id)

        return with_token(self._access, attempt)


def moment_text(moment: datetime) -> str:
    """As CorrigoPro writes moments: UTC, milliseconds, and always the Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: int = int(assumptions.USUAL_LIFETIME.total_seconds())


class _TokenError(msgspec.Struct):
    error: str = ""


def ask_token(door: Door, timeout: timedelta) -> Tokens:
    """Trade client id and secret for a token of 1199 seconds; there is no refresh token."""
    answer = door.http.send(
        "POST",
        str(door.settings["oauth_url"]),
        form={
            "grant_type": "client_credentials",
            "client_id": str(door.settings["client_id"]),
            "client_secret": door.secrets.get("client_secret", ""),
        },
        timeout=timeout,
    )
    if answer.status != 200:
        _fail_token(answer)
    grant = _decode(answer, _Grant)
    if not grant.access_token or grant.expires_in <= 0:
        raise VendorChanged("CorrigoPro's sign-in server answered without a usable token.")
    return Tokens(access_token=grant.access_token, expires_in=timedelta(seconds=grant.expires_in))


def _fail_token(answer: Answer) -> NoReturn:
    error = _try(answer.body, _TokenError, _TokenError()).error[:100]
    detail = f"HTTP {answer.status} {error}".strip()
    if error == "invalid_client" or answer.status == 401:
        raise ReconnectNeeded(
            f"CorrigoPro does not accept the client id and secret; they may have been regenerated there. {NEW_PAIR}",
            code="credentials",
            detail=detail,
        )
    _fail_alike(answer, detail, "OAUTH SERVER URL")
    raise VendorChanged(
        "CorrigoPro's sign-in server did not understand our request. Our developers must look into it.",
        code="sign_in_refused",
        detail=detail,
    )


class _FieldError(msgspec.Struct, rename="pascal"):
    field_name: str | None = None
    message: str | None = None


class _Failure(msgspec.Struct, rename="pascal"):
    code: int | None = None
    message: str | None = None
    validation_errors: list[_FieldError] | None = None

    def told(self) -> str:
        fields = [f"{mistake.field_name or '?'}: {mistake.message or ''}" for mistake in self.validation_errors or []]
        return "; ".join([self.message or "", *fields]).strip("; ")[:500]


def _fail(answer: Answer, message_id: str) -> NoReturn:
    failure = _try(answer.body, _Failure, _Failure())
    detail = f"HTTP {answer.status} code {failure.code or '-'} {failure.told()} (MessageId {message_id})"
    if answer.status == 401:
        raise TokenRefused(f"CorrigoPro does not accept our sign-in any more. {NEW_PAIR}", detail=detail)
    if answer.status == 403:
        raise NotPermitted(
            "CorrigoPro does not let these credentials read this. An administrator of your CorrigoPro company must "
            "check the CorrigoPro Direct subscription.",
            detail=detail,
        )
    if answer.status == 500 and failure.code == 1000:
        raise RetryLater(
            "CorrigoPro reports a general failure. We try again by ourselves. If it stays, an administrator should "
            "compare the region and the REST SERVICE URL with the CorrigoPro Direct settings page.",
            code=GENERAL_FAILURE,
            detail=detail,
        )
    _fail_alike(answer, detail, "REST SERVICE URL")
    if failure.code == 2100:
        raise RequestRefused(
            "CorrigoPro did not understand what we asked. Our developers must look into it.", detail=detail
        )
    if failure.code and failure.message:
        raise VendorChanged(
            f"CorrigoPro refused: {failure.message[:300]} Our developers must look into it.",
            code=f"refused_{failure.code}",
            detail=detail,
        )
    raise VendorChanged(
        "CorrigoPro gave an answer we do not know. Our developers must look into it.",
        code=f"http_{answer.status}",
        detail=detail,
    )


def _fail_alike(answer: Answer, detail: str, address: str) -> None:
    """What means the same at the sign-in server and at the REST service."""
    if answer.status == 429:
        raise RateLimited(
            "CorrigoPro asks us to slow down. We go on by ourselves.", retry_after=answer.retry_after(), detail=detail
        )
    if answer.status >= 500 or answer.status == 408:
        raise RetryLater(
            "CorrigoPro is not working at the moment. We try again by ourselves.",
            retry_after=answer.retry_after(),
            detail=detail,
        )
    if answer.status == 404 or 300 <= answer.status < 400:
        raise ConfigurationNeeded(
            f"CorrigoPro does not answer at this address. An administrator must compare it with the {address} on the "
            "CorrigoPro Direct settings page.",
            code="address",
            detail=detail,
        )


def _listed(answer: Answer, name: str) -> list[msgspec.Raw]:
    """The list under that key, whatever its letter case, each item as the vendor's own bytes."""
    for key, value in _decode(answer, dict[str, msgspec.Raw]).items():
        if key.casefold() == name.casefold():
            items = _try(bytes(value), list[msgspec.Raw], None)
            if items is not None:
                return items
    raise VendorChanged(
        "CorrigoPro's answer lacks the list we asked for. Our developers must look into it.", detail=f"no list {name}"
    )


def _decode(answer: Answer, shape: type[T]) -> T:
    """The body as `shape`. What is not JSON at all (a maintenance page, half an answer) is the vendor's bad moment;
    JSON in another shape is its change."""
    try:
        return msgspec.json.decode(answer.body, type=shape, strict=False)
    except msgspec.ValidationError as mistake:
        raise VendorChanged(
            "CorrigoPro answered in a form we do not know. Our developers must look into it.", detail=str(mistake)[:500]
        ) from mistake
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as mistake:
        raise RetryLater(
            "CorrigoPro sent an answer that cannot be read. We try again by ourselves.",
            code="unreadable_answer",
            detail=f"{answer.content_type or 'no content type'}, {len(answer.body)} bytes: {mistake}"[:500],
        ) from mistake


def _try(body: bytes, shape: type[T], otherwise: D) -> T | D:
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return otherwise
