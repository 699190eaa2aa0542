"""Where CorrigoPro is: its regions, its sign-in servers, and where else a company could be."""

import ipaddress
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

from integrations.vendors.corrigopro import assumptions

REGIONS: Final = {"am": "Americas", "apac": "Asia-Pacific", "emea": "Europe, Middle East and Africa"}
REST_HOSTS: Final = {region: f"{region}-api.corrigopro.com" for region in REGIONS}
OAUTH_URL: Final = f"https://oauth-pro-v2.corrigo.com{assumptions.OAUTH_PATH}"  # seen in use by a live client
PRODUCTION, SANDBOX = "production", "sandbox"
_LOCAL = "/production"  # our own emulator on this machine plays production's sign-in server under this path


def in_region(rest_url: str, region: str) -> str:
    """The same address in another region; "" where the address does not tell its region."""
    parts = urlsplit(rest_url)
    if parts.hostname in REST_HOSTS.values():
        return urlunsplit(parts._replace(netloc=REST_HOSTS[region]))
    first, _, rest = parts.path.strip("/").partition("/")
    if _is_local(parts) and first in REGIONS:
        return urlunsplit(parts._replace(path=f"/{region}/{rest}"))
    return ""


def region_of(rest_url: str) -> str:
    """The region an address names, or ""."""
    return next((region for region in REGIONS if in_region(rest_url, region) == rest_url), "")


def other_sign_in(settings: Mapping[str, Any]) -> str:
    """The sign-in server of the other environment, or "": a sandbox's own addresses are documented nowhere, only
    production's is known."""
    parts = urlsplit(str(settings["oauth_url"]))
    if _is_local(parts):
        other = parts.path.removeprefix(_LOCAL)
        return urlunsplit(parts._replace(path=other if other != parts.path else _LOCAL + parts.path))
    return "" if parts.hostname == urlsplit(OAUTH_URL).hostname else OAUTH_URL


def are_swapped(rest_url: str, oauth_url: str) -> bool:
    """Whether one address stands in the other's field."""
    return _is_sign_in(rest_url) or _is_rest(oauth_url)


def _is_sign_in(address: str) -> bool:
    parts = urlsplit(address)
    return parts.path.rstrip("/").lower().endswith(assumptions.OAUTH_PATH.lower()) or (
        parts.hostname == urlsplit(OAUTH_URL).hostname
    )


def _is_rest(address: str) -> bool:
    parts = urlsplit(address)
    return assumptions.REST_PATH.lower() in parts.path.lower() or parts.hostname in REST_HOSTS.values()


def _is_local(parts: SplitResult) -> bool:
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
