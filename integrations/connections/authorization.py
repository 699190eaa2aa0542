"""The OAuth authorization-code round: to the vendor's consent page and back, in one browser, once, within ten minutes.

The attempt is found by a random value in a signed, HttpOnly, SameSite=Lax cookie, so that it also works for a vendor
that insists on a fixed registered `state`; where `state` may be ours it is random and compared too.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from integrations.connections.access import TrialAccess
from integrations.connections.checks import in_trial
from integrations.connections.models import AuthorizationAttempt, Connection
from integrations.contract import RedirectConnector, Tokens
from integrations.registry import connectors
from portal.accounts.models import User
from portal.tenancy.models import digest_of
from portal.tenancy.scope import ops_scope

LIFE = timedelta(minutes=10)


class AttemptRefused(Exception):
    """A callback that does not end a round begun in this browser; the words are for the person. `attempt` is the round
    it would have ended, where this browser and person are known to have begun one."""

    def __init__(self, words: str, attempt: AuthorizationAttempt | None = None) -> None:
        super().__init__(words)
        self.attempt = attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """Where the browser goes, and what it must carry back."""

    address: str
    cookie: str


def redirect_uri(vendor: str) -> str:
    """The one exact address to register at the vendor."""
    return f"{settings.SITE_URL}{reverse('oauth-callback', args=[vendor])}"


def begin(connection: Connection, user: User) -> Departure:
    """Start a round; call in the connection's tenant. A former open one of this person is given up."""
    connector = connection.connector
    assert isinstance(connector, RedirectConnector)
    browser = secrets.token_urlsafe(32)
    state = connector.registered_state(connection.settings) or secrets.token_urlsafe(32)
    now = timezone.now()
    AuthorizationAttempt.objects.filter(
        tenant_id=connection.tenant_id, connection=connection, user=user, used_at=None
    ).update(used_at=now)
    AuthorizationAttempt.objects.create(
        tenant_id=connection.tenant_id,
        connection=connection,
        user=user,
        vendor=connection.vendor,
        state_digest=digest_of(state),
        browser_digest=digest_of(browser),
        created_at=now,
        expires_at=now + LIFE,
    )
    address = connector.authorization_url(
        connection.settings, redirect_uri=redirect_uri(connection.vendor), state=state
    )
    return Departure(address=address, cookie=browser)


def finish(*, vendor: str, user: User, browser: str, state: str) -> AuthorizationAttempt:
    """The attempt this callback ends, now used up. Raises AttemptRefused; then nothing was changed."""
    if vendor not in connectors():
        raise AttemptRefused("There is no such vendor.")
    if not browser:
        raise AttemptRefused("This sign-in was not started in this browser, or it took too long. Press Connect again.")
    now = timezone.now()
    with ops_scope():
        attempt = (
            AuthorizationAttempt.objects.select_for_update(of=("self",))
            .select_related("tenant")
            .filter(browser_digest=digest_of(browser), vendor=vendor, user=user)
            .first()
        )
        if attempt is None or attempt.used_at is not None:
            raise AttemptRefused(
                "This sign-in has been used already or was started elsewhere. Press Connect again.", attempt
            )
        if attempt.expires_at <= now:
            raise AttemptRefused("The sign-in took longer than ten minutes. Press Connect again.", attempt)
        if not hmac.compare_digest(digest_of(state), attempt.state_digest):
            raise AttemptRefused("The vendor's answer does not belong to this sign-in. Press Connect again.", attempt)
        attempt.used_at = now
        attempt.save(update_fields=["used_at"])
    return attempt


def exchange(connection: Connection, opened: dict[str, str], *, code: str, state: str) -> Tokens:
    """Trade the code for tokens; no scope is open while the vendor works. Raises NotConnected."""
    connector = connection.connector
    assert isinstance(connector, RedirectConnector)
    address = redirect_uri(connection.vendor)
    access = TrialAccess(connector, connection.settings, opened, connection=connection)

    def trade() -> Tokens:
        return connector.exchange_code(access.door, code=code, redirect_uri=address, state=state)

    return in_trial(access, lambda: access.request(trade))
