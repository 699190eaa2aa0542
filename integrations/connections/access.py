"""An open connection: what a vendor's client is given to work with."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings as django_settings
from django.db import DatabaseError
from django.utils import timezone

from integrations.connections.models import Connection, Credential, VendorRequest
from integrations.connections.tokens import TokenKeeper
from integrations.connections.vault import LOST_KEY, CannotOpen, keyring
from integrations.contract import Connector, Door, Settings, Tokens
from integrations.errors import ReconnectNeeded
from integrations.http import Exchange, Http
from integrations.limits import Budget
from portal.tenancy.scope import tenant_scope

_logger = logging.getLogger(__name__)
_LOG_BATCH = 50
_TRUST_FOR = timedelta(seconds=10)  # how long a token is used without asking whether another worker renewed it


def budget_of(connection: Connection) -> Budget:
    """The budget this connection shares with every other that the vendor counts together with it."""
    connector = connection.connector
    account = connector.budget_account(connection.settings)
    return Budget(connector.limit, connection.vendor, account, connector.allowance)


class OpenConnection:
    """`Access` of a stored connection. Opens its own tenant scopes, so that nothing is held while the vendor works."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self.tenant_id, self.connection_id = connection.tenant_id, connection.pk
        self.connector = connection.connector
        self.settings: Settings = connection.settings
        self.has_worked = connection.connected_at is not None
        self.budget = budget_of(connection)
        self.http = Http(
            allowed=django_settings.SANDBOX_ADDRESSES,
            before=self.budget.take,
            record=self._note,
            parallel=self.connector.limit.parallel,
        )
        self._secrets = dict(secrets)
        self._log: list[Exchange] = []
        # The token endpoint is not the API: it has a way of its own that no budget delays.
        self._token_http = Http(allowed=django_settings.SANDBOX_ADDRESSES, record=self._note)
        self._keeper = TokenKeeper(
            self.tenant_id,
            self.connection_id,
            self.connector,
            Door(settings=self.settings, secrets=self._secrets, http=self._token_http),
        )
        self._token, self._trusted_until = "", 0.0

    def secret(self, name: str) -> str:
        return self._secrets.get(name, "")

    def token(self) -> str:
        if time.monotonic() >= self._trusted_until:
            self._trust(self._keeper.current())
        return self._token

    def renew_token(self, refused: str) -> str:
        self._trust(self._keeper.other_than(refused))
        return self._token

    def keep_alive(self, generation: int) -> None:
        """Refresh although nobody asks, so that a refresh token that lives in minutes does not die. Nothing happens
        when a later generation than that is stored already."""
        self._keeper.later_than(generation)

    def _trust(self, token: str) -> None:
        self._token, self._trusted_until = token, time.monotonic() + _TRUST_FOR.total_seconds()

    def _note(self, exchange: Exchange) -> None:
        self._log.append(exchange)
        if len(self._log) >= _LOG_BATCH:
            self.write_log()

    def write_log(self) -> None:
        """Put the calls made so far into the request log."""
        batch, self._log = self._log, []
        if not batch:
            return
        rows = [
            VendorRequest(
                tenant_id=self.tenant_id,
                connection_id=self.connection_id,
                request_id=call.request_id,
                method=call.method,
                host=call.host[:255],
                path=call.path,
                status=call.status,
                at=call.started_at,
                duration_ms=round(call.duration.total_seconds() * 1000),
                received_bytes=call.received_bytes,
                vendor_request_id=call.vendor_request_id,
                error=call.error[:100],
            )
            for call in batch
        ]
        try:
            with tenant_scope(self.tenant_id):
                VendorRequest.objects.bulk_create(rows)
        except DatabaseError as failure:
            # The vendor's answer in our hands is worth more than its line in the log.
            _logger.warning("%s requests could not be logged: %s", len(rows), type(failure).__name__)

    def close(self) -> None:
        self.http.close()
        self._token_http.close()
        self.write_log()


@contextmanager
def open_connection(tenant_id: int, connection_id: UUID) -> Iterator[OpenConnection]:
    """The vault is opened here and nowhere else. Raises Connection.DoesNotExist, ReconnectNeeded."""
    with tenant_scope(tenant_id):
        connection = Connection.objects.get(tenant_id=tenant_id, pk=connection_id)
        secrets = stored_secrets(connection)
    access = OpenConnection(connection, secrets)
    try:
        yield access
    finally:
        access.close()


def stored_secrets(connection: Connection, *, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """Every credential of the connection, opened, but for those named. Call in its tenant's scope. Raises
    ReconnectNeeded when the keyring has lost the key: only entering them again helps."""
    rows = Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection).exclude(name__in=but)
    try:
        return {
            row.name: keyring().open(row.sealed, tenant=row.tenant_id, connection=row.connection_id, field=row.name)
            for row in rows
        }
    except CannotOpen as lost:
        raise ReconnectNeeded(LOST_KEY, code="vault") from lost


@dataclass(slots=True)
class _Held:
    tokens: Tokens | None
    asked_at: datetime


class TrialAccess:
    """`Access` of what is not stored yet: the live test runs on it, and nothing of it is kept unless it passes."""

    def __init__(
        self,
        connector: Connector,
        settings: Settings,
        secrets: Mapping[str, str],
        tokens: Tokens | None = None,
        *,
        has_worked: bool = False,
    ) -> None:
        self.connector, self.settings, self.has_worked = connector, settings, has_worked
        self._secrets = dict(secrets)
        self._held = _Held(tokens, timezone.now())
        self.http = Http(allowed=django_settings.SANDBOX_ADDRESSES)

    @property
    def tokens(self) -> Tokens | None:
        """What the trial was given, to be kept when it passed."""
        return self._held.tokens

    def secret(self, name: str) -> str:
        return self._secrets.get(name, "")

    def token(self) -> str:
        if self._held.tokens is None:
            door = Door(settings=self.settings, secrets=self._secrets, http=self.http)
            self._held = _Held(self.connector.request_token(door), timezone.now())
        assert self._held.tokens is not None
        return self._held.tokens.access_token

    def renew_token(self, refused: str) -> str:
        raise ReconnectNeeded("The vendor gave us access and then did not accept it.")

    def close(self) -> None:
        self.http.close()
