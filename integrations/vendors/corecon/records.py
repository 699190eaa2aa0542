"""Corecon's rows, as far as we look into them: by what a row is known again. No row has a typed kind.

Field names and their types are assumed (CC-A15, CC-A18); the words are those of the vendor's import columns.
"""

import hashlib
from typing import Any

import msgspec

from integrations.errors import RecordRejected

Id = int | str | None
MAX_ID = 200


class _Company(msgspec.Struct):
    id: Id = msgspec.field(default=None, name="CompanyId")


class _Project(msgspec.Struct):
    id: Id = msgspec.field(default=None, name="ProjectId")


class _Timecard(msgspec.Struct):
    id: Id = msgspec.field(default=None, name="LaborTimecardId")


_TIMECARD_KEY = (
    "Date",
    "EmployeeName",
    "ProjectNumber",
    "PrimeContractNumber",
    "CostCode",
    "PayrollCode",
    "Hours",
)


def company_id(row: bytes) -> str:
    """`CompanyId`, or a key from the name, which is unique in an account. Raises RecordRejected without either."""
    return _given(_read(row, _Company).id) or _derived("Company", row, ("Company",), needed=1)


def project_id(row: bytes) -> str:
    """`ProjectId`, or a key from the project number. Raises RecordRejected without either."""
    return _given(_read(row, _Project).id) or _derived("Project", row, ("ProjectNumber",), needed=1)


def timecard_id(row: bytes, twins: dict[str, int]) -> str:
    """`LaborTimecardId`, or a key from what was worked where by whom, and the how-manieth of such rows it is.

    `twins` counts the equal rows seen so far and is added to. Raises RecordRejected without a date or an employee.
    """
    given = _given(_read(row, _Timecard).id)
    if given:
        return given
    key = _derived("LaborTime", row, _TIMECARD_KEY, needed=2)
    twins[key] = twins.get(key, 0) + 1
    return f"{key}-{twins[key]}"


def _read(row: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(row, type=shape)
    except (msgspec.DecodeError, RecursionError) as mistake:
        raise RecordRejected("The row is not in the form we know.", detail=str(mistake)[:200]) from mistake


def _given(value: Id) -> str:
    text = str(value or "").replace("\0", "").strip()
    if len(text) > MAX_ID:
        raise RecordRejected("The number of the row is far too long.")
    return text


def _derived(resource: str, row: bytes, names: tuple[str, ...], *, needed: int) -> str:
    """A key from the values of those fields, of which the first `needed` must be there."""
    fields = _read(row, dict[str, Any])
    values = ["" if fields.get(name) is None else str(fields[name]).strip() for name in names]
    if not all(values[:needed]):
        missing = " and ".join(name for name, value in zip(names[:needed], values, strict=False) if not value)
        raise RecordRejected(f"The row has no number of its own and no {missing} to know it by.")
    digest = hashlib.blake2b("\0".join([resource, *values]).encode(errors="replace"), digest_size=8)
    return f"row-{digest.hexdigest()}"
