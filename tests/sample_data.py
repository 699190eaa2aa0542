"""Realistic rows without a sync: written as they would be stored. Call in the tenant's scope."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from django.db.models import Max
from django.utils import timezone

from integrations.connections.models import Connection, ConnectionState
from integrations.records.models import Billing, Booking, Record, RecordVersion, Typed, WorkOrder
from integrations.sync.models import RunKind, RunState, StreamState, SyncRun
from integrations.values import BillingStatus, BookingKind, BookingStatus, Priority, WorkOrderStatus
from portal.tenancy.models import Tenant


def connect(tenant: Tenant, vendor: str, *, synced_at: datetime | None = None, **fields: Any) -> Connection:
    """An active connection with its streams' states; `synced_at` is when each was last caught up."""
    now = timezone.now()
    connection = Connection.objects.create(
        **{
            "tenant": tenant,
            "vendor": vendor,
            "name": vendor.capitalize(),
            "account": f"{vendor}-{Connection.objects.count()}",
            "state": ConnectionState.ACTIVE,
            "connected_at": now,
        }
        | fields
    )
    for stream in connection.connector.streams:
        StreamState.objects.create(
            tenant=tenant,
            connection=connection,
            stream=stream.key,
            interval=stream.interval,
            last_good_at=synced_at,
            last_attempt_at=synced_at,
            due_at=(synced_at or now) + stream.interval,
        )
    return connection


def start_run(connection: Connection, stream: str, **fields: Any) -> SyncRun:
    """An open run, as the scheduler would have begun it."""
    state = StreamState.objects.get(tenant_id=connection.tenant_id, connection=connection, stream=stream)
    run = {"kind": RunKind.INCREMENTAL, "state": RunState.RUNNING, "started_at": timezone.now(), **fields}
    return SyncRun.objects.create(
        tenant_id=connection.tenant_id, connection=connection, stream_state=state, stream=stream, **run
    )


def store(connection: Connection, stream: str, payload: dict[str, Any], **fields: Any) -> Record:
    """One raw record."""
    return _records(connection, stream, [(payload, fields)])[0]


def replaced(record: Record, payload: dict[str, Any], *, at: datetime | None = None) -> RecordVersion:
    """An earlier payload of the record."""
    at = at or timezone.now()
    return RecordVersion.objects.create(
        tenant_id=record.tenant_id,
        record=record,
        payload=msgspec.json.encode(payload).decode(),
        seen_at=at - timedelta(days=1),
        replaced_at=at,
        run_id=1,
    )


def work_order(connection: Connection, payload: dict[str, Any] | None = None, **fields: Any) -> WorkOrder:
    return work_orders(connection, [fields], payload)[0]


def work_orders(
    connection: Connection, rows: Iterable[dict[str, Any]], payload: dict[str, Any] | None = None
) -> list[WorkOrder]:
    usual = {
        "number": "100",
        "title": "Door sticks",
        "description": "",
        "status": WorkOrderStatus.NEW,
        "vendor_status": "New",
        "priority": Priority.NORMAL,
        "vendor_priority": "P3",
        "customer": "Meridian Retail",
        "location": "Store 118",
        "assignee": "",
        "category": "",
        "currency": "USD",
    }
    return _typed(WorkOrder, connection, usual, rows, ("number", "title", "customer", "location", "assignee"), payload)


def booking(connection: Connection, payload: dict[str, Any] | None = None, **fields: Any) -> Booking:
    return bookings(connection, [fields], payload)[0]


def bookings(
    connection: Connection, rows: Iterable[dict[str, Any]], payload: dict[str, Any] | None = None
) -> list[Booking]:
    usual = {
        "kind": BookingKind.ROOM,
        "title": "Vendor call",
        "status": BookingStatus.CONFIRMED,
        "vendor_status": "Booked",
        "resource": "Board room 4A",
        "location": "Chicago Loop",
        "organiser": "Dana Reyes",
        "organiser_email": "dana@example.com",
        "is_private": False,
        "zone": "America/Chicago",
        "starts_at": timezone.now(),
    }
    return _typed(Booking, connection, usual, rows, ("title", "resource", "location", "organiser"), payload)


def billing(connection: Connection, payload: dict[str, Any] | None = None, **fields: Any) -> Billing:
    return billings(connection, [fields], payload)[0]


def billings(
    connection: Connection, rows: Iterable[dict[str, Any]], payload: dict[str, Any] | None = None
) -> list[Billing]:
    usual = {
        "number": "INV-1",
        "title": "Season package",
        "account": "Apex Beverages",
        "deal_id": "",
        "status": BillingStatus.BILLED,
        "vendor_status": "Invoiced",
        "currency": "USD",
        "amount": Decimal("100"),
        "balance": Decimal("100"),
    }
    return _typed(Billing, connection, usual, rows, ("number", "title", "account"), payload)


def _typed(
    model: type[Typed],
    connection: Connection,
    usual: dict[str, Any],
    rows: Iterable[dict[str, Any]],
    searched: tuple[str, ...],
    payload: dict[str, Any] | None,
) -> list[Any]:
    stream = next(one.key for one in connection.connector.streams if one.kind == _KINDS[model])
    values = [usual | row for row in rows]
    titles = [({"title": value.pop("record_title")} if "record_title" in value else {}) for value in values]
    raw = [
        (payload or {"Number": value.get("number", ""), "Title": value["title"], "Status": value["vendor_status"]}, own)
        for value, own in zip(values, titles, strict=True)
    ]
    made = [
        model(
            tenant_id=connection.tenant_id,
            connection=connection,
            record=record,
            search=" ".join(str(value[name]) for name in searched).lower(),
            **value,
        )
        for record, value in zip(_records(connection, stream, raw), values, strict=True)
    ]
    return model._default_manager.bulk_create(made, batch_size=1000)  # type: ignore[return-value]


def _records(
    connection: Connection, stream: str, payloads: list[tuple[dict[str, Any], dict[str, Any]]]
) -> list[Record]:
    latest = Record.objects.filter(tenant_id=connection.tenant_id).aggregate(Max("id"))["id__max"] or 0
    now = timezone.now()
    made = [
        Record(
            **{
                "tenant_id": connection.tenant_id,
                "connection": connection,
                "stream": stream,
                "external_id": f"{stream}-{latest + number}",
                "title": str(next(iter(payload.values()), ""))[:300],
                "payload": msgspec.json.encode(payload).decode(),
                "digest": b"-",
                "first_seen_at": now,
                "changed_at": now,
                "first_run_id": 1,
                "changed_run_id": 1,
            }
            | fields
        )
        for number, (payload, fields) in enumerate(payloads, start=1)
    ]
    return Record.objects.bulk_create(made, batch_size=1000)


_KINDS: dict[type[Typed], str] = {WorkOrder: "work_order", Booking: "booking", Billing: "billing"}
