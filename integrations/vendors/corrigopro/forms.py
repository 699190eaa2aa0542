"""What we ask an admin for. Every value is on the CorrigoPro Direct settings page of their company."""

from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms

from integrations.forms import ConnectionForm, SecretField, VendorURLField
from integrations.vendors.corrigopro import assumptions, places
from integrations.vendors.corrigopro.places import OAUTH_URL, PRODUCTION, REGIONS, REST_HOSTS, SANDBOX


class CorrigoProForm(ConnectionForm):
    environment = forms.ChoiceField(
        choices=[(PRODUCTION, "Production"), (SANDBOX, "Sandbox")],
        initial=PRODUCTION,
        help_text="The two have different client ids and secrets.",
    )
    region = forms.ChoiceField(
        choices=list(REGIONS.items()), initial="am", help_text="Where your CorrigoPro company is kept."
    )
    rest_url = VendorURLField(
        label="REST service URL",
        required=False,
        max_length=300,
        help_text="Shown as REST SERVICE URL. Left blank, the region's usual address is taken. Needed for a sandbox.",
    )
    oauth_url = VendorURLField(
        label="OAuth server URL",
        initial=OAUTH_URL,
        max_length=300,
        help_text="Shown as OAUTH SERVER URL; it ends in /OAuth/Token.",
    )
    client_id = forms.CharField(
        label="Client id", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    client_secret = SecretField(
        label="Client secret", help_text="If someone presses Regenerate at CorrigoPro, enter the new pair here."
    )
    branch_id = forms.IntegerField(
        label="Main branch id",
        required=False,
        min_value=1,
        help_text="Optional, and only before the first connect: with it we know your company again if Regenerate "
        "changes the client id. A company with one branch has one id.",
    )
    subscription_ends_on = forms.DateField(
        label="Subscription ends on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Optional. We remind you before your CorrigoPro Direct subscription runs out.",
    )
    history_days = forms.IntegerField(
        label="History in days",
        min_value=1,
        max_value=1095,
        initial=assumptions.HISTORY_DAYS,
        help_text="How far back the first reading goes, by the day a work order was created.",
    )
    papers_days = forms.IntegerField(
        label="Invoices and files, in days",
        min_value=1,
        max_value=1095,
        initial=assumptions.PAPERS_DAYS,
        help_text="How far back invoices, messages, attachments and procedures are read at first, by the day their "
        "work order last changed. Each order takes some calls.",
    )
    fieldsets: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]] = (
        ("Where your company is", ("environment", "region", "rest_url", "oauth_url")),
        ("Credentials", ("client_id", "client_secret", "branch_id", "subscription_ends_on")),
        ("What to bring", ("history_days", "papers_days")),
    )

    def clean(self) -> dict[str, Any]:
        """Fills in the region's address, and refuses one of another region or a sandbox without its own."""
        cleaned = super().clean() or {}
        region, rest_url = cleaned.get("region"), cleaned.get("rest_url", "")
        if "rest_url" in cleaned and region:
            cleaned["rest_url"] = self._rest_url(cleaned, region, rest_url)
        if cleaned.get("oauth_url"):
            cleaned["oauth_url"] = _with_path(cleaned["oauth_url"], assumptions.OAUTH_PATH)
            if places.are_swapped(cleaned.get("rest_url") or "", cleaned["oauth_url"]):
                self.add_error("oauth_url", "The two addresses stand in each other's field, or one was entered twice.")
        if cleaned.get("subscription_ends_on"):
            cleaned["subscription_ends_on"] = cleaned["subscription_ends_on"].isoformat()
        return cleaned

    def _rest_url(self, cleaned: dict[str, Any], region: str, rest_url: str) -> str:
        if not rest_url:
            if cleaned.get("environment") == SANDBOX:
                self.add_error("rest_url", "Enter the REST SERVICE URL shown on the sandbox's settings page.")
            return f"https://{REST_HOSTS[region]}{assumptions.REST_PATH}"
        home = next((key for key, host in REST_HOSTS.items() if host == urlsplit(rest_url).hostname), region)
        if home != region:
            self.add_error("rest_url", f"This is the address of {REGIONS[home]}, but {REGIONS[region]} is chosen.")
        return _with_path(rest_url, assumptions.REST_PATH)


def _with_path(address: str, path: str) -> str:
    """The address as shown at CorrigoPro, completed when only its host was copied."""
    return address if urlsplit(address).path.strip("/") else f"{address}{path}"
