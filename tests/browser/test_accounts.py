"""Accounts as a person meets them: a real form, a real code, a real authenticator."""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Locator, Page, expect

from portal.tenancy.models import Role
from tests.factories import PASSWORD, a_membership, a_tenant, a_user, an_invitation

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_newcomer_signs_up_and_founds_a_tenant(page, mailoutbox, looks_right):
    page.goto("/")
    looks_right(page, "landing")
    follow(page.get_by_role("link", name="Create an account"))
    looks_right(page, "sign-up")
    page.get_by_label("Your name").fill("Mara Okafor")
    page.get_by_label("E-mail address").fill("mara@example.com")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_text("too short")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("mara@example.com")
    looks_right(page, "sign-up refused")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create an account").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()
    looks_right(page, "code")
    page.get_by_label("Code").fill(re.search(r"is:\s+(\S+)", mailoutbox[-1].body)[1])
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Welcome, Mara")).to_be_visible()
    looks_right(page, "start")
    page.get_by_role("link", name="Set up your company").click()
    expect(page.get_by_label("Time zone")).to_have_value("America/Chicago")  # the browser's own
    looks_right(page, "new tenant")
    page.get_by_label("Company name").fill("Tower Contracting")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url("**/t/tower-contracting/")


def test_a_password_forgotten_is_chosen_anew(page, mailoutbox, looks_right):
    a_user("mara@example.com", password=PASSWORD)
    page.goto("/accounts/login/")
    follow(page.get_by_role("link", name="Forgot your password?"))
    looks_right(page, "password reset")
    page.get_by_label("E-mail address").fill("mara@example.com")
    follow(page.get_by_role("button", name="Send the link"))
    looks_right(page, "password reset sent")
    page.goto(re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)[1])
    looks_right(page, "new password")
    for field in page.locator("input[type=password]").all():
        field.fill("another horse battery")
    page.get_by_role("button", name="Change the password").click()
    sign_in(page, "mara@example.com", "another horse battery")
    expect(page.get_by_role("heading", name="Welcome, Mara")).to_be_visible()


def test_an_authenticator_app_guards_the_account(page, looks_right):
    a_user("mara@example.com", password=PASSWORD)
    sign_in(page, "mara@example.com", PASSWORD)
    page.get_by_role("link", name="Mara Okafor").click()
    follow(page.get_by_role("link", name="Two-step sign-in"))
    looks_right(page, "two-step sign-in")
    page.get_by_role("link", name="Set up").click()
    prove_it_is_you(page)
    looks_right(page, "authenticator app")
    secret = page.locator("#authenticator_secret").inner_text()
    turn_on(page, secret)
    looks_right(page, "recovery codes")
    recovery_code = page.locator("#recovery_codes li").first.inner_text()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "mara@example.com", PASSWORD)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    looks_right(page, "second step")
    page.get_by_label("Code").fill(recovery_code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Welcome, Mara")).to_be_visible()


def test_a_passkey_signs_in_by_itself(page, looks_right):
    a_user("mara@example.com", password=PASSWORD)
    plug_in_authenticator(page)
    sign_in(page, "mara@example.com", PASSWORD)
    page.goto("/accounts/2fa/")
    follow(page.get_by_role("link", name="Add a passkey"))
    looks_right(page, "is it you")
    prove_it_is_you(page)
    looks_right(page, "add a passkey")
    page.get_by_label("Name").fill("Office laptop")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(lambda url: "/webauthn/add/" not in url)
    page.goto("/accounts/2fa/webauthn/")
    expect(page.get_by_text("Office laptop").first).to_be_visible()
    looks_right(page, "passkeys")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Create an account").first).to_be_visible()
    page.goto("/accounts/login/")
    looks_right(page, "sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", name="Welcome, Mara")).to_be_visible()
    page.goto("/accounts/2fa/webauthn/")
    follow(page.get_by_role("link", name="Remove Office laptop"))
    looks_right(page, "is it you, by passkey")
    prove_it_is_you(page)
    looks_right(page, "remove a passkey")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have none yet")).to_be_visible()


def test_a_passkey_that_is_refused_says_so(page):
    plug_in_authenticator(page, willing=False)
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not taken")


def test_the_account_pages_look_right(page, looks_right):
    a_user("mara@example.com", password=PASSWORD)
    sign_in(page, "mara@example.com", PASSWORD)
    for name, path in (
        ("profile", "/account/"),
        ("e-mail address", "/accounts/email/"),
        ("password", "/accounts/password/change/"),
        ("sessions", "/accounts/sessions/"),
        ("sign out", "/accounts/logout/"),
    ):
        page.goto(path)
        looks_right(page, name)
    page.goto("/accounts/password/change/")
    follow(page.get_by_role("button", name="Change the password"))
    looks_right(page, "password refused")


def test_the_people_pages_look_right(page, signed_in_as, looks_right):
    mara = a_user("mara@example.com")
    tenant = a_tenant(owner=mara)
    other = a_membership(a_user("sam@example.com", name="Sam Field"), tenant, Role.ADMIN)
    a_tenant("Meridian Retail", owner=mara)
    _, secret = an_invitation(tenant, "priya.nair@meridian-retail.example")
    page.goto(f"/invitations/{secret}/")
    looks_right(page, "invitation")
    signed_in_as(mara)
    page.goto(f"/invitations/{secret}/")
    looks_right(page, "invitation to another address")
    page.goto("/")
    looks_right(page, "choose a tenant")
    for name, path in (
        ("people", "people/"),
        ("remove a person", f"people/{other.pk}/remove/"),
        ("leave", "people/leave/"),
        ("settings", "settings/"),
    ):
        page.goto(f"/t/{tenant.slug}/{path}")
        looks_right(page, name)
    page.goto("/nothing/here/")
    looks_right(page, "not found")
    page.goto("/invitations/unknown/")
    looks_right(page, "closed invitation")


def test_a_role_is_changed_with_the_keyboard_alone(page, signed_in_as):
    mara = a_user("mara@example.com")
    tenant = a_tenant(owner=mara)
    a_membership(a_user("sam@example.com", name="Sam Field"), tenant, Role.VIEWER)
    signed_in_as(mara)
    page.goto(f"/t/{tenant.slug}/people/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Role of Sam Field").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("Sam Field is now member.")).to_be_visible()


def test_the_menus_open_and_close_with_the_keyboard(page, signed_in_as, looks_right):
    mara = a_user("mara@example.com")
    tenant = a_tenant(owner=mara)
    a_tenant("Meridian Retail", owner=mara)
    signed_in_as(mara)
    page.goto(f"/t/{tenant.slug}/people/")
    switcher = page.locator(".sidebar summary")
    switcher.press("Enter")
    expect(page.get_by_role("link", name="Meridian Retail")).to_be_visible()
    looks_right(page, "people with the switcher open")
    switcher.press("Escape")
    expect(page.get_by_role("link", name="Meridian Retail")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator(".topbar summary").press("Enter")
    expect(page.locator(".topbar").get_by_role("link", name="Meridian Retail")).to_be_visible()


def test_the_admin_site_works_under_the_same_policy(page, signed_in_as):
    a_tenant()
    signed_in_as(a_user("root@example.com", is_staff=True, is_superuser=True))
    for path in ("/admin/", "/admin/tenancy/tenant/", "/admin/tenancy/membership/add/", "/admin/accounts/user/add/"):
        page.goto(path)
        assert page.evaluate("window.cspViolations") == []


def sign_in(page: Page, email: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    follow(page.get_by_role("button", name="Sign in", exact=True))


def follow(control: Locator) -> None:
    """Clicks a link or a button, and waits until the page behind it is there, whole."""
    with control.page.expect_navigation():
        control.click()


def prove_it_is_you(page: Page) -> None:
    """Ahead of a change to how one signs in, the password is asked for once more."""
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Confirm"))


def turn_on(page: Page, secret: str) -> None:
    """By the code of this half minute; one that lapsed on its way is typed anew, as a person would."""
    for _ in range(2):
        page.get_by_label("Authenticator code").fill(code_of(secret))
        follow(page.get_by_role("button", name="Turn on"))
        if page.get_by_role("heading", name="Recovery codes").is_visible():
            return
    pytest.fail("two codes in a row were refused")


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def plug_in_authenticator(page: Page, *, willing: bool = True) -> None:
    """Chromium's own virtual authenticator: a device that knows its user, or one whose user says no."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": willing,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
