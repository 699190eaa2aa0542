from typing import Any

from allauth.mfa.webauthn import forms as allauth_forms


class AddPasskeyForm(allauth_forms.AddWebAuthnForm):  # type: ignore[misc]
    """What is added is meant to sign in by itself; a mere second step is the exception."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["passwordless"].initial = True
