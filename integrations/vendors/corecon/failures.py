"""What an answer of Corecon's that is no success means for us: HTTP status first, then the number in the body."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.answers import Answer
from integrations.errors import (
    ConfigurationNeeded,
    IntegrationError,
    NotPermitted,
    ReconnectNeeded,
    RetryLater,
    TokenRefused,
    VendorChanged,
)
from integrations.vendors.corecon.assumptions import MESSAGE_KEYS, NUMBER_KEYS
from integrations.vendors.corecon.codes import CARRIERS, MOVED, OAUTH_WORDS, STRANGE, Meaning, meaning_of

LARGEST_REMARK = 4096  # a success that is longer is no remark about an error, and not looked through for one


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What was asked for, as far as it changes what a refusal means.

    `grant` is set at the token endpoint only. `hidden` are the secrets sent along, which must not come back in a log.
    """

    feature: str = ""
    grant: str = ""
    redirect_uri: str = ""
    hidden: tuple[str, ...] = ()
    fine: frozenset[int] = frozenset()  # statuses beside success that the caller knows how to read


def number_of(answer: Answer, asking: Asking) -> int | None:
    """The number that decides, or None where the answer is a success.

    The guide gives its numbers as HTTP statuses. A status that says little by itself (see `CARRIERS`) or that the guide
    does not know is told more closely by a number in the body; so is a success without what was asked for.
    """
    if answer.status in asking.fine:
        return None
    if answer.is_success:
        return None if len(answer.body) > LARGEST_REMARK else _told_number(answer.told(), asking)
    if answer.status in CARRIERS or meaning_of(answer.status).name == "not in the guide":
        return _told_number(answer.told(), asking) or answer.status
    return answer.status


def failure(answer: Answer, number: int, asking: Asking) -> IntegrationError:
    """The error to raise for that number, with words for the tenant and the vendor's own in `detail`."""
    meaning = meaning_of(number)
    error, code, words = _in_place(meaning, asking)
    if answer.status in MOVED:
        error, code = ConfigurationNeeded, "moved"
        words = "The API address of your Corecon account has changed. Copy it again from Developer Mode."
    words = words.format(
        feature=asking.feature or "this", uri=asking.redirect_uri or "the one shown where the app was set up here"
    )
    detail = f"{number} {meaning.name}"
    if answer.status != number:
        detail = f"HTTP {answer.status}, {detail}"
    message = _message(answer.told(), asking.hidden)
    if message and message.casefold() != meaning.name.casefold():
        detail = f"{detail}: {message}"
    if issubclass(error, RetryLater):
        return error(words, retry_after=answer.retry_after() or meaning.wait, code=code, detail=detail)
    return error(words, code=code, detail=detail)


def _in_place(meaning: Meaning, asking: Asking) -> tuple[type[IntegrationError], str, str]:
    """The meaning where it was met: the same number asks for different deeds in a sign-in and in a reading."""
    error, code = meaning.error, meaning.code
    if asking.grant:
        if error is TokenRefused:
            return ReconnectNeeded, code, meaning.words
        if meaning.number == 473 and asking.grant == "client_credentials":  # no person has typed these
            return ConfigurationNeeded, code, meaning.words
        if meaning.number == 476 and "" not in asking.hidden:  # but we have sent both
            return VendorChanged, "vendor_changed", STRANGE
    elif meaning.number == 488:  # about an address of ours, not about the app's
        return VendorChanged, "vendor_changed", STRANGE
    if error is NotPermitted and not asking.feature:
        return ConfigurationNeeded, code, meaning.words
    return error, code, meaning.words


def _told_number(told: Mapping[str, Any], asking: Asking) -> int | None:
    if "Data" in told or "access_token" in told:
        return None
    for key in NUMBER_KEYS:
        value = told.get(key)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) == 3:
            value = int(value)
        if isinstance(value, int) and 400 <= value <= 599:
            return value
    word = told.get("error")
    if asking.grant and isinstance(word, str):
        if word == "invalid_grant":
            return {"refresh_token": 480, "authorization_code": 481}.get(asking.grant, 473)
        return OAUTH_WORDS.get(word)
    return None


def _message(told: Mapping[str, Any], hidden: tuple[str, ...]) -> str:
    for key in MESSAGE_KEYS:
        message = told.get(key)
        if isinstance(message, str) and message.strip():
            for secret in filter(None, hidden):
                message = message.replace(secret, "…")
            return " ".join(message.replace("\0", "").split())[:200]
    return ""
