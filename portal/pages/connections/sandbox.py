"""The demo's shortcut: the values of an emulator's account, taken on the server: no secret of it meets a page."""

from collections.abc import Collection
from functools import cache
from typing import Any

from django.conf import settings

from integrations.contract import Connector
from integrations.sandbox.__main__ import emulator
from integrations.sandbox.kit import Sandbox


def is_offered(vendor: str) -> bool:
    """Whether this vendor's emulator is running."""
    return vendor in settings.SANDBOX_URLS


@cache
def _box(vendor: str) -> Sandbox:
    return emulator(vendor)


def account_values(connector: Connector, *, taken: Collection[str], only: str = "") -> dict[str, Any] | None:
    """What the setup form would be filled with for the first account that is not in `taken` (with `only`: for that
    account); None when there is no such account."""
    box = _box(connector.key)
    box.url = settings.SANDBOX_URLS[connector.key]
    for number in range(len(box.account_names)):
        vendor_settings, secrets = box.demo_setup(number)
        account = connector.identity(vendor_settings)
        if account == only if only else account not in taken:
            return {**vendor_settings, **secrets}
    return None
