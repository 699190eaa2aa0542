"""The one way to write the audit trail."""

from typing import Any

from portal.accounts.models import User
from portal.tenancy.models import Event
from portal.tenancy.scope import scoped_tenant_id


def note(action: str, subject: object, *, by: User | None, **details: Any) -> Event:
    """Write one event in the current tenant. `by` None is the system itself."""
    return Event.objects.create(
        tenant_id=scoped_tenant_id(), action=action, subject=str(subject)[:200], actor=by, details=details
    )
