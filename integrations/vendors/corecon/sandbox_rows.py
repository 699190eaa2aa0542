"""How the sandbox's rows are made, each from its number and the number of times it was changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from integrations.vendors.corecon.sandbox_words import (
    BUILDINGS,
    CITIES,
    COMMENTS,
    COST_CODES,
    DEEDS,
    EQUIPMENT,
    EXPENSE_TYPES,
    FIRST,
    LABOR_CODES,
    LAST,
    OWNERS,
    PAYMENT_TYPES,
    PEOPLE,
    STREETS,
    TITLES,
)

if TYPE_CHECKING:
    from integrations.vendors.corecon.sandbox_data import Books

Row = dict[str, Any]


def company(books: "Books", number: int, version: int) -> Row:
    dice, today = _dice(books, "Company", number, version)
    name = books.company_name(number)
    city, state, postal_code = dice.choice(CITIES)
    word = "".join(filter(str.isalnum, name.split(" ")[0] + name.split(" ")[1])).lower()
    return {
        "CompanyId": books.first_id + number,
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


def contact(books: "Books", number: int, version: int) -> Row:
    dice, today = _dice(books, "Contact", number, version)
    firm = (number // 3 if number % 3 == 0 else number) % max(books.sizes["Company"], 1)
    first, last = FIRST[number % len(FIRST)], LAST[(number // len(FIRST) + number * 7) % len(LAST)]
    return {
        "ContactId": books.first_id + 20_000 + number,
        "CompanyId": books.first_id + firm,
        "Company": books.company_name(firm),
        "FirstName": first,
        "LastName": last,
        "ContactDisplayName": f"{first} {last}",
        "Title": today.choice(TITLES),
        "Email": f"{first}.{last}.{number}@mail.example".lower(),
        "BusinessPhone": f"({dice.randrange(201, 989)}) 555-{today.randrange(100, 9999):04}",
        "MobilePhone": f"({dice.randrange(201, 989)}) 555-{dice.randrange(100, 9999):04}"
        if dice.random() < 0.5
        else "",
        "IsActive": today.random() < 0.95,
    }


def project(books: "Books", number: int, version: int) -> Row:
    dice, today = _dice(books, "Project", number, version)
    start, finish = books.project_days(number)
    if books.is_closed(number):
        status = "Closed"
    else:
        status = "Bidding" if start > books.epoch.date() else today.choice(("Active", "Active", "On Hold"))
        finish += timedelta(days=14 * version)
    owner = f"{dice.choice(CITIES)[0]} {dice.choice(OWNERS)}"
    people = books.people
    return {
        "ProjectId": project_id(books, number),
        "ProjectNumber": books.project_number(number),
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


def labor_timecard(books: "Books", number: int, version: int) -> Row:
    dice, today = _dice(books, "LaborTime", number, version)
    status, approved = _approval(books, "LaborTime", number, version, dice)
    outside = dice.random() < 0.08 and books.sizes["Company"]
    return {
        "LaborTimecardId": books.first_id * 10 + number,
        "Date": "",
        "CompanyName": books.company_name(dice.randrange(books.sizes["Company"])) if outside else "",
        "EmployeeName": books.people[dice.randrange(PEOPLE)],
        **_place(books, dice),
        "ChangeOrderNumber": f"CO-{dice.randrange(1, 9)}" if dice.random() < 0.1 else "",
        "LaborCode": dice.choice(LABOR_CODES),
        "PayrollCode": dice.choice(("ST", "ST", "ST", "ST", "OT", "DT")),
        "CostCode": dice.choice(COST_CODES),
        "WCCode": dice.choice(("5403", "5213", "5190", "5022")),
        "Hours": today.choice((8.0, 8.0, 8.0, 10.0, 7.5, 4.0, 2.25)),
        "BillableStatus": dice.choice(("Billable", "Billable", "Billable", "Unbillable", "On Hold")),
        "Comments": today.choice(COMMENTS),
        "Status": status,
        "ApprovedDateUtc": approved,
    }


def equipment_timecard(books: "Books", number: int, version: int) -> Row:
    dice, today = _dice(books, "EquipmentTime", number, version)
    status, _ = _approval(books, "EquipmentTime", number, version, dice)
    return {
        "EquipmentTimecardId": books.first_id * 10 + 3_000_000 + number,
        "Date": "",
        "EquipmentCode": dice.choice(EQUIPMENT),
        **_place(books, dice),
        "ChangeOrderNumber": "",
        "CostCode": dice.choice(COST_CODES),
        "RTHours": today.choice((8.0, 7.5, 6.0, 4.25)),
        "ITHours": today.choice((0.0, 0.0, 0.5, 2.0)),
        "DTHours": today.choice((0.0, 0.0, 0.0, 1.5)),
        "BillableStatus": dice.choice(("Billable", "Billable", "Unbillable")),
        "Status": status,
    }


def expense(books: "Books", number: int, version: int) -> Row:
    dice, today = _dice(books, "EmployeeMiscExpenses", number, version)
    status, since = _approval(books, "EmployeeMiscExpenses", number, version, dice)
    if status == "Pending":
        status = today.choice(("Draft", "Pending Submission", "Pending", "Not Approved"))
    kind, quantity, price = dice.choice(EXPENSE_TYPES), today.randrange(1, 9), today.randrange(450, 24_000) / 100
    outside = dice.random() < 0.2 and books.sizes["Company"]
    return {
        "MiscExpenseId": books.first_id * 10 + 6_000_000 + number,
        **_place(books, dice),
        "ChangeOrderNumber": "",
        "ExpenseDate": "",
        "ExpenseType": kind,
        "PaymentType": dice.choice(PAYMENT_TYPES),
        "EmployeeName": books.people[dice.randrange(PEOPLE)],
        "PayeeType": "Payee Company" if outside else "Employee",
        "PayeeCompany": books.company_name(dice.randrange(books.sizes["Company"])) if outside else "",
        "ItemDescription": f"{kind}, {dice.choice(CITIES)[0]}",
        "ItemUnit": "EA",
        "ItemQuantity": quantity,
        "ItemUnitPrice": price,
        "ItemResource": dice.choice("MLESO"),
        "ItemCostCode": dice.choice(COST_CODES),
        "ItemTaxCode": "",
        "BillableStatus": dice.choice(("Billable", "Billable", "Unbillable", "On Hold")),
        "Status": status,
        "StatusDateUtc": since,
        "Total": round(quantity * price, 2),
    }


def project_id(books: "Books", number: int) -> int:
    return books.first_id + 50_000 + number


def _dice(books: "Books", resource: str, number: int, version: int) -> tuple[Random, Random]:
    """What stays with the row, and what is rolled anew when it is changed."""
    shelf = books.shelves[resource]
    return shelf.dice(number), shelf.dice(number, version)


def _place(books: "Books", dice: Random) -> Row:
    return {
        "ProjectNumber": books.project_number(dice.randrange(books.sizes["Project"])),
        "PrimeContractNumber": f"{dice.randrange(1, 4):03}",
    }


def _approval(books: "Books", resource: str, number: int, version: int, dice: Random) -> tuple[str, str | None]:
    day = books.day(resource, number)
    if books.epoch.date() - day <= timedelta(days=10) and not version and dice.random() >= 0.3:
        return "Pending", None
    at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=2, minutes=dice.randrange(900, 1400))
    return "Approved", at.strftime("%Y-%m-%dT%H:%M:%S")


ROWS: dict[str, Callable[["Books", int, int], Row]] = {
    "Company": company,
    "Contact": contact,
    "Project": project,
    "LaborTime": labor_timecard,
    "EquipmentTime": equipment_timecard,
    "EmployeeMiscExpenses": expense,
}
