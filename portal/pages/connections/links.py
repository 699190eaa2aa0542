"""An admin asks somebody else for secrets: the form, the link (shown this once), taking it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.connections import links
from integrations.connections.models import Connection, SecretLink
from integrations.connections.services import access_connection
from integrations.contract import Connector
from portal.pages.links import tenant_url
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

_SHOWN = 8


class AskForm(forms.Form):
    """Whom to ask, and for which of the vendor's secrets."""

    whom = forms.CharField(
        label="Who shall enter it",
        max_length=80,
        help_text="A name you will recognise. Send the link yourself; nobody is mailed.",
    )
    names = forms.MultipleChoiceField(label="What to ask for", widget=forms.CheckboxSelectMultiple)

    def __init__(self, connector: Connector, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, label_suffix="")
        self.fields["names"].choices = list(labels_of(connector).items())  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLine:
    """A link in the list of its connection. `is_untried`: what was entered is kept, and waits to be tried."""

    link: SecretLink
    asked: str
    is_untried: bool


def labels_of(connector: Connector) -> dict[str, str]:
    """The vendor's secrets by name, as its form calls them."""
    found = links.secret_fields(connector).items()
    return {name: str(field.label or name.replace("_", " ").capitalize()) for name, field in found}


def lines_of(connection: Connection) -> list[LinkLine]:
    """The latest links: not those that were taken back before anything came of them."""
    labels, pending = labels_of(connection.connector), links.untried(connection)
    return [
        LinkLine(
            link=link,
            asked=", ".join(labels.get(name, name) for name in link.names),
            is_untried=link.entered_at is not None and bool(pending.intersection(link.names)),
        )
        for link in links.links_of(connection).filter(revoked_at=None)[:_SHOWN]
    ]


@require_POST
@require_role(Role.ADMIN)
def ask(request: TenantRequest, connection_id: UUID) -> HttpResponse:
    """A new link. Its address stands on this page and nowhere else."""
    connection = access_connection(connection_id)
    form = AskForm(connection.connector, request.POST)
    try:
        if not form.is_valid():
            raise ValidationError("Say who it is for, and choose what that person shall enter.")
        whom = form.cleaned_data["whom"]
        secret = links.ask(connection, whom=whom, names=form.cleaned_data["names"], by=request.membership.user)
    except ValidationError as refusal:
        messages.error(request, refusal.message)
        return _back(request, connection)
    facts = {"connection": connection, "whom": whom, "address": f"{settings.SITE_URL}{reverse('give', args=[secret])}"}
    response = render(request, "connections/link.html", facts)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@require_POST
@require_role(Role.ADMIN)
def take_back(request: TenantRequest, connection_id: UUID, link_id: int) -> HttpResponse:
    connection = access_connection(connection_id, for_change=True)
    link = get_object_or_404(SecretLink, tenant_id=connection.tenant_id, connection=connection, pk=link_id)
    links.take_back(link, by=request.membership.user)
    messages.success(request, f"The link for {link.whom} is taken back.")
    return _back(request, connection)


def _back(request: TenantRequest, connection: Connection) -> HttpResponseRedirect:
    return HttpResponseRedirect(tenant_url(request, "connection", connection.pk))
