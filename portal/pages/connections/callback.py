"""The end of an OAuth round: the vendor sends the browser back, and the connection is proved and begins.

Whatever happens, the browser is sent on to an address of ours without the code, and the words wait there. The code is
in no message and in no line we log.
"""

import logging
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.core.signing import BadSignature
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from integrations.connections import authorization
from integrations.connections.access import stored_secrets
from integrations.connections.authorization import AttemptRefused
from integrations.connections.checks import NotConnected, try_out
from integrations.connections.models import AuthorizationAttempt, Connection
from integrations.connections.services import access_connection, say_why_not
from integrations.contract import Diagnosis
from integrations.registry import connectors
from portal.accounts.models import User
from portal.pages.connections import setup
from portal.tenancy.models import Membership, Role
from portal.tenancy.scope import tenant_scope
from portal.tenancy.services import find_membership

_logger = logging.getLogger(__name__)

COOKIE_PATH: Final = "/oauth/callback/"
_TELL = 60  # characters of an unknown error code

# The error codes of OAuth 2.0 and OpenID Connect, in words of ours.
WORDS: dict[str, str] = {
    "access_denied": "{vendor} says that access was not allowed. Nothing was changed. Press Connect to try again.",
    "invalid_request": "{vendor} did not understand the request. Compare the details with those at {vendor}.",
    "unauthorized_client": "{vendor} does not let this app sign in this way. Compare the details.",
    "unsupported_response_type": "{vendor} does not let this app sign in this way.",
    "invalid_scope": "{vendor} does not allow this app what was asked. Compare the scopes with those at {vendor}.",
    "server_error": "{vendor} had an error of its own. Press Connect to try again in a while.",
    "temporarily_unavailable": "{vendor} is not available at the moment. Press Connect to try again in a while.",
    "login_required": "{vendor} needs you to sign in there. Press Connect to try again.",
    "consent_required": "{vendor} needs your consent. Press Connect to try again.",
    "interaction_required": "{vendor} needs you to answer there. Press Connect to try again.",
}
_BROKEN = "Something went wrong on our side, and nothing was changed. Press Connect to try again."
_SIGNED_OUT = "You were signed out of Switchboard meanwhile. Sign in, open the connection and press Connect again."
_NOT_ADMIN = "Only an admin of the tenant can connect. Your role was changed in the meantime."


class Failed(Exception):
    """The round ended without a connection; the words are for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the browser brings back from the vendor."""

    code: str
    state: str
    error: str


def cookie_name(vendor: str) -> str:
    return f"oauth_{vendor}"


def cookie_salt(vendor: str) -> str:
    return f"switchboard.oauth.{vendor}"


@require_GET
@never_cache
def come_back(request: HttpRequest, vendor: str, code: str = "", state: str = "") -> HttpResponse:
    """The vendor's answer, in the query or in the path."""
    brought = Brought(
        code=code or request.GET.get("code", ""),
        state=state or request.GET.get("state", ""),
        error=request.GET.get("error", ""),
    )
    response = _end(request, vendor, brought)
    response.delete_cookie(cookie_name(vendor), path=COOKIE_PATH, samesite="Lax")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
def failed(request: HttpRequest) -> HttpResponse:
    """Where a callback ends that belongs to no round we know; the words come as a message."""
    return render(request, "connections/callback_failed.html")


def _end(request: HttpRequest, vendor: str, brought: Brought) -> HttpResponseRedirect:
    if not request.user.is_authenticated:
        return _nowhere(request, _SIGNED_OUT)
    try:
        attempt = authorization.finish(
            vendor=vendor, user=request.user, browser=_browser(request, vendor), state=brought.state
        )
    except AttemptRefused as refusal:
        words = str(refusal)
        if brought.error and refusal.attempt and not brought.state:
            words = _error_words(vendor, brought.error)  # some vendors refuse without giving the state back
        return _back(request, request.user, refusal.attempt, words)
    if brought.error:
        return _back(request, request.user, attempt, _error_words(vendor, brought.error))
    return _back(request, request.user, attempt, "", brought)


def _back(
    request: HttpRequest,
    user: User,
    attempt: AuthorizationAttempt | None,
    failure: str,
    brought: Brought | None = None,
) -> HttpResponseRedirect:
    """To the connection's page if the person still belongs to its tenant; with `brought` the round is completed."""
    by = find_membership(user, attempt.tenant.slug) if attempt else None
    if attempt is None or by is None:
        return _nowhere(request, failure or "You do not belong to this tenant any more.")
    try:
        if brought is not None:
            _complete(by, attempt, brought)
    except Failed as words:
        failure = str(words)
    except Http404:
        return _nowhere(request, "This connection has been removed in the meantime.")
    except Exception:
        _logger.exception("an OAuth round broke", extra={"tenant": by.tenant_id, "connection": attempt.connection_id})
        failure = _BROKEN
    if failure:
        messages.error(request, failure)
    else:
        messages.success(request, "Connected. The first copy begins now.")
    return redirect("connection", by.tenant.slug, attempt.connection_id)


def _complete(by: Membership, attempt: AuthorizationAttempt, brought: Brought) -> None:
    """Trade the code, try what came, connect. Raises Failed with the words; then the connection is as it was."""
    if not by.can(Role.ADMIN):
        raise Failed(_NOT_ADMIN)
    with tenant_scope(by.tenant_id):
        connection = access_connection(attempt.connection_id)
        opened = stored_secrets(connection)
    connector = connection.connector
    if not brought.code or not connection.uses_redirect:
        raise Failed(f"{connector.label} sent no answer that we can use. Press Connect to try again.")
    if connector.identity(connection.settings) != connection.account:
        raise Failed(setup.MEANWHILE.words)
    try:
        tokens = authorization.exchange(connection, opened, code=brought.code, state=brought.state)
        found, tokens_now = try_out(connector, connection.settings, opened, tokens, connection=connection)
    except NotConnected as refusal:
        raise Failed(_remembered(by, connection, refusal.diagnosis)) from refusal
    if setup.finish(by, connection, found, tokens_now, adopts=True) is None:
        raise Failed(setup.MEANWHILE.words)


def _remembered(by: Membership, connection: Connection, diagnosis: Diagnosis) -> str:
    """What to say. A draft keeps its reason and shows it on its page."""
    if not connection.is_draft:
        return f"{diagnosis.words} Who can mend it: {diagnosis.who}."
    with tenant_scope(by.tenant_id):
        say_why_not(connection, diagnosis)
    return "It is not connected yet. The reason stands below."


def _browser(request: HttpRequest, vendor: str) -> str:
    """What this browser carries from the beginning of the round; "" when nothing genuine and young enough."""
    age = int(authorization.LIFE.total_seconds())
    try:
        return str(request.get_signed_cookie(cookie_name(vendor), salt=cookie_salt(vendor), max_age=age))
    except (KeyError, BadSignature):
        return ""


def _error_words(vendor: str, code: str) -> str:
    label = connectors()[vendor].label
    known = WORDS.get(code, "")
    return known.replace("{vendor}", label) or f"{label} ended the sign-in with “{code[:_TELL]}”. Press Connect again."


def _nowhere(request: HttpRequest, words: str) -> HttpResponseRedirect:
    messages.error(request, words)
    return HttpResponseRedirect(reverse("oauth-failed"))
