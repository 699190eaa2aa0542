"""The lists that are read whole: locations, practitioners, appointment types and, where asked for, clients."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import ClassVar

import msgspec

from integrations.contract import Access, Column, Page, Record, Rejected, Stream
from integrations.errors import RecordRejected, VendorChanged
from integrations.vendors.coreplus import assumptions, paging, records
from integrations.vendors.coreplus.client import (
    CLIENTS,
    LOCATIONS,
    PRACTITIONERS,
    TYPES,
    Listing,
    fetch_list,
    fetch_page,
)
from integrations.vendors.coreplus.failures import Resource
from integrations.vendors.coreplus.references import AppointmentType, types_in

READ = '{"page":1}'  # the cursor after a complete reading: the next one begins at the beginning
_NIGHTLY = timedelta(days=1)


class WholeList(Stream):
    """A list of one answer: no paging is documented for it."""

    interval = _NIGHTLY
    reads_whole = True
    sweep_interval = _NIGHTLY
    resource: ClassVar[Resource]
    id_name: ClassVar[str]

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        listing = fetch_list(access, self.resource)
        if listing.total is not None and listing.total > len(listing.rows):
            raise VendorChanged(
                f"coreplus no longer lists all {self.resource.thing} at once. Our developers have to look at it.",
                code="paging",
                detail=f"{len(listing.rows)} of {listing.total}",
            )
        found, rejected = sort_out(listing.rows, self.file)
        expected = len(listing.rows)
        yield Page(records=found, rejected=rejected, cursor=READ, expected=expected, request_id=listing.request_id)

    def file(self, raw: msgspec.Raw) -> Record:
        """Raises RecordRejected."""
        return Record(external_id=records.id_of(records.row_of(raw), self.id_name), payload=bytes(raw))


class Locations(WholeList):
    key, label, resource, id_name = "locations", "Locations", LOCATIONS, "locationId"
    columns = (
        Column(label="Location", path="name"),
        Column(label="Time zone (coreplus's number)", path="timezoneId", is_filter=True),
    )


class Practitioners(WholeList):
    key, label, resource, id_name = "practitioners", "Practitioners", PRACTITIONERS, "practitionerId"
    columns = (Column(label="Last name", path="lastName"), Column(label="First name", path="firstName"))


class AppointmentTypes(WholeList):
    """Path and shape are assumed (CP-A19): types stand inside their specialties."""

    key, label, resource, id_name = "appointment-types", "Appointment types", TYPES, "appointmentTypeId"
    columns = (
        Column(label="Appointment type", path="description"),
        Column(label="Specialty", path="specialty", is_filter=True),
        Column(label="Minutes", path="durationMinutes", kind="number"),
    )

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        found: list[Record] = []
        rejected: list[Rejected] = []
        listing = fetch_list(access, self.resource)
        for raw in listing.rows:
            try:
                found += map(_file_type, types_in(raw))
            except RecordRejected as mistake:
                rejected.append(Rejected(payload=bytes(raw), reason=mistake.words))
        yield Page(
            records=tuple(found),
            rejected=tuple(rejected),
            cursor=READ,
            expected=len(found),
            request_id=listing.request_id,
        )


class Clients(Stream):
    """Names of clients, only where the admin asked for them; birth dates and the like are never stored."""

    key, label, parent = "clients", "Clients", "practitioners"
    interval = _NIGHTLY
    reads_whole = True
    sweep_interval = _NIGHTLY
    columns = (
        Column(label="Last name", path="lastName"),
        Column(label="First name", path="firstName"),
        Column(label="Preferred name", path="preferredName"),
        Column(label="Title", path="title", is_filter=True),
    )

    def read(self, access: Access, cursor: str) -> Iterator[Page]:
        """Pages by number; a cursor is the place in the list. Without names: no call, and one empty page."""
        if not has_names(access):
            yield Page(records=(), cursor=READ)
            return
        begin = msgspec.json.decode(cursor, type=paging.Place) if cursor else paging.Place()
        size = assumptions.CLIENTS_PER_PAGE

        def fetch(number: int) -> Listing:
            return fetch_page(access, CLIENTS, page=number, size=size)

        for listing, place in paging.read(access.http, fetch, begin, size):
            found, rejected = sort_out(listing.rows, _file_client)
            cursor = READ if place.is_end else msgspec.json.encode(place).decode()
            yield Page(
                records=found,
                rejected=rejected,
                cursor=cursor,
                expected=listing.total,
                request_id=listing.request_id,
            )


def has_names(access: Access) -> bool:
    """Whether the admin switched client names on."""
    return bool(access.settings.get("show_client_names"))


def sort_out(
    rows: list[msgspec.Raw], file: Callable[[msgspec.Raw], Record]
) -> tuple[tuple[Record, ...], tuple[Rejected, ...]]:
    """Records, and what cannot be told apart, of which nothing is kept but the reason: it may be about a person."""
    good, bad = [], []
    for raw in rows:
        try:
            good.append(file(raw))
        except RecordRejected as mistake:
            bad.append(Rejected(payload=b"{}", reason=mistake.words))
    return tuple(good), tuple(bad)


def _file_type(one: AppointmentType) -> Record:
    return Record(external_id=one.id, payload=msgspec.json.encode({**one.row, "specialty": one.specialty}))


def _file_client(raw: msgspec.Raw) -> Record:
    row = records.row_of(raw)
    return Record(
        external_id=records.id_of(row, "clientId"),
        payload=records.reduced_client(row),
        parent_id=records.text_of(row, "practitionerId").lower(),
    )
