"""coreplus's failures, each turned into the error that says who acts next (README: "Errors")."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import msgspec

from integrations.answers import Answer
from integrations.contract import Access, Settings
from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotBought,
    NotPermitted,
    RateLimited,
    ReconnectNeeded,
    RetryLater,
    VendorChanged,
)
from integrations.vendors.coreplus import assumptions

MAX_REASON = 300
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"'})


class Gone(IntegrationError):
    """coreplus has nothing of that id (any more). Never leaves the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A list at coreplus: its path, the key of its rows, what people call it, the permission where its name is known.

    `is_path_assumed`: that it does not exist says nothing about the address of the API.
    """

    path: str
    key: str
    thing: str
    permission: str = ""
    is_path_assumed: bool = False

    @property
    def permission_name(self) -> str:
        return self.permission or f"the permission to view {self.thing}"


class _Result(msgspec.Struct, frozen=True):
    severity: int = assumptions.ERROR_SEVERITY  # the answer to a booking that conflicts shows none
    reason: str = ""


def fields_of(answer: Answer) -> dict[str, msgspec.Raw]:
    """The fields of the answer's object; {} for anything else.

    The guide prints an error as a language dump, with `=>` for a colon and curly quotes: read too, should it travel.
    """
    for body in (answer.body, _undumped(answer.body)):
        try:
            return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
    return {}


def _undumped(body: bytes) -> bytes:
    if len(body) > 10_000:  # no error is that long
        return b""
    return body.decode(errors="replace").translate(_QUOTES).replace("=>", ":").encode()


def reason_of(fields: dict[str, msgspec.Raw], answer: Answer) -> str:
    """Why coreplus failed, in its own words; "" when it did not say, or did not fail."""
    for result in _results(fields):
        if result.severity >= assumptions.ERROR_SEVERITY:
            return result.reason[:MAX_REASON] or "no reason"
    if answer.is_success:
        return ""
    for name in ("message", "Message"):
        try:
            return msgspec.json.decode(fields.get(name, b""), type=str)[:MAX_REASON]
        except msgspec.DecodeError:
            continue
    if fields or answer.is_html:
        return ""
    return answer.body.decode(errors="replace").strip()[:MAX_REASON]


def _results(fields: dict[str, msgspec.Raw]) -> list[_Result]:
    try:
        return msgspec.json.decode(fields.get("result", b"[]"), type=list[_Result])
    except msgspec.DecodeError:
        return [_Result(reason="an unreadable result")]


def is_token_refused(answer: Answer, reason: str) -> bool:
    """The words count whatever the status, and a 401 for no other reason told is one too."""
    said = reason.lower()
    return assumptions.INVALID_TOKEN in said or (
        answer.status == 401 and not answer.is_html and not said.startswith(assumptions.NOT_AUTHORIZED)
    )


def token_failure(access: Access, now: datetime, answer: Answer, reason: str) -> IntegrationError:
    """What it means that coreplus refused two tokens in a row, the second signed by its own clock."""
    detail = f"HTTP {answer.status} {reason}".strip()
    if not access.has_worked:
        environment = "sandbox" if access.settings.get("environment") == "sandbox" else "production"
        return ConfigurationNeeded(
            "coreplus refused our key. Your admin should check that URL, Consumer Id, Secret and Access Token all "
            f"belong to the same environment ({environment}).",
            code="environment",
            detail=detail,
        )
    ends_on = term_end(access.settings)
    if ends_on is not None and now.date() >= ends_on:
        return ReconnectNeeded(
            "Access for this add-on has ended. In coreplus, open Setup > Add-Ons > the add-on > Extend and accept the "
            "terms; then test the connection here.",
            code="term_over",
            detail=detail,
        )
    return ReconnectNeeded(
        "coreplus no longer accepts our key. Was the add-on disabled, or the secret replaced? Enable it in coreplus, "
        "or enter the new values here.",
        code="key_refused",
        detail=detail,
    )


def failure_of(
    access: Access, resource: Resource, answer: Answer, fields: dict[str, msgspec.Raw], reason: str
) -> IntegrationError | None:
    """The error behind an answer other than a refused token; None when it is a good one, even with warnings."""
    detail, said = f"HTTP {answer.status} {reason}".strip(), reason.lower()
    if said.startswith(assumptions.NOT_AUTHORIZED):
        return _not_permitted(resource, detail)
    if passing := answer.passing_failure("coreplus", detail):
        return _with_a_pause(passing)
    if answer.is_html or 300 <= answer.status < 400:
        return _other_server(access, answer, detail)
    if answer.is_success and not reason:
        if not fields:
            answer.decode(dict[str, msgspec.Raw])  # raises: cut off, or not an object
        return None
    is_theirs = not answer.body.strip() or "result" in fields  # a gateway speaks of routes instead
    if resource.key == "appointment" and is_theirs and (answer.status == 404 or assumptions.NOT_FOUND in said):
        return Gone("There is no such appointment at coreplus.", detail=detail)
    if resource.is_path_assumed and answer.status in {400, 404, 405}:
        return NotPermitted(
            f"coreplus does not offer us the list of {resource.thing}. Everything else goes on.",
            code="not_offered",
            detail=detail,
        )
    return _refusal(resource, answer, said, detail)


def _refusal(resource: Resource, answer: Answer, said: str, detail: str) -> IntegrationError:
    match answer.status:
        case 403:
            return NotBought(
                f"This coreplus feature ({resource.thing}) is not switched on for your account. "
                "Ask support@coreplus.com.au to enable it.",
                code="feature_off",
                detail=detail,
            )
        case 404:
            return ConfigurationNeeded(
                "The API address looks wrong. It should look like https://…/API/Core/v2.", code="address", detail=detail
            )
        case 405 | 406 | 415:
            code = "request"
        case _:
            code = "zone" if assumptions.ZONE in said else "refused"
    return VendorChanged(
        f"coreplus does not understand our question for {resource.thing}. Our developers have to look at it; there is "
        "nothing you can do.",
        code=code,
        detail=detail,
    )


def _not_permitted(resource: Resource, detail: str) -> NotPermitted:
    return NotPermitted(
        f"coreplus does not let us read {resource.thing}. In coreplus open Developer > Applications and tick "
        f"{resource.permission_name}, then under Settings > Add ons disable and enable the add-on. You will be asked "
        "to accept the terms again.",
        code="permission",
        detail=detail,
    )


def _with_a_pause(failure: RetryLater) -> RetryLater:
    if isinstance(failure, RateLimited) and failure.retry_after is None:
        failure.retry_after = assumptions.PAUSE
    return failure


def _other_server(access: Access, answer: Answer, detail: str) -> IntegrationError:
    if access.has_worked:  # the address was right: a proxy or a maintenance page stands before it
        return RetryLater(
            "coreplus sent a web page instead of data. We try again by ourselves.", code="unreadable", detail=detail
        )
    return ConfigurationNeeded(
        "A web page answers at the API URL, not coreplus's API. It should look like https://…/API/Core/v2.",
        code="address",
        detail=f"{detail}, {answer.content_type or 'no content type'}",
    )


def term_end(settings: Settings) -> date | None:
    """The day on which the Access Token ends, where the settings tell when it was granted and for how many months."""
    try:
        granted = date.fromisoformat(str(settings.get("granted_date") or ""))
        months = int(settings.get("term_months") or 12)
    except ValueError:
        return None
    try:
        return granted.replace(year=granted.year + months // 12)
    except ValueError:  # granted on 29 February
        return granted.replace(year=granted.year + months // 12, day=28) + timedelta(days=1)
