"""Timecards and expenses: read by entry date, a window of about a month after the other.

A first reading goes thirteen months back; the next ones begin five weeks before the day of the last good run. A sweep
goes through those five weeks too, and through one of the thirteen months each day, so that a round takes thirteen days.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from integrations.contract import Access, Column, Page, Settings, Span
from integrations.vendors.corecon.assumptions import AHEAD, MONTHS_BACK, OVERLAP, WINDOW
from integrations.vendors.corecon.client import Client
from integrations.vendors.corecon.reading import CoreconStream, Part, Place
from integrations.vendors.corecon.records import (
    EQUIPMENT,
    EXPENSE,
    LABOR,
    Fields,
    Known,
    day_of,
    identify,
    vendor_date,
)
from integrations.zones import windows_of

DAY = timedelta(days=1)
Days = tuple[date, date]  # the first and the last, both in it


class Entries(CoreconStream):
    """What was entered for a day; `dated` is the field that names it."""

    interval = timedelta(hours=1)
    sweep_interval = timedelta(days=1)
    known: ClassVar[Known]
    dated: ClassVar[str] = "Date"

    def sweep(self, access: Access, cursor: str) -> Iterator[Page]:
        return self.read(access, cursor or '{"is_sweep":true}')

    def parts(self, place: Place, access: Access, client: Client) -> list[Part]:
        assert place.run_date
        if place.is_sweep:
            spans = swept_days(place.run_date)
        else:
            spans = [(first_day(place.run_date, place.done), place.run_date + AHEAD)]
        return [
            Part(
                key=since.isoformat(),
                body=body(access.settings, since, until),
                covers=Span(since=since.isoformat(), until=(until + DAY).isoformat()),
            )
            for span in spans
            for since, until in windows(span)
            if since.isoformat() >= place.part
        ]

    def identify(self, fields: Fields, twins: dict[str, int]) -> str:
        return identify(self.known, fields, twins)

    @property
    def keys(self) -> Mapping[str, str]:
        return {self.known.id_field: self.known.fields[0]}

    def position_of(self, fields: Fields) -> str:
        day = day_of(fields.get(self.dated))
        return day.isoformat() if day else ""

    def probe(self, settings: Settings) -> Mapping[str, Any]:
        today = self.begin(Place(), settings).run_date
        assert today
        return body(settings, today - OVERLAP, today)


class LaborTimecards(Entries):
    key = "labor-timecards"
    label = "Labor timecards"
    feature = "Labor Timecards"
    resource = "LaborTime"
    known = LABOR
    columns = (
        Column(label="Employee", path="EmployeeName"),
        Column(label="Date", path="Date", kind="wall"),  # "24-Mar-2022", as it came
        Column(label="Project", path="ProjectNumber"),
        Column(label="Contract", path="PrimeContractNumber"),
        Column(label="Cost code", path="CostCode"),
        Column(label="Hours", path="Hours", kind="number"),
        Column(label="Pay code", path="PayrollCode", is_filter=True),
        Column(label="Billable", path="BillableStatus", is_filter=True),
        Column(label="Status", path="Status", is_filter=True),
        Column(label="Approved", path="ApprovedDateUtc", kind="instant"),
        Column(label="Comments", path="Comments"),
    )


class EquipmentTimecards(Entries):
    key = "equipment-timecards"
    label = "Equipment timecards"
    feature = "Equipment Timecards"
    resource = "EquipmentTime"
    known = EQUIPMENT
    columns = (
        Column(label="Equipment", path="EquipmentCode"),
        Column(label="Date", path="Date", kind="wall"),
        Column(label="Project", path="ProjectNumber"),
        Column(label="Contract", path="PrimeContractNumber"),
        Column(label="Cost code", path="CostCode"),
        Column(label="Hours run", path="RTHours", kind="number"),
        Column(label="Hours idle", path="ITHours", kind="number"),
        Column(label="Hours down", path="DTHours", kind="number"),
        Column(label="Billable", path="BillableStatus", is_filter=True),
        Column(label="Status", path="Status", is_filter=True),
    )


class MiscExpenses(Entries):
    key = "misc-expenses"
    label = "Misc. expenses"
    feature = "Misc. Expenses"
    resource = "EmployeeMiscExpenses"
    known = EXPENSE
    dated = "ExpenseDate"
    columns = (
        Column(label="Expense", path="ItemDescription"),
        Column(label="Date", path="ExpenseDate", kind="wall"),
        Column(label="Employee", path="EmployeeName"),
        Column(label="Project", path="ProjectNumber"),
        Column(label="Type", path="ExpenseType", is_filter=True),
        Column(label="Paid with", path="PaymentType", is_filter=True),
        Column(label="Quantity", path="ItemQuantity", kind="number"),
        Column(label="Unit price", path="ItemUnitPrice", kind="money"),
        Column(label="Total", path="Total", kind="money"),
        Column(label="Cost code", path="ItemCostCode"),
        Column(label="Billable", path="BillableStatus", is_filter=True),
        Column(label="Status", path="Status", is_filter=True),
        Column(label="Status since", path="StatusDateUtc", kind="instant"),
    )


def body(settings: Settings, since: date, until: date) -> dict[str, Any]:
    """The question for entries of those days, of every project (CC-B01)."""
    return {
        "Project": [],
        "Date": {"FromDate": vendor_date(since), "ToDate": vendor_date(until)},
        "Timezone": windows_of(str(settings["time_zone"])),
    }


def first_day(run_date: date, done: date | None) -> date:
    """Where a reading begins: five weeks before the last one, or thirteen months back."""
    return done - OVERLAP if done else _months_before(run_date, MONTHS_BACK)


def swept_days(run_date: date) -> list[Days]:
    """The five weeks that still change, and before them what is left of the month whose turn it is today."""
    recent = run_date - OVERLAP
    month = _months_before(run_date.replace(day=1), 1 + run_date.toordinal() % MONTHS_BACK)
    next_month = _months_before(month, -1)
    older = (max(month, first_day(run_date, None)), min(next_month, recent) - DAY)
    return [*([older] if older[0] <= older[1] else []), (recent, run_date + AHEAD)]


def windows(days: Days) -> list[Days]:
    """Those days in windows that are not too long."""
    since, last = days
    found = []
    while since <= last:
        found.append((since, min(since + WINDOW - DAY, last)))
        since += WINDOW
    return found


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, 28))
