"""The body of a write: its fields by name, each refused with a sentence when it is not of its type.

CP-A26: what is wrong with a body is answered with 400 and `result[]`. CP-A32: a moment is sent as
`2021-09-07 09:00 +10:00`; coreplus documents `yyyy-mm-dd hh:mm` and the zone's offset, so nothing else is taken.
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any

from integrations.sandbox.kit import Request
from integrations.vendors.coreplus.sandbox_door import Refusal
from integrations.vendors.coreplus.sandbox_reads import day_of

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d [+-]\d\d:\d\d")


class Fields:
    """Everything here raises Refusal. A field that is null counts as left out."""

    def __init__(self, sent: Any, within: str = "") -> None:
        if not isinstance(sent, dict):
            raise Refusal(400, f"{within or 'The body'} must be an object")
        self._sent: dict[str, Any] = {name: value for name, value in sent.items() if value is not None}

    @classmethod
    def of(cls, request: Request) -> "Fields":
        return cls(request.json)

    def __contains__(self, name: str) -> bool:
        return name in self._sent

    def any(self, name: str) -> Any:
        """As it was sent; None when it was not."""
        return self._sent.get(name)

    def need(self, name: str) -> Any:
        if self._sent.get(name) in (None, "", []):
            raise Refusal(400, f"{name} is required")
        return self._sent[name]

    def text(self, name: str, most: int, *, is_needed: bool = False) -> str:
        """ "" where it was left out."""
        value = self.need(name) if is_needed else self._sent.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise Refusal(400, f"{name} must be a text of at most {most} characters")
        return value

    def choice(self, name: str, among: Collection[str]) -> str:
        """ "" where it was left out."""
        value = self._sent.get(name, "")
        if value != "" and value not in among:
            raise Refusal(400, f"{name} must be one of {', '.join(among)}")
        return str(value)

    def flag(self, name: str) -> bool:
        """False where it was left out."""
        value = self._sent.get(name, False)
        if not isinstance(value, bool):
            raise Refusal(400, f"{name} must be true or false")
        return value

    def day(self, name: str) -> str:
        value = self.need(name)
        day_of(name, value if isinstance(value, str) else "")
        return str(value)

    def moment(self, name: str) -> datetime:
        value = self.need(name)
        try:
            if isinstance(value, str) and _MOMENT.fullmatch(value):
                moment = datetime.fromisoformat(value[:16] + value[17:])
                day_of(name, value[:10])
                return moment
        except ValueError:
            pass
        raise Refusal(400, f"{name} must be written yyyy-mm-dd hh:mm +hh:mm")
