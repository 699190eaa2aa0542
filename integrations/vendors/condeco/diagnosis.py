"""Condeco's usual mistakes, in the order in which to look for them."""

from collections.abc import Callable
from urllib.parse import urlsplit

from integrations.contract import Access, Diagnosis, Rule, Suspicion, Who
from integrations.errors import IntegrationError
from integrations.vendors.condeco import assumptions
from integrations.vendors.condeco.client import KEY_SECRETS, REQUIRED, Collection, is_key_known

_NAMES = {"production": "production", "uat": "UAT (test)", "developer": "developer"}
_PORTALS = dict(zip(_NAMES, assumptions.PORTAL_HOSTS, strict=True))
_READABLE = (Collection.HIERARCHY, Collection.BOOKINGS, Collection.VISITORS)
_KEY_CODES = frozenset(f"key_invalid_{one.name.lower()}" for one in Collection)
_FORBIDDEN_CODES = frozenset(f"forbidden_{one.name.lower()}" for one in Collection)
_REPRESENTATIVE = "Ask your Condeco representative"


def _mentions(error: IntegrationError) -> Collection:
    return next(one for one in Collection if error.code.endswith(one.name.lower()))


def _opens_in(environment: str) -> Suspicion:
    """Whether the key that was refused is taken where another environment has its API."""

    def fits(access: Access, error: IntegrationError) -> bool:
        address = assumptions.api_addresses(access.settings)[environment]
        collection = Collection.HIERARCHY if error.code == "address" else _mentions(error)
        key = access.secret(KEY_SECRETS[collection])
        is_elsewhere = address != access.settings["api_url"] and access.settings["environment"] != environment
        return is_elsewhere and collection in _READABLE and is_key_known(access, collection, key, api_url=address)

    return fits


def _opens_another_collection(access: Access, error: IntegrationError) -> bool:
    """Whether the key stands in a wrong field: it opens something else."""
    refused = _mentions(error)
    key = access.secret(KEY_SECRETS[refused])
    others = [one for one in _READABLE if one is not refused]
    return any(is_key_known(access, one, key) for one in others)


def _no_key_opens(access: Access, error: IntegrationError) -> bool:
    """Whether the other required key is refused as well."""
    refused = _mentions(error)
    other = next(one for one in REQUIRED if one is not refused)
    return not is_key_known(access, other, access.secret(KEY_SECRETS[other]))


def _host(access: Access) -> str:
    return urlsplit(access.settings["customer_url"]).hostname or ""


def _is_api_or_portal(access: Access, error: IntegrationError) -> bool:
    hosts = {urlsplit(address).hostname for address in assumptions.API_HOSTS.values()}
    return _host(access) in {*hosts, *assumptions.PORTAL_HOSTS}


def _is_host_of(environment: str) -> Suspicion:
    """Whether the customer's host names another environment than the one chosen."""

    def fits(access: Access, error: IntegrationError) -> bool:
        names = _host(access).partition(".")[0].replace("_", "-").split("-")
        is_named = any(word in names for word in assumptions.ENVIRONMENT_WORDS[environment])
        return is_named and access.settings["environment"] != environment

    return fits


def _is_first_time(access: Access, error: IntegrationError) -> bool:
    return not access.has_worked


def _is_mail_address(access: Access, error: IntegrationError) -> bool:
    return "@" in access.settings["client_id"]


def _is_a_key(access: Access, error: IntegrationError) -> bool:
    password = access.secret("client_password")
    return any(password == access.secret(name) for name in KEY_SECRETS.values())


def _is_at_the_very_first_call(access: Access, error: IntegrationError) -> bool:
    """Whether not even the list of countries is allowed."""
    return error.code == f"forbidden_{Collection.HIERARCHY.name.lower()}"


def _rule(
    key: str,
    codes: frozenset[str] | set[str],
    cause: str,
    cure: str,
    who: Who,
    fits: Suspicion = lambda access, error: True,
) -> Rule:
    return Rule(diagnosis=Diagnosis(key=key, cause=cause, cure=cure, who=who), codes=frozenset(codes), fits=fits)


def _each(make: Callable[[str, str], Rule], *environments: str) -> tuple[Rule, ...]:
    return tuple(make(key, _NAMES[key]) for key in environments)


_HOST_RULES = (
    *_each(
        lambda key, name: _rule(
            f"host_of_{key}",
            {"credentials", "customer_address", "reconnect"},
            f"Your Condeco address is one of the {name} environment, but another environment was chosen.",
            f"Choose {name} as the environment, or enter the address of the other one with its own Client ID and"
            " Password.",
            Who.ADMIN,
            _is_host_of(key),
        ),
        *assumptions.ENVIRONMENT_WORDS,
    ),
)
_ADDRESS_RULES = (
    _rule(
        "portal_as_api",
        {"portal_address"},
        "The API address leads to a web page: it is the portal where keys are found, not the API.",
        "Clear the field API address to use the usual one, or enter the one Condeco gave you.",
        Who.ADMIN,
    ),
    *_each(
        lambda key, name: _rule(
            f"connection_of_{key}",
            {"address"},
            f"The subscription name is unknown here, but Condeco's {name} environment takes the keys.",
            f"Choose {name} as the environment, clear the field API address and test again.",
            Who.ADMIN,
            _opens_in(key),
        ),
        *_NAMES,
    ),
    _rule(
        "subscription_name",
        {"address"},
        "Condeco knows nothing under this client subscription name.",
        "Copy it anew from User Profile > Product > Client Subscription Name in the integration portal. It is not the"
        " name of your company and not the name of a product.",
        Who.ADMIN,
    ),
    _rule(
        "api_as_customer",
        {"customer_address", "credentials"},
        "Your Condeco address is the address of the API or of a portal.",
        "Enter the address at which your colleagues open Condeco to book a room.",
        Who.ADMIN,
        _is_api_or_portal,
    ),
    _rule(
        "customer_host",
        {"customer_address"},
        "There is no Condeco sign-in for programs at your Condeco address.",
        "Copy the address at which your colleagues book rooms from their browser, such as"
        " https://yourcompany.condecosoftware.com.",
        Who.ADMIN,
    ),
    _rule(
        "unknown_host",
        {"unknown_host"},
        "One of the addresses does not exist.",
        "Check Your Condeco address and the API address for typing mistakes. If they are right, it mends itself.",
        Who.ADMIN,
        _is_first_time,
    ),
)
_KEY_RULES = (
    *(
        _rule(
            f"{one.name.lower()}_key_missing",
            {f"key_missing_{one.name.lower()}"},
            f"The {one} subscription key was not entered.",
            f"Activate {one} in the Condeco integration portal, copy its key from your profile and enter it here.",
            Who.ADMIN,
        )
        for one in Collection
    ),
    _rule(
        "keys_in_wrong_fields",
        _KEY_CODES,
        "A subscription key stands in the field of another collection.",
        "Each collection has a key of its own. Compare the names in your profile in the integration portal with the"
        " fields, and enter each key once more.",
        Who.ADMIN,
        _opens_another_collection,
    ),
    *_each(
        lambda key, name: _rule(
            f"keys_of_{key}",
            _KEY_CODES,
            f"The keys belong to Condeco's {name} environment, but another one was chosen.",
            f"Choose {name} as the environment, or copy the keys of the right one from its own portal"
            f" ({name} has {_PORTALS[key]}).",
            Who.ADMIN,
            _opens_in(key),
        ),
        *_NAMES,
    ),
    _rule(
        "no_key_valid",
        _KEY_CODES,
        "None of the subscription keys is valid here. Keys of UAT do not work in production, nor the reverse, and keys"
        " belong to one client subscription name.",
        "Open the portal of the environment that you chose, check that the subscriptions are active, and copy all keys"
        " and the client subscription name from there.",
        Who.ADMIN,
        _no_key_opens,
    ),
    *(
        _rule(
            f"{one.name.lower()}_key_invalid",
            {f"key_invalid_{one.name.lower()}"},
            f"Only the {one} key is not valid; the others are.",
            f"In the integration portal check that the subscription {one} is active, copy its key from your profile and"
            " enter it here.",
            Who.ADMIN,
        )
        for one in Collection
    ),
)
_SIGN_IN_RULES = (
    _rule(
        "personal_login",
        {"credentials"},
        "The Client ID looks like a personal login. Logins to Condeco or to the integration portal do not work here.",
        f"{_REPRESENTATIVE} for the Client ID and Password of the API.",
        Who.ADMIN,
        _is_mail_address,
    ),
    _rule(
        "key_as_password",
        {"credentials"},
        "The client password is the same as one of the subscription keys.",
        f"{_REPRESENTATIVE} for the Password that belongs to the Client ID and enter it.",
        Who.ADMIN,
        _is_a_key,
    ),
    _rule(
        "wrong_credentials",
        {"credentials"},
        "Condeco does not know this Client ID and Password at your Condeco address.",
        "Check that both were copied whole and come from the same environment as the address."
        f" {_REPRESENTATIVE} for them if in doubt.",
        Who.ADMIN,
        _is_first_time,
    ),
    _rule(
        "changed_credentials",
        {"credentials"},
        "Condeco took this Client ID and Password before and no longer does: they were changed or withdrawn.",
        f"{_REPRESENTATIVE} for the current Client ID and Password and enter them here.",
        Who.VENDOR,
    ),
    _rule(
        "two_customers",
        {"reconnect"},
        "Your Condeco address and the client subscription name belong to different customers or environments: the"
        " sign-in at the one is not accepted at the other.",
        "Take the address, the Client ID and the client subscription name from the same environment of your company.",
        Who.ADMIN,
        _is_first_time,
    ),
)
_RIGHT_RULES = (
    _rule(
        "platinum_missing",
        _FORBIDDEN_CODES,
        "Condeco refuses the API to this account: its Platinum subscription with the API service is missing or ended.",
        f"{_REPRESENTATIVE} to sign your company up for the API service of the Platinum subscription.",
        Who.VENDOR,
        _is_at_the_very_first_call,
    ),
    *(
        _rule(
            f"{one.name.lower()}_forbidden",
            {f"forbidden_{one.name.lower()}"},
            f"This Condeco account may not use {one}, although its key is valid.",
            f"{_REPRESENTATIVE} to include {one} in your API service; it comes with the Platinum subscription.",
            Who.VENDOR,
        )
        for one in Collection
    ),
    _rule(
        "week_used_up",
        {"weekly_quota"},
        "The weekly calls that Condeco allows your company's programs together are used up.",
        "Copying goes on when Condeco renews them. If it happens again, copy fewer locations or ask Condeco for more"
        " calls.",
        Who.NOBODY,
    ),
)
RULES: tuple[Rule, ...] = (*_HOST_RULES, *_ADDRESS_RULES, *_KEY_RULES, *_SIGN_IN_RULES, *_RIGHT_RULES)
