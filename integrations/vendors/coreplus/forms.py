"""What we ask an admin for. The page beside it, setup.html, tells where each value is found in coreplus."""

import re
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.core.validators import RegexValidator

from integrations.forms import ConnectionForm, SecretField, VendorURLField
from integrations.vendors.coreplus.assumptions import SANDBOX_HOST, SANDBOX_URL
from integrations.vendors.coreplus.zones import BadLine, parse_zones

_PLAIN = RegexValidator(r"\A[!-~]+\Z", "This holds a blank or an unusual character. Copy it once more.")
_API_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/v\d+", re.IGNORECASE)
MAX_ID = 50  # documented for Consumer Id and Access Token


class CoreplusForm(ConnectionForm):
    """The four values of an environment, when access was given, and how much of people to show."""

    environment = forms.ChoiceField(
        choices=[("production", "Production"), ("sandbox", "Sandbox (trial account)")],
        initial="production",
        help_text="All four values below must come from this one.",
    )
    api_url = VendorURLField(
        label="API URL",
        required=False,
        help_text="From coreplus, with the other values; it ends in /API/Core/v2. For the sandbox it may stay blank.",
    )
    consumer_id = forms.CharField(
        label="Consumer Id", max_length=MAX_ID, validators=[_PLAIN], help_text="Names the application."
    )
    secret = SecretField(label="Secret", help_text="The Consumer Secret, exactly as shown; do not decode it.")
    access_token = SecretField(
        label="Access Token", max_length=MAX_ID, validators=[_PLAIN], help_text="Your practice's own, of the add-on."
    )
    practice = forms.CharField(
        max_length=80,
        required=False,
        help_text="Only if you connect several practices with one Consumer Id: a name that tells them apart.",
    )
    granted_date = forms.DateField(
        label="Access given on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The day on which the add-on was first enabled. We warn you before its access ends.",
    )
    term_months = forms.TypedChoiceField(
        label="For",
        choices=[(12, "12 months"), (24, "24 months")],
        coerce=int,
        initial=12,
        help_text="Shown on the add-on's tile under Setup > Add-Ons.",
    )
    show_client_names = forms.BooleanField(
        label="Show client names",
        required=False,
        help_text=(
            "Off: neither clients nor the free text of appointments are copied. On: everyone who may read bookings "
            "here can see who your clients are."
        ),
    )
    zones = forms.CharField(
        label="Time zones of locations",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=(
            "Only when the test says that it does not know one: a line each, such as “Perth rooms = Australia/Perth”."
        ),
    )
    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("From coreplus", ("environment", "api_url", "consumer_id", "secret", "access_token", "practice")),
        ("How long access lasts", ("granted_date", "term_months")),
        ("What to copy", ("show_client_names", "zones")),
    )

    def clean_granted_date(self) -> str:
        granted: date | None = self.cleaned_data["granted_date"]
        return granted.isoformat() if granted else ""

    def clean_zones(self) -> str:
        text = str(self.cleaned_data["zones"])
        try:
            parse_zones(text)
        except BadLine as mistake:
            raise forms.ValidationError(str(mistake)) from mistake
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "api_url" in cleaned and "environment" in cleaned:
            cleaned["api_url"] = cleaned["api_url"] or (SANDBOX_URL if cleaned["environment"] == "sandbox" else "")
            if problem := _problem(cleaned["api_url"], cleaned["environment"]):
                self.add_error("api_url", problem)
        return cleaned


def _problem(api_url: str, environment: str) -> str:
    parts = urlsplit(api_url)
    if not api_url:
        return "Enter the URL that coreplus gave you with the production values; it is not published."
    if not _API_PATH.fullmatch(parts.path):
        return "The API URL ends in its version, such as https://…/API/Core/v2."
    if environment == "production" and parts.hostname == SANDBOX_HOST:
        return "This is the sandbox's URL. Choose the sandbox above, or enter the URL of production."
    if (
        environment == "sandbox"
        and (parts.hostname or "").endswith(".coreplus.com.au")
        and (parts.hostname != SANDBOX_HOST)
    ):
        return f"This is not the sandbox's URL, which is {SANDBOX_URL}."
    return ""
