"""The usual mistakes with Corecon, in the order in which they are looked for.

Where a mistake can only be told by trying, the sign-in of the app is asked at another address or with another key, with
client credentials: that locks no user out, and an app of another authentication type is refused by its type, which says
as much as a token would.
"""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

from integrations.contract import Access, Diagnosis, Door, Rule, Settings, Suspicion, Who
from integrations.errors import ConfigurationNeeded, IntegrationError
from integrations.vendors.corecon.assumptions import USUAL_URLS
from integrations.vendors.corecon.client import ask_tokens, base_of, client_credentials

_PATIENCE = timedelta(seconds=15)
# With these the sign-in knew the app; something else was wrong. Only numbers that nobody but Corecon answers with.
_KNOWN = frozenset(
    {"grant", "scopes", "app_inactive", "account_inactive", "account_expired"}
    | {"sandbox_not_ready", "sandbox_ended", "production_not_ready", "production_ended"}
)
_KEYS = frozenset({"integration_key", "not_registered", "secret_key", "database", "not_together", "credentials"})
_ADDRESS = frozenset({"address", "unknown_host", "unreachable", "unreadable", "vendor_changed", "moved"})


def usual_address(settings: Settings, environment: str) -> str:
    """The documented address of that environment. Corecon in a box has both on its own host, and alone speaks http."""
    parts = urlsplit(base_of(settings))
    return f"{parts.scheme}://{parts.netloc}/{environment}" if parts.scheme == "http" else USUAL_URLS[environment]


def is_app_known(access: Access, address: str, **changes: object) -> bool:
    """Whether the sign-in at that address knows our Integration Key and Secret Key. `changes` are of the settings."""
    settings = {**access.settings, **changes, "base_url": address}
    door = Door(settings=settings, secrets={"secret_key": access.secret("secret_key")}, http=access.http)
    try:
        ask_tokens(door, client_credentials(door), timeout=_PATIENCE)
    except ConfigurationNeeded as refusal:
        return refusal.code in _KNOWN
    except IntegrationError:  # nobody there who speaks Corecon
        return False
    return True


def _keys_are_of(environment: str) -> Suspicion:
    """The connection is of the other environment, which does not know its keys; this one does."""

    def fits(access: Access, error: IntegrationError) -> bool:
        if access.settings["environment"] == environment or _is_app_known_here(access, error):
            return False
        return is_app_known(access, usual_address(access.settings, environment))

    return fits


def _keys_are_swapped(access: Access, error: IntegrationError) -> bool:
    settings = access.settings
    return is_app_known(access, base_of(settings), integration_key=settings["account_key"])


def _keys_are_the_same(access: Access, error: IntegrationError) -> bool:
    return str(access.settings["account_key"]).lower() == str(access.settings["integration_key"]).lower()


def _has_sandbox_ended(access: Access, error: IntegrationError) -> bool:
    settings = access.settings
    if settings["environment"] != "sandbox" or not settings.get("sandbox_ends_on"):
        return False
    return date.fromisoformat(str(settings["sandbox_ends_on"])) < datetime.now(UTC).date()


def _has_worked(access: Access, error: IntegrationError) -> bool:
    return access.has_worked


def _is_app_known_here(access: Access, error: IntegrationError) -> bool:
    return is_app_known(access, base_of(access.settings))


def _has_no_state(access: Access, error: IntegrationError) -> bool:
    return not access.settings.get("registered_state") and _is_app_known_here(access, error)


def _is_address_too_long(access: Access, error: IntegrationError) -> bool:
    """An address further up knows the app: at most three are asked."""
    parts = urlsplit(base_of(access.settings))
    path = parts.path.rstrip("/")
    for _ in range(3):
        if not path:
            return False
        path = path.rpartition("/")[0]
        if is_app_known(access, f"{parts.scheme}://{parts.netloc}{path}"):
            return True
    return False


def _is_usual_address_right(access: Access, error: IntegrationError) -> bool:
    usual = usual_address(access.settings, str(access.settings["environment"]))
    return not _is_app_known_here(access, error) and is_app_known(access, usual)


def _rule(
    key: str, codes: frozenset[str] | set[str], who: Who, cause: str, cure: str, fits: Suspicion | None = None
) -> Rule:
    diagnosis = Diagnosis(key=key, cause=cause, cure=cure, who=who)
    return Rule(diagnosis=diagnosis, codes=frozenset(codes), **({"fits": fits} if fits else {}))


RULES: tuple[Rule, ...] = (
    _rule(
        "same_keys",
        _KEYS,
        Who.ADMIN,
        "The Account Key and the Integration Key are the same here; Developer Mode shows two different ones.",
        "Copy both again: the Account Key is the account's, the Integration Key is the app's.",
        _keys_are_the_same,
    ),
    _rule(
        "sandbox_keys_on_production",
        _KEYS | _ADDRESS,
        Who.ADMIN,
        "These keys belong to a sandbox of Corecon's, but this connection is set to production.",
        "Choose Sandbox here with its API Account Base URL, or copy the keys from production's Developer Mode.",
        _keys_are_of("sandbox"),
    ),
    _rule(
        "production_keys_on_sandbox",
        _KEYS | _ADDRESS,
        Who.ADMIN,
        "These keys belong to Corecon's production, but this connection is set to the sandbox.",
        "Choose Production here with its API Account Base URL, or copy the keys from the sandbox's Developer Mode.",
        _keys_are_of("production"),
    ),
    _rule(
        "keys_swapped",
        {"integration_key", "not_registered"},
        Who.ADMIN,
        "The Account Key and the Integration Key stand in each other's place.",
        "Swap the two values here.",
        _keys_are_swapped,
    ),
    _rule(
        "address_too_long",
        _ADDRESS,
        Who.ADMIN,
        "The API Account Base URL has something at its end that does not belong there; without it, Corecon answers.",
        "Copy it again from Developer Mode; it is not the address of a page of the documentation or of the token.",
        _is_address_too_long,
    ),
    _rule(
        "address_of_another",
        _ADDRESS | {"integration_key", "not_registered"},
        Who.ADMIN,
        "At this API Account Base URL nobody knows these keys; at the usual address Corecon does.",
        "Leave the address blank, or copy it again from Developer Mode.",
        _is_usual_address_right,
    ),
    _rule(
        "sandbox_past_its_end",
        {"database", "not_registered", "integration_key", "account_inactive", "account_expired"},
        Who.VENDOR,
        "The day has passed on which this sandbox ends by what was entered here, and Corecon no longer knows it.",
        "Ask Corecon for an extension and enter the new day here, or connect production.",
        _has_sandbox_ended,
    ),
    _rule(
        "sandbox_ended",
        {"sandbox_ended"},
        Who.VENDOR,
        "The sandbox database at Corecon has ended; without an extension that is so after one month.",
        "Ask Corecon for an extension and enter the new day here, or connect production.",
    ),
    _rule(
        "sandbox_not_ready",
        {"sandbox_not_ready"},
        Who.VENDOR,
        "Corecon has not made the sandbox database yet.",
        "Corecon writes to whoever asked for it when it is ready; press Check again then.",
    ),
    _rule(
        "app_not_approved",
        {"production_not_ready"},
        Who.VENDOR,
        "Corecon has not made production ready for this app: one that is offered to other companies must be approved.",
        "Finish Corecon's review (an e-mail to their administrator, a demo), or use an app of your own account, which "
        "needs no approval.",
    ),
    _rule(
        "production_ended",
        {"production_ended"},
        Who.VENDOR,
        "The production database of this account at Corecon has expired.",
        "Ask Corecon to renew it.",
    ),
    _rule(
        "secret_replaced",
        {"secret_key"},
        Who.ADMIN,
        "The Secret Key has worked and is now refused: it was replaced or removed in Developer Mode.",
        "Copy a secret key of the app that is still listed there, and save it here.",
        _has_worked,
    ),
    _rule(
        "secret_wrong",
        {"secret_key"},
        Who.ADMIN,
        "Corecon knows this Integration Key, but the Secret Key does not belong to it.",
        "Copy the Secret Key again, whole and of the same app, and save it here.",
    ),
    _rule(
        "integration_key_wrong",
        {"integration_key", "not_registered"},
        Who.ADMIN,
        "Corecon knows no app with this Integration Key.",
        "Copy the Integration Key again from Developer Mode, of the account and the environment chosen here.",
    ),
    _rule(
        "account_key_of_another",
        {"not_together"},
        Who.ADMIN,
        "The Account Key and the Integration Key are of different accounts.",
        "Copy both from the Developer Mode of one and the same account.",
    ),
    _rule(
        "account_key_wrong",
        {"database"},
        Who.ADMIN,
        "Corecon knows the app, but finds no database for this Account Key.",
        "Copy the Account Key again from Developer Mode. If it is the same, ask Corecon.",
        _is_app_known_here,
    ),
    _rule(
        "address_wrong",
        {"address", "unknown_host", "moved"},
        Who.ADMIN,
        "Corecon does not answer at this API Account Base URL.",
        "Copy it again from Developer Mode, with https:// and without anything after it.",
    ),
    _rule(
        "grant_differs",
        {"grant"},
        Who.ADMIN,
        "The app at Corecon uses another authentication type than the one chosen here.",
        "Look at the app's Authentication type in Developer Mode and choose the same here.",
    ),
    _rule(
        "state_missing",
        {"app_values"},
        Who.ADMIN,
        "The keys are right, but no State is entered here, and the app at Corecon probably has one.",
        "Copy the State from the app, letter by letter; if it has none, compare the Redirect URI.",
        _has_no_state,
    ),
    _rule(
        "state_or_redirect",
        {"app_values"},
        Who.VENDOR_ADMIN,
        "The keys are right, so the State or the Redirect URI differs from those registered with the app at Corecon.",
        "Compare both with those on the form here, letter by letter, blanks and the last slash too.",
        _is_app_known_here,
    ),
    _rule(
        "redirect_not_registered",
        {"redirect_uri"},
        Who.VENDOR_ADMIN,
        "The Redirect URI is not registered with the app at Corecon.",
        "Add the address that the form here shows to the app's Redirect URI(s), letter by letter.",
    ),
    _rule(
        "scopes_differ",
        {"scopes"},
        Who.ADMIN,
        "The app at Corecon does not grant the scopes that are chosen here.",
        "Tick the same Scope(s) in Developer Mode and here; read is enough.",
    ),
    _rule(
        "app_disabled",
        {"app_inactive"},
        Who.VENDOR_ADMIN,
        "The app is switched off in Corecon.",
        "Activate it in Settings > Developer Mode.",
    ),
    _rule(
        "feature_not_allowed",
        {"not_permitted"},
        Who.VENDOR_ADMIN,
        "The app at Corecon is not allowed this feature, or the user who signed in may not see it.",
        "Tick it under the app's Allowed feature(s) in Developer Mode, or raise the user's role.",
    ),
    _rule(
        "unused_too_long",
        {"token_expired"},
        Who.ADMIN,
        "Nothing was read for longer than the Refresh Token LifeTime that is set in the app at Corecon.",
        "Connect again; set a lifetime of a day (1,440 minutes) or more in Developer Mode, and the same one here.",
    ),
    _rule(
        "account_inactive",
        {"account_inactive", "account_expired", "billing"},
        Who.VENDOR,
        "The account at Corecon is inactive, has expired or is not paid for.",
        "Whoever manages the contract with Corecon has to ask them to open it again.",
    ),
    _rule(
        "blocked",
        {"blocked"},
        Who.VENDOR,
        "A network filter in front of Corecon blocks us.",
        "Ask Corecon's support to allow this portal.",
    ),
)
