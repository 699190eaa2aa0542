"""A vendor in a process of its own, to be killed and started again: `vendors.py JOURNAL VENDOR PORT OPTIONS`.

What happened at the vendor stands in a journal, one line a deed. Whoever starts carries all of them out, at their
moments, so that a vendor that was away comes back as it was.
"""

import json
import random
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integrations.sandbox.__main__ import emulator
from integrations.sandbox.control import with_control
from integrations.sandbox.kit import NothingLeft, Sandbox

_LEFT_OUT = {"pay_silently"}  # a switch more than a deed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Somebody at the vendor did this, on its first account."""

    at: str
    vendor: str
    name: str


class Journal:
    """What happened at the vendors, in order; the data are told from `epoch` on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            epoch = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            path.write_text(json.dumps(epoch.isoformat()) + "\n")

    @property
    def epoch(self) -> datetime:
        return datetime.fromisoformat(json.loads(self.path.read_text().splitlines()[0]))

    def deeds(self, vendor: str) -> list[Deed]:
        told = (Deed(**json.loads(line)) for line in self.path.read_text().splitlines()[1:])
        return [deed for deed in told if deed.vendor == vendor]

    def go_on(self, vendor: str, dice: random.Random, number: int) -> None:
        """So many more deeds, now."""
        names = [name for name in emulator(vendor).mishaps if name not in _LEFT_OUT]
        # In the middle of a second: carried out again, it must not slip into the next one.
        now = datetime.now(UTC).replace(microsecond=500_000).isoformat()
        with self.path.open("a") as lines:
            for _ in range(number):
                lines.write(json.dumps(asdict(Deed(at=now, vendor=vendor, name=dice.choice(names)))) + "\n")


def as_it_is(journal: Journal, vendor: str, **options: Any) -> Sandbox:
    """The vendor after everything that the journal tells."""
    made = emulator(vendor, epoch=journal.epoch, **options)
    for deed in journal.deeds(vendor):
        back = datetime.now(UTC) - datetime.fromisoformat(deed.at)
        made.clock.advance(-back)
        with suppress(NothingLeft):
            getattr(made, deed.name)(account=0)
        made.clock.advance(back)
    return made


def main() -> None:
    path, vendor, port, options = sys.argv[1:]
    journal = Journal(Path(path))
    made = as_it_is(journal, vendor, state_dir=journal.path.parent, **json.loads(options))
    with with_control(made).serve(int(port)):
        sys.stdin.read()  # until whoever started this is gone


if __name__ == "__main__":
    main()
