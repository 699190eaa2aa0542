"""Where each field of a detail page stands in what the vendor sent."""

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.contract import Stream
from integrations.records.models import Record
from integrations.sources import Source, spelled
from integrations.values import Kind
from portal.pages.business.columns import decoded

# The labels of the typed pages, in the order of the pages.
_LABELS: dict[Kind, dict[str, str]] = {
    Kind.WORK_ORDER: {
        "number": "Number",
        "title": "Title",
        "description": "Description",
        "status": "Status",
        "vendor_status": "The vendor's word for the status",
        "priority": "Priority",
        "vendor_priority": "The vendor's word for the priority",
        "category": "Category",
        "assignee": "Assigned to",
        "limit_amount": "Not to exceed",
        "currency": "Currency",
        "customer": "Customer",
        "location": "Location",
        "opened_at": "Opened",
        "due_at": "Due",
        "scheduled_at": "Scheduled",
        "completed_at": "Completed",
        "changed_at": "Changed",
    },
    Kind.BOOKING: {
        "title": "Title",
        "starts_at": "Starts",
        "ends_at": "Ends",
        "zone": "Time zone of the site",
        "kind": "Kind",
        "resource": "Room, desk or person",
        "location": "Location",
        "status": "Status",
        "vendor_status": "The vendor's word for the status",
        "organiser": "Booked by",
        "organiser_email": "E-mail",
        "is_private": "Private",
        "changed_at": "Changed",
    },
    Kind.BILLING: {
        "number": "Number",
        "title": "Title",
        "amount": "Amount",
        "tax_amount": "Tax",
        "paid_amount": "Paid",
        "balance": "Balance",
        "currency": "Currency",
        "status": "Status",
        "vendor_status": "The vendor's word for the status",
        "billed_date": "Billed",
        "due_date": "Due",
        "paid_date": "Paid on",
        "opened_at": "Opened",
        "changed_at": "Changed",
        "account": "Account",
        "deal_id": "Deal",
    },
}
_OF_A_VEILED_BOOKING = {"starts_at", "ends_at", "zone", "kind", "resource", "location", "status", "changed_at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a shown field comes from. `is_there`: this record's payload has something at one of the paths."""

    label: str
    paths: tuple[str, ...]
    how: str = ""
    is_there: bool = True


def origins(stream: Stream | None, record: Record, *, is_veiled: bool = False) -> tuple[Origin, ...]:
    """By field, in the page's order; of a veiled booking those that are shown, without a look into its payload."""
    if stream is None:
        return ()
    if stream.kind is None:
        fields = decoded(record.payload)
        return tuple(_origin(one.label, Source(paths=(one.path,)), fields) for one in stream.columns)
    return tuple(_typed(stream, stream.kind, record, is_veiled=is_veiled))


def _typed(stream: Stream, kind: Kind, record: Record, *, is_veiled: bool) -> Iterator[Origin]:
    sources = stream.sources(record.context)
    fields = None if is_veiled else decoded(record.payload)
    for name, label in _LABELS[kind].items():
        if name not in sources or (is_veiled and name not in _OF_A_VEILED_BOOKING):
            continue
        if is_veiled:
            yield Origin(label=label, paths=sources[name].paths, how=sources[name].how)
        else:
            yield _origin(label, sources[name], fields)


def _origin(label: str, source: Source, fields: object) -> Origin:
    """The paths that this payload has; all that may be where it has none of them."""
    found = tuple(path for path in (spelled(fields, one) for one in source.paths) if path)
    is_there = bool(found) or not source.paths or bool(source.beside)
    return Origin(label=label, paths=found or source.paths, how=source.how, is_there=is_there)
