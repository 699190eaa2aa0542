"""How CorrigoPro writes keys, moments, dates, money and texts. Pure.

Keys are read whatever their letter case: the vendor itself writes `IsPreBilled` and `IsPrebilled`, `OccupantID` and
`SpaceId` (hub data models and live clients).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from integrations.errors import RecordRejected

T = TypeVar("T")
SHORT, LONG = 500, 10_000  # characters of a text field and of a description
MOST_MONEY = Decimal(10) ** 12
NO_ID = "CorrigoPro sent it without a readable id."


def squash(name: str) -> str:
    """The lower-case key of a field, for structs that are made of what `folded` gives."""
    return name.replace("_", "")


def folded(payload: bytes) -> dict[str, Any]:
    """The record with every key in lower case, its fractions exact. Raises RecordRejected."""
    try:
        record = _folding.decode(payload.decode())
    except (ValueError, RecursionError) as mistake:
        raise RecordRejected(f"This is not readable JSON: {mistake}"[:SHORT]) from mistake
    if not isinstance(record, dict):
        raise RecordRejected("This is not a record but a bare value.")
    return record


def shaped(payload: bytes, shape: type[T]) -> T:
    """The record as a struct whose fields are renamed by `squash`. Raises RecordRejected."""
    try:
        return msgspec.convert(folded(payload), shape, strict=False)
    except msgspec.ValidationError as mistake:
        raise RecordRejected(f"CorrigoPro sent a field in a form we do not know: {mistake}"[:SHORT]) from mistake


def refolded(raw: bytes, known: Mapping[str, str], shape: type[T]) -> T:
    """The few members a struct asks for, whatever their letter case. Raises RecordRejected when there is no id."""
    found = folded(raw)
    try:
        return msgspec.convert({name: found[key] for key, name in known.items() if key in found}, shape, strict=False)
    except msgspec.ValidationError:
        raise RecordRejected(NO_ID) from None


def own_id(raw: bytes, names: Sequence[str]) -> str:
    """The first of these members that holds an id. Raises RecordRejected when none does."""
    found = folded(raw)
    for name in names:
        value = found.get(name.lower())
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:100]
    raise RecordRejected(NO_ID)


def digest(raw: bytes) -> str:
    """An id for what has none and never changes."""
    return hashlib.blake2b(raw, digest_size=12).hexdigest()


def instant(value: object) -> datetime | None:
    """A moment of CorrigoPro's: ISO 8601 in UTC, 0 to 7 fractional digits (the seventh is dropped). None where there is
    none; year 1 is the vendor platform's way of saying so. Raises ValueError when it cannot be read."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ValueError(f"not a moment: {value!r:.60}")
    try:
        moment = datetime.fromisoformat(value.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        if value.startswith("0001-"):
            return None
        raise ValueError(f"not a moment: {value!r:.60}") from None
    return moment if moment.year >= 1900 else None


def readable(value: object) -> datetime | None:
    """As `instant`; None for what cannot be read."""
    try:
        return instant(value)
    except ValueError:
        return None


def moment_of(value: str | None, name: str) -> datetime | None:
    """As `instant`; raises RecordRejected with the field's name."""
    try:
        return instant(value)
    except ValueError:
        raise RecordRejected(f"The moment in {name} cannot be read: {value!r:.60}") from None


def day_of(value: str | None, name: str) -> date | None:
    """The day a date is written with, whatever time and zone stand behind it: a business date is never shifted."""
    text = (value or "").strip()
    if not text or text.startswith("0001-"):
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise RecordRejected(f"The date in {name} cannot be read: {value!r:.60}") from None


def position(moment: datetime | None) -> str:
    """A moment as text that sorts; "" for none."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else ""


def money(value: Decimal | None, name: str) -> Decimal | None:
    if value is not None and (not value.is_finite() or abs(value) >= MOST_MONEY):
        raise RecordRejected(f"The amount in {name} is not a sum of money.")
    return value


def currency(value: str | None) -> str:
    code = text(value).upper()
    return code if re.fullmatch(r"[A-Z]{3}", code) else ""


def text(value: str | int | None, longest: int = SHORT) -> str:
    if value is None:
        return ""
    clean = str(value).replace("\x00", "").strip()[:longest]
    return clean if clean.isascii() else clean.encode("utf-8", "replace").decode()  # half a surrogate pair


def _lower(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key.lower(): value for key, value in pairs}


_folding = json.JSONDecoder(parse_float=Decimal, object_pairs_hook=_lower)
