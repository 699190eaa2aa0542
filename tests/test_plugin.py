"""A required test cannot be skipped unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.launcher.state import CHECKOUT

TESTS = """
import pytest

@pytest.mark.browser
def test_in_a_browser():
    pytest.skip("no browser")

@pytest.mark.browser
@pytest.mark.xfail
def test_expected_to_fail():
    assert False

def test_anywhere():
    pytest.skip("not today")
"""


def outcome(path: Path, **more: str) -> str:
    run = subprocess.run(
        [
            *[sys.executable, "-m", "pytest", "-p", "tests.plugin", "-p", "no:django", "-p", "no:cacheprovider"],
            *["-o", "addopts=", "-o", "markers=browser", "--rootdir", path.parent, "-q", path],
        ],
        env=os.environ | more,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout.splitlines()[-1].partition(" in ")[0]


@pytest.mark.parametrize(
    ("required", "expected"),
    [("0", "2 skipped, 1 xfailed"), ("1", "1 failed, 1 skipped, 1 xfailed")],
)
def test_a_skip_is_a_failure_where_the_browser_is_required(tmp_path: Path, required: str, expected: str) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(TESTS)

    assert outcome(path, REQUIRE_BROWSER=required) == expected


def test_a_skipped_module_is_a_failure_where_the_browser_is_required(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text('import pytest\npytest.importorskip("no_such_browser")\n')

    assert outcome(path, REQUIRE_BROWSER="1").startswith("1 error")
