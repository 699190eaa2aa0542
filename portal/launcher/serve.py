"""`python -m portal.launcher.serve COMMAND…`: runs a command beside a pair of servers of its own.

With PORTAL_PG_BIN and PORTAL_REDIS_BIN the pair is another version than the wheels': so the tests meet the servers of
a distribution, at an address they were given like any deployment.
"""

from __future__ import annotations

import os
import subprocess
import sys

from portal.launcher import embedded
from portal.launcher.problems import LaunchError
from portal.launcher.state import state_directory


def main(command: list[str]) -> int:
    """Returns the command's exit status."""
    try:
        with embedded.start(state_directory(os.environ)) as servers:
            env = os.environ | {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
            return subprocess.run(command, env=env, check=False).returncode
    except LaunchError as error:
        print(error, file=sys.stderr)
        return error.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
