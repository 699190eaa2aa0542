"""KORE's usual mistakes, in the order in which to look for them.

The codes are the client's: `sign_in_refused` is the token endpoint's no to id and secret; `reconnect` a 401 of the API
in spite of a fresh token; `address` and `unknown_host` are wrong places; `unreadable` is a web page instead of data.
"""

from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from integrations.contract import Access, Diagnosis, Door, Rule, Settings, Who
from integrations.errors import IntegrationError, NotBought
from integrations.vendors.kore import assumptions, client

AT_THE_DOOR = frozenset({"sign_in_refused"})
BEHIND_IT = frozenset({"reconnect"})
WRONG_PLACE = frozenset({"address", "unknown_host", "unreadable", "unknown_refusal", "unknown_entity"})


def _signs_in(access: Access, settings: Mapping[str, object] | None = None, secret: str = "") -> bool:
    """Whether these would open the door; raises IntegrationError where they do not."""
    secrets = {"client_secret": secret or access.secret("client_secret")}
    client.request_token(Door(settings={**access.settings, **(settings or {})}, secrets=secrets, http=access.http))
    return True


def _addresses(access: Access) -> tuple[str, str]:
    return str(access.settings["base_url"]), str(access.settings["auth_url"])


def is_another_kore(access: Access, error: IntegrationError) -> bool:
    hosts = [(urlsplit(address).hostname or "").lower() for address in _addresses(access)]
    return any(host == name or host.endswith(f".{name}") for host in hosts for name in assumptions.OTHER_KORES)


def are_addresses_swapped(access: Access, error: IntegrationError) -> bool:
    api, sign_in = _addresses(access)
    return api != sign_in and _signs_in(access, {"auth_url": api})


def is_another_address(access: Access, error: IntegrationError) -> bool:
    return not access.has_worked and _addresses(access) != (assumptions.API_ADDRESS, assumptions.SIGN_IN_ADDRESS)


def is_secret_encoded(access: Access, error: IntegrationError) -> bool:
    """The guide asks for an encoded secret in the request, so people encode it for us as well."""
    given = access.secret("client_secret")
    return unquote(given) != given and _signs_in(access, secret=unquote(given))


def are_secret_and_key_swapped(access: Access, error: IntegrationError) -> bool:
    return bool(access.secret("api_key")) and _signs_in(access, secret=access.secret("api_key"))


def does_the_other_way_work(access: Access, error: IntegrationError) -> bool:
    is_basic = access.settings.get("credentials_in") == "basic"
    return _signs_in(access, {"credentials_in": "body" if is_basic else "basic"})


def has_secret_worked(access: Access, error: IntegrationError) -> bool:
    return access.has_worked


def has_key_ended(access: Access, error: IntegrationError) -> bool:
    return access.has_worked and _signs_in(access)


def is_key_wrong(access: Access, error: IntegrationError) -> bool:
    return _signs_in(access)


def is_version_refused(access: Access, error: IntegrationError) -> bool:
    if not access.settings.get("api_version"):
        return False
    client.fetch_sample(_WithoutVersion(access), "deals")
    return True


def is_nothing_enabled(access: Access, error: IntegrationError) -> bool:
    for entity in ("deals", "billings"):
        try:
            client.fetch_sample(access, entity)
        except NotBought:
            continue
        return False
    return True


class _WithoutVersion:
    """The same access, asking for KORE's current version."""

    def __init__(self, access: Access) -> None:
        self.settings: Settings = {**access.settings, "api_version": ""}
        self.http, self.has_worked = access.http, access.has_worked
        self.secret, self.token, self.renew_token = access.secret, access.token, access.renew_token


RULES = (
    Rule(
        codes=AT_THE_DOOR | WRONG_PLACE,
        fits=is_another_kore,
        diagnosis=Diagnosis(
            key="another_kore",
            cause="These are the addresses of another company called KORE: KORE Wireless or the chatbots of kore.ai. "
            "Their keys open nothing at KORE Software, which makes the sponsorship product.",
            cure=f"Enter {assumptions.API_ADDRESS} and {assumptions.SIGN_IN_ADDRESS}, with the client id, secret and "
            "API key that KORE Software has sent you.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=AT_THE_DOOR | WRONG_PLACE | {"sign_in_request"},
        fits=are_addresses_swapped,
        diagnosis=Diagnosis(
            key="addresses_swapped",
            cause="The API address and the sign-in address are in each other's place: signing in works at the address "
            "entered for the API.",
            cure="Swap the two addresses in this connection.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=WRONG_PLACE,
        fits=is_another_address,
        diagnosis=Diagnosis(
            key="another_address",
            cause="KORE does not answer at the addresses entered, and they are not KORE's usual ones.",
            cure=f"Enter {assumptions.API_ADDRESS} and {assumptions.SIGN_IN_ADDRESS}, or compare with the ones in "
            "KORE's letter: only the host, without /entities or /connect/token.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=AT_THE_DOOR,
        fits=is_secret_encoded,
        diagnosis=Diagnosis(
            key="secret_encoded",
            cause="The client secret was entered URL-encoded, with % signs in place of its special characters; "
            "decoded, it works.",
            cure="Enter the client secret as KORE has sent it. We encode it ourselves.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=AT_THE_DOOR,
        fits=are_secret_and_key_swapped,
        diagnosis=Diagnosis(
            key="secret_and_key_swapped",
            cause="The client secret and the API key are in each other's field: signing in works with what was entered "
            "as the API key.",
            cure="Enter both again, each in its own field.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=AT_THE_DOOR,
        fits=does_the_other_way_work,
        diagnosis=Diagnosis(
            key="other_way_of_signing_in",
            cause="The client id and secret are right, but KORE does not take them in the way chosen for this "
            "connection; that happens when the secret has special characters.",
            cure="Choose the other answer at “How to sign in” in this connection.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=AT_THE_DOOR,
        fits=has_secret_worked,
        diagnosis=Diagnosis(
            key="secret_ended",
            cause="KORE has accepted this client id and secret before and no longer does: the secret was changed or "
            "the access withdrawn.",
            cure="Ask your KORE account manager for a new client secret and enter it in this connection's details.",
            who=Who.VENDOR,
        ),
    ),
    Rule(
        codes=AT_THE_DOOR,
        diagnosis=Diagnosis(
            key="secret_wrong",
            cause="KORE does not know this client id or this client secret.",
            cure="Copy both again from KORE's letter, without blanks around them. The API key is a third value and has "
            "its own field.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=BEHIND_IT,
        fits=has_key_ended,
        diagnosis=Diagnosis(
            key="key_ended",
            cause="KORE still accepts the client id and secret, but no longer the API key: the key has ended, or "
            "whoever granted it has taken it back.",
            cure="Ask your KORE account manager, or the customer who granted the key, for a valid one and enter it.",
            who=Who.VENDOR,
        ),
    ),
    Rule(
        codes=BEHIND_IT,
        fits=is_key_wrong,
        diagnosis=Diagnosis(
            key="key_wrong",
            cause="KORE accepts the client id and secret, but not the API key.",
            cure="Copy the API key again from KORE's letter. It belongs to this client id; the key of another customer "
            "does not work.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=frozenset({"bad_request"}),
        fits=is_version_refused,
        diagnosis=Diagnosis(
            key="version_refused",
            cause="KORE does not know the API version entered; without it, the same question is answered.",
            cure="Empty the field “API version” in this connection.",
            who=Who.ADMIN,
        ),
    ),
    Rule(
        codes=frozenset({"not_bought"}),
        fits=is_nothing_enabled,
        diagnosis=Diagnosis(
            key="nothing_enabled",
            cause="The API key is known, but KORE has enabled neither deals nor billings for it.",
            cure="Ask your KORE account manager to enable the entities of the Sponsorship API for this key.",
            who=Who.VENDOR,
        ),
    ),
    Rule(
        codes=frozenset({"not_bought"}),
        diagnosis=Diagnosis(
            key="entity_not_enabled",
            cause="KORE enables each kind of data separately, and has not enabled this one for your API key.",
            cure="If you need it, ask your KORE account manager to add it. Everything else goes on.",
            who=Who.VENDOR,
        ),
    ),
)
