"""Removes the state directory and what was put elsewhere for it."""

from __future__ import annotations

import os
import shutil
import sys

from portal.launcher.accounts import roaming_path
from portal.launcher.problems import LaunchError, plain_errors
from portal.launcher.state import Lock, state_directory


def main() -> int:
    """Refuses while a command still uses the data; returns the exit status."""
    state_dir = state_directory(os.environ)
    if not state_dir.exists():
        return 0
    try:
        if not Lock(state_dir / "servers.lock").take():
            raise LaunchError("The embedded database is in use: stop `make run` first.")
        for path in (roaming_path(state_dir), state_dir):
            if path.exists():
                with plain_errors(path):
                    shutil.rmtree(path)
    except LaunchError as error:
        print(error, file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
