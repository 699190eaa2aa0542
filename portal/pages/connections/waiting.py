"""An admin who does not have the vendor's details yet: what is there is kept, and a letter asks for the rest."""

import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django import forms
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template

from integrations.connections.authorization import redirect_uri
from integrations.connections.models import Connection
from integrations.connections.services import access_connection, save_waiting
from integrations.contract import Connector, RedirectConnector
from integrations.forms import SecretField
from portal.tenancy.models import Membership
from portal.tenancy.scope import tenant_scope

_LONGEST = 2000  # characters of one setting


class UnfinishedForm(forms.Form):
    """The vendor's form, of which only the name must be there. Nothing is looked at but lengths."""

    def __init__(self, connector: Connector, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fieldsets = connector.form.fieldsets
        self.fields = {name: _tolerant(name, field) for name, field in connector.form.base_fields.items()}

    def typed_settings(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "name" and not isinstance(self.fields[name], SecretField) and value not in ("", None, [])
        }

    def typed_secrets(self) -> dict[str, str]:
        return {
            name: self.cleaned_data[name]
            for name, field in self.fields.items()
            if isinstance(field, SecretField) and self.cleaned_data.get(name)
        }


def _tolerant(name: str, field: forms.Field) -> forms.Field:
    if name == "name":
        return copy.deepcopy(field)
    if isinstance(field, (SecretField, forms.ChoiceField, forms.BooleanField)):
        same = copy.deepcopy(field)
        same.required, same.validators = False, same.default_validators + _length_validators(same)
        return same
    longest = min(getattr(field, "max_length", None) or _LONGEST, _LONGEST)
    widget = copy.deepcopy(field.widget)
    return forms.CharField(
        required=False, label=field.label, help_text=field.help_text, widget=widget, max_length=longest
    )


def _length_validators(field: forms.Field) -> list[Any]:
    return [one for one in field.validators if isinstance(one, MaxLengthValidator)]


def keep(by: Membership, connector: Connector, connection: Connection | None, form: UnfinishedForm) -> Connection:
    """Keep what was typed until the vendor answers. Raises ValidationError for a connection that has worked."""
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk, for_change=True) if connection else None
        return save_waiting(
            current,
            vendor=connector.key,
            name=form.cleaned_data["name"],
            settings=form.typed_settings(),
            secrets=form.typed_secrets(),
            by=by.user,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A ready-made letter to the vendor, as plain text."""

    subject: str
    body: str

    @property
    def text(self) -> str:
        return f"{self.subject}\n\n{self.body}"

    @property
    def mail_address(self) -> str:
        """Opens the reader's own mail program with the letter in it; to whom is for them to say."""
        return "mailto:?" + urlencode({"subject": self.subject, "body": self.body}, quote_via=quote)


def letter_of(connector: Connector, typed: dict[str, Any], by: Membership) -> Letter | None:
    """The vendor's letter with what is known filled in; None where the vendor's folder has none."""
    try:
        template = get_template(f"{connector.key}/letter.txt")
    except TemplateDoesNotExist:
        return None
    facts = {
        "tenant": by.tenant.name,
        "person": str(by.user),
        "settings": typed,
        "redirect_uri": redirect_uri(connector.key) if isinstance(connector, RedirectConnector) else "",
        "site_url": settings.SITE_URL,
    }
    text = template.template.render(Context(facts, autoescape=False))  # type: ignore[attr-defined]
    subject, _, body = text.strip().partition("\n")
    return Letter(subject=" ".join(subject.split()), body=body.strip())
