from typing import Any

from allauth.account import forms as allauth_forms


class LoginForm(allauth_forms.LoginForm):  # type: ignore[misc]
    """Filled in with the address an invitation was sent to."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.request is not None:
            self.fields["login"].initial = self.request.GET.get("email", "")
