"""Whoever comes back from a vendor without a round of their own is sent away with words, and nothing changes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from integrations.connections.models import Connection, Token
from portal.tenancy.models import Membership, Role
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import Person, SignIn
from tests.portal.pages.connections.consent import come_back, is_connected, press, set_out, values_of, words_of

pytestmark = pytest.mark.server


def test_a_replayed_answer_changes_nothing(admin: Person, draft: Connection) -> None:
    address = set_out(admin, draft)
    cookie = admin.browser.cookies[f"oauth_{draft.vendor}"].value
    back = press(address, "Allow")
    come_back(admin.browser, back)
    with tenant_scope(admin.tenant.pk):
        generation = Token.objects.get().generation
    admin.browser.cookies[f"oauth_{draft.vendor}"] = cookie

    response = come_back(admin.browser, back)

    assert "has been used already" in words_of(response)
    with tenant_scope(admin.tenant.pk):
        assert Token.objects.get().generation == generation


def test_a_round_ends_after_ten_minutes(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Allow")

    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        response = come_back(admin.browser, back)

    assert not is_connected(admin)
    assert "took too long" in words_of(response) or "longer than ten minutes" in words_of(response)


def test_another_browser_of_the_same_person_is_sent_away(admin: Person, draft: Connection, signed_in: SignIn) -> None:
    back = press(set_out(admin, draft), "Allow")

    response = come_back(signed_in(admin.user), back)

    assert "was not started in this browser" in words_of(response)
    assert not is_connected(admin)


def test_another_person_in_the_same_browser_is_sent_away(
    admin: Person, draft: Connection, join: Callable[..., Person]
) -> None:
    back = press(set_out(admin, draft), "Allow")
    colleague = join(admin.tenant)
    admin.browser.force_login(colleague.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    response = come_back(admin.browser, back)

    assert "started elsewhere" in words_of(response)
    assert not is_connected(colleague)


def test_somebody_signed_out_is_told_and_the_code_goes_nowhere(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Allow")
    cookie = admin.browser.cookies[f"oauth_{draft.vendor}"].value
    admin.browser.logout()
    admin.browser.cookies[f"oauth_{draft.vendor}"] = cookie

    response = come_back(admin.browser, back)

    assert "signed out of Switchboard" in words_of(response)
    assert values_of(back)["code"] not in str(response.redirect_chain)  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_somebody_demoted_meanwhile_connects_nothing(admin: Person, draft: Connection, role: Role) -> None:
    back = press(set_out(admin, draft), "Allow")
    with tenant_scope(admin.tenant.pk):
        Membership.objects.filter(user=admin.user).update(role=role)

    response = come_back(admin.browser, back)

    assert "Only an admin" in words_of(response)
    assert not is_connected(admin)


def test_somebody_who_left_the_tenant_meanwhile_sees_nothing_of_it(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Allow")
    with tenant_scope(admin.tenant.pk):
        Membership.objects.filter(user=admin.user).delete()

    response = come_back(admin.browser, back)

    assert "do not belong" in words_of(response)
    assert "Head office" not in words_of(response)
    assert not is_connected(admin)


def test_a_forged_state_ends_the_round_with_words(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Allow")

    response = admin.browser.get(
        f"/oauth/callback/{draft.vendor}/", {"code": values_of(back)["code"], "state": "forged"}, follow=True
    )

    assert "does not belong to this sign-in" in words_of(response)  # type: ignore[arg-type]
    assert not is_connected(admin)


def test_a_forged_cookie_finds_no_round(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Allow")
    cookie = admin.browser.cookies[f"oauth_{draft.vendor}"]
    admin.browser.cookies[f"oauth_{draft.vendor}"] = "x" + cookie.value

    response = come_back(admin.browser, back)

    assert "was not started in this browser" in words_of(response)
    assert not is_connected(admin)


def test_a_code_for_another_vendor_is_refused(admin: Person, draft: Connection) -> None:
    brought = values_of(press(set_out(admin, draft), "Allow"))

    response = admin.browser.get("/oauth/callback/nobody/", brought, follow=True)

    assert "There is no such vendor." in words_of(response)  # type: ignore[arg-type]
    assert not is_connected(admin)


def test_details_changed_while_the_person_was_away_end_the_round(
    admin: Person, draft: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = press(set_out(admin, draft), "Allow")
    kind = type(draft.connector)
    check = kind.check

    def meanwhile(self: object, access: object) -> object:
        with tenant_scope(admin.tenant.pk):
            changed = Connection.objects.get()
            changed.settings["environment"] = "another"
            changed.save()
        return check(self, access)  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "check", meanwhile)

    response = come_back(admin.browser, back)

    assert "changed by somebody else" in words_of(response)
    assert not is_connected(admin)


def test_a_round_begun_before_a_disconnect_ends_nowhere(admin: Person, draft: Connection) -> None:
    come_back(admin.browser, press(set_out(admin, draft), "Allow"))
    back = press(set_out(admin, draft), "Allow")
    admin.post(f"connections/{draft.pk}/disconnect/")

    come_back(admin.browser, back)

    assert admin.only().is_disconnected


def test_the_page_of_a_failed_round_leads_home(client: Client, transactional_db: None) -> None:
    page = client.get("/oauth/failed/").content.decode()

    assert "The connection was not made" in page
