"""Which IANA zone a location is in: coreplus numbers zones by GUIDs of its own, and the admin names those we lack."""

import re
from collections.abc import Mapping
from zoneinfo import available_timezones

from integrations.vendors.coreplus import assumptions

_LINE = re.compile(r"\s*(?P<name>.+?)\s*=\s*(?P<zone>\S+)\s*")


class BadLine(ValueError):
    """A line that names no zone; the message is for the admin."""


def parse_zones(text: str) -> dict[str, str]:
    """`Perth rooms = Australia/Perth`, a line each: zones by lower-case name of a location or number of a zone.

    Raises BadLine.
    """
    zones = {}
    for line in filter(str.strip, text.splitlines()):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadLine(f"“{line.strip()}” is not of the form “Perth rooms = Australia/Perth”.")
        if match["zone"] not in available_timezones():
            raise BadLine(f"“{match['zone']}” is not a time zone. Use a name such as Australia/Perth.")
        zones[match["name"].lower()] = match["zone"]
    return zones


def zone_of(zone_id: str, location: str, named: Mapping[str, str]) -> str:
    """The IANA name, or "" when neither we nor the admin know it. What the admin says of a location comes first."""
    return named.get(location.lower()) or named.get(zone_id.lower()) or assumptions.ZONES.get(zone_id.lower(), "")
