"""An open connection: what a vendor's client is given to work with."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings as django_settings
from django.db import connections

from integrations.connections.models import Connection, Credential
from integrations.connections.request_log import RequestLog
from integrations.connections.tokens import TokenKeeper
from integrations.connections.vault import LOST_KEY, CannotOpen, keyring
from integrations.contract import Connector, Door, Settings, Tokens
from integrations.errors import IntegrationError, ReconnectNeeded
from integrations.http import Exchange, Http
from integrations.limits import Budget
from portal.tenancy.scope import tenant_scope

_WORTH_LOGGING = 200  # calls
_TRUST_FOR = timedelta(seconds=10)  # how long a token, or that there is none, holds without asking again


GIVEN: Final = "given."  # ahead of a credential's name: entered through a link, and not tried yet


def budget_of(connection: Connection) -> Budget:
    """The budget this connection shares with every other that the vendor counts together with it."""
    return _budget(connection.connector, connection.settings)


def _budget(connector: Connector, settings: Settings) -> Budget:
    return Budget(connector.limit, connector.key, connector.budget_account(settings), connector.allowance)


class OpenConnection:
    """`Access` of a stored connection. Opens its own tenant scopes, so that nothing is held while the vendor works."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self.tenant_id, self.connection_id = connection.tenant_id, connection.pk
        self.connector = connection.connector
        self.settings: Settings = connection.settings
        self.has_worked = connection.connected_at is not None
        self.budget = budget_of(connection)
        self._log = RequestLog(self.tenant_id, self.connection_id)
        self.http = Http(
            allowed=django_settings.SANDBOX_ADDRESSES,
            before=self.budget.take,
            record=self._log.note,
            leave=connections.close_all,
            parallel=self.connector.limit.parallel,
        )
        self._secrets = dict(secrets)
        # The token endpoint is not the API: it has a way of its own that no budget delays.
        self._token_http = Http(allowed=django_settings.SANDBOX_ADDRESSES, record=self._log.note)
        self._keeper = TokenKeeper(
            self.tenant_id,
            self.connection_id,
            self.connector,
            Door(settings=self.settings, secrets=self._secrets, http=self._token_http),
        )
        self._one_asks = threading.Lock()
        self._token, self._trusted_until = "", 0.0
        self._failure: IntegrationError | None = None

    def secret(self, name: str) -> str:
        return self._secrets.get(name, "")

    def token(self) -> str:
        with self._one_asks:
            if time.monotonic() >= self._trusted_until:
                self._ask(self._keeper.current)
            return self._known()

    def renew_token(self, refused: str) -> str:
        with self._one_asks:
            if time.monotonic() >= self._trusted_until or (self._failure is None and self._token in ("", refused)):
                self._ask(lambda: self._keeper.other_than(refused))
            return self._known()

    def _ask(self, ask: Callable[[], str]) -> None:
        """For all threads: those whose calls were refused together share what came of it, a failure too."""
        self._failure = None
        try:
            with self._clocks_compared():
                self._token = ask()
        except IntegrationError as failure:
            self._failure = failure
        self._trusted_until = time.monotonic() + _TRUST_FOR.total_seconds()

    def _known(self) -> str:
        if self._failure is not None:
            raise self._failure
        return self._token

    def keep_alive(self, generation: int) -> None:
        """Refresh although nobody asks, so that a refresh token that lives in minutes does not die. Nothing happens
        when a later generation than that is stored already."""
        with self._clocks_compared():
            self._keeper.later_than(generation)

    @contextmanager
    def _clocks_compared(self) -> Iterator[None]:
        """What the token endpoint's clock says is known to the API's side too: a diagnosis looks there."""
        try:
            yield
        finally:
            self.http.clock_offset = self._token_http.clock_offset or self.http.clock_offset

    def log_calls(self, *, can_wait: bool = False) -> None:
        """Put the calls made so far into the log; where they can wait, only when they are many. Call outside any
        scope."""
        self._log.write(at_least=_WORTH_LOGGING if can_wait else 1)

    def close(self) -> None:
        self.http.close()
        self._token_http.close()
        self._log.write()


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
    """Every credential of the connection that is in use, opened, but for those named. Call in its tenant's scope.
    Raises ReconnectNeeded when the keyring has lost the key: only entering them again helps."""
    rows = Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    return _opened(rows.exclude(name__startswith=GIVEN).exclude(name__in=but))


def given_secrets(connection: Connection, *, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """What was entered through links and not tried yet, by the names they are for. As `stored_secrets` else."""
    rows = Credential.objects.filter(tenant_id=connection.tenant_id, connection=connection)
    rows = rows.filter(name__startswith=GIVEN).exclude(name__in={GIVEN + name for name in but})
    return {name.removeprefix(GIVEN): value for name, value in _opened(rows).items()}


def _opened(rows: Iterable[Credential]) -> dict[str, str]:
    try:
        return {
            row.name: keyring().open(row.sealed, tenant=row.tenant_id, connection=row.connection_id, field=row.name)
            for row in rows
        }
    except CannotOpen as lost:
        raise ReconnectNeeded(LOST_KEY, code="vault") from lost


class TrialAccess:
    """`Access` of what is not stored yet: the live test runs on it, and nothing of it is kept unless it passes.

    Where the connection has a row, its calls are logged there; they count against the vendor account's budget.
    """

    def __init__(
        self,
        connector: Connector,
        settings: Settings,
        secrets: Mapping[str, str],
        tokens: Tokens | None = None,
        *,
        connection: Connection | None = None,
    ) -> None:
        self.connector, self.settings = connector, settings
        self.has_worked = connection is not None and connection.connected_at is not None
        self._secrets = dict(secrets)
        self.tokens = tokens  # what the trial was given, to be kept when it passed
        self._log = RequestLog(connection.tenant_id, connection.pk) if connection else None
        record = self._log.note if self._log else _unlogged
        self.http = Http(
            allowed=django_settings.SANDBOX_ADDRESSES,
            before=_budget(connector, settings).take,
            record=record,
            parallel=connector.limit.parallel,
        )
        self.token_http = Http(allowed=django_settings.SANDBOX_ADDRESSES, record=record)

    @property
    def door(self) -> Door:
        return Door(settings=self.settings, secrets=self._secrets, http=self.token_http)

    def secret(self, name: str) -> str:
        return self._secrets.get(name, "")

    def token(self) -> str:
        if self.tokens is None:
            self.tokens = self.request(lambda: self.connector.request_token(self.door))
        return self.tokens.access_token

    def request(self, grant: Callable[[], Tokens]) -> Tokens:
        """Ask the token endpoint; what its clock says is known to the API's side too."""
        try:
            return grant()
        finally:
            self.http.clock_offset = self.token_http.clock_offset

    def renew_token(self, refused: str) -> str:
        raise ReconnectNeeded("The vendor gave us access and then did not accept it.")

    def close(self) -> None:
        self.http.close()
        self.token_http.close()
        if self._log:
            self._log.write()


def _unlogged(exchange: Exchange) -> None:
    """There is no connection yet whose log could keep it."""
