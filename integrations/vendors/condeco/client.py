"""HTTP to Condeco: the token at the customer's host, lists at the API host, and its failures turned into ours."""

import re
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from integrations.contract import Access, Door, Tokens, with_token
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
from integrations.http import Answer
from integrations.vendors.condeco import assumptions

T = TypeVar("T")


class Collection(StrEnum):
    """What a subscription key opens, in the vendor's words."""

    BOOKINGS = "ExternalBookings"
    HIERARCHY = "HierarchyMapping"


KEY_SECRETS = {Collection.BOOKINGS: "external_bookings_key", Collection.HIERARCHY: "hierarchy_mapping_key"}
_NO_SIGN_IN = (
    "Condeco no longer accepts our sign-in. Ask your Condeco representative whether the Client ID and Password are"
    " still valid, then enter them again."
)
_WRONG_ADDRESS = (
    "The client subscription name or API address is wrong. Find it under User Profile > Product > Client Subscription"
    " Name in the Condeco integration portal and correct it here."
)


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int | str | None = None


class _Listing(msgspec.Struct):
    """Both envelopes: `Data` of the hierarchy and `bookings`. `Status` is false in good answers, so it is not read."""

    data: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.field(default=msgspec.UNSET, name="Data")
    bookings: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    is_error: bool | None = msgspec.field(default=False, name="IsError")
    message: str | None = msgspec.field(default="", name="Message")


def request_token(door: Door, timeout: timedelta) -> Tokens:
    """A session token for client id and password; Condeco has no refresh token. Raises ReconnectNeeded when refused."""
    host = door.settings["customer_url"]
    answer = door.http.send(
        "POST",
        f"{host}/tokenproviderapi/token",
        form={
            "grant_type": "password",  # there is no user name: the client id takes its place
            "client_id": door.settings["client_id"],
            "password": door.secrets.get("client_password", ""),
        },
        timeout=timeout,
    )
    if not answer.is_success or _is_html(answer):
        raise _token_failure(answer, host)
    token = _decode(answer, _Token)
    if not token.access_token:
        raise VendorChanged("Condeco answered our sign-in without a session token.", detail="empty access_token")
    return Tokens(access_token=token.access_token, expires_in=_lifetime(token.expires_in))


def read_list(
    access: Access, collection: Collection, path: str, query: Iterable[tuple[str, str]] = ()
) -> list[msgspec.Raw]:
    """The records of one list, as they came. Empty too when the thing asked about has gone meanwhile."""
    pairs = tuple(query)
    answer = with_token(access, lambda token: _get(access, token, collection, path, pairs))
    if not answer.is_success:
        return []
    listing = _decode(answer, _Listing)
    if listing.is_error:
        if assumptions.GONE_WORDS in (listing.message or "").lower():
            return []
        raise _refused_question(f"IsError: {listing.message}")
    found = listing.data if listing.bookings is msgspec.UNSET else listing.bookings
    if found is msgspec.UNSET:
        raise VendorChanged("Condeco answered in a form we do not know.", detail=f"{path}: neither Data nor bookings")
    return found or []


def _get(access: Access, token: str, collection: Collection, path: str, query: tuple[tuple[str, str], ...]) -> Answer:
    """The answer, which is good or says that the thing asked about does not exist. Raises every other failure."""
    key = access.secret(KEY_SECRETS[collection])
    if not key:
        raise NotPermitted(f"Enter the {collection} subscription key.", code=_key_code(collection))
    base = f"{access.settings['api_url']}/{quote(access.settings['subscription_name'], safe='')}/api/V1"
    headers = {"Ocp-Apim-Subscription-Key": key, "Authorization": f"Bearer {token}"}
    answer = access.http.send("GET", f"{base}/{path}", query=query, headers=headers)
    if (answer.is_success and not _is_html(answer)) or (query and _is_gone(answer)):
        return answer
    if answer.status == 404 and not _is_html(answer):
        # The name or address is wrong only when every path fails, so ask for the one that always exists.
        if path == "countries":
            raise ConfigurationNeeded(_WRONG_ADDRESS, code="address", detail=_detail(answer))
        _get(access, token, Collection.HIERARCHY, "countries", ())
        raise VendorChanged("Condeco no longer offers a list that we read.", detail=f"{path}: {_detail(answer)}")
    raise _failure(answer, collection)


def _failure(answer: Answer, collection: Collection) -> IntegrationError:
    """What a failed answer means. The order matters: a gateway's HTML page may come with any status."""
    status, said, detail = answer.status, _words(answer.body).lower(), _detail(answer)
    if passing := _passing_failure(answer):
        return passing
    if _is_html(answer) or 300 <= status < 400:
        return ConfigurationNeeded(
            "This is the address of the sign-up portal, not of the API. Correct the API address.",
            code="portal_address",
            detail=detail,
        )
    if status == 401 and assumptions.SUBSCRIPTION_KEY_WORDS in said:
        return _key_failure(said, collection, detail)
    if status == 401:
        return TokenRefused(_NO_SIGN_IN, detail=detail)
    if status == 403:
        return NotPermitted(
            f"This Condeco account may not use {collection}. API access needs the Platinum subscription; ask your"
            " Condeco representative.",
            code=f"forbidden_{collection.name.lower()}",
            detail=detail,
        )
    return _refused_question(detail)


def _passing_failure(answer: Answer) -> RetryLater | None:
    """What time heals: limits and outages, at the token host and at the API host alike."""
    status, said, detail = answer.status, _words(answer.body), _detail(answer)
    if status == 429:
        named = re.search(r"in (\d{1,5}) second", said)
        wait = answer.retry_after() or (timedelta(seconds=int(named[1])) if named else assumptions.RATE_LIMIT_WAIT)
        return RateLimited(
            "Condeco's limit of calls a minute is reached. Copying goes on by itself.", retry_after=wait, detail=detail
        )
    if status == 403 and assumptions.QUOTA_WORD in said.lower():
        return RateLimited(
            "The weekly number of calls allowed by Condeco is used up. Copying goes on when it is renewed.",
            retry_after=_quota_wait(said) or answer.retry_after() or assumptions.QUOTA_WAIT,
            code="weekly_quota",
            detail=detail,
        )
    if status == 408:
        return RetryLater(
            "Condeco did not receive our question in time. We will try again.", code="timeout", detail=detail
        )
    if status >= 500:
        return RetryLater("Condeco has a fault at the moment. We will try again.", detail=detail)
    return None


def _token_failure(answer: Answer, host: str) -> IntegrationError:
    """What a failed token call means."""
    name, detail = urlsplit(host).netloc, _detail(answer)
    if passing := _passing_failure(answer):
        return passing
    if answer.status in assumptions.CREDENTIALS_REFUSED:
        return ReconnectNeeded(
            "Condeco refused the Client ID or Password. Ask your Condeco representative for current values and enter"
            " them here.",
            code="credentials",
            detail=detail,
        )
    if answer.status == 404 or answer.status < 400 or _is_html(answer):
        return ConfigurationNeeded(
            f"We cannot find Condeco at {name}. Check the address you use to open Condeco.",
            code="customer_address",
            detail=detail,
        )
    return VendorChanged("Condeco answered our sign-in in a form we do not know.", detail=detail)


def _key_failure(said: str, collection: Collection, detail: str) -> IntegrationError:
    if "missing" in said:
        return VendorChanged(
            f"Condeco did not see the {collection} subscription key that we sent.", code="key_not_seen", detail=detail
        )
    return NotPermitted(
        f"The {collection} key is not valid. In the Condeco integration portal open your profile and copy the key of"
        f" {collection}; check it is active and from the same environment.",
        code=_key_code(collection),
        detail=detail,
    )


def _key_code(collection: Collection) -> str:
    return f"key_{collection.name.lower()}"


def _refused_question(detail: str) -> VendorChanged:
    return VendorChanged("Condeco refused a question that it used to answer.", code="refused_question", detail=detail)


def _is_gone(answer: Answer) -> bool:
    """Whether the application, not the gateway, says that the parent of the list does not exist."""
    said = _words(answer.body).lower()
    if answer.status == 404:
        return bool(said) and said != assumptions.GATEWAY_NOT_FOUND and not _is_html(answer)
    return answer.status == 400 and assumptions.GONE_WORDS in said


def _is_html(answer: Answer) -> bool:
    return answer.content_type in ("text/html", "application/xhtml+xml") or answer.body[:64].lstrip().startswith(b"<")


def _words(body: bytes) -> str:
    """What the vendor said in an error, whichever of its forms: `message`, `Message`, OAuth's fields, plain text."""
    try:
        said: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = body[:300].decode(errors="replace").strip()
        return "" if said.startswith("<") else said
    if isinstance(said, dict):
        fields = {name.lower(): value for name, value in said.items() if isinstance(value, str) and value}
        said = next((fields[name] for name in ("message", "error_description", "error") if name in fields), "")
    return said if isinstance(said, str) else ""


def _detail(answer: Answer) -> str:
    return f"HTTP {answer.status} {_words(answer.body)}".strip()[:300]


def _quota_wait(said: str) -> timedelta | None:
    """The time in "Quota will be replenished in HH:MM:SS"; days may stand ahead ("3.04:00:00")."""
    named = re.search(r"(?:(\d{1,2})\.)?(\d{1,3}):(\d{2}):(\d{2})", said)
    if not named:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in named.groups())
    wait = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return min(wait, assumptions.LONGEST_QUOTA_WAIT)


def _lifetime(expires_in: int | str | None) -> timedelta:
    text = str(expires_in)
    seconds = min(int(text), 86_400) if text.isdecimal() and len(text) < 10 else 0
    return timedelta(seconds=seconds) if seconds else assumptions.TOKEN_LIFETIME


def _decode(answer: Answer, shape: type[T]) -> T:
    """The body as `shape`. Raises RetryLater when it is no JSON at all (cut off on the way, or empty), VendorChanged
    when it is JSON of another shape."""
    try:
        msgspec.json.decode(answer.body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise RetryLater(
            "Condeco's answer broke off or could not be read. We will try again.",
            code="unreadable",
            detail=f"HTTP {answer.status}, {len(answer.body)} bytes: {mistake}"[:300],
        ) from mistake
    return answer.decode(shape)
