"""Where sign-in ends and the site begins."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return reverse("home")
