"""What an admin is asked for: the values that Corecon's Developer Mode shows, and how the app there signs in."""

import re
from enum import StrEnum
from typing import Any, ClassVar

from django import forms
from django.utils.timezone import localdate

from integrations.forms import ConnectionForm, SecretField, VendorURLField
from integrations.vendors.corecon.assumptions import REFRESH_MINUTES, SANDBOX_LIFETIME, USUAL_URLS
from integrations.zones import ZONES

GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)


class Grant(StrEnum):
    AUTHORIZATION_CODE = "authorization_code"
    PASSWORD = "password"  # noqa: S105  the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"


class KeyField(forms.CharField):
    """A key as Developer Mode shows it: a GUID, with or without braces."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = GUID.fullmatch(text)
        if text and not found:
            raise forms.ValidationError(
                "This is not a key: it has 36 characters, like 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed."
            )
        return found.group(1) if found else text


class CoreconForm(ConnectionForm):
    environment = forms.ChoiceField(
        choices=[("production", "Production"), ("sandbox", "Sandbox")],
        initial="production",
        help_text="A sandbox database of Corecon's ends after a month unless Corecon extends it.",
    )
    sandbox_ends_on = forms.DateField(
        label="The sandbox ends on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Only for a sandbox; we warn you before. Left blank, a month from today.",
    )
    base_url = VendorURLField(
        label="API Account Base URL",
        required=False,
        help_text="As Developer Mode shows it. Left blank, the usual address of the environment is taken.",
    )
    account_key = KeyField(label="Account Key", help_text="Shown in Developer Mode.")
    integration_key = KeyField(label="Integration Key", help_text="Shown in Developer Mode, of the app made for us.")
    secret_key = SecretField(label="Secret Key", help_text="One of the secret keys of that app.")
    grant = forms.ChoiceField(
        label="Authentication type",
        choices=[
            (Grant.AUTHORIZATION_CODE.value, "Authorization code: you sign in at Corecon (recommended)"),
            (Grant.PASSWORD.value, "Resource owner password: we keep a user name and password"),
            (Grant.CLIENT_CREDENTIALS.value, "Client credentials: the app signs in by itself"),
        ],
        initial=Grant.AUTHORIZATION_CODE.value,
        help_text="The same as in the app at Corecon.",
    )
    scopes = forms.ChoiceField(
        choices=[(scope, scope) for scope in ("read", "add,read", "read,edit", "add,read,edit")],
        initial="read",
        help_text="The same as in the app at Corecon. We only read.",
    )
    registered_state = forms.CharField(
        label="State",
        required=False,
        max_length=500,
        strip=False,
        help_text="Exactly as registered with the app, blanks too. Leave blank when none is registered.",
    )
    refresh_minutes = forms.IntegerField(
        label="Refresh Token LifeTime (mins)",
        required=False,
        min_value=10,
        max_value=5_256_000,
        help_text=f"As set in the app. Left blank, we take it for {REFRESH_MINUTES:,} minutes (a day).",
    )
    username = forms.CharField(
        label="Corecon user name",
        required=False,
        max_length=200,
        help_text="Only for the authentication type with a password.",
    )
    password = SecretField(
        label="Corecon password", required=False, help_text="Only for the authentication type with a password."
    )
    time_zone = forms.ChoiceField(
        label="Time zone of the account",
        choices=[(name, name.replace("_", " ")) for name in sorted(ZONES)],
        initial="America/New_York",
        help_text="Dates are asked for in this zone.",
    )

    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("The account", ("environment", "sandbox_ends_on", "base_url", "account_key", "time_zone")),
        ("The app", ("integration_key", "secret_key", "grant", "scopes", "registered_state", "refresh_minutes")),
        ("The user", ("username", "password")),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("grant") == Grant.PASSWORD:
            if not cleaned.get("username"):
                self.add_error("username", "This authentication type needs a user name.")
            if not self.has_secret("password", cleaned) and "password" not in self.errors:
                self.add_error("password", "This authentication type needs a password.")
        if "base_url" in cleaned:
            cleaned["base_url"] = self._base_url(cleaned)
        if "sandbox_ends_on" in cleaned:
            cleaned["sandbox_ends_on"] = self._sandbox_end(cleaned)
        return cleaned

    def _sandbox_end(self, cleaned: dict[str, Any]) -> str:
        """As ISO text; "" for production, where nothing ends."""
        if cleaned.get("environment") != "sandbox":
            return ""
        return str((cleaned["sandbox_ends_on"] or localdate() + SANDBOX_LIFETIME).isoformat())

    def _base_url(self, cleaned: dict[str, Any]) -> str:
        address = str(cleaned["base_url"])
        if not address:
            return USUAL_URLS.get(cleaned.get("environment", ""), "")
        return address[: -len("/api")] if address.lower().endswith("/api") else address
