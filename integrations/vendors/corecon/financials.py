"""Project financials: the published reports, one stream each, read project by project.

Rows with cost codes come only where a single project is asked for (vendor's help, project analytics). The first reading
and each sweep go through every project; the readings between them through those that have not come to an end.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from integrations.contract import Access, Column, Settings, Span
from integrations.errors import VendorChanged
from integrations.vendors.corecon.assumptions import CLOSED_WORDS, REPORT_NAMES, REPORTS_SINCE
from integrations.vendors.corecon.client import Client
from integrations.vendors.corecon.codes import STRANGE
from integrations.vendors.corecon.reading import CoreconStream, Part, Place
from integrations.vendors.corecon.records import (
    PROJECT,
    REPORT_KEY,
    Fields,
    fields_of,
    identify,
    identify_report_row,
    vendor_date,
)
from integrations.vendors.corecon.registers import Projects
from integrations.zones import windows_of

_PROJECTS = Projects()
_WHOSE = (
    Column(label="Project", path="ProjectTitle"),
    Column(label="Number", path="ProjectNumber", is_filter=True),
    Column(label="Contract", path="PrimeContractNumber"),
)
_CONTRACT = (
    *_WHOSE,
    Column(label="Subject", path="PrimeContractSubject"),
    Column(label="Contract status", path="PrimeContractStatus", is_filter=True),
)
_COST_CODE = (
    *_WHOSE,
    Column(label="Cost code", path="JobCostCode"),
    Column(label="Description", path="JobCostCodeDescription"),
)


class Report(CoreconStream):
    """One report of each project."""

    interval = timedelta(hours=6)
    sweep_interval = timedelta(days=7)
    parent = "projects"
    feature = "Project Financials"
    needs = ("Projects",)
    resource = "ProjectFinancial"

    @property
    def report(self) -> str:
        """The last word of its address."""
        return REPORT_NAMES[self.key]

    def path(self, client: Client) -> str:
        return f"{super().path(client).rstrip('/')}/{self.report}"

    def parts(self, place: Place, access: Access, client: Client) -> list[Part]:
        assert place.run_date
        is_whole = place.done is None
        numbers = _project_numbers(access, client, with_closed=is_whole)
        wanted = sorted(number for number in numbers if number >= place.part)
        return [
            Part(
                key=number,
                body=_body(access.settings, place.run_date, [number]),
                covers=Span() if is_whole and number == wanted[-1] else None,
            )
            for number in wanted
        ]

    def identify(self, fields: Fields, twins: dict[str, int]) -> str:
        return identify_report_row(fields, twins)

    @property
    def keys(self) -> Mapping[str, str]:
        return dict(REPORT_KEY)

    def parent_of(self, fields: Fields) -> str:
        return identify(PROJECT, fields, {})

    def probe(self, settings: Settings) -> Mapping[str, Any]:
        today = self.begin(Place(), settings).run_date
        assert today
        return _body(settings, today, [])


class Overview(Report):
    key = "financials-overview"
    label = "Financials: overview"
    columns = (
        *_CONTRACT,
        Column(label="Original revenue", path="RevenueBudget_Prime_Total", kind="money"),
        Column(label="Approved change orders", path="RevenueBudget_ApprovedCOs_Total", kind="money"),
        Column(label="Revised revenue", path="RevenueBudget_Revised_Total", kind="money"),
        Column(label="Invoiced", path="PrimeInvoice_Approved_Total", kind="money"),
    )


class OverviewDetails(Report):
    key = "financials-overview-details"
    label = "Financials: overview, simple details"
    columns = Overview.columns


class Cost(Report):
    key = "financials-cost"
    label = "Financials: cost"
    columns = (
        *_COST_CODE,
        Column(label="Original budget", path="CostBudget_Prime", kind="money"),
        Column(label="Approved change orders", path="CostBudget_ApprovedCOs", kind="money"),
        Column(label="Pending change orders", path="CostBudget_PendingCOs", kind="money"),
        Column(label="Revised budget", path="CostBudget_Revised", kind="money"),
    )


class ChangeOrders(Report):
    key = "financials-change-orders"
    label = "Financials: change orders"
    columns = (
        Column(label="Change order", path="ChangeOrderSubject"),
        Column(label="Change order number", path="ChangeOrderNumber"),
        *_WHOSE,
        Column(label="Issued", path="ChangeOrderIssueDateUtc", kind="instant"),
        Column(label="Status since", path="ChangeOrderStatusDateUtc", kind="instant"),
        Column(label="Revenue", path="RevenueBudget_Total", kind="money"),
        Column(label="Invoiced", path="PrimeInvoice_Approved_Total", kind="money"),
        Column(label="Invoices pending", path="PrimeInvoice_Pending_Total", kind="money"),
    )


class Hours(Report):
    key = "financials-hours"
    label = "Financials: hours"
    columns = (
        *_COST_CODE,
        Column(label="Budget", path="HourBudget_Revised_L", kind="number"),
        Column(label="Approved", path="LbrTimecard_Approved_Hours", kind="number"),
        Column(label="Pending", path="LbrTimecard_Pending_Hours", kind="number"),
        Column(label="Approved and pending", path="LbrTimecard_ApprovedAndPending_Hours", kind="number"),
        Column(label="Projected", path="Projected_Hours_L", kind="number"),
    )


class HoursHistory(Report):
    key = "financials-hours-history"
    label = "Financials: hours, historical"
    columns = Hours.columns


class WorkInProgress(Report):
    key = "financials-wip"
    label = "Financials: work in progress"
    columns = (
        *_CONTRACT,
        Column(label="Revised revenue", path="RevenueBudget_Revised_Total", kind="money"),
        Column(label="Invoiced", path="PrimeInvoice_Approved_Total", kind="money"),
        Column(label="Percent invoiced", path="Percent_Invoiced_Gross", kind="number"),
        Column(label="Revised cost budget", path="CostBudget_Revised", kind="money"),
        Column(label="Committed cost", path="CommittedCost_Approved_Total", kind="money"),
        Column(label="Cost to date", path="CostToDate_Approved_Total", kind="money"),
        Column(label="Cash flow", path="CashFlow_Approved_Total", kind="money"),
        Column(label="Profit margin in percent", path="Percent_Profit_Margin_Total", kind="number"),
    )


class CostPlus(Report):
    key = "financials-cost-plus"
    label = "Financials: cost-plus contracts"
    columns = (
        *_CONTRACT,
        Column(label="Billing type", path="PrimeContractBillingType", is_filter=True),
        Column(label="Owner", path="OwnerCompanyName"),
        Column(label="Approved", path="PrimeContractApprovalDateOrgLocal", kind="date"),
    )


REPORTS = (
    Overview(),
    OverviewDetails(),
    Cost(),
    ChangeOrders(),
    Hours(),
    HoursHistory(),
    WorkInProgress(),
    CostPlus(),
)


def _project_numbers(access: Access, client: Client, *, with_closed: bool) -> set[str]:
    """The numbers of all projects, or of those that have not come to an end (CC-B03). What cannot be read among the
    projects is set aside where they are read for themselves."""
    pages = list(_PROJECTS.walk(access, client, Place()))
    rows = [fields_of(record.payload) for page in pages for record in page.records]
    numbered = [row for row in rows if row.get("ProjectNumber")]
    if not numbered and (rows or any(page.rejected for page in pages)):
        raise VendorChanged(STRANGE, detail="no project has a number")
    return {
        str(row["ProjectNumber"])
        for row in numbered
        if with_closed or str(row.get("ProjectStatus")).strip().lower() not in CLOSED_WORDS
    }


def _body(settings: Settings, until: date, projects: list[str]) -> dict[str, Any]:
    """The question for those projects; none stands for all (CC-B01)."""
    return {
        "Project": [{"ProjectNumber": number, "PrimeContractNumber": []} for number in projects],
        "Date": {"FromDate": vendor_date(REPORTS_SINCE), "ToDate": vendor_date(until)},
        "Timezone": windows_of(str(settings["time_zone"])),
    }
