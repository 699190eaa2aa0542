"""What a management command finds around it: servers, keys, and the database role it acts as."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence

from portal.launcher import embedded, environment
from portal.launcher.binaries import MISSING
from portal.launcher.embedded import OwnServers
from portal.launcher.problems import LaunchError
from portal.launcher.state import prepare, state_directory

# These own the tables or compare with them; everything else acts as the role the settings name.
_AS_OWNER = {"makemigrations", "migrate", "showmigrations", "sqlmigrate"}
_NEEDS_NO_SERVER = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "startapp",
    "version",
}


@contextlib.contextmanager
def surroundings(arguments: Sequence[str]) -> Iterator[None]:
    """Sets the environment for `manage.py ARGUMENTS` and keeps its servers running meanwhile.

    Where DATABASE_URL and REDIS_URL are set nothing is started and nothing made up.
    """
    command = arguments[0] if arguments else "help"
    _choose_role(command)
    if environment.has_servers(os.environ):
        yield
    elif _does_without_server(command, arguments):
        _set_defaults(
            environment.throwaway_keys()
            | {
                "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
                "REDIS_URL": "redis://127.0.0.1:1/0",
                "SITE_URL": "http://localhost:8000",
            }
        )
        yield
    elif not embedded.available():
        raise LaunchError(MISSING)
    else:
        yield from _with_embedded_servers()


def _with_embedded_servers() -> Iterator[None]:
    state_dir = prepare(state_directory(os.environ)).resolve()
    with embedded.attach_or_start(state_dir) as servers:
        os.environ.update(DATABASE_URL=servers.database_url, REDIS_URL=servers.redis_url)
        _set_defaults(environment.keys(state_dir) | environment.site(state_dir, running=True))
        yield
        if isinstance(servers, OwnServers):
            servers.wait_for_guests()


def _choose_role(command: str) -> None:
    if command in _AS_OWNER:
        os.environ.setdefault("DATABASE_ROLE", "portal_owner")
    elif command == "setup_database":
        os.environ["DATABASE_ROLE"] = ""  # it makes the roles: there is none to act as yet


def _does_without_server(command: str, arguments: Sequence[str]) -> bool:
    if {"--help", "-h", "--version"} & set(arguments):
        return True
    return command in _NEEDS_NO_SERVER and "--database" not in arguments


def _set_defaults(values: dict[str, str]) -> None:
    os.environ.update({name: value for name, value in values.items() if not os.environ.get(name)})
