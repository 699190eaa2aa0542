#!/usr/bin/env python
"""Runs a management command, or with `up` the whole demo."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the first thing a person with an older Python runs
    sys.exit("Switchboard needs Python 3.11 or newer; this is Python {}.{}.".format(*sys.version_info))


def main() -> None:
    """Puts the surroundings in place before Django reads its settings."""
    try:
        from portal.launcher.problems import LaunchError
    except ModuleNotFoundError as error:
        sys.exit(f"{error}: use the Python that `make` installs into, .venv/bin/python manage.py …")

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        if sys.argv[1:2] == ["up"]:
            from portal.launcher import up

            sys.exit(up.main())

        from portal.launcher.commands import surroundings

        with surroundings(sys.argv[1:]):
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    except LaunchError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)


if __name__ == "__main__":
    main()
