"""Runs all tests as two processes at once, each on servers of its own: `python -m tests`."""

import subprocess
import sys
import tempfile

HALVES = (["tests/integrations"], ["tests", "--ignore=tests/integrations"])


def main() -> int:
    """The worse of both results. The second half's report follows the first one's."""
    command = [sys.executable, "-m", "pytest"]
    with tempfile.TemporaryFile() as report:
        second = subprocess.Popen([*command, *HALVES[1]], stdout=report, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run([*command, *HALVES[0]], check=False).returncode
        finally:
            result = second.wait()
        report.seek(0)
        sys.stdout.flush()
        sys.stdout.buffer.write(report.read())
    return max(first, result)


if __name__ == "__main__":
    sys.exit(main())
