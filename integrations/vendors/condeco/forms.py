"""What we ask an admin for. The page beside it, setup.html, tells where each value is found at Condeco."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.validators import RegexValidator

from integrations.forms import ConnectionForm, SecretField, VendorURLField
from integrations.vendors.condeco.assumptions import API_HOSTS, PORTAL_HOSTS, READS_DESK_BOOKINGS
from integrations.vendors.condeco.bookings import DEFAULT_HISTORY_DAYS

_PLAIN = RegexValidator(r"^[\x21-\x7e]+\Z", "This holds a blank or an unusual character. Copy it once more.")


def _key_field(collection: str, help_text: str, *, required: bool) -> SecretField:
    return SecretField(
        label=f"{collection} subscription key", required=required, help_text=help_text, validators=[_PLAIN]
    )


class CondecoForm(ConnectionForm):
    """Addresses, the sign-in of the customer's own Condeco, and one key for each collection."""

    environment = forms.ChoiceField(
        choices=[("production", "Production"), ("uat", "UAT (test)"), ("developer", "Developer")],
        initial="production",
        help_text="The keys must come from the same environment.",
    )
    customer_url = VendorURLField(
        label="Your Condeco address",
        help_text="The address you use to open Condeco, for example https://yourcompany.condecosoftware.com.",
    )
    api_url = VendorURLField(
        label="API address",
        required=False,
        help_text="Leave blank for the usual address of the environment. Not the address of the integration portal.",
    )
    subscription_name = forms.CharField(
        label="Client subscription name",
        max_length=100,
        validators=[RegexValidator(r"^[A-Za-z0-9._-]+\Z", "Only letters, digits, dots, hyphens and underscores.")],
        help_text="In the integration portal under User Profile > Product > Client Subscription Name.",
    )
    client_id = forms.CharField(
        label="Client ID", max_length=200, help_text="From your Condeco representative or Condeco support."
    )
    client_password = SecretField(
        label="Client password", strip=False, help_text="From your Condeco representative or Condeco support."
    )
    external_bookings_key = _key_field(
        "ExternalBookings", "Opens room bookings. In the integration portal, in your profile.", required=True
    )
    hierarchy_mapping_key = _key_field(
        "HierarchyMapping",
        "Opens locations, rooms and desks. In the integration portal, in your profile.",
        required=True,
    )
    visitor_key = _key_field("Visitor", "Opens visitors. Leave blank to do without them.", required=False)
    cost_code_key = _key_field("CostCode", "Nothing is read with it; may stay blank.", required=False)
    vendor_services_key = _key_field("VendorServices", "Nothing is read with it; may stay blank.", required=False)
    subscription_ends_on = forms.DateField(
        label="End of the API subscription",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="If Condeco told you one. We remind you before it.",
    )
    places = forms.CharField(
        label="Countries or locations to copy",
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Names or numbers as Condeco shows them, one a line. Leave blank to copy all.",
    )
    reads_desk_bookings = forms.BooleanField(
        label="Copy desk bookings",
        required=False,
        initial=READS_DESK_BOOKINGS,
        help_text="Condeco does not document how desk bookings are listed, so they may be refused or incomplete.",
    )
    history_days = forms.IntegerField(
        label="Days of past bookings",
        min_value=1,
        max_value=365,
        initial=DEFAULT_HISTORY_DAYS,
        help_text="How far back the first copy goes.",
    )
    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("Where your Condeco is", ("environment", "customer_url", "api_url", "subscription_name")),
        ("Sign-in", ("client_id", "client_password")),
        (
            "Subscription keys",
            (
                "external_bookings_key",
                "hierarchy_mapping_key",
                "visitor_key",
                "cost_code_key",
                "vendor_services_key",
            ),
        ),
        ("Subscription", ("subscription_ends_on",)),
        ("What to copy", ("places", "history_days", "reads_desk_bookings")),
    )

    def clean_customer_url(self) -> str:
        return _origin(self.cleaned_data["customer_url"])

    def clean_api_url(self) -> str:
        return _origin(self.cleaned_data["api_url"])

    def clean_subscription_ends_on(self) -> str:
        day = self.cleaned_data["subscription_ends_on"]
        return day.isoformat() if day else ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "api_url" in cleaned and not cleaned["api_url"] and cleaned.get("environment"):
            cleaned["api_url"] = API_HOSTS[cleaned["environment"]]
        # The vendor prints the customers' portal as an API address too, so that one is left to the live test.
        host = urlsplit(cleaned.get("api_url", "")).hostname or ""
        if host in PORTAL_HOSTS[1:]:
            self.add_error("api_url", "This is the portal, where keys are found. Enter the API address.")
        return cleaned


def _origin(address: str) -> str:
    """Without a path: people paste the address of the page they are on."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if address else ""
