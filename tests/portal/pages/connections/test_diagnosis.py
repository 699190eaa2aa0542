"""What goes wrong is told as cause, cure and who, wherever an admin meets it."""

from html import unescape

import pytest
from django.db import connection as database

from integrations.connections.health import trouble
from integrations.connections.models import Capability, Connection
from integrations.contract import Access, Diagnosis, Rule, Who
from integrations.errors import IntegrationError, NotBought, NotPermitted, ReconnectNeeded
from integrations.problems.models import Problem
from integrations.sandbox.kit import Sandbox
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import Person, connector_of, filled_in, secrets_of, wrong
from tests.portal.pages.connections.consent import come_back, press, set_out, words_of

pytestmark = pytest.mark.server

MISTAKE = Diagnosis(
    key="other_region",
    cause="These keys belong to the other region.",
    cure="Choose the region under Settings, Region.",
    who=Who.VENDOR_ADMIN,
)


class _Every(frozenset[str]):
    """Stands for the codes of whatever error comes."""

    def __contains__(self, code: object) -> bool:
        return True


def expect(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> list[Access]:
    """From now on that mistake is behind whatever this vendor refuses; what the rule was given to look at."""
    seen: list[Access] = []

    def fits(access: Access, error: IntegrationError) -> bool:
        assert not database.in_atomic_block
        seen.append(access)
        return True

    rules = (Rule(diagnosis=MISTAKE, codes=_Every(), fits=fits),)
    monkeypatch.setattr(type(connector_of(sandbox)), "rules", rules)
    return seen


def tells(page: str) -> bool:
    return all(words in unescape(page) for words in (MISTAKE.cause, MISTAKE.cure, MISTAKE.who))


def test_a_first_try_that_fails_tells_them_on_the_form_and_on_the_page(
    admin: Person, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = expect(monkeypatch, box)

    response = admin.post(f"connections/new/{box.key}/", filled_in(box, **wrong(box)), follow=True)

    draft = admin.only()
    assert tells(response.content.decode())
    assert tells(admin.text(f"connections/{draft.pk}/"))
    assert draft.diagnosis == MISTAKE
    assert [access.has_worked for access in seen] == [False]


def test_a_change_that_fails_tells_them_and_keeps_what_was(
    admin: Person, box: Sandbox, connected: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = expect(monkeypatch, box)

    response = admin.post(f"connections/{connected.pk}/edit/", filled_in(box, **wrong(box)))

    assert tells(response.content.decode())
    assert "Nothing was changed" in response.content.decode()
    assert (admin.only().is_active, admin.only().diagnosis) == (True, None)
    assert [access.has_worked for access in seen] == [True]


def test_a_sign_in_at_the_vendor_that_fails_tells_them(
    admin: Person, consenting: Sandbox, draft: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect(monkeypatch, consenting)
    address = press(set_out(admin, draft), "Allow")
    box_secrets = dict.fromkeys(secrets_of(consenting), "another")
    admin.post(f"connections/{draft.pk}/edit/", filled_in(consenting, **box_secrets))

    page = words_of(come_back(admin.browser, address))

    assert tells(page)
    assert admin.only().diagnosis == MISTAKE


def test_what_proves_good_forgets_the_finding(admin: Person, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    expect(monkeypatch, box)
    admin.post(f"connections/new/{box.key}/", filled_in(box, **wrong(box)))

    admin.post(f"connections/{admin.only().pk}/edit/", filled_in(box))

    assert (admin.only().is_active, admin.only().finding, admin.only().reason) == (True, None, "")


def test_trouble_with_a_diagnosis_is_told_on_every_page(admin: Person, connected: Connection) -> None:
    with tenant_scope(admin.tenant.pk):
        trouble(connected, ReconnectNeeded("Refused."), diagnosis=MISTAKE)
        problem = Problem.objects.get(closed_at=None)

    assert (problem.words, problem.who) == (MISTAKE.words, MISTAKE.who)
    for path in (f"connections/{connected.pk}/", f"connections/{connected.pk}/edit/", "", "connections/"):
        assert MISTAKE.cause in admin.text(path)
        assert MISTAKE.who in unescape(admin.text(path))


def test_trouble_without_a_diagnosis_has_the_errors_words_and_who_acts_next(
    admin: Person, connected: Connection
) -> None:
    with tenant_scope(admin.tenant.pk):
        trouble(connected, ReconnectNeeded("The key was taken back."))
        problem = Problem.objects.get(closed_at=None)

    assert (admin.only().reason, admin.only().diagnosis) == ("The key was taken back.", None)
    assert (problem.words, problem.who) == ("The key was taken back.", Who.ADMIN)


@pytest.mark.parametrize(("error", "state"), [(NotPermitted, "not_permitted"), (NotBought, "not_bought")])
def test_a_refused_stream_is_greyed_with_the_vendors_words_and_the_connection_stays_well(
    admin: Person, connected: Connection, error: type[NotPermitted], state: str
) -> None:
    stream = connected.connector.streams[0]
    with tenant_scope(admin.tenant.pk):
        trouble(connected, error("It needs VIEW_THINGS."), stream=stream.key)
        capability = Capability.objects.get(connection=connected, stream=stream.key)

    page = admin.text(f"connections/{connected.pk}/")
    assert capability.state == state
    assert f"{capability.words}: It needs VIEW_THINGS." in page
    assert 'class="refused"' in page
    assert admin.only().is_active
    with tenant_scope(admin.tenant.pk):
        assert not Problem.objects.filter(closed_at=None, needs_a_person=True).exists()
