"""What the sandbox's two builders have on their books: worked out from a number whenever it is asked for."""

import json
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from random import Random
from typing import Any

from integrations.sandbox.shelf import Shelf

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PEOPLE = 40
TIMECARD_SPAN = timedelta(days=390)  # a little less than 13 months, so that a first reading finds the oldest too
EDIT_WINDOW = timedelta(days=28)  # an older week is closed


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


FIRST = _words("""
    Maria, Jamal, Ellen, Victor, Priya, Owen, Rosa, Dmitri, Leah, Marcus, Anh, Teresa, Colin, Fatima, Gordon, Ines,
    Walter, Nadia, Pedro, Shauna, Elias, Joan, Kwame, Lorna, Hector, Mei, Patrick, Sofia, Dale, Amira, Bruno, Celia,
    Trevor, Yolanda, Ivan, Grace, Luis, Petra, Samuel, Wanda
""")
LAST = _words("""
    Alvarez, Becker, Castillo, Donovan, Eriksen, Fontaine, Gallagher, Huang, Ibarra, Jankowski, Keller, Lindqvist,
    Moreno, Nakamura, Okafor, Pruitt, Quintero, Rasmussen, Salazar, Tran, Underhill, Vasquez, Whitfield, Xiong,
    Yates, Zielinski, Abbott, Boyle, Crowley, Dominguez, Estrada, Fischer, Greer, Holloway, Iverson, Jensen,
    Kowalski, Larkin, Mercer, Novak
""")
TRADES = _words("""
    Concrete, Electric, Plumbing & Heating, Steel Erectors, Drywall, Roofing, Masonry, Glass & Glazing, Mechanical,
    Excavating, Painting, Millwork, Fire Protection, Flooring, Site Services, Surveying, Crane & Rigging, Insulation
""")
OWNERS = ("School District", "Health Partners", "Port Authority", "Properties")
ENDINGS = ("Inc.", "LLC", "Co.", "Contractors", "& Sons")
CITIES = (
    ("Toledo", "OH", "43604"),
    ("Duluth", "MN", "55802"),
    ("Tacoma", "WA", "98402"),
    ("Mobile", "AL", "36602"),
    ("Omaha", "NE", "68102"),
    ("Boise", "ID", "83702"),
    ("Erie", "PA", "16501"),
    ("Lubbock", "TX", "79401"),
)
BUILDINGS = _words("""
    Elementary School, Medical Office, Fire Station No. 4, Distribution Center, Public Library, Parking Garage,
    Lofts, Water Treatment Plant, Community College Annex, Hotel, Data Hall, Senior Living, Cold Storage,
    Courthouse, Bus Depot
""")
DEEDS = ("", " Renovation", " Addition", " Phase 2", " Tenant Fit-out", " Seismic Upgrade", " Re-roof")
STREETS = ("Canal St", "Foundry Rd", "Elm Ave", "Harbor Blvd", "County Road 12", "Railway Ave", "Mill Pond Ln")
COST_CODES = (
    "01-310",
    "02-220",
    "03-110",
    "03-300",
    "04-220",
    "05-120",
    "06-100",
    "07-210",
    "09-250",
    "15-400",
    "16-100",
)
LABOR_CODES = ("CARP", "LABR", "ELEC", "PLMB", "OPER", "FRMN", "IRON", "MASN")
COMMENTS = (
    "",
    "",
    "",
    "Pour delayed by rain",
    "Punch list, level 2",
    "Formwork stripped",
    "Rework per RFI 114",
    "Waited for crane until 10:00",
    "Inspection passed",
    "Rough-in, east wing",
    "Overtime approved by superintendent",
)


class TimecardShelf(Shelf):
    """Timecards by entry date. A change that would hit a closed week hits an open one instead."""

    def touch(self, number: int, at: datetime) -> None:
        open_from = bisect_left(self.created, at - EDIT_WINDOW)
        if number < open_from < len(self):
            number = open_from + number % (len(self) - open_from)
        if number >= open_from:
            super().touch(number, at)


def workday(created: datetime) -> date:
    """The day worked: what falls on a weekend was worked on the Friday before."""
    day = created.date()
    return day - timedelta(days=max(day.weekday() - 4, 0))


def vendor_day(day: date) -> str:
    return f"{day.day:02}-{MONTHS[day.month - 1]}-{day.year}"


@dataclass
class Books:
    """One account's companies, projects and labor timecards. `removed` names rows by resource and number."""

    seed: int
    epoch: datetime
    prefix: str  # of project numbers
    companies: int
    projects: int
    timecards: int
    first_id: int
    change_every: timedelta | None
    removed: set[tuple[str, int]] = field(default_factory=set)
    with_ids: bool = True

    def __post_init__(self) -> None:
        # Seldom: a firm or a job changes a few times a day, while hours are written all day long.
        slow = self.change_every * 20 if self.change_every else None
        self.shelves: dict[str, Shelf] = {
            "Company": Shelf(size=self.companies, seed=self.seed + 1, epoch=self.epoch, change_every=slow),
            "Project": Shelf(size=self.projects, seed=self.seed + 2, epoch=self.epoch, change_every=slow),
            "LaborTime": TimecardShelf(
                size=self.timecards if self.projects else 0,
                seed=self.seed + 3,
                epoch=self.epoch,
                span=TIMECARD_SPAN,
                change_every=self.change_every,
            ),
        }
        self.row = lru_cache(maxsize=20_000)(self._row)

    def numbers(self, resource: str, since: date | None = None, until: date | None = None) -> list[int] | range:
        """The numbers of the rows that are there, in order; of the timecards those worked from `since` to `until`."""
        shelf = self.shelves[resource]
        if not len(shelf):
            return range(0)
        first, last = 0, len(shelf)
        if resource == "LaborTime" and since and until:
            first = bisect_left(shelf.created, since, key=workday)
            last = bisect_right(shelf.created, until, key=workday)
        if not self.removed:
            return range(first, last)
        return [number for number in range(first, last) if (resource, number) not in self.removed]

    def page(self, resource: str, numbers: list[int] | range) -> bytes:
        """Those rows as a JSON array."""
        versions = self.shelves[resource].version
        return (
            b"[" + b",".join(self.row(resource, number, versions[number], self.with_ids) for number in numbers) + b"]"
        )

    def _row(self, resource: str, number: int, version: int, with_id: bool) -> bytes:
        shelf = self.shelves[resource]
        make = {"Company": self._company, "Project": self._project, "LaborTime": self._timecard}[resource]
        row = make(number, version, shelf.dice(number), shelf.dice(number, version), shelf.created[number])
        if not with_id:
            row.pop(next(iter(row)))
        return json.dumps(row, separators=(",", ":")).encode()

    @cached_property
    def people(self) -> list[str]:
        dice = self.shelves["Project"].dice(0, "people")
        return [
            f"{first} {last}" for first, last in zip(dice.sample(FIRST, PEOPLE), dice.sample(LAST, PEOPLE), strict=True)
        ]

    def company_name(self, number: int) -> str:
        """One of 3,600 names, each once; beyond them a number is added."""
        kinds = len(LAST) * len(TRADES) * len(ENDINGS)
        around, place = divmod(number, kinds)
        place = (place * 1009 + self.seed * 37) % kinds  # 1009 is prime: every name comes once
        place, last = divmod(place, len(LAST))
        ending, trade = divmod(place, len(TRADES))
        return f"{LAST[last]} {TRADES[trade]} {ENDINGS[ending]}{f' {around + 1}' if around else ''}"

    def project_number(self, number: int) -> str:
        return f"{self.prefix}-{number + 1:03}"

    def _company(self, number: int, version: int, dice: Random, today: Random, created: datetime) -> dict[str, Any]:
        name = self.company_name(number)
        city, state, postal_code = dice.choice(CITIES)
        word = "".join(filter(str.isalnum, name.split(" ")[0] + name.split(" ")[1])).lower()
        return {
            "CompanyId": self.first_id + number,
            "CompanyCode": f"{word[:6].upper()}{number:04}",
            "Company": name,
            "ShipAddress1": f"{dice.randrange(100, 9900)} {dice.choice(STREETS)}",
            "ShipAddress2": dice.choice(("", "", "", "Suite 200", "Yard B")),
            "ShipCity": city,
            "ShipState": state,
            "ShipPostalCode": postal_code,
            "ShipCountry": "USA",
            "Phone": f"({dice.randrange(201, 989)}) 555-{today.randrange(100, 9999):04}",
            "Phone2": "",
            "Fax": "",
            "Website": f"https://www.{word}.example" if dice.random() < 0.7 else "",
            "DefaultPaymentTerms": today.choice(("Net 30", "Net 30", "Net 45", "Due on receipt", "Pay when paid")),
            "DefaultTaxCode": f"{state}-STD",
            "GovId": f"{dice.randrange(10, 99)}-{dice.randrange(1_000_000, 9_999_999)}",
            "Notes": dice.choice(("", "", "", "Insurance certificate on file", "Preferred for school jobs")),
            "IsBidder": dice.random() < 0.6,
            "IsActive": today.random() < 0.93,
        }

    def _project(self, number: int, version: int, dice: Random, today: Random, created: datetime) -> dict[str, Any]:
        start = (self.epoch - timedelta(days=dice.randrange(-60, 500))).date()
        finish = start + timedelta(days=dice.randrange(60, 620) + 14 * version)
        done = finish < self.epoch.date()
        status = (
            "Closed"
            if done
            else "Bidding"
            if start > self.epoch.date()
            else today.choice(("Active", "Active", "On Hold"))
        )
        owner = f"{dice.choice(CITIES)[0]} {dice.choice(OWNERS)}"
        people = self.people
        return {
            "ProjectId": self.first_id + 50_000 + number,
            "ProjectNumber": self.project_number(number),
            "ProjectTitle": f"{dice.choice(CITIES)[0]} {dice.choice(BUILDINGS)}{dice.choice(DEEDS)}",
            "ProjectStatus": status,
            "Currency": "USD",
            "ProjectBidContactName": people[dice.randrange(0, 5)],
            "ProjectSalesContactName": people[dice.randrange(5, 9)],
            "ProjectPMContactName": people[today.randrange(9, 16)],
            "ProjectEstStartDateUtc": f"{start}T06:00:00",
            "ProjectEstStartDateOrgLocal": f"{start}T00:00:00",
            "ProjectEstFinishDateUtc": f"{finish}T06:00:00",
            "ProjectEstFinishDateOrgLocal": f"{finish}T00:00:00",
            "OwnerCompanyName": owner,
            "OwnerContactName": f"{dice.choice(FIRST)} {dice.choice(LAST)}",
            "CustomerCompanyName": owner,
        }

    def _timecard(self, number: int, version: int, dice: Random, today: Random, created: datetime) -> dict[str, Any]:
        day = workday(created)
        is_approved = self.epoch.date() - day > timedelta(days=10) or version > 0 or dice.random() < 0.3
        outside = dice.random() < 0.08
        approved = datetime.combine(day, datetime.min.time(), UTC) + timedelta(
            days=2, minutes=dice.randrange(900, 1400)
        )
        return {
            "LaborTimecardId": self.first_id * 10 + number,
            "Date": vendor_day(day),
            "CompanyName": self.company_name(dice.randrange(self.companies)) if outside and self.companies else "",
            "EmployeeName": self.people[dice.randrange(PEOPLE)],
            "ProjectNumber": self.project_number(dice.randrange(self.projects)),
            "PrimeContractNumber": f"{dice.randrange(1, 4):03}",
            "ChangeOrderNumber": f"CO-{dice.randrange(1, 9)}" if dice.random() < 0.1 else "",
            "LaborCode": dice.choice(LABOR_CODES),
            "PayrollCode": dice.choice(("ST", "ST", "ST", "ST", "OT", "DT")),
            "CostCode": dice.choice(COST_CODES),
            "WCCode": dice.choice(("5403", "5213", "5190", "5022")),
            "Hours": today.choice((8.0, 8.0, 8.0, 10.0, 7.5, 4.0, 2.25)),
            "BillableStatus": dice.choice(("Billable", "Billable", "Billable", "Unbillable", "On Hold")),
            "Comments": today.choice(COMMENTS),
            "Status": "Approved" if is_approved else "Pending",
            "ApprovedDateUtc": approved.strftime("%Y-%m-%dT%H:%M:%S") if is_approved else None,
        }
