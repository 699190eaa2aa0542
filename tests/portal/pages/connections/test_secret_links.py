"""A colleague without an account enters a secret through a one-time link; nobody else learns or changes anything."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from integrations.connections.access import open_connection
from integrations.connections.models import Connection, Credential, SecretLink
from integrations.sandbox.kit import Sandbox
from portal.logs import redact
from portal.tenancy.models import Event, Role
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import Person, connector_of, filled_in, secrets_of, wrong

pytestmark = pytest.mark.server


def ask(person: Person, connection: Connection, *names: str, whom: str = "Priya") -> str:
    """Make a link; its path."""
    response = person.post(f"connections/{connection.pk}/links/", {"whom": whom, "names": list(names)})
    found = re.search(r"http://localhost:8000(/give/[\w-]+/)", response.content.decode())
    assert found, response.content.decode()
    return found[1]


def page(client: Client, path: str, data: dict[str, Any] | None = None) -> HttpResponse:
    return client.post(path, data) if data is not None else client.get(path)  # type: ignore[return-value]


def sealed_names(person: Person) -> set[str]:
    with tenant_scope(person.tenant.pk):
        return set(Credential.objects.values_list("name", flat=True))


def link_of(person: Person) -> SecretLink:
    with tenant_scope(person.tenant.pk):
        return SecretLink.objects.latest("created_at")


@pytest.fixture(autouse=True)
def _fresh_limit(transactional_db: None) -> None:
    """One test's tries are not the next one's."""
    cache.clear()


@pytest.fixture
def names(box: Sandbox) -> list[str]:
    return sorted(secrets_of(box))


@pytest.fixture
def begun(admin: Person, box: Sandbox) -> Connection:
    """Kept until the vendor answers, without a secret."""
    admin.post(f"connections/new/{box.key}/", {"name": "Head office", "later": "on"})
    return admin.only()


def test_what_a_colleague_enters_is_sealed_and_the_connection_can_be_finished_with_it(
    admin: Person, box: Sandbox, begun: Connection, names: list[str]
) -> None:
    path = ask(admin, begun, *names)
    asked = page(Client(), path)
    assert asked.status_code == 200
    assert "Where to find it" in asked.content.decode()

    thanks = page(Client(), path, secrets_of(box))

    assert "Thank you" in thanks.content.decode()
    listed = re.sub(r"<[^>]+>", "", admin.text(f"connections/{begun.pk}/"))
    assert "Priya’s link: entered Today" in listed
    assert "Test it" in listed
    admin.post(f"connections/{begun.pk}/edit/", filled_in(box, **dict.fromkeys(names, "")))
    assert admin.only().is_active
    assert sealed_names(admin) == set(names)
    assert "not tried yet" not in admin.text(f"connections/{begun.pk}/")


def test_the_page_tells_who_asks_for_what_and_nothing_else(
    admin: Person, begun: Connection, box: Sandbox, names: list[str]
) -> None:
    text = page(Client(), ask(admin, begun, names[0])).content.decode()

    connector = connector_of(box)
    field = connector.form.base_fields[names[0]]
    for shown in (str(admin.user), admin.tenant.name, connector.label, str(field.label or "")):
        assert shown in text
    for hidden in (begun.name, str(begun.pk), admin.tenant.slug, admin.user.email, "Priya"):
        assert hidden not in text


def test_only_what_was_asked_for_is_taken(admin: Person, box: Sandbox, connected: Connection, names: list[str]) -> None:
    path = ask(admin, connected, names[0])

    page(Client(), path, {**dict.fromkeys(names, "new"), "name": "Changed", "base_url": "https://elsewhere.example"})

    assert sealed_names(admin) == {*names, f"given.{names[0]}"}
    assert (admin.only().name, admin.only().settings) == (connected.name, connected.settings)


def test_a_working_connection_goes_on_with_what_it_has_until_the_new_value_is_proved(
    admin: Person, box: Sandbox, connected: Connection, names: list[str]
) -> None:
    page(Client(), ask(admin, connected, *names), wrong(box))
    blank = dict.fromkeys(names, "")

    response = admin.post(f"connections/{connected.pk}/edit/", filled_in(box, **blank))

    assert response.status_code == 422
    assert "Nothing was changed" in response.content.decode()
    with open_connection(admin.tenant.pk, connected.pk) as access:
        assert {name: access.secret(name) for name in names} == secrets_of(box)

    admin.post(f"connections/{connected.pk}/links/{link_of(admin).pk}/take-back/")
    assert sealed_names(admin) == set(names)


def test_what_the_admin_types_comes_before_what_was_given(
    admin: Person, box: Sandbox, connected: Connection, names: list[str]
) -> None:
    page(Client(), ask(admin, connected, *names), wrong(box))

    admin.post(f"connections/{connected.pk}/edit/", filled_in(box))

    with open_connection(admin.tenant.pk, connected.pk) as access:
        assert {name: access.secret(name) for name in names} == secrets_of(box)
    assert sealed_names(admin) == set(names)


def closed(response: HttpResponse) -> bytes:
    assert response.status_code == 404
    return response.content


def test_a_wrong_a_used_a_revoked_and_an_old_link_give_one_and_the_same_page(
    admin: Person, box: Sandbox, begun: Connection, names: list[str]
) -> None:
    used, revoked, old = (ask(admin, begun, names[0], whom=whom) for whom in ("A", "B", "C"))
    page(Client(), used, secrets_of(box))
    with tenant_scope(admin.tenant.pk):
        back = SecretLink.objects.get(whom="B")
    admin.post(f"connections/{begun.pk}/links/{back.pk}/take-back/")
    answers = {closed(page(Client(), path)) for path in (used, revoked, "/give/no-such-link/")}
    answers |= {closed(page(Client(), path, secrets_of(box))) for path in (used, revoked, "/give/no-such-link/")}
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        answers |= {closed(page(Client(), old)), closed(page(Client(), old, secrets_of(box)))}

    assert len(answers) == 1


def test_a_mistake_in_the_form_does_not_use_the_link_up_nor_come_back(
    admin: Person, box: Sandbox, begun: Connection, names: list[str]
) -> None:
    path = ask(admin, begun, names[0])

    refused = page(Client(), path, {names[0]: "typed-" + "x" * 5000})

    assert refused.status_code == 422
    assert "typed-" not in refused.content.decode()
    assert page(Client(), path, secrets_of(box)).status_code == 200


def test_nothing_entered_is_asked_for_again(admin: Person, begun: Connection, names: list[str]) -> None:
    """The last of the names is one the vendor does without."""
    path = ask(admin, begun, names[-1])

    assert page(Client(), path, {}).status_code == 422
    assert link_of(admin).is_open


def test_the_link_is_kept_as_a_digest_and_shown_once(admin: Person, begun: Connection, names: list[str]) -> None:
    token = ask(admin, begun, names[0]).split("/")[2]

    with tenant_scope(admin.tenant.pk):
        stored = SecretLink.objects.values().get()
    assert token not in str(stored)
    assert token not in admin.text(f"connections/{begun.pk}/")
    assert token not in redact(f"Not Found: /give/{token}/")


def test_the_page_leaves_no_trace_in_caches_or_referrers(admin: Person, begun: Connection, names: list[str]) -> None:
    path = ask(admin, begun, names[0])

    for response in (page(Client(), path), page(Client(), path, {}), page(Client(), "/give/no-such-link/")):
        assert response["Referrer-Policy"] == "no-referrer"
        assert "no-store" in response["Cache-Control"]
        assert not response.cookies


def test_the_form_works_in_a_browser_that_gives_no_referrer(
    admin: Person, box: Sandbox, begun: Connection, names: list[str]
) -> None:
    path = ask(admin, begun, names[0])
    browser = Client(enforce_csrf_checks=True, headers={"origin": "null"})

    assert page(browser, path, secrets_of(box)).status_code == 200


def test_many_tries_from_one_place_are_stopped(admin: Person, begun: Connection, box: Sandbox) -> None:
    statuses = [page(Client(), f"/give/guess-{n}/", {}).status_code for n in range(21)]

    assert statuses == [404] * 20 + [429]


def test_each_deed_is_in_the_audit_trail_without_the_secret(
    admin: Person, box: Sandbox, begun: Connection, names: list[str]
) -> None:
    page(Client(), ask(admin, begun, names[0]), secrets_of(box))
    admin.post(f"connections/{begun.pk}/links/{link_of(admin).pk}/take-back/")

    with tenant_scope(admin.tenant.pk):
        events = list(Event.objects.filter(action__startswith="connection.secrets").order_by("pk"))
    assert [(event.action, event.actor) for event in events] == [
        ("connection.secrets_asked", admin.user),
        ("connection.secrets_entered", None),
        ("connection.secrets_link_revoked", admin.user),
    ]
    assert not any(secret in str(event.details) for event in events for secret in secrets_of(box).values())
    assert "Priya" in admin.text("activity/audit/")


@pytest.mark.parametrize("asked", [[], ["name"], ["no_such_field"]])
def test_only_the_vendors_secrets_can_be_asked_for(admin: Person, begun: Connection, asked: list[str]) -> None:
    admin.post(f"connections/{begun.pk}/links/", {"whom": "Priya", "names": asked})

    with tenant_scope(admin.tenant.pk):
        assert not SecretLink.objects.exists()


def test_disconnecting_ends_the_links(admin: Person, box: Sandbox, connected: Connection, names: list[str]) -> None:
    path = ask(admin, connected, names[0])

    admin.post(f"connections/{connected.pk}/disconnect/")

    assert page(Client(), path, secrets_of(box)).status_code == 404
    assert sealed_names(admin) == set()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_only_admins_ask_and_take_back(
    join: Callable[..., Person], admin: Person, begun: Connection, names: list[str], role: Role
) -> None:
    ask(admin, begun, names[0])
    link, person = link_of(admin), join(admin.tenant, role)

    assert person.post(f"connections/{begun.pk}/links/", {"whom": "x", "names": names}).status_code == 403
    assert person.post(f"connections/{begun.pk}/links/{link.pk}/take-back/").status_code == 403
    assert "Priya" not in person.text(f"connections/{begun.pk}/")
    assert link_of(admin).is_open


def test_a_stranger_can_neither_ask_nor_take_back(
    stranger: Person, admin: Person, begun: Connection, box: Sandbox, names: list[str]
) -> None:
    ask(admin, begun, names[0])
    link = link_of(admin)
    stranger.post(f"connections/new/{box.key}/", {"name": "Theirs", "later": "on"})
    theirs = stranger.only()

    for path in (
        f"{begun.pk}/links/",
        f"{begun.pk}/links/{link.pk}/take-back/",
        f"{theirs.pk}/links/{link.pk}/take-back/",
    ):
        assert stranger.post(f"connections/{path}", {"whom": "x", "names": names}).status_code == 404
    assert link_of(admin).is_open
