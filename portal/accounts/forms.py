from django import forms
from django.http import HttpRequest

from portal.accounts.models import User


class SignupForm(forms.Form):
    """What sign-up asks beside e-mail and password."""

    name = forms.CharField(max_length=100, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))

    field_order = ("name", "email", "password1")

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
