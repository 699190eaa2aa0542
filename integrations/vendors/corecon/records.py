"""Corecon's rows, as far as we look into them: by what a row is known again, and on which day it lies. No row has a
typed kind.

Field names and their types are assumed (CC-A15, CC-A18); the words are those of the vendor's import columns.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from integrations.errors import RecordRejected

Fields = Mapping[str, Any]
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MAX_ID = 180  # with a count behind it, it still fits where ids are kept
_DAY = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})\b|(\d{4})-(\d{2})-(\d{2})(?:T|\b)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By what rows of a resource are known again: the vendor's id, or a key from `fields`, of which the first `needed`
    must be there."""

    resource: str
    id_field: str
    fields: tuple[str, ...]
    needed: int = 1


# A company's name is unique in an account, a project's number too (vendor's help, import of companies and contacts).
COMPANY = Known(resource="Company", id_field="CompanyId", fields=("Company",))
CONTACT = Known(resource="Contact", id_field="ContactId", fields=("ContactDisplayName", "Company", "Email"))
PROJECT = Known(resource="Project", id_field="ProjectId", fields=("ProjectNumber",))
LABOR = Known(
    resource="LaborTime",
    id_field="LaborTimecardId",
    fields=("Date", "EmployeeName", "ProjectNumber", "PrimeContractNumber", "CostCode", "PayrollCode", "Hours"),
    needed=2,
)
EQUIPMENT = Known(
    resource="EquipmentTime",
    id_field="EquipmentTimecardId",
    fields=(
        *("Date", "EquipmentCode", "ProjectNumber", "PrimeContractNumber", "CostCode"),
        *("RTHours", "ITHours", "DTHours"),
    ),
    needed=2,
)
EXPENSE = Known(
    resource="EmployeeMiscExpenses",
    id_field="MiscExpenseId",
    fields=(
        *("ExpenseDate", "EmployeeName", "ProjectNumber", "PrimeContractNumber", "ItemCostCode"),
        *("ExpenseType", "ItemQuantity", "ItemUnitPrice"),
    ),
    needed=2,
)
# A row of a report has no id of its own (CC-B04); each of these may stand in for the one before it.
REPORT_KEY = (
    ("ProjectId", "ProjectNumber"),
    ("PrimeContractId", "PrimeContractNumber"),
    ("JobCostCodeId", "JobCostCode"),
    ("ChangeOrderId", "ChangeOrderNumber"),
)


def fields_of(row: bytes) -> Fields:
    """The row's fields. Raises RecordRejected when it is no object."""
    try:
        return msgspec.json.decode(row, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as mistake:
        raise RecordRejected("The row is not in the form we know.", detail=str(mistake)[:200]) from mistake


def identify(known: Known, fields: Fields, twins: dict[str, int]) -> str:
    """The vendor's id, or a key from what the row says, and the how-manieth of such rows it is.

    `twins` counts the equal rows seen so far and is added to. Raises RecordRejected without what is needed for a key.
    """
    given = given_id(fields, known.id_field)
    if given:
        return given
    values = [_text(fields.get(name)) for name in known.fields]
    missing = [name for name, value in zip(known.fields[: known.needed], values, strict=False) if not value]
    if missing:
        raise RecordRejected(f"The row has no number of its own and no {' and '.join(missing)} to know it by.")
    digest = hashlib.blake2b("\0".join([known.resource, *values]).encode(errors="replace"), digest_size=8)
    return _counted(f"row-{digest.hexdigest()}", twins)


def identify_report_row(fields: Fields, twins: dict[str, int]) -> str:
    """Project, contract, cost code and change order, as far as told, and the how-manieth of such rows it is."""
    values = [given_id(fields, id_field) or _text(fields.get(other)) for id_field, other in REPORT_KEY]
    if not values[0]:
        raise RecordRejected("The row of the report does not say which project it belongs to.")
    key = "/".join(filter(None, values))
    if len(key) > MAX_ID:
        raise RecordRejected("The number of the row is far too long.")
    return _counted(key, twins)


def given_id(fields: Fields, name: str) -> str:
    """The id in that field, a number or a text; "" where there is none."""
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
        raise RecordRejected("The number of the row is not in the form we know.")
    text = _text(value or None)
    if len(text) > MAX_ID:
        raise RecordRejected("The number of the row is far too long.")
    return text


def day_of(value: object) -> date | None:
    """The bare date of `02-Mar-2022` or of ISO text, never shifted. None for digits that could be read two ways."""
    found = _DAY.match(value.strip()) if isinstance(value, str) else None
    if not found:
        return None
    day, month, year, iso_year, iso_month, iso_day = found.groups()
    try:
        if iso_year:
            return date(int(iso_year), int(iso_month), int(iso_day))
        return date(int(year), MONTHS.index(month.capitalize()) + 1, int(day))
    except ValueError:
        return None


def vendor_date(day: date) -> str:
    """`02-Mar-2022`, in English wherever we run: digits alone could be read day first or month first."""
    return f"{day.day:02}-{MONTHS[day.month - 1]}-{day.year}"


def _text(value: object) -> str:
    return "" if value is None else str(value).replace("\0", "").strip()


def _counted(key: str, twins: dict[str, int]) -> str:
    twins[key] = twins.get(key, 0) + 1
    return f"{key}-{twins[key]}" if twins[key] > 1 else key
