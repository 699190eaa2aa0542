"""Runs all tests: `python -m tests`. Four processes at once, each on servers of its own, keep two cores busy; on given
servers (DATABASE_URL, REDIS_URL) there is one, for they would share a database."""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack

from portal.launcher.environment import has_servers

# About as long as one another.
PARTS = (
    ["tests/integrations/contract", "tests/integrations/vendors"],
    ["tests/integrations", "tests/chaos", *(f"--ignore=tests/integrations/{part}" for part in ("contract", "vendors"))],
    ["tests/browser", "tests/portal/test_secrets.py"],
    ["tests", *(f"--ignore=tests/{part}" for part in ("integrations", "chaos", "browser", "portal/test_secrets.py"))],
)


def main() -> int:
    """The worst of their results. The first part's report is seen while it runs, the others' when they end."""
    command = [sys.executable, "-m", "pytest"]
    if has_servers(os.environ):
        return subprocess.run([*command, "tests"], check=False).returncode
    with ExitStack() as stack:
        reports = [stack.enter_context(tempfile.TemporaryFile()) for _ in PARTS[1:]]
        others = [
            subprocess.Popen([*command, *part], stdout=report, stderr=subprocess.STDOUT)
            for part, report in zip(PARTS[1:], reports, strict=True)
        ]
        results = [subprocess.run([*command, *PARTS[0]], check=False).returncode]
        for other, report in zip(others, reports, strict=True):
            results.append(other.wait())
            report.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(report.read())
    return max(map(abs, results))


if __name__ == "__main__":
    sys.exit(main())
