"""Exports: a list as a file, with the very filters, search and order its address asks for.

A million rows go through in flat memory: they are read chunk by chunk along the list's keys, each chunk in a scope of
its own, so no transaction and no lock outlives a chunk however slow the reader is. The price: what changes its place
in the list meanwhile may come twice or not at all, as for somebody who pages through the list.
"""

from collections.abc import Callable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, Http404, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from portal.pages.business.common import Desk
from portal.pages.business.records import asked_stream
from portal.pages.business.sheets import Sheet, billing_sheet, booking_sheet, record_sheet, work_order_sheet
from portal.pages.business.spreadsheet import Rows, csv_lines, write_workbook
from portal.pages.keyset import Keyset
from portal.tenancy.access import opens_own_scopes, require_role
from portal.tenancy.audit import note
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role
from portal.tenancy.scope import tenant_scope

CHUNK = 1_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@opens_own_scopes
@require_GET
@require_role(Role.MEMBER)
def work_orders(request: TenantRequest, form: str) -> HttpResponseBase:
    return _export(request, work_order_sheet, form)


@opens_own_scopes
@require_GET
@require_role(Role.MEMBER)
def bookings(request: TenantRequest, form: str) -> HttpResponseBase:
    return _export(request, booking_sheet, form)


@opens_own_scopes
@require_GET
@require_role(Role.MEMBER)
def billings(request: TenantRequest, form: str) -> HttpResponseBase:
    return _export(request, billing_sheet, form)


@opens_own_scopes
@require_GET
@require_role(Role.MEMBER)
def records(request: TenantRequest, vendor: str, stream: str, form: str) -> HttpResponseBase:
    def sheet(desk: Desk) -> Sheet:
        connections, definition = asked_stream(desk, vendor, stream)
        if definition.kind:
            raise Http404("Its list has an export of its own, which keeps to itself what is private.")
        return record_sheet(desk, connections, definition)

    return _export(request, sheet, form)


def _export(request: TenantRequest, sheet_of: Callable[[Desk], Sheet], form: str) -> HttpResponseBase:
    desk = Desk(request)
    with tenant_scope(desk.tenant.pk):
        sheet = sheet_of(desk)
        bound = sheet.bound
        if bound.problems:
            # More than was asked for must not leave the house unnoticed: the list says what it did not understand.
            return redirect(f"{request.path.rpartition('/')[0]}/?{request.GET.urlencode()}")
        chunks = _chunks(desk.tenant.pk, sheet, bound.keyset(sheet.queryset, size=CHUNK))
        note(
            "records.exported",
            sheet.title,
            by=request.membership.user,
            stream=sheet.name,
            format=form,
            filters=[one.chip for one in bound.filters if one.is_on],
            search=bound.query,
            sort=bound.sort,
        )
    name = f"{desk.tenant.slug}-{sheet.name}-{desk.today.isoformat()}.{form}"
    response = _workbook(sheet, chunks, desk) if form == "xlsx" else _csv(sheet, chunks, desk)
    response.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    return response


def _csv(sheet: Sheet, chunks: Rows, desk: Desk) -> StreamingHttpResponse:
    response = StreamingHttpResponse(csv_lines(sheet.heads, chunks, desk.zone), content_type="text/csv; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"  # a proxy hands each chunk on at once
    return response


def _workbook(sheet: Sheet, chunks: Rows, desk: Desk) -> FileResponse:
    """Written whole before the first byte leaves, for a workbook cannot be opened in part; the file goes by itself."""
    file = TemporaryFile()  # noqa: SIM115 - the response closes it
    try:
        write_workbook(file, sheet.heads, chunks, desk.zone)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return FileResponse(file, content_type=XLSX)


def _chunks(tenant_id: int, sheet: Sheet, keyset: Keyset[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    after, has_more = "", True
    while has_more:
        with tenant_scope(tenant_id):
            part = keyset.page(after=after)
            cells = sheet.read(part.rows)
        yield cells
        after, has_more = part.next, bool(part.next)
