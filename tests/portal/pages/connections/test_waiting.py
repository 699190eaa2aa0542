"""An admin without all the details keeps what there is, and gets a letter that asks for the rest."""

from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.forms import URLField
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from integrations.connections.models import Connection, ConnectionState, Credential
from integrations.registry import connectors
from integrations.sandbox.kit import Sandbox
from portal.pages.connections.waiting import letter_of
from portal.tenancy.models import Event, Membership, Role
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import PLAIN, Person, connector_of, filled_in, secrets_of

pytestmark = pytest.mark.server
LATER = {"later": "on"}


def has_letter(vendor: str) -> bool:
    try:
        get_template(f"{vendor}/letter.txt")
    except TemplateDoesNotExist:
        return False
    return True


def keep(admin: Person, vendor: str, **typed: str) -> Connection:
    response = admin.post(f"connections/new/{vendor}/", {"name": "Head office", **typed, **LATER})
    assert response.status_code == 302, response.content
    return admin.only()


def member(person: Person) -> Membership:
    with tenant_scope(person.tenant.pk):
        return Membership.objects.select_related("tenant", "user").get(tenant=person.tenant, user=person.user)


@pytest.mark.parametrize("vendor", sorted(connectors()))
def test_a_name_is_enough_to_wait_for_any_vendor(admin: Person, vendor: str) -> None:
    waiting = keep(admin, vendor)

    assert (waiting.state, waiting.account) == (ConnectionState.WAITING_FOR_VENDOR, "")
    label = waiting.connector.label
    for path in ("connections/", f"connections/{waiting.pk}/"):
        page = admin.text(path)
        assert f"Waiting for {label} since" in page
        assert "Continue" in page
    assert ("A letter that asks for the rest" in admin.text(f"connections/{waiting.pk}/")) == has_letter(vendor)
    assert 'value="Head office"' in admin.text(f"connections/{waiting.pk}/edit/")
    assert admin.get("").status_code == 200


def test_what_was_typed_is_kept_unchecked_and_secrets_are_sealed(admin: Person, box: Sandbox) -> None:
    secrets = secrets_of(box)
    fields = connector_of(box).form.base_fields
    some_name = next(name for name, field in fields.items() if isinstance(field, URLField))
    waiting = keep(admin, box.key, **{some_name: "not yet"}, **secrets)

    assert waiting.settings[some_name] == "not yet"
    page = admin.text(f"connections/{waiting.pk}/edit/")
    assert not any(secret in page for secret in secrets.values())
    with tenant_scope(admin.tenant.pk):
        assert set(Credential.objects.values_list("name", flat=True)) == set(secrets)
        assert Event.objects.filter(action="connection.waiting").count() == 1


@pytest.mark.parametrize("typed", [{"name": ""}, {"name": "x" * 81}, {"name": "ok", "later": "x" * 9}])
def test_a_name_must_be_there_and_fit(admin: Person, box: Sandbox, typed: dict[str, str]) -> None:
    too_long = dict.fromkeys(secrets_of(box), "x" * 5000) if typed["name"] == "ok" else {}

    response = admin.post(f"connections/new/{box.key}/", {**LATER, **typed, **too_long})

    assert response.status_code == 422
    assert admin.connections() == []


def test_once_the_vendor_has_answered_it_is_connected_as_any_other(admin: Person, box: Sandbox) -> None:
    waiting = keep(admin, box.key)

    admin.post(f"connections/{waiting.pk}/edit/", filled_in(box))

    assert (admin.only().pk, admin.only().is_active) == (waiting.pk, True)


def test_a_draft_may_wait_and_gives_its_account_free(admin: Person, consenting: Sandbox, draft: Connection) -> None:
    admin.post(f"connections/{draft.pk}/edit/", {**filled_in(consenting), **LATER})

    assert (admin.only().is_waiting, admin.only().account) == (True, "")


def test_a_connection_that_has_worked_does_not_wait(admin: Person, box: Sandbox, connected: Connection) -> None:
    response = admin.post(f"connections/{connected.pk}/edit/", {**filled_in(box), **LATER})

    assert response.status_code == 422
    assert admin.only().is_active
    assert "have these yet" not in admin.text(f"connections/{connected.pk}/edit/")


def test_it_cannot_take_an_account_that_is_connected_already(
    admin: Person, box: Sandbox, connected: Connection
) -> None:
    admin.post(f"connections/new/{box.key}/", {"name": "Second", **LATER})
    waiting = next(one for one in admin.connections() if one.is_waiting)

    response = admin.post(f"connections/{waiting.pk}/edit/", filled_in(box, name="Second"))

    assert response.status_code == 422
    assert "is connected already as “Head office”" in response.content.decode()


def test_nobody_signs_in_at_the_vendor_with_unchecked_details(admin: Person, consenting: Sandbox) -> None:
    waiting = keep(admin, consenting.key)

    response = admin.post(f"connections/{waiting.pk}/authorize/", follow=True)

    assert "Enter the details first." in response.content.decode()


@pytest.mark.parametrize("vendor", [vendor for vendor in sorted(connectors()) if has_letter(vendor)])
def test_the_letter_opens_in_a_mail_program_as_it_stands_on_the_page(admin: Person, vendor: str) -> None:
    letter = letter_of(connectors()[vendor], {}, member(admin))

    assert letter
    query = parse_qs(urlsplit(letter.mail_address).query)
    assert (query["subject"], query["body"]) == ([letter.subject], [letter.body])
    assert letter.subject
    assert "\n" not in letter.subject
    assert admin.tenant.name in unquote(letter.mail_address)
    assert "&#x27;" not in letter.text
    assert "{" not in letter.text


def test_a_vendor_without_a_letter_gives_none(admin: Person, box: Sandbox) -> None:
    class Unwritten(type(connector_of(box))):  # type: ignore[misc]
        key = "unwritten"

    assert letter_of(Unwritten(), {}, member(admin)) is None


def test_a_letter_is_for_admins(join: Callable[..., Person], admin: Person) -> None:
    vendor = next(vendor for vendor in PLAIN if has_letter(vendor))
    waiting = keep(admin, vendor)
    viewer = join(admin.tenant, Role.VIEWER)

    assert "A letter that asks" not in viewer.text(f"connections/{waiting.pk}/")


def test_a_stranger_neither_sees_nor_continues_it(stranger: Person, admin: Person, box: Sandbox) -> None:
    waiting = keep(admin, box.key)

    assert stranger.get(f"connections/{waiting.pk}/").status_code == 404
    assert stranger.post(f"connections/{waiting.pk}/edit/", {**filled_in(box), **LATER}).status_code == 404
    assert waiting.name not in stranger.text("connections/")


def test_it_can_be_discarded(admin: Person, box: Sandbox) -> None:
    waiting = keep(admin, box.key)

    admin.post(f"connections/{waiting.pk}/erase/")

    assert admin.connections() == []
