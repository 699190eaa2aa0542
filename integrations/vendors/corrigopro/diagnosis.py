"""The usual mistakes with CorrigoPro, in the order in which to look for them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from integrations.contract import Access, Diagnosis, Door, Rule, Suspicion, Who
from integrations.errors import IntegrationError, NotPermitted
from integrations.vendors.corrigopro import assumptions, places
from integrations.vendors.corrigopro.client import ADDRESS, CREDENTIALS, GENERAL_FAILURE, Client, ask_token

REGION = "region"  # our code for a general failure that stays when connecting
BRANCH = "branch"  # our code for a main branch that the company does not have
_REFUSED = frozenset({CREDENTIALS, "reconnect", "not_permitted"})
_UNREACHED = frozenset({ADDRESS, "unknown_host", "unreachable", "timeout", "sign_in_refused", "unreadable"})


def _are_swapped(access: Access, error: IntegrationError) -> bool:
    return places.are_swapped(str(access.settings["rest_url"]), str(access.settings["oauth_url"]))


def _answers_in(region: str) -> Suspicion:
    """Whether the company is known there: a region that is not its own answers with the general failure."""

    def fits(access: Access, error: IntegrationError) -> bool:
        here = str(access.settings["rest_url"])
        there = places.in_region(here, region)
        if not there or there == here:
            return False
        Client(access, there).customers()
        return True

    return fits


def _is_the_same_twice(access: Access, error: IntegrationError) -> bool:
    return access.secret("client_secret") == str(access.settings["client_id"])


def _has_ended(access: Access, error: IntegrationError) -> bool:
    ends_on = _day(access.settings)
    return ends_on is not None and ends_on < datetime.now(UTC).date()


def _day(settings: Mapping[str, Any]) -> date | None:
    text = str(settings.get("subscription_ends_on") or "")
    return date.fromisoformat(text) if text else None


def _opens(environment: str) -> Suspicion:
    """Whether the same pair opens that environment, which is not the chosen one."""

    def fits(access: Access, error: IntegrationError) -> bool:
        other = places.other_sign_in(access.settings)
        if not other or access.settings.get("environment") == environment:
            return False
        secrets = {"client_secret": access.secret("client_secret")}
        door = Door(settings=access.settings, secrets=secrets, http=access.http)
        ask_token(door, assumptions.REQUEST_TIMEOUT, other)
        return True

    return fits


def _has_worked(access: Access, error: IntegrationError) -> bool:
    return access.has_worked


def _nothing_is_permitted(access: Access, error: IntegrationError) -> bool:
    try:
        Client(access).customers()
    except NotPermitted:
        return True
    return False


def _rule(
    key: str, cause: str, cure: str, who: Who, codes: frozenset[str], fits: Suspicion = lambda access, error: True
) -> Rule:
    return Rule(diagnosis=Diagnosis(key=key, cause=cause, cure=cure, who=who), codes=codes, fits=fits)


RULES: tuple[Rule, ...] = (
    _rule(
        "swapped",
        "The two addresses stand in each other's field.",
        "Enter the REST SERVICE URL (it ends in /Direct/api) as the REST service URL, and the OAUTH SERVER URL (it "
        "ends in /OAuth/Token) as the OAuth server URL.",
        Who.ADMIN,
        _UNREACHED | _REFUSED | {REGION, GENERAL_FAILURE, "vendor_changed", "vendor_unavailable"},
        _are_swapped,
    ),
    *(
        _rule(
            f"region_{region}",
            f"Your company is kept in another region than the one entered: CorrigoPro knows it in {name}.",
            f"Choose {name}, and the REST SERVICE URL that the CorrigoPro Direct settings page shows.",
            Who.ADMIN,
            frozenset({REGION, GENERAL_FAILURE}),
            _answers_in(region),
        )
        for region, name in places.REGIONS.items()
    ),
    _rule(
        "region",
        "CorrigoPro answers with its general failure (1000), and no other region knows your company either.",
        "Compare the REST SERVICE URL on the CorrigoPro Direct settings page with the one entered here. If they are "
        "the same, try again in some minutes.",
        Who.ADMIN,
        frozenset({REGION}),
    ),
    _rule(
        "same_twice",
        "The client secret entered is the client id.",
        "Copy the client secret from the CorrigoPro Direct settings page; it stands below the client id.",
        Who.ADMIN,
        frozenset({CREDENTIALS}),
        _is_the_same_twice,
    ),
    _rule(
        "subscription_ended",
        "The CorrigoPro Direct subscription has ended, by the date entered here.",
        "Renew it with CorrigoPro, then enter its new end here.",
        Who.VENDOR_ADMIN,
        _REFUSED,
        _has_ended,
    ),
    _rule(
        "production_pair",
        "The client id and secret are those of your production company, but the sandbox is chosen.",
        "Choose Production, or copy id and secret from the sandbox's own settings page.",
        Who.ADMIN,
        frozenset({CREDENTIALS}),
        _opens(places.PRODUCTION),
    ),
    _rule(
        "sandbox_pair",
        "The client id and secret are those of a sandbox company, but production is chosen.",
        "Choose Sandbox with its addresses, or copy id and secret from the settings page of your production company.",
        Who.ADMIN,
        frozenset({CREDENTIALS}),
        _opens(places.SANDBOX),
    ),
    _rule(
        "regenerated",
        "The client id and secret worked before and are refused now: most probably someone pressed Regenerate at "
        "CorrigoPro.",
        "Open the CorrigoPro Direct settings page, copy the client id and secret shown there and enter them here.",
        Who.ADMIN,
        frozenset({CREDENTIALS}),
        _has_worked,
    ),
    _rule(
        "wrong_pair",
        "CorrigoPro does not know this client id with this secret.",
        "Copy both anew from the CorrigoPro Direct settings page, each in one piece. A sandbox has its own pair.",
        Who.ADMIN,
        frozenset({CREDENTIALS}),
    ),
    _rule(
        "two_instances",
        "CorrigoPro's sign-in server gives us a token, but its service does not take it: the two addresses belong to "
        "different instances, one to the sandbox and one to production, say.",
        "Copy both addresses from the same settings page.",
        Who.ADMIN,
        frozenset({"reconnect"}),
    ),
    _rule(
        "no_subscription",
        "CorrigoPro lets these credentials read nothing at all: the CorrigoPro Direct subscription is missing or has "
        "ended.",
        "Have the CorrigoPro Direct subscription renewed, then test the connection again.",
        Who.VENDOR_ADMIN,
        frozenset({"not_permitted"}),
        _nothing_is_permitted,
    ),
    _rule(
        "wrong_host",
        "There is no server of that name.",
        "Copy REST SERVICE URL and OAUTH SERVER URL from the CorrigoPro Direct settings page, each in one piece.",
        Who.ADMIN,
        frozenset({"unknown_host"}),
    ),
    _rule(
        "wrong_address",
        "There is a server at the address entered, but it is not CorrigoPro's, or the path behind its name is wrong.",
        "Copy REST SERVICE URL and OAUTH SERVER URL from the CorrigoPro Direct settings page, each in one piece.",
        Who.ADMIN,
        frozenset({ADDRESS}),
    ),
    _rule(
        "branch",
        "None of your customers is served by the main branch entered here, so these credentials belong to another "
        "company, or the branch id is mistyped.",
        "Compare the main branch id and the client id with CorrigoPro.",
        Who.ADMIN,
        frozenset({BRANCH}),
    ),
)
