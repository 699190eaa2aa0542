"""Whose rows the database shows. PostgreSQL row-level security decides; outside a scope it shows none.

A scope is a transaction: the tenant (or the ops role) is set with SET LOCAL, so that it cannot outlive it on a reused
connection. Long work opens one scope per page, never one for all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection, transaction

APP_ROLE, OPS_ROLE = "portal_app", "portal_ops"

_tenant: ContextVar[int | None] = ContextVar("tenant", default=None)


def current_tenant_id() -> int | None:
    """The tenant of the scope we are in; None outside."""
    return _tenant.get()


def scoped_tenant_id() -> int:
    """The tenant of the scope we must be in; RuntimeError outside, for then something forgot to say whose it is."""
    tenant_id = current_tenant_id()
    if tenant_id is None:
        raise RuntimeError("no tenant is set")
    return tenant_id


@contextmanager
def tenant_scope(tenant_id: int) -> Iterator[None]:
    """Show and take only rows of this tenant until the block ends. Raises RuntimeError inside another tenant's scope.

    `SET LOCAL` ends with the outermost transaction, not with a savepoint, so the former value is put back on leaving;
    after an error, or where a rollback is asked for, the rollback of the block does that.
    """
    outer = _tenant.get()
    if outer not in (None, tenant_id):
        raise RuntimeError(f"already in the scope of tenant {outer}")
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        _set("app.tenant_id", str(int(tenant_id)))
        mark = _tenant.set(int(tenant_id))
        try:
            yield
        finally:
            _tenant.reset(mark)
        if not is_outermost and not connection.needs_rollback:
            _set("app.tenant_id", str(outer or ""))


@contextmanager
def ops_scope() -> Iterator[None]:
    """See every tenant's rows until the block ends: for finding whose work is due, for sign-in, for the admin site.

    Each use is a door around the walls and is listed in docs/decisions/0003-row-level-security.md.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select current_user")
            former = cursor.fetchone()[0]
            cursor.execute(f"set local role {OPS_ROLE}")
        yield
        if connection.needs_rollback:
            return
        with connection.cursor() as cursor:
            cursor.execute(f"set local role {connection.ops.quote_name(former)}")


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select set_config(%s, %s, true)", [name, value])
