"""The sandbox's financial reports: three contracts a project, six cost codes a contract, figures that grow with what is
posted. The columns are those the vendor's help publishes for its analytics data sources."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

from integrations.vendors.corecon.sandbox_data import Books
from integrations.vendors.corecon.sandbox_rows import project
from integrations.vendors.corecon.sandbox_words import COST_CODES, DEEDS

CONTRACTS = 3
CODES = 6
Row = dict[str, Any]


def report_rows(books: Books, report: str, number: int, *, is_alone: bool = True) -> Iterator[Row]:
    """That project's rows. Cost codes are told only where it is asked for alone."""
    by_code = is_alone and report in ("Cost", "Hours", "HoursHistorical")
    for contract in range(1, CONTRACTS + 1):
        head = _head(books, number, contract)
        if report == "ChangeOrder":
            for order in range(1, contract):
                dice = _dice(books, number, contract, "order", order)
                yield head | _change_order(books, number, contract, order, dice)
        elif by_code:
            for code in range(CODES):
                dice = _dice(books, number, contract, code)
                yield head | _cost_code(books, number, contract, code) | FIGURES[report](dice)
        else:
            yield head | FIGURES[report](_dice(books, number, contract))


def _head(books: Books, number: int, contract: int) -> Row:
    told = project(books, number, 0)
    start, finish = books.project_days(number)
    dice = books.shelves["Project"].dice(number, "contract", contract)
    issued, approved = start - timedelta(days=30), start - timedelta(days=14)
    names = ("ProjectId", "ProjectNumber", "ProjectTitle", "ProjectPMContactName")
    return {
        **{name: told[name] for name in names},
        **{name: told[name] for name in told if name.startswith("ProjectEst")},
        "PrimeContractId": books.first_id + 70_000 + number * 10 + contract,
        "PrimeContractNumber": f"{contract:03}",
        "PrimeContractSubject": ("General works", "Site and utilities", "Interior finish")[contract - 1],
        **_twins("PrimeContractIssueDate", issued),
        "PrimeContractStatus": "Pending" if contract == CONTRACTS and start > books.epoch.date() else "Approved",
        **_twins("PrimeContractApprovalDate", approved),
        "PrimeContractBillingType": dice.choice(("Lump Sum", "Cost Plus", "Unit Price")),
        "PrimeContractBillingTypeValue": dice.randrange(1, 4),
        "OwnerCompanyName": told["OwnerCompanyName"],
        "OwnerContactName": told["OwnerContactName"],
        "ContractorCompanyName": books.company_name(0),
        "ContractorContactName": books.people[dice.randrange(9)],
        **_twins("PrimeContractEstStartDate", start),
        **_twins("PrimeContractEstFinishDate", finish),
    }


def _twins(name: str, day: Any) -> Row:
    return {f"{name}Utc": f"{day}T06:00:00", f"{name}OrgLocal": f"{day}T00:00:00"}


def _cost_code(books: Books, number: int, contract: int, code: int) -> Row:
    return {
        "JobCostCodeId": books.first_id + 200_000 + number * 100 + contract * 10 + code,
        "JobCostCodeOrderNumber": code + 1,
        "JobCostCode": COST_CODES[code],
        "JobCostCodeDescription": f"Work of section {COST_CODES[code]}",
        "JobCostCodeQuantity": 1,
        "JobCostCodeUnit": "LS",
        "OwnerCostCode": "",
        "OwnerCostCodeDescription": "",
    }


def _change_order(books: Books, number: int, contract: int, order: int, dice: Random) -> Row:
    start, _ = books.project_days(number)
    issued = start + timedelta(days=30 * order)
    return {
        "ChangeOrderId": books.first_id + 400_000 + number * 100 + contract * 10 + order,
        "ChangeOrderNumber": f"CO-{order}",
        "ChangeOrderSubject": f"Change {order}{DEEDS[order]}",
        "ChangeOrderIssueDateUtc": f"{issued}T06:00:00",
        "ChangeOrderStatusDateUtc": f"{issued + timedelta(days=9)}T06:00:00",
        **_taxed("RevenueBudget", dice.randrange(4_000, 90_000)),
        **_taxed("PrimeInvoice_Approved", dice.randrange(0, 4_000), is_gross=True),
        **_taxed("PrimeInvoice_Pending", dice.randrange(0, 2_000), is_gross=True),
    }


def _overview(dice: Random) -> Row:
    prime, orders = dice.randrange(400_000, 4_000_000), dice.randrange(0, 90_000)
    return {
        **_taxed("RevenueBudget_Prime", prime),
        **_taxed("RevenueBudget_ApprovedCOs", orders),
        **_taxed("RevenueBudget_Revised", prime + orders),
        **_taxed("PrimeInvoice_Approved", int(prime * dice.random()), is_gross=True),
    }


def _wip(dice: Random) -> Row:
    revenue = dice.randrange(400_000, 4_000_000)
    invoiced, budget = int(revenue * dice.random()), int(revenue * 0.86)
    cost = int(budget * dice.random())
    return {
        "RevenueBudget_Revised_Subtotal": revenue,
        "RevenueBudget_Revised_Total": round(revenue * 1.06, 2),
        "PrimeInvoice_Approved_GrossTotal": invoiced,
        "PrimeInvoice_Approved_Total": round(invoiced * 0.9, 2),
        "CostBudget_Revised": budget,
        "CommittedCost_Approved_Subtotal": int(budget * 0.8),
        "CommittedCost_Approved_Total": round(budget * 0.8 * 1.06, 2),
        "CostToDate_Approved_GrossTotal": cost,
        "CostToDate_Approved_Subtotal": cost,
        "CostToDate_Approved_Total": round(cost * 1.06, 2),
        "CashFlow_Approved_Total": round(invoiced * 0.9 - cost * 1.06, 2),
        "Percent_Invoiced_Gross": round(invoiced / revenue * 100, 2),
        "Percent_CostToDateCostBudget_Gross": round(cost / budget * 100, 2),
        "Percent_CostToDateCommittedCost_Gross": round(cost / (budget * 0.8) * 100, 2),
        "Percent_Profit_Margin_Total": round((revenue - budget) / revenue * 100, 2),
    }


def _cost(dice: Random) -> Row:
    row: Row = {}
    for suffix in ("", "_M", "_L", "_E", "_S", "_O"):
        prime, approved, pending = dice.randrange(20_000, 300_000), dice.randrange(9_000), dice.randrange(5_000)
        row |= {
            f"CostBudget_Prime{suffix}": prime,
            f"CostBudget_ApprovedCOs{suffix}": approved,
            f"CostBudget_PendingCOs{suffix}": pending,
            f"CostBudget_ApprovedAndPendingCOs{suffix}": approved + pending,
            f"CostBudget_Revised{suffix}": prime + approved,
        }
    return row


def _hours(dice: Random) -> Row:
    prime, approved, pending = dice.randrange(80, 2_000), dice.randrange(0, 900) / 2, dice.randrange(0, 80) / 2
    return {
        "HourBudget_Prime_L": prime,
        "HourBudget_ApprovedCOs_L": 16,
        "HourBudget_Revised_L": prime + 16,
        "HourBudget_PendingCOs_L": 0,
        "HourBudget_ApprovedCPRs_L": 0,
        "HourBudget_PendingCPRs_L": 0,
        "LbrTimecard_Approved_Hours": approved,
        "LbrTimecard_Pending_Hours": pending,
        "LbrTimecard_ApprovedAndPending_Hours": approved + pending,
        "Projected_Hours_L": max(prime + 16, approved + pending),
    }


FIGURES: dict[str, Callable[[Random], Row]] = {
    "Overview": _overview,
    "OverviewDetailsSimple": _overview,
    "Cost": _cost,
    "Hours": _hours,
    "HoursHistorical": _hours,
    "WIP": _wip,
    "ContractCostPlus": _wip,
}


REPORTS = (*FIGURES, "ChangeOrder")


def _dice(books: Books, number: int, *salt: object) -> Random:
    return books.shelves["Project"].dice(number, "posted", books.posted.get(number, 0), *salt)


def _taxed(name: str, subtotal: int, *, is_gross: bool = False) -> Row:
    tax = round(subtotal * 0.06, 2)
    row: Row = {f"{name}_GrossTotal": subtotal} if is_gross else {}
    return row | {f"{name}_Subtotal": subtotal, f"{name}_Tax": tax, f"{name}_Total": round(subtotal + tax, 2)}
