"""Where the typed fields of a record come from, as a connector says it: the pages show it, the tests prove it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where one typed field comes from.

    `paths` are dotted into the payload, `Sla.DueDate`, with `[]` behind a list: `Lines[].Total`; the one that counts
    first stands first. Letter case does not count, and a path stands for all below it. `beside` are names of facts in
    `Record.context`. `how` completes "The due date: …" where the value is not just taken over from one place.
    """

    paths: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    how: str = ""


def at(*paths: str, beside: tuple[str, ...] = (), how: str = "") -> Source:
    """`at("Sla.DueDate")`: a source in the payload."""
    return Source(paths=paths, beside=beside, how=how)


def told(how: str, *beside: str) -> Source:
    """A source that is not in the payload: known beside it, or the same for every record."""
    return Source(beside=beside, how=how)


Sources = Mapping[str, Source]
"""By the name of the typed field."""


def spelled(payload: Any, path: str) -> str | None:
    """The path as this decoded payload spells it; None where nothing stands there, null included."""
    for found in _spellings(payload, path.split(".")):
        return found
    return None


def _spellings(value: Any, steps: list[str]) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    step, *rest = steps
    name = step.removesuffix("[]")
    for key, inner in value.items():
        if key.lower() != name.lower() or inner is None:
            continue
        if not rest:
            yield key if name == step else f"{key}[]"
            continue
        inside = (inner if isinstance(inner, list) else []) if name != step else [inner]
        for one in inside:
            yield from (f"{key}{step[len(name) :]}.{found}" for found in _spellings(one, rest))
