"""An admin signs in on the vendor's own page and comes back."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

from integrations.connections.models import AuthorizationAttempt, Connection, ConnectionState, Token
from integrations.sandbox.kit import Fault, Sandbox
from integrations.sync.models import SyncRun
from portal.pages.connections.callback import WORDS
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope
from tests.portal.pages.connections.conftest import Person, connector_of, filled_in, secrets_of
from tests.portal.pages.connections.consent import come_back, is_connected, press, set_out, values_of, words_of

pytestmark = pytest.mark.server


def test_saving_the_details_leads_to_the_button_and_asks_nothing_of_the_vendor(
    admin: Person, consenting: Sandbox
) -> None:
    response = admin.post(f"connections/new/{consenting.key}/", filled_in(consenting), follow=True)

    assert admin.only().is_draft
    assert f"Connect {connector_of(consenting).label}" in response.content.decode()
    assert consenting.requests == {}


def test_the_page_shows_the_exact_address_to_register(admin: Person, consenting: Sandbox) -> None:
    page = admin.text(f"connections/new/{consenting.key}/")

    assert f"http://localhost:8000/oauth/callback/{consenting.key}/" in page


def test_allowing_connects_and_the_first_copy_begins(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Allow")

    response = come_back(admin.browser, back)

    connection = admin.only()
    assert connection.is_active
    assert connection.connected_by == admin.user
    assert response.redirect_chain == [(admin.url(f"connections/{draft.pk}/"), 302)]  # type: ignore[attr-defined]
    assert "Connected. The first copy begins now." in words_of(response)
    with tenant_scope(admin.tenant.pk):
        assert SyncRun.objects.filter(connection=connection).exists()
        assert Token.objects.get(connection=connection).refresh is not None


def test_the_code_is_in_no_page_and_in_no_log(
    admin: Person, draft: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    back = press(set_out(admin, draft), "Allow")
    code = values_of(back)["code"]

    first, again = come_back(admin.browser, back), come_back(admin.browser, back)

    assert code not in words_of(first) + words_of(again) + str(admin.browser.cookies)
    assert not any(
        code in record.getMessage() for record in caplog.records if record.name.startswith(("django.r", "port"))
    )


def test_the_cookie_is_for_the_callback_alone_and_gone_after_it(admin: Person, draft: Connection) -> None:
    address = set_out(admin, draft)
    cookie = admin.browser.cookies[f"oauth_{draft.vendor}"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (
        "/oauth/callback/",
        True,
        "Lax",
        600,
    )

    come_back(admin.browser, press(address, "Deny"))

    assert admin.browser.cookies[f"oauth_{draft.vendor}"].value == ""


def test_denying_comes_back_with_words_and_the_button(admin: Person, draft: Connection) -> None:
    back = press(set_out(admin, draft), "Deny")

    response = come_back(admin.browser, back)

    page = words_of(response)
    label = draft.connector.label
    assert WORDS["access_denied"].replace("{vendor}", label) in page
    assert f"Connect {label}" in page
    assert not is_connected(admin)
    with tenant_scope(admin.tenant.pk):
        assert AuthorizationAttempt.objects.get().used_at is not None


def test_an_unknown_error_code_is_shown_escaped_and_cut(admin: Person, draft: Connection) -> None:
    state = values_of(set_out(admin, draft))["state"]
    error = "<b>x</b>" + "y" * 100

    response = admin.browser.get(f"/oauth/callback/{draft.vendor}/", {"error": error, "state": state}, follow=True)

    page = response.content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;" + "y" * 52 + "”" in page
    assert "<b>x</b>" not in page


def test_a_refusal_without_state_still_finds_its_page(admin: Person, draft: Connection) -> None:
    set_out(admin, draft)

    response = admin.browser.get(f"/oauth/callback/{draft.vendor}/?error=access_denied", follow=True)

    assert "access was not allowed" in words_of(response)  # type: ignore[arg-type]


def test_the_values_may_come_in_the_path(admin: Person, draft: Connection) -> None:
    brought = values_of(press(set_out(admin, draft), "Allow"))
    code, state = (quote(brought[name], safe="") for name in ("code", "state"))

    response = admin.browser.get(f"/oauth/callback/{draft.vendor}/{code}/{state}/", follow=True)

    assert is_connected(admin), words_of(response)  # type: ignore[arg-type]


def test_a_code_the_vendor_refuses_leaves_the_draft_with_the_reason(admin: Person, draft: Connection) -> None:
    state = values_of(set_out(admin, draft))["state"]

    response = admin.browser.get(
        f"/oauth/callback/{draft.vendor}/", {"code": "made-up-code-4711", "state": state}, follow=True
    )

    kept = admin.only()
    assert kept.is_draft
    assert kept.reason
    assert kept.reason in words_of(response)  # type: ignore[arg-type]
    assert "made-up-code-4711" not in words_of(response)  # type: ignore[arg-type]


def test_a_vendor_that_fails_right_after_consent_costs_nothing(
    admin: Person, draft: Connection, consenting: Sandbox
) -> None:
    back = press(set_out(admin, draft), "Allow")
    consenting.weather.add(Fault(times=1000, status=503))

    come_back(admin.browser, back)

    assert admin.only().is_draft
    consenting.weather.clear()
    come_back(admin.browser, press(set_out(admin, draft), "Allow"))
    assert is_connected(admin)


def test_our_own_mistake_is_said_without_the_code(
    admin: Person, draft: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(draft.connector), "check", broken)
    back = press(set_out(admin, draft), "Allow")

    response = come_back(admin.browser, back)

    assert "Something went wrong on our side" in words_of(response)
    assert values_of(back)["code"] not in caplog.text


def test_changed_details_need_a_new_sign_in_and_the_same_account(
    admin: Person, draft: Connection, consenting: Sandbox
) -> None:
    come_back(admin.browser, press(set_out(admin, draft), "Allow"))
    blank = dict.fromkeys(secrets_of(consenting), "new-secret")

    page = words_of(admin.post(f"connections/{draft.pk}/edit/", filled_in(consenting, **blank), follow=True))

    assert admin.only().state == ConnectionState.NEEDS_RECONNECT
    assert f"Reconnect {draft.connector.label}" in page
    other = admin.post(f"connections/{draft.pk}/edit/", filled_in(consenting, 1))
    assert other.status_code == 422

    admin.post(f"connections/{draft.pk}/edit/", filled_in(consenting))
    come_back(admin.browser, press(set_out(admin, draft), "Allow"))
    assert (admin.only().pk, is_connected(admin)) == (draft.pk, True)


def test_what_was_cured_at_the_vendor_needs_no_new_sign_in(
    admin: Person, draft: Connection, consenting: Sandbox
) -> None:
    come_back(admin.browser, press(set_out(admin, draft), "Allow"))
    with tenant_scope(admin.tenant.pk):
        Connection.objects.update(state=ConnectionState.NEEDS_ATTENTION, reason="The app is switched off.")
    unchanged = filled_in(consenting, **dict.fromkeys(secrets_of(consenting), ""))
    assert "The app is switched off." in admin.text(f"connections/{draft.pk}/edit/")
    consenting.weather.add(Fault(times=1000, status=503))
    assert admin.post(f"connections/{draft.pk}/edit/", unchanged).status_code == 422
    consenting.weather.clear()

    admin.post(f"connections/{draft.pk}/edit/", unchanged)

    assert is_connected(admin)


def test_only_the_pages_with_the_button_may_send_a_form_to_the_vendor(
    admin: Person, draft: Connection, consenting: Sandbox, join: Callable[..., Person]
) -> None:
    for path in ("connections/", f"connections/{draft.pk}/"):
        assert f"form-action 'self' {consenting.url};" in admin.get(path)["Content-Security-Policy"] + ";"
    for path in ("activity/", f"connections/{draft.pk}/edit/"):
        assert consenting.url not in admin.get(path)["Content-Security-Policy"]
    viewer = join(admin.tenant, Role.VIEWER)
    assert consenting.url not in viewer.get(f"connections/{draft.pk}/")["Content-Security-Policy"]


def test_a_disconnected_connection_asks_for_its_details_first(admin: Person, draft: Connection) -> None:
    come_back(admin.browser, press(set_out(admin, draft), "Allow"))
    admin.post(f"connections/{draft.pk}/disconnect/")

    response = admin.post(f"connections/{draft.pk}/authorize/")

    assert response["Location"] == admin.url(f"connections/{draft.pk}/edit/")
