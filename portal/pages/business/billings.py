"""Billings: the list with its totals, and one of them with its payments."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from integrations.records.models import Billing, Record
from integrations.records.queries import BillingQuerySet, CurrencySum, gone_since, is_here, records, sums_of
from integrations.records.queries import billings as billings_of
from integrations.values import Kind
from portal.pages.business.common import Desk, export_links, is_marked_gone, render_part, streams_of
from portal.pages.business.details import about, page_of
from portal.pages.business.listings import GONE, billing_listing
from portal.pages.freshness import stream_of
from portal.pages.lists import Page
from portal.tenancy.access import require_role
from portal.tenancy.middleware import TenantRequest
from portal.tenancy.models import Role

# Every order that the list offers must be among them, for a cursor is made of it.
_SHOWN = (
    "connection_id",
    "number",
    "title",
    "account",
    "status",
    "currency",
    "amount",
    "balance",
    "due_date",
    "billed_date",
)


@require_role(Role.VIEWER)
def billings(request: TenantRequest) -> HttpResponse:
    desk = Desk(request)
    bound = billing_listing(desk).bind(request.GET, request.path)
    everything = billings_of(desk.tenant.pk)
    is_summed = bound.readings["status"].value != GONE
    page = bound.page(everything.only(*_SHOWN).annotate(gone_since=gone_since()), is_summed=is_summed)
    bound.suggest("account", (row.account for row in page.rows))
    desk.attach(row for row in page.rows if is_marked_gone(row))
    facts = {
        "bound": bound,
        "page": page,
        "today": desk.tenant_today,
        "totals": _totals(everything, page) if is_summed else [],
        "as_of": desk.as_of(Kind.BILLING),
        "sources": desk.connections_with(Kind.BILLING),
        "noun": "billing",
        "exports": export_links(desk, bound),
    }
    return render_part(request, "billings/list.html", "billings/_list.html", facts)


@require_role(Role.VIEWER)
def billing(request: TenantRequest, pk: int) -> HttpResponse:
    desk = Desk(request)
    found = billings_of(desk.tenant.pk).select_related("record", "connection")
    bill = get_object_or_404(found, pk=pk)
    deal = _deal(bill)
    facts = {
        "bill": bill,
        "today": desk.tenant_today,
        "deal": deal,
        "deal_page": page_of(stream_of(bill.connection, deal.stream)) if deal else "",
        **about(request, bill.record, bill.connection),
    }
    return render(request, "billings/detail.html", facts)


def _totals(everything: BillingQuerySet, page: Page[Billing]) -> list[CurrencySum] | None:
    """None where there are too many to add up on the way."""
    if not page.rows:
        return []
    if not page.are_few:
        return None
    narrowed = page.bound.narrow(everything)
    # The words for several statuses at once leave out what is gone by themselves.
    is_present = page.bound.readings["status"].also is not None
    return sums_of(everything, narrowed if is_present else narrowed.filter(is_here()))


def _deal(bill: Billing) -> Record | None:
    """The thing the vendor says it belongs to, where one of the connection's other streams brought it."""
    if not bill.deal_id:
        return None
    keys = [stream.key for stream in streams_of(bill.connection) if stream.key != bill.record.stream]
    found = records(bill.tenant_id).filter(connection_id=bill.connection_id, external_id=bill.deal_id, stream__in=keys)
    return found.first()
