"""What we ask an admin for. KORE hands all of it out by hand; there is no page to look it up."""

from typing import ClassVar

from django import forms
from django.core.validators import RegexValidator

from integrations.forms import ConnectionForm, SecretField, VendorURLField

# Both travel as HTTP headers.
IN_A_HEADER = RegexValidator(r"\A[!-~]+\Z", "Only letters, digits and signs, without spaces.")


class KoreForm(ConnectionForm):
    """Client id and secret, the API key, and the currency of bills that name none."""

    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("Sign-in", ("client_id", "client_secret", "api_key")),
        ("Data", ("currency",)),
        ("Addresses and details", ("base_url", "auth_url", "credentials_in", "api_version")),
    )

    client_id = forms.CharField(label="Client id", max_length=200, help_text="From KORE's partner access letter.")
    client_secret = SecretField(label="Client secret", help_text="From the same letter.")
    api_key = SecretField(
        label="API key",
        validators=[IN_A_HEADER],
        help_text="It decides whose data is read. Use a key that no other connection uses.",
    )
    currency = forms.CharField(
        label="Default currency",
        initial="USD",
        max_length=3,
        help_text="For bills on which KORE gives no currency: three letters, such as USD or GBP.",
    )
    base_url = VendorURLField(
        label="API address",
        initial="https://api.koresoftware.com",
        help_text="Leave as it is unless KORE gave you another one.",
    )
    auth_url = VendorURLField(
        label="Sign-in address",
        initial="https://koreauth.koresoftware.com",
        help_text="Leave as it is unless KORE gave you another one.",
    )
    credentials_in = forms.ChoiceField(
        label="How to sign in",
        choices=[("body", "Client id and secret in the request"), ("basic", "Client id and secret as Basic header")],
        initial="body",
        help_text="KORE takes both. Change it only when KORE asks you to.",
    )
    api_version = forms.CharField(
        label="API version",
        required=False,
        max_length=20,
        validators=[IN_A_HEADER],
        help_text="Leave empty for KORE's current version.",
    )

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError("Enter the three letters of the currency, such as USD.")
        return currency
