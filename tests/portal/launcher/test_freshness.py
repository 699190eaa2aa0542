"""Static files are collected when they changed, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.launcher import freshness
from portal.launcher.freshness import StaticFiles


@pytest.fixture
def stylesheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(freshness, "CHECKOUT", tmp_path)
    path = tmp_path / "static" / "site.css"
    path.parent.mkdir()
    path.write_text("a {}")
    (tmp_path / "state" / "static").mkdir(parents=True)
    return path


def test_collected_files_stay_fresh_until_one_changes(stylesheet: Path, tmp_path: Path) -> None:
    static = StaticFiles(tmp_path / "state")
    assert not static.are_fresh()

    static.note()
    assert static.are_fresh()

    stylesheet.write_text("a { color: red }")
    assert not static.are_fresh()


def test_collected_files_that_were_removed_are_not_fresh(stylesheet: Path, tmp_path: Path) -> None:
    static = StaticFiles(tmp_path / "state")
    static.note()

    (tmp_path / "state" / "static").rmdir()

    assert not static.are_fresh()
