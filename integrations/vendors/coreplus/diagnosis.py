"""coreplus's usual mistakes, in the order in which to look for them. Mixed-up environments are by far the first."""

import base64
from dataclasses import replace

from integrations.contract import Access, Diagnosis, Rule, Who
from integrations.errors import IntegrationError
from integrations.vendors.coreplus import assumptions
from integrations.vendors.coreplus.client import Keys, is_clock_off, opens

REFUSED = frozenset({"environment", "term_over", "key_refused"})


def _opens_other_environment(access: Access, error: IntegrationError) -> bool:
    """The same keys at the other environment, where its address is known."""
    keys = Keys.of(access)
    other = assumptions.url_of_other_environment(keys.api_url)
    return bool(other) and opens(access.http, replace(keys, api_url=other))


def _sandbox_keys(access: Access, error: IntegrationError) -> bool:
    return not assumptions.is_sandbox_url(Keys.of(access).api_url) and _opens_other_environment(access, error)


def _production_keys(access: Access, error: IntegrationError) -> bool:
    return assumptions.is_sandbox_url(Keys.of(access).api_url) and _opens_other_environment(access, error)


def _secret_was_decoded(access: Access, error: IntegrationError) -> bool:
    """A secret may look like base64 and is not to be decoded (vendor's developer centre)."""
    keys = Keys.of(access)
    return opens(access.http, replace(keys, secret=base64.b64encode(keys.secret.encode()).decode()))


def _is_sandbox(access: Access, error: IntegrationError) -> bool:
    return access.settings.get("environment") == "sandbox"


RULES = (
    Rule(
        diagnosis=Diagnosis(
            key="sandbox_keys",
            cause="These are keys of coreplus's sandbox, but the API URL is that of production.",
            cure="Choose the sandbox and its URL, or enter the keys that coreplus gave you for production.",
            who=Who.ADMIN,
        ),
        codes=REFUSED,
        fits=_sandbox_keys,
    ),
    Rule(
        diagnosis=Diagnosis(
            key="production_keys",
            cause="These are keys of production, but the API URL is that of coreplus's sandbox.",
            cure="Choose production and enter the URL that came with the keys.",
            who=Who.ADMIN,
        ),
        codes=REFUSED,
        fits=_production_keys,
    ),
    Rule(
        diagnosis=Diagnosis(
            key="secret_decoded",
            cause="The secret was decoded from base64 before it was entered.",
            cure="Enter it exactly as coreplus shows it, even if it looks like base64.",
            who=Who.ADMIN,
        ),
        codes=REFUSED,
        fits=_secret_was_decoded,
    ),
    Rule(
        diagnosis=Diagnosis(
            key="term_over",
            cause="The add-on's access was given for a term, and that term is over.",
            cure="In coreplus, open Setup > Add-Ons > the add-on > Extend and accept the terms; then test again.",
            who=Who.VENDOR_ADMIN,
        ),
        codes=frozenset({"term_over"}),
    ),
    Rule(
        diagnosis=Diagnosis(
            key="clock",
            cause=(
                "Our clock and coreplus's differ by more than 20 seconds. We signed by coreplus's clock, and the key "
                "was refused all the same."
            ),
            cure="Our support has to set the clock right. Meanwhile check that all four values were copied whole.",
            who=Who.OPERATOR,
        ),
        codes=REFUSED,
        fits=lambda access, error: is_clock_off(access.http),
    ),
    Rule(
        diagnosis=Diagnosis(
            key="key_refused",
            cause="coreplus no longer accepts our key: the add-on was disabled, or its secret replaced.",
            cure="Under Settings > Add ons, enable the add-on; if its values changed, enter the new ones.",
            who=Who.VENDOR_ADMIN,
        ),
        codes=frozenset({"key_refused"}),
    ),
    Rule(
        diagnosis=Diagnosis(
            key="wrong_values_sandbox",
            cause="coreplus's sandbox refused our key.",
            cure=(
                "Copy URL, Consumer Id, Secret and Access Token once more, all four from the sandbox account, and make "
                "sure that its add-on is enabled."
            ),
            who=Who.ADMIN,
        ),
        codes=frozenset({"environment"}),
        fits=_is_sandbox,
    ),
    Rule(
        diagnosis=Diagnosis(
            key="wrong_values",
            cause="coreplus refused our key.",
            cure=(
                "Copy URL, Consumer Id, Secret and Access Token once more, all four from the production letter, and "
                "make sure that the add-on is enabled."
            ),
            who=Who.ADMIN,
        ),
        codes=frozenset({"environment"}),
    ),
    Rule(
        diagnosis=Diagnosis(
            key="permission",
            cause="coreplus does not let us read this list. A permission also waits until the add-on is enabled again.",
            cure=(
                "Under Developer > Applications tick the permission. Then, even if it is ticked already, disable and "
                "enable the add-on under Settings > Add ons; coreplus asks to accept the terms again."
            ),
            who=Who.VENDOR_ADMIN,
        ),
        codes=frozenset({"permission"}),
    ),
    Rule(
        diagnosis=Diagnosis(
            key="feature_off",
            cause="This coreplus feature is not switched on for your account.",
            cure="Ask support@coreplus.com.au to enable it.",
            who=Who.VENDOR,
        ),
        codes=frozenset({"feature_off"}),
    ),
    Rule(
        diagnosis=Diagnosis(
            key="wrong_address",
            cause="coreplus's API is not at the API URL.",
            cure="Compare it with the one in coreplus's letter. It should look like https://…/API/Core/v2.",
            who=Who.ADMIN,
        ),
        codes=frozenset({"address", "unreachable_address"}),
    ),
)
