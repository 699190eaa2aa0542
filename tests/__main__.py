"""Runs all tests as three processes at once, each on servers of its own: `python -m tests`. It keeps two cores busy."""

import subprocess
import sys
import tempfile
from contextlib import ExitStack

PARTS = (
    ["tests/integrations"],
    ["tests/browser", "tests/chaos"],
    ["tests", "--ignore=tests/integrations", "--ignore=tests/browser", "--ignore=tests/chaos"],
)


def main() -> int:
    """The worst of their results. The first part's report is seen while it runs, the others' when they end."""
    command = [sys.executable, "-m", "pytest"]
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
