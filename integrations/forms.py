"""The base of every vendor's setup form: what is not secret becomes settings, what is secret goes to the vault."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError


class VendorURLField(forms.URLField):
    """An https address without user name, query or fragment. http is taken only for the sandbox's own addresses."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("assume_scheme", "https")
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        address = super().clean(value)
        if not address:
            return address
        parts = urlsplit(address)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValidationError("Enter the plain address, without user name, query or fragment.")
        if parts.scheme != "https" and (parts.hostname, parts.port) not in settings.SANDBOX_ADDRESSES:
            raise ValidationError("The address must start with https://.")
        return address.rstrip("/")


class SecretField(forms.CharField):
    """Write-only: it is never filled in again; left blank, the stored value is kept."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
        options.setdefault("max_length", 4000)
        super().__init__(**options)


class ConnectionForm(forms.Form):
    """A vendor adds its fields. `kept_secrets` names the secrets already in the vault: those may stay blank."""

    name = forms.CharField(max_length=80, help_text="How your colleagues will recognise it.")
    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = ()  # (heading, field names); the rest comes first

    def __init__(self, *args: Any, kept_secrets: frozenset[str] = frozenset(), **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept_secrets = kept_secrets
        for name, field in self.fields.items():
            if isinstance(field, SecretField) and name in kept_secrets:
                field.required = False
                field.help_text = f"{field.help_text} Stored. Leave blank to keep it.".strip()

    def vendor_settings(self) -> dict[str, Any]:
        """What is not secret, as JSON values; a date as ISO text."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in self.cleaned_data.items()
            if name != "name" and not isinstance(self.fields[name], SecretField)
        }

    def entered_secrets(self) -> dict[str, str]:
        """Only what was typed: a blank is no change."""
        return {
            name: self.cleaned_data[name]
            for name, field in self.fields.items()
            if isinstance(field, SecretField) and self.cleaned_data.get(name)
        }

    def has_secret(self, name: str, cleaned: Mapping[str, Any]) -> bool:
        """Whether the secret is there, typed now or kept: for rules in a vendor's `clean`."""
        return bool(cleaned.get(name)) or name in self.kept_secrets
