"""What a failed answer of Condeco means: who acts next, and in what words."""

import re
from datetime import timedelta

from integrations.answers import Answer
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
from integrations.vendors.condeco import assumptions

WRONG_ADDRESS = (
    "The client subscription name or API address is wrong. Find it under User Profile > Product > Client Subscription"
    " Name in the Condeco integration portal and correct it here."
)
_NO_SIGN_IN = (
    "Condeco no longer accepts our sign-in. Ask your Condeco representative whether the Client ID and Password are"
    " still valid, then enter them again."
)


def of_call(answer: Answer, collection: str, name: str, *, has_worked: bool) -> IntegrationError:
    """What a failed call at the API host means; `name` is the collection in our codes. The order matters: a gateway's
    HTML page may come with any status. Where the address has worked before, such a page is a bad moment."""
    status, said = answer.status, words(answer).lower()
    if found := passing(answer):
        return found
    if has_worked and answer.is_html:
        return RetryLater(
            "A web page answers in place of Condeco. We will try again.", code="unreadable", detail=detail(answer)
        )
    if answer.is_html or 300 <= status < 400:
        return ConfigurationNeeded(
            "This is the address of the sign-up portal, not of the API. Correct the API address.",
            code="portal_address",
            detail=detail(answer),
        )
    if status == 401 and assumptions.SUBSCRIPTION_KEY_WORDS in said:
        return _of_key(answer, said, collection, name)
    if status == 401:
        return TokenRefused(_NO_SIGN_IN, detail=detail(answer))
    if status == 403:
        return NotPermitted(
            f"This Condeco account may not use {collection}. API access needs the Platinum subscription; ask your"
            " Condeco representative.",
            code=f"forbidden_{name}",
            detail=detail(answer),
        )
    return of_question(detail(answer))


def of_token(answer: Answer, host: str) -> IntegrationError:
    """What a failed token call at that host means."""
    if found := passing(answer):
        return found
    if answer.status in assumptions.CREDENTIALS_REFUSED and not answer.is_html:
        return ReconnectNeeded(
            "Condeco refused the Client ID or Password. Ask your Condeco representative for current values and enter"
            " them here.",
            code="credentials",
            detail=detail(answer),
        )
    if answer.status == 404 or answer.status < 400 or answer.is_html:
        return ConfigurationNeeded(
            f"We cannot find Condeco at {host}. Check the address you use to open Condeco.",
            code="customer_address",
            detail=detail(answer),
        )
    return VendorChanged("Condeco answered our sign-in in a form we do not know.", detail=detail(answer))


def of_question(detail: str) -> VendorChanged:
    return VendorChanged("Condeco refused a question that it used to answer.", code="refused_question", detail=detail)


def passing(answer: Answer) -> RetryLater | None:
    """What time heals: limits and outages, at the token host and at the API host alike."""
    said = words(answer)
    if answer.status == 403 and assumptions.QUOTA_WORD in said.lower():
        return RateLimited(
            "The weekly number of calls allowed by Condeco is used up. Copying goes on when it is renewed.",
            retry_after=_quota_wait(said) or answer.retry_after() or assumptions.QUOTA_WAIT,
            code="weekly_quota",
            detail=detail(answer),
        )
    found = answer.passing_failure("Condeco", detail(answer))
    if isinstance(found, RateLimited) and found.retry_after is None:
        named = re.search(r"in (\d{1,5}) second", said)
        found.retry_after = timedelta(seconds=int(named[1])) if named else assumptions.RATE_LIMIT_WAIT
    return found


def says_gone(answer: Answer, *, is_one: bool) -> bool:
    """Whether the application, not the gateway, says that the thing asked about does not exist. A 404 without words
    says so where one thing was asked for by its id."""
    said = words(answer).lower()
    if answer.status == 404:
        return (bool(said) or is_one) and said != assumptions.GATEWAY_NOT_FOUND and not answer.is_html
    return answer.status == 400 and assumptions.GONE_WORDS in said


def is_error_of(answer: Answer) -> bool:
    return any(name.lower() == "iserror" and value is True for name, value in answer.told().items())


def words(answer: Answer) -> str:
    """What the vendor said in an error, whichever of its forms: `message`, `Message`, OAuth's fields, plain text."""
    told = answer.told()
    if told or answer.is_html:
        fields = {name.lower(): value for name, value in told.items() if isinstance(value, str) and value}
        return next((fields[name] for name in ("message", "error_description", "error") if name in fields), "")
    return answer.body[:300].decode(errors="replace").strip().strip('"')


def detail(answer: Answer) -> str:
    return f"HTTP {answer.status} {words(answer)}".strip()[:300]


def _of_key(answer: Answer, said: str, collection: str, name: str) -> IntegrationError:
    if "missing" in said:
        return VendorChanged(
            f"Condeco did not see the {collection} subscription key that we sent.",
            code="key_not_seen",
            detail=detail(answer),
        )
    return NotPermitted(
        f"The {collection} key is not valid. In the Condeco integration portal open your profile and copy the key of"
        f" {collection}; check it is active and from the same environment.",
        code=f"key_invalid_{name}",
        detail=detail(answer),
    )


def _quota_wait(said: str) -> timedelta | None:
    """The time in "Quota will be replenished in HH:MM:SS"; days may stand ahead ("3.04:00:00")."""
    named = re.search(r"(?:(\d{1,2})\.)?(\d{1,3}):(\d{2}):(\d{2})", said)
    if not named:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in named.groups())
    wait = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return min(wait, assumptions.LONGEST_QUOTA_WAIT)
