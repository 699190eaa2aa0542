"""HTTP to KORE: signing in, one page of an entity, and KORE's failures turned into our errors."""

from datetime import timedelta
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

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
from integrations.vendors.kore import assumptions

T = TypeVar("T")
BUSY = "KORE is not answering properly at the moment. Nothing to do: we will try again."
GARBLED = (
    "KORE's answer was cut off or is a web page instead of data. We will try again; "
    "if it stays like this, your admin should check the addresses of this connection."
)


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: int | None = None


def request_token(door: Door, *, timeout: timedelta) -> Tokens:
    """Trade client id and secret for an hour's token (guide: "Authentication"); there is no refresh token.

    Raises ReconnectNeeded when KORE does not take the credentials.
    """
    client_id, secret = str(door.settings["client_id"]), door.secrets.get("client_secret", "")
    form = {"grant_type": "client_credentials", "scope": assumptions.SCOPE}
    basic = None
    if door.settings.get("credentials_in") == "basic":
        # Without this a secret with +, & or % reads differently at the other end (assumption K-5a).
        basic = (quote(client_id, safe=""), quote(secret, safe=""))
    else:
        form |= {"client_id": client_id, "client_secret": secret}
    answer = door.http.send(
        "POST", f"{door.settings['auth_url']}/connect/token", form=form, basic=basic, timeout=timeout
    )
    if not answer.is_success:
        _raise_sign_in_failure(answer)
    grant = _decode(answer, _Grant)
    lasts = assumptions.TOKEN_LIFE if grant.expires_in is None else timedelta(seconds=grant.expires_in)
    return Tokens(access_token=grant.access_token, expires_in=lasts)


def fetch_page(access: Access, entity: str, *, since: str = "", skip: int = 0) -> list[msgspec.Raw]:
    """Up to 100 rows changed at or after `since` (UTC, "" = all), oldest change first, each as KORE's own bytes.

    The answer is a bare array without a total (guide: "Paging"): a page shorter than 100 rows is the last.
    """
    query = [("orderby", "modified_date,id"), ("top", str(assumptions.PAGE_SIZE))]
    if since:
        # `ge`, never `gt`: filters and answers know whole seconds only (guide: "Dates").
        query.insert(0, ("filter", f"modified_date ge {since}"))
    if skip:
        query.append(("skip", str(skip)))
    return _get(access, entity, query)


def fetch_sample(access: Access, entity: str) -> list[msgspec.Raw]:
    """One row with its null fields too, or none: shows whether the entity may be read and which fields it has."""
    return _get(access, entity, [("select", "null"), ("top", "1")])


def _get(access: Access, entity: str, query: list[tuple[str, str]]) -> list[msgspec.Raw]:
    headers = {"x-api-key": access.secret("api_key"), "content-type": "application/json"}
    if version := access.settings.get("api_version"):
        headers["x-api-version"] = str(version)

    def call(token: str) -> list[msgspec.Raw]:
        answer = access.http.send(
            "GET",
            f"{access.settings['base_url']}/entities/{entity}",
            query=query,
            headers={**headers, "authorization": f"Bearer {token}"},
        )
        if not answer.is_success:
            _raise_failure(answer, entity)
        return _decode(answer, list[msgspec.Raw])

    return with_token(access, call)


def _decode(answer: Answer, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.body, type=shape)
    except msgspec.ValidationError:
        return answer.decode(shape)  # JSON of another shape: raises VendorChanged
    except (msgspec.DecodeError, RecursionError) as mistake:
        detail = f"{answer.status}, {answer.content_type or 'no content type'}, {len(answer.body)} bytes"
        raise RetryLater(GARBLED, code="garbled_answer", detail=detail) from mistake


def _raise_failure(answer: Answer, entity: str) -> NoReturn:
    told = _told(answer)
    detail = _detail(answer, told)
    match answer.status:
        case 400:
            raise VendorChanged(
                f"KORE does not understand our question for {entity}. Our developers have to look at it; "
                "there is nothing you can do.",
                code="bad_request",
                detail=detail,
            )
        case 401:
            raise TokenRefused(
                "KORE no longer accepts this connection's client secret or its API key. "
                "Your admin should ask KORE for valid ones and enter both again.",
                detail=detail,
            )
        case 403:
            raise NotPermitted(
                f"KORE has not enabled {entity} for your API key. Your admin can ask KORE's support to add it; "
                "everything else goes on.",
                detail=detail,
            )
        case 404 | 405 if told:
            raise VendorChanged(
                f"KORE says that it has no {entity}. Our developers have to look at it; "
                "your admin should check the API address of this connection meanwhile.",
                code="unknown_entity",
                detail=detail,
            )
    _raise_common(answer, detail, "API address")


def _raise_sign_in_failure(answer: Answer) -> NoReturn:
    told = _told(answer)
    word = str(told.get("error", ""))
    detail = _detail(answer, told)
    if word in assumptions.REFUSED_CREDENTIALS or (answer.status == 401 and not word):
        raise ReconnectNeeded(
            "KORE does not accept the client id and client secret. "
            "Your admin should ask KORE for valid ones and enter them again.",
            detail=detail,
        )
    if answer.status in {400, 401, 403} and word:
        raise VendorChanged(
            "KORE does not understand how we sign in. Our developers have to look at it; there is nothing you can do.",
            code="sign_in_request",
            detail=detail,
        )
    _raise_common(answer, detail, "sign-in address")


def _raise_common(answer: Answer, detail: str, address: str) -> NoReturn:
    failure: IntegrationError
    match answer.status:
        case 429:
            failure = RateLimited(
                "KORE asks us to slow down. We wait as long as it says, then go on by ourselves.",
                retry_after=answer.retry_after(),
                detail=detail,
            )
        case status if status == 408 or status >= 500:
            failure = RetryLater(BUSY, retry_after=answer.retry_after(), detail=detail)
        case 404 | 405 | 410 | 421:
            failure = ConfigurationNeeded(
                f"Another server than KORE's answers at the {address}. Your admin should correct the address.",
                code="address",
                detail=detail,
            )
        case status if 300 <= status < 400:
            failure = ConfigurationNeeded(
                f"The {address} sends us elsewhere, and we do not follow. Your admin should correct the address.",
                code="address",
                detail=detail,
            )
        case _:
            failure = VendorChanged(
                "KORE refused our request for a reason we do not know. Our developers have to look at it.",
                code="unknown_refusal",
                detail=detail,
            )
    raise failure


def _told(answer: Answer) -> dict[str, Any]:
    """The JSON object of an error; {} for HTML, an empty body or anything else a proxy may send."""
    try:
        told = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _detail(answer: Answer, told: dict[str, Any]) -> str:
    # The guide is of two minds about which of the two ids its support wants to hear, so both are kept.
    known = ("error", "error_description", "message", "errors", "error_id", "id")
    parts = [f"{name}: {told[name]}" for name in known if told.get(name)]
    if not parts:
        parts = [f"{answer.content_type or 'no content type'}, {len(answer.body)} bytes"]
    return f"{answer.status} {'; '.join(parts)}"[:500]
