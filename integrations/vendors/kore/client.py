"""HTTP to KORE: signing in, the rows of an entity, and KORE's failures turned into our errors."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NoReturn
from urllib.parse import quote

import msgspec

from integrations.answers import Answer
from integrations.contract import Access, Door, Tokens, with_token
from integrations.errors import ConfigurationNeeded, NotBought, ReconnectNeeded, RetryLater, TokenRefused, VendorChanged
from integrations.vendors.kore import assumptions

Rows = list[msgspec.Raw]  # each as KORE's own bytes
Query = list[tuple[str, str]]


class _Grant(msgspec.Struct):
    access_token: str
    expires_in: int | None = None


class _Id(msgspec.Struct):
    id: str


class _NoSuchRow(Exception):
    pass


def request_token(door: Door, *, timeout: timedelta = timedelta(seconds=30)) -> Tokens:
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
    grant = answer.decode(_Grant)
    lasts = assumptions.TOKEN_LIFE if grant.expires_in is None else timedelta(seconds=grant.expires_in)
    return Tokens(access_token=grant.access_token, expires_in=lasts)


def fetch_page(access: Access, entity: str, *, since: str = "", skip: int = 0, where: str = "") -> tuple[Rows, str]:
    """Up to 100 rows changed at or after `since` (UTC, "" = all), oldest change first, and the id of the request.

    The answer is a bare array without a total (guide: "Paging"): a page shorter than 100 rows is the last. `where` is a
    further condition in KORE's words.
    """
    query = [("orderby", "modified_date,id"), ("top", str(assumptions.PAGE_SIZE))]
    conditions = [f"({where})"] if where and since else [where] if where else []
    if since:
        # `ge`, never `gt`: filters and answers know whole seconds only (guide: "Dates").
        conditions.append(f"modified_date ge {since}")
    if conditions:
        query.insert(0, ("filter", " and ".join(conditions)))
    if skip:
        query.append(("skip", str(skip)))
    answer = _send(access, entity, entity, query)
    return answer.decode(Rows), answer.request_id


def fetch_newest(access: Access, entity: str) -> Rows:
    """The row that changed last, or none."""
    return _get(access, entity, [("orderby", "modified_date desc"), ("top", "1")])


def fetch_sample(access: Access, entity: str) -> Rows:
    """One row with its null fields too, or none: shows whether the entity may be read and which fields it has."""
    return _get(access, entity, [("select", "null"), ("top", "1")])


def fetch_by_ids(access: Access, entity: str, ids: Sequence[str]) -> Rows:
    """Those of the rows that exist; at most `IDS_PER_FILTER` ids, which must be GUIDs."""
    return _get(access, entity, [("filter", any_of("id", ids)), ("top", str(assumptions.PAGE_SIZE))])


def fetch_ids(access: Access, entity: str, *, skip: int) -> list[str]:
    """Up to 100 ids in the order of ids; a page shorter than that is the last."""
    query = [("orderby", "id"), ("select", "id"), ("top", str(assumptions.PAGE_SIZE)), ("skip", str(skip))]
    answer = _send(access, entity, entity, query)
    return [row.id.lower() for row in answer.decode(list[_Id])]


def fetch_one(access: Access, entity: str, row_id: str) -> tuple[bytes, str] | None:
    """The row of that id as KORE's own bytes, and the id of the request; None when KORE says that there is none."""
    try:
        answer = _send(access, entity, f"{entity}/{quote(row_id, safe='')}", [])
    except _NoSuchRow:
        return None
    answer.decode(dict[str, msgspec.Raw])
    return answer.body.strip(), answer.request_id


def any_of(field: str, ids: Sequence[str]) -> str:
    """A condition that holds for rows whose field is one of the ids."""
    return " or ".join(f"{field} eq {one}" for one in ids)


def _get(access: Access, entity: str, query: Query) -> Rows:
    return _send(access, entity, entity, query).decode(Rows)


def _send(access: Access, entity: str, path: str, query: Query) -> Answer:
    headers = {"x-api-key": access.secret("api_key"), "content-type": "application/json"}
    if version := access.settings.get("api_version"):
        headers["x-api-version"] = str(version)

    def call(token: str) -> Answer:
        answer = access.http.send(
            "GET",
            f"{access.settings['base_url']}/entities/{path}",
            query=query,
            headers={**headers, "authorization": f"Bearer {token}"},
        )
        if answer.is_success:
            return answer
        if answer.status == 404 and path != entity and "error" in answer.told():  # a gateway's 404 is not KORE's
            raise _NoSuchRow
        _raise_failure(answer, entity)

    return with_token(access, call)


def _raise_failure(answer: Answer, entity: str) -> NoReturn:
    told = answer.told()
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
            # Said to people only after a fresh token was refused as well: then the key is the likely culprit.
            raise TokenRefused(
                "KORE refuses our calls although it has just given us a token: the API key is wrong or has ended. "
                "Your admin should ask KORE for a valid API key, and enter it together with the client secret.",
                detail=detail,
            )
        case 403 if not answer.is_html:  # a page is a proxy's
            raise NotBought(
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
    told = answer.told()
    word = str(told.get("error", ""))
    detail = _detail(answer, told)
    if word in assumptions.REFUSED_CREDENTIALS or (answer.status == 401 and not word):
        raise ReconnectNeeded(
            "KORE does not accept the client id and client secret. "
            "Your admin should ask KORE for valid ones and enter them again.",
            code="sign_in_refused",
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
    if passing := answer.passing_failure("KORE", detail):
        raise passing
    if answer.status == 403 and answer.is_html:
        raise RetryLater(
            "A page of somebody else's answers in place of KORE. We try again by ourselves.",
            code="unreadable",
            detail=detail,
        )
    match answer.status:
        case 404 | 405 | 410 | 421:
            raise ConfigurationNeeded(
                f"Another server than KORE's answers at the {address}. Your admin should correct the address.",
                code="address",
                detail=detail,
            )
        case status if 300 <= status < 400:
            raise ConfigurationNeeded(
                f"The {address} sends us elsewhere, and we do not follow. Your admin should correct the address.",
                code="address",
                detail=detail,
            )
    raise VendorChanged(
        "KORE refused our request for a reason we do not know. Our developers have to look at it.",
        code="unknown_refusal",
        detail=detail,
    )


def _detail(answer: Answer, told: dict[str, Any]) -> str:
    # The guide is of two minds about which of the two ids its support wants to hear, so both are kept.
    known = ("error", "error_description", "message", "errors", "error_id", "id")
    parts = [f"{name}: {told[name]}" for name in known if told.get(name)]
    if not parts:
        parts = [f"{answer.content_type or 'no content type'}, {len(answer.body)} bytes"]
    return f"{answer.status} {'; '.join(parts)}"[:500]
