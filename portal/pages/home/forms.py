from typing import Any

from django import forms

from portal.pages.zones import zone_choices

CURRENCIES = {
    "USD": "US dollar",
    "EUR": "Euro",
    "GBP": "British pound",
    "AUD": "Australian dollar",
    "CAD": "Canadian dollar",
    "NZD": "New Zealand dollar",
    "AED": "UAE dirham",
    "BRL": "Brazilian real",
    "CHF": "Swiss franc",
    "CLP": "Chilean peso",
    "CNY": "Chinese yuan",
    "COP": "Colombian peso",
    "CZK": "Czech koruna",
    "DKK": "Danish krone",
    "HKD": "Hong Kong dollar",
    "HUF": "Hungarian forint",
    "IDR": "Indonesian rupiah",
    "ILS": "Israeli shekel",
    "INR": "Indian rupee",
    "ISK": "Icelandic króna",
    "JPY": "Japanese yen",
    "KES": "Kenyan shilling",
    "KRW": "South Korean won",
    "MXN": "Mexican peso",
    "MYR": "Malaysian ringgit",
    "NGN": "Nigerian naira",
    "NOK": "Norwegian krone",
    "PHP": "Philippine peso",
    "PLN": "Polish złoty",
    "RON": "Romanian leu",
    "SAR": "Saudi riyal",
    "SEK": "Swedish krona",
    "SGD": "Singapore dollar",
    "THB": "Thai baht",
    "TRY": "Turkish lira",
    "TWD": "New Taiwan dollar",
    "VND": "Vietnamese đồng",
    "ZAR": "South African rand",
}


class TenantForm(forms.Form):
    """What a tenant is called and how its times and money are read."""

    name = forms.CharField(
        max_length=100,
        label="Company name",
        help_text="Your colleagues see it at the top of every page.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=zone_choices,
        help_text="For mail and exports. Each person can choose their own for the pages.",
    )
    currency = forms.ChoiceField(
        choices=[(code, f"{code} · {name}") for code, name in CURRENCIES.items()],
        help_text="For sums over several vendors. Amounts keep the currency their vendor gave them.",
    )


class ProfileForm(forms.Form):
    """A person's name and clock."""

    name = forms.CharField(max_length=100, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    time_zone = forms.ChoiceField(
        required=False, label="Time zone", help_text="Times on every page are shown in this zone."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "The tenant's"), *zone_choices()]
