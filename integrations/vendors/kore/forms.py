"""What we ask an admin for. KORE hands all of it out by hand; there is no page to look it up."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.validators import RegexValidator

from integrations.forms import ConnectionForm, SecretField, VendorURLField
from integrations.vendors.kore import assumptions, fieldmap

# Both travel as HTTP headers.
IN_A_HEADER = RegexValidator(r"\A[!-~]+\Z", "Only letters, digits and signs, without spaces.")


class HostField(VendorURLField):
    """An address as KORE's letter may give it: what follows the host there is ours to add."""

    def clean(self, value: Any) -> Any:
        address = super().clean(value)
        for tail in ("/entities", "/connect/token"):
            head, found, _ = address.partition(tail) if address else ("", "", "")
            if found and urlsplit(head).hostname:
                return head
        return address


class KoreForm(ConnectionForm):
    """Client id and secret, the API key, the currency of bills that name none, and this customer's names of fields."""

    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("Sign-in", ("client_id", "client_secret", "api_key")),
        ("Data", ("currency", "key_ends_on")),
        ("Addresses and details", ("base_url", "auth_url", "credentials_in", "api_version", "field_map")),
    )

    client_id = forms.CharField(label="Client id", max_length=200, help_text="From KORE's partner access letter.")
    client_secret = SecretField(label="Client secret", help_text="It came together with the client id.")
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
    key_ends_on = forms.DateField(
        label="API key valid until",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="If KORE or the customer who granted the key named a last day. We remind you ahead of it.",
    )
    base_url = HostField(
        label="API address",
        initial=assumptions.API_ADDRESS,
        help_text="Leave as it is unless KORE gave you another one.",
    )
    auth_url = HostField(
        label="Sign-in address",
        initial=assumptions.SIGN_IN_ADDRESS,
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
    field_map = forms.CharField(
        label="Names of fields",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="Only if the check says that KORE does not provide a field it does have under another name. One a "
        "line, such as: billings.amount = net_total",
    )

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise forms.ValidationError("Enter the three letters of the currency, such as USD.")
        return currency

    def clean_field_map(self) -> str:
        text = str(self.cleaned_data["field_map"]).strip()
        try:
            fieldmap.parse(text)
        except fieldmap.BadLine as mistake:
            raise forms.ValidationError(str(mistake)) from mistake
        return "\n".join(line.strip() for line in text.splitlines())

    def vendor_settings(self) -> dict[str, Any]:
        settings = super().vendor_settings()
        return {**settings, "key_ends_on": settings["key_ends_on"] or ""}
