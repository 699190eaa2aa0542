"""Access tokens: fresh when asked for, refreshed by one worker at a time, never lost.

The journal row is the lock: it is committed before the vendor is asked, and the database allows one open row per
connection. Whoever finds one waits for it and reads again. An answer that got lost is asked for once more with the
same token, and then the loss is said.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState, RefreshState, Token, TokenRefresh
from integrations.connections.vault import LOST_KEY, CannotOpen, keyring
from integrations.contract import Connector, Door, Tokens
from integrations.errors import IntegrationError, ReconnectNeeded, RetryLater, VendorChanged
from portal.tenancy.scope import tenant_scope

_MARGIN = timedelta(seconds=15)  # beyond the slowest answer, before the asker is taken for dead
_POLL = 0.05
_STORE_PATIENCE, _STORE_PAUSE = timedelta(seconds=30), 0.5
Judge = Callable[[Token], bool]
# No answer came, or one that broke on its way: the vendor may have carried it out all the same.
_NO_ANSWER = {"timeout", "unreachable", "damaged", "unreadable"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """Our open journal row, and what is spent under it."""

    pk: int
    generation: int
    refresh: str
    former: str
    followed_a_loss: bool


class TokenKeeper:
    """The tokens of one connection."""

    def __init__(self, tenant_id: int, connection_id: UUID, connector: Connector, door: Door) -> None:
        self._tenant_id, self._connection_id = tenant_id, connection_id
        self._connector, self._door = connector, door

    def current(self) -> str:
        """A token with time left, refreshed if need be."""
        return self._settle(lambda token: token.expires_at > timezone.now() + self._renew_before(token))

    def other_than(self, refused: str) -> str:
        """A token that is not `refused`: what another worker stored meanwhile, or a new one."""
        return self._settle(lambda token: self._open(token, "access") != refused)

    def later_than(self, generation: int) -> str:
        """A token of a later generation: what another worker stored meanwhile, or a new one."""
        return self._settle(lambda token: token.generation > generation)

    def _renew_before(self, token: Token) -> timedelta:
        """Never more than a fifth of its life: a vendor may give tokens shorter than our margin."""
        return min(self._connector.renew_before, (token.expires_at - token.stored_at) / 5)

    def _settle(self, good: Judge) -> str:
        patience = time.monotonic() + (self._lease() * 2).total_seconds()
        while True:
            found = self._find_or_take_turn(good)
            if isinstance(found, str):
                return found
            if isinstance(found, _Entry):
                return self._ask(found)
            if time.monotonic() > patience:
                raise RetryLater("Access is being renewed elsewhere and is not ready yet.", code="refresh_busy")
            time.sleep(_POLL)

    def _lease(self) -> timedelta:
        return self._connector.token_timeout + _MARGIN

    def _find_or_take_turn(self, good: Judge) -> str | _Entry | None:
        """The good token there is, or our turn to ask for one, or None: someone else is asking."""
        with tenant_scope(self._tenant_id):
            token = self._stored()
            if token is not None and good(token):
                return self._open(token, "access")
            pk = self._open_journal()
            if pk is None:
                return None
            # Another may have stored its answer between our look and our turn: look again before spending anything.
            token = self._stored()
            if token is not None and good(token):
                TokenRefresh.objects.filter(pk=pk).delete()
                return self._open(token, "access")
            generation = token.generation if token else 0
            refresh = self._open(token, "refresh") if token else ""
            losses = self._losses(generation, fingerprint_of(refresh))
            TokenRefresh.objects.filter(pk=pk).update(
                attempt=losses + 1, generation=generation, fingerprint=fingerprint_of(refresh)
            )
            return _Entry(pk, generation, refresh, self._open(token, "former_refresh") if token else "", losses > 0)

    def _stored(self) -> Token | None:
        return Token.objects.filter(tenant_id=self._tenant_id, connection_id=self._connection_id).first()

    def _open_journal(self) -> int | None:
        """Our new row's id; None when another row is open. A row whose asker is gone is closed as a lost answer."""
        now = timezone.now()
        TokenRefresh.objects.filter(
            tenant_id=self._tenant_id, connection_id=self._connection_id, finished_at=None, lapses_at__lt=now
        ).update(state=RefreshState.LOST, finished_at=now, error="the asking process is gone")
        with connection.cursor() as cursor:
            cursor.execute(
                """
                insert into connections_tokenrefresh
                    (tenant_id, connection_id, attempt, generation, fingerprint, state, error, started_at, lapses_at)
                values (%s, %s, 1, 0, '', 'started', '', now(), now() + make_interval(secs => %s))
                on conflict (tenant_id, connection_id) where finished_at is null do nothing
                returning id
                """,
                [self._tenant_id, self._connection_id, self._lease().total_seconds()],
            )
            row = cursor.fetchone()
        return row[0] if row else None

    def _losses(self, generation: int, fingerprint: str) -> int:
        """How many answers in a row were lost for this very token."""
        latest = TokenRefresh.objects.filter(
            tenant_id=self._tenant_id, connection_id=self._connection_id, finished_at__isnull=False
        ).order_by("-started_at")[:5]
        count = 0
        for row in latest:
            if (row.state, row.generation, row.fingerprint) != (RefreshState.LOST, generation, fingerprint):
                break
            count += 1
        return count

    def _ask(self, entry: _Entry) -> str:
        try:
            tokens = self._grant(entry.refresh)
        except (RetryLater, VendorChanged) as failure:
            lost = failure.code in _NO_ANSWER and bool(entry.refresh)
            self._finish(entry, RefreshState.LOST if lost else RefreshState.FAILED, failure)
            if lost and not entry.followed_a_loss:
                return self._settle(lambda token: token.generation > entry.generation)
            raise
        except ReconnectNeeded as refusal:
            second = self._second_chance(entry, refusal)
            if isinstance(second, str):
                return second
            tokens = second
        except IntegrationError as failure:
            self._finish(entry, RefreshState.FAILED, failure)
            raise
        self._store(entry, tokens)
        return tokens.access_token

    def _grant(self, refresh: str) -> Tokens:
        if refresh:
            return self._connector.refresh_token(self._door, refresh)
        return self._connector.request_token(self._door)

    def _second_chance(self, entry: _Entry, refusal: ReconnectNeeded) -> Tokens | str:
        """An answer we stored but that never worked may be one the vendor did not keep: try the one before it. And
        what was refused may be out of date: a person may have signed in again while we asked."""
        if entry.former:
            try:
                return self._grant(entry.former)
            except IntegrationError:
                pass  # the refusal of the newer one is what counts
        self._finish(entry, RefreshState.REFUSED, refusal)
        newer = self._newer_than(entry)
        if newer is not None:
            return newer
        if entry.followed_a_loss:
            raise ReconnectNeeded(
                f"{self._connector.label} renewed our access, but its answer never reached us. Please sign in again.",
                code="lost_reply",
                detail=refusal.detail,
            ) from refusal
        raise refusal

    def _newer_than(self, entry: _Entry) -> str | None:
        with tenant_scope(self._tenant_id):
            token = self._stored()
            if token is not None and token.generation > entry.generation:
                return self._open(token, "access")
            # Sent once more it would be refused once more: nobody keeps this one alive.
            Token.objects.filter(tenant_id=self._tenant_id, connection_id=self._connection_id).update(
                keep_alive_at=None
            )
            return None

    def _finish(self, entry: _Entry, state: RefreshState, error: IntegrationError) -> None:
        with tenant_scope(self._tenant_id):
            TokenRefresh.objects.filter(pk=entry.pk, finished_at=None).update(
                state=state, finished_at=timezone.now(), error=f"{error.code} {error.detail}".strip()[:500]
            )

    def _store(self, entry: _Entry, tokens: Tokens) -> None:
        """Also when our turn lapsed meanwhile: the answer is good as long as nobody stored another. A database that
        is away for a moment must not cost a token that works only once."""
        patience = time.monotonic() + _STORE_PATIENCE.total_seconds()
        while True:
            try:
                with tenant_scope(self._tenant_id):
                    self._store_once(entry, tokens)
                return
            except (OperationalError, InterfaceError):
                if time.monotonic() > patience:
                    raise
                connection.close()
                time.sleep(_STORE_PAUSE)

    def _store_once(self, entry: _Entry, tokens: Tokens) -> None:
        place = Connection.objects.select_for_update(no_key=True).filter(pk=self._connection_id)
        if place.exclude(state=ConnectionState.DISCONNECTED).exists():
            store_tokens(self._tenant_id, self._connection_id, tokens, after_generation=entry.generation)
        TokenRefresh.objects.filter(pk=entry.pk).update(state=RefreshState.STORED, finished_at=timezone.now(), error="")

    def _open(self, token: Token, field: str) -> str:
        sealed = getattr(token, field)
        if sealed is None:
            return ""
        name = f"token.{field.removeprefix('former_')}"
        try:
            return keyring().open(sealed, tenant=self._tenant_id, connection=self._connection_id, field=name)
        except CannotOpen as lost:
            raise ReconnectNeeded(LOST_KEY, code="vault") from lost


def store_tokens(tenant_id: int, connection_id: UUID, tokens: Tokens, *, after_generation: int | None = None) -> None:
    """Store an answer as the next generation. With `after_generation`, only if no other came first."""
    now = timezone.now()
    rows = Token.objects.select_for_update().filter(tenant_id=tenant_id, connection_id=connection_id)
    former = rows.first()
    if after_generation is not None and (former.generation if former else 0) != after_generation:
        return

    def seal(value: str, field: str) -> bytes | None:
        return keyring().seal(value, tenant=tenant_id, connection=connection_id, field=field) if value else None

    life = tokens.refresh_expires_in
    has_refresh = bool(tokens.refresh_token)
    Token.objects.update_or_create(
        tenant_id=tenant_id,
        connection_id=connection_id,
        defaults={
            "access": seal(tokens.access_token, "token.access"),
            "refresh": seal(tokens.refresh_token, "token.refresh"),
            "former_refresh": former.refresh if former else None,
            "generation": former.generation + 1 if former else 1,
            "expires_at": now + tokens.expires_in,
            "refresh_expires_at": now + life if has_refresh and life else None,
            "keep_alive_at": now + life / 2 if has_refresh and life else None,
            "stored_at": now,
            "proved_at": None,
        },
    )


def fingerprint_of(token: str) -> str:
    """Tells two tokens apart without revealing either."""
    return hashlib.sha256(token.encode()).hexdigest()[:16] if token else ""
