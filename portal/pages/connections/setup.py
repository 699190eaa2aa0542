"""Connecting, from a valid form to an active connection: kept, tried at the vendor, connected.

The vendor is called outside any scope. What was connected before is changed only once the new values have proved good;
a new connection is kept as a draft first, so that nothing typed is lost.
"""

from dataclasses import dataclass
from uuid import UUID

from integrations.connections.checks import NotConnected, check_stored, try_out
from integrations.connections.expiries import warn
from integrations.connections.links import untried
from integrations.connections.models import Connection
from integrations.connections.services import (
    access_connection,
    adopt_given,
    ensure_account,
    expect_sign_in,
    mark_connected,
    save_draft,
    say_why_not,
    secrets_of,
)
from integrations.contract import Capability, Connector, Diagnosis, Tokens, Who
from integrations.forms import ConnectionForm
from integrations.sync.services import begin, forget_streams, stop_all
from portal.tenancy.models import Membership
from portal.tenancy.scope import tenant_scope

MEANWHILE = Diagnosis(
    key="meanwhile",
    cause="It was changed by somebody else in the meantime.",
    cure="Look at it again, then repeat.",
    who=Who.ADMIN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Where an attempt to connect ended: `failure` says why it is not connected."""

    connection: Connection
    failure: Diagnosis | None = None
    awaits_sign_in: bool = False
    is_renamed: bool = False


def connect(by: Membership, connector: Connector, connection: Connection | None, form: ConnectionForm) -> Result:
    """Carry out what the form asks. Raises ValidationError when these details may not be used; nothing is kept then."""
    if connection is not None and _only_renames(by, connection, form):
        return _rename(by, connection, form)
    if connector.uses_redirect(form.vendor_settings()):
        if connection is not None and connection.needs_attention and _is_unchanged(by, connection, form):
            return try_again(by, connection)
        return _await_sign_in(by, connector, connection, form)
    if connection is None or connection.connected_at is None:
        return _connect_new(by, connector, connection, form)
    return _change(by, connector, connection, form)


def finish(
    by: Membership,
    connection: Connection,
    found: tuple[Capability, ...],
    tokens: Tokens | None,
    *,
    adopts: bool = False,
) -> Connection | None:
    """The vendor let us in: active, and the first copy begins. None when the connection changed while we were there.
    `adopts`: what came through a link has been tried, so it is what is used from now on."""
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk, for_change=True)
        if _has_changed(connection, current):
            return None
        if adopts:
            adopt_given(current)
        _make_active(by, current, found, tokens)
        return current


def _make_active(by: Membership, connection: Connection, found: tuple[Capability, ...], tokens: Tokens | None) -> None:
    mark_connected(connection, found, tokens, by=by.user)
    warn(by.tenant, [connection])
    begin(connection, by=by.user)


def _has_changed(before: Connection, now: Connection) -> bool:
    """Whether somebody gave it other details or disconnected it while we were at the vendor."""
    return before.settings != now.settings or before.is_disconnected != now.is_disconnected


def _only_renames(by: Membership, connection: Connection, form: ConnectionForm) -> bool:
    """Nothing the vendor would notice: no need to ask it. A connection in trouble is tried anew all the same."""
    return (connection.is_active or connection.is_paused) and _is_unchanged(by, connection, form)


def _is_unchanged(by: Membership, connection: Connection, form: ConnectionForm) -> bool:
    if form.entered_secrets() or form.vendor_settings() != connection.settings:
        return False
    with tenant_scope(by.tenant_id):
        return not untried(connection)


def try_again(by: Membership, connection: Connection) -> Result:
    """The cure was at the vendor: what is stored still holds, so the live test runs with it."""
    try:
        found = check_stored(connection)
    except NotConnected as refusal:
        return Result(connection=connection, failure=refusal.diagnosis)
    connected = finish(by, connection, found, None)
    return Result(connection=connected or connection, failure=None if connected else MEANWHILE)


def _keep(by: Membership, connector: Connector, connection: Connection | None, form: ConnectionForm) -> Connection:
    before = dict(connection.settings) if connection and connection.connected_at else None
    kept = save_draft(
        connection,
        vendor=connector.key,
        name=form.cleaned_data["name"],
        settings=form.vendor_settings(),
        secrets=form.entered_secrets(),
        by=by.user,
    )
    if before is not None:
        forget_streams(kept, connector.forgets(before, kept.settings))
    return kept


def _rename(by: Membership, connection: Connection, form: ConnectionForm) -> Result:
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk, for_change=True)
        kept = _keep(by, current.connector, current, form)
    return Result(connection=kept, is_renamed=True)


def _await_sign_in(by: Membership, connector: Connector, connection: Connection | None, form: ConnectionForm) -> Result:
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk, for_change=True) if connection else None
        kept = _keep(by, connector, current, form)
        if kept.connected_at:
            expect_sign_in(kept, by=by.user)
            stop_all(kept, words="Stopped: the connection's details were changed.")
    return Result(connection=kept, awaits_sign_in=True)


def _connect_new(by: Membership, connector: Connector, connection: Connection | None, form: ConnectionForm) -> Result:
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk, for_change=True) if connection else None
        if current is not None and current.connected_at:
            return Result(connection=current, failure=MEANWHILE)
        draft = _keep(by, connector, current, form)
        opened = secrets_of(draft, {})
    try:
        found, tokens = try_out(connector, draft.settings, opened, connection=draft)
    except NotConnected as refusal:
        with tenant_scope(by.tenant_id):
            say_why_not(draft, refusal.diagnosis)
        return Result(connection=draft, failure=refusal.diagnosis)
    connected = finish(by, draft, found, tokens)
    return Result(connection=connected or draft, failure=None if connected else MEANWHILE)


def _change(by: Membership, connector: Connector, connection: Connection, form: ConnectionForm) -> Result:
    wanted = form.vendor_settings()
    with tenant_scope(by.tenant_id):
        ensure_account(connection, vendor=connector.key, settings=wanted)
        opened = secrets_of(connection, form.entered_secrets())
    try:
        found, tokens = try_out(connector, wanted, opened, connection=connection)
    except NotConnected as refusal:
        return Result(connection=connection, failure=refusal.diagnosis)
    with tenant_scope(by.tenant_id):
        current = access_connection(connection.pk, for_change=True)
        if _has_changed(connection, current):
            return Result(connection=connection, failure=MEANWHILE)
        kept = _keep(by, connector, current, form)
        _make_active(by, kept, found, tokens)
    return Result(connection=kept)


def form_of(
    connector: Connector, connection: Connection | None, kept: frozenset[str], data: object = None
) -> ConnectionForm:
    """The vendor's form: empty, filled with what is stored (never a secret), or bound to what was sent."""
    initial = {"name": connector.label} if connection is None else {**connection.settings, "name": connection.name}
    return connector.form(data, initial=initial, kept_secrets=kept)


def accounts_taken(tenant_id: int, vendor: str, but: UUID | None = None) -> set[str]:
    """The accounts of this vendor that the tenant's other connections have."""
    rows = Connection.objects.filter(tenant_id=tenant_id, vendor=vendor)
    return set((rows.exclude(pk=but) if but else rows).values_list("account", flat=True))
