"""The names of KORE's fields as one connection has them; pure.

KORE does not document them (assumption K-7), so a connection may name its own, line by line: "billings.amount =
net_total", or several candidates with commas between them. What is named replaces our candidates; the rest stays.
"""

import re
from collections.abc import Mapping

from integrations.contract import Settings
from integrations.vendors.kore import assumptions

Names = Mapping[str, tuple[str, ...]]

_LINE = re.compile(r"(?P<stream>[a-z-]+)\.(?P<ours>[a-z_ ]+)=(?P<theirs>.+)", re.IGNORECASE)
_THEIR_NAME = re.compile(r"[A-Za-z]\w{0,79}", re.ASCII)
_IN_CONTEXT = "field: "


class BadLine(ValueError):
    """A line that does not say what is meant, in words for the person who wrote it."""


def parse(text: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """By stream and our name. Empty lines and those that begin with # are comments. Raises BadLine."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if not line.startswith("#"):
            stream, ours, theirs = _read(line)
            found.setdefault(stream, {})[ours] = theirs
    return found


def overrides(settings: Settings, stream: str) -> Names:
    """What the connection itself names for that stream."""
    return parse(str(settings.get("field_map") or "")).get(stream, {})


def names(settings: Settings, stream: str) -> Names:
    """KORE's candidates by our names: the connection's where it names them, else the assumed ones."""
    return {**assumptions.FIELDS.get(stream, {}), **overrides(settings, stream)}


def to_context(named: Names) -> dict[str, str]:
    """The overrides as facts beside a record, so that it can be read without its connection."""
    return {f"{_IN_CONTEXT}{ours}": ",".join(theirs) for ours, theirs in named.items()}


def from_context(context: Mapping[str, str], stream: str) -> Names:
    """The candidates with which a record of that stream is to be read."""
    named = {
        key.removeprefix(_IN_CONTEXT): tuple(value.split(","))
        for key, value in context.items()
        if key.startswith(_IN_CONTEXT)
    }
    return {**assumptions.FIELDS[stream], **named}


def _read(line: str) -> tuple[str, str, tuple[str, ...]]:
    match = _LINE.fullmatch(line)
    if not match:
        raise BadLine(f"“{line}” should look like: billings.amount = net_total")
    stream, ours = match["stream"].lower(), " ".join(match["ours"].lower().replace("_", " ").split())
    if stream not in assumptions.FIELDS:
        raise BadLine(f"“{stream}” is none of {', '.join(assumptions.FIELDS)}.")
    if ours not in assumptions.FIELDS[stream]:
        raise BadLine(f"“{ours}” is none of {', '.join(assumptions.FIELDS[stream])}.")
    theirs = tuple(name.strip() for name in match["theirs"].split(","))
    if not all(map(_THEIR_NAME.fullmatch, theirs)):
        raise BadLine(f"“{match['theirs'].strip()}” is no name of a field: letters, digits and _ only.")
    return stream, ours, theirs
