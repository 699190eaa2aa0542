"""What will run out: told by the connectors from settings, and by refresh tokens that nothing keeps alive.

Each that is near enough has one lasting problem, closed when its date has moved on or nobody uses it any more.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState, Token
from integrations.contract import Expiry, Who
from integrations.problems.models import Problem
from integrations.problems.services import close_problem, open_problem
from integrations.registry import connectors
from portal.tenancy.models import Tenant
from portal.tenancy.scope import ops_scope, tenant_scope

_logger = logging.getLogger(__name__)
CODE: Final = "expires_"
IN_USE: Final = (ConnectionState.ACTIVE, ConnectionState.NEEDS_RECONNECT, ConnectionState.NEEDS_ATTENTION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Something of a connection that ends; `days_left` counts from today in the tenant's zone, below 0 when over."""

    connection: Connection
    expiry: Expiry
    days_left: int

    @property
    def is_near(self) -> bool:
        """Whether it is time to act: the longest warning has come."""
        return self.days_left <= max(self.expiry.warn_days, default=0)

    @property
    def when(self) -> str:
        """ "in 12 days", "tomorrow", "today", "3 days ago"."""
        if self.days_left in _NAMED:
            return _NAMED[self.days_left]
        return f"in {self.days_left} days" if self.days_left > 0 else f"{-self.days_left} days ago"

    @property
    def words(self) -> str:
        """One or two sentences: what ends, on which day, and how to prolong it."""
        day = self.expiry.ends_on
        verb = "ended" if self.days_left < 0 else "ends"
        return f"{self.expiry.what} {verb} on {day.day} {day:%B %Y}, {self.when}. {self.expiry.cure}".strip()

    @property
    def code(self) -> str:
        return f"{CODE}{self.expiry.key}"[:60]


_NAMED = {0: "today", 1: "tomorrow", -1: "yesterday"}


def today_of(tenant: Tenant) -> date:
    return timezone.localdate(timezone=ZoneInfo(tenant.time_zone))


def endings(tenant: Tenant, connections: Iterable[Connection]) -> list[Ending]:
    """What of these connections ends, the soonest first; nothing of those that are not in use."""
    used = [one for one in connections if one.state in IN_USE and one.vendor in connectors()]
    tokens = {
        token.connection_id: token.refresh_expires_at
        for token in Token.objects.filter(
            tenant_id=tenant.pk,
            connection__in=[one.pk for one in used],
            refresh_expires_at__isnull=False,
            keep_alive_at=None,
        ).only("connection_id", "refresh_expires_at")
    }
    today = today_of(tenant)
    found = []
    for one in used:
        told = list(one.connector.expiries(one.settings))
        if end := tokens.get(one.pk):
            told.append(_of_token(one, timezone.localdate(end, ZoneInfo(tenant.time_zone))))
        found += [Ending(connection=one, expiry=each, days_left=(each.ends_on - today).days) for each in told]
    return sorted(found, key=lambda ending: (ending.expiry.ends_on, ending.connection.name, ending.expiry.key))


def _of_token(connection: Connection, ends_on: date) -> Expiry:
    label = connection.connector.label
    cure = (
        f"Sign in at {label} again before." if connection.uses_redirect else "Test and save its details again before."
    )
    return Expiry(key="access", what=f"Our access to {label}", ends_on=ends_on, cure=cure, warn_days=(7, 1))


def warn(tenant: Tenant, connections: Iterable[Connection]) -> None:
    """Open, reword and close the warnings of these connections; call in their tenant."""
    connections = list(connections)
    near = [ending for ending in endings(tenant, connections) if ending.is_near]
    for ending in near:
        who = Who.ADMIN.value
        open_problem(ending.connection.pk, code=ending.code, words=ending.words, who=who, is_lasting=True)
    wanted = {(ending.connection.pk, ending.code) for ending in near}
    open_ones = Problem.objects.filter(
        tenant_id=tenant.pk, connection__in=[one.pk for one in connections], code__startswith=CODE, closed_at=None
    )
    for connection_id, code in open_ones.values_list("connection_id", "code"):
        if (connection_id, code) not in wanted:
            close_problem(connection_id, code=code)


def warn_everybody() -> None:
    """Every tenant in turn; one that breaks does not keep the others from being warned."""
    with ops_scope():
        tenants = list(Tenant.objects.order_by("pk"))
    for tenant in tenants:
        try:
            with tenant_scope(tenant.pk):
                warn(tenant, Connection.objects.filter(tenant_id=tenant.pk))
        except Exception:
            _logger.exception("the expiries of a tenant could not be looked at", extra={"tenant": tenant.pk})
