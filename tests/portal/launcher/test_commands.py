"""A management command finds what it needs and nothing is made up behind a deployment's back."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.launcher import embedded, environment
from portal.launcher.commands import surroundings
from portal.launcher.problems import LaunchError


@pytest.fixture(autouse=True)
def _own_environment(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://portal:secret@db/switchboard")
    monkeypatch.setenv("REDIS_URL", "redis://broker/0")


@pytest.mark.parametrize(
    ("command", "role"),
    [("migrate", "portal_owner"), ("makemigrations", "portal_owner"), ("setup_database", ""), ("shell", None)],
)
def test_a_command_acts_as_the_role_it_needs(deployment: None, command: str, role: str | None) -> None:
    with surroundings([command]):
        assert os.environ.get("DATABASE_ROLE") == role


def test_a_deployment_gets_nothing_made_up(deployment: None, state_dir: Path) -> None:
    with surroundings(["shell"]):
        assert "SECRET_KEY" not in os.environ
        assert "VAULT_KEYS" not in os.environ
    assert not state_dir.exists()


def test_half_a_deployment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://broker/0")

    with pytest.raises(LaunchError, match="Only REDIS_URL is set"), surroundings(["shell"]):
        pass


@pytest.mark.parametrize("arguments", [[], ["help"], ["migrate", "--help"], ["check"], ["collectstatic", "--noinput"]])
def test_a_command_that_needs_no_server_starts_none(arguments: list[str], state_dir: Path) -> None:
    with surroundings(arguments):
        assert os.environ["SECRET_KEY"]
    assert not state_dir.exists()


def test_without_the_wheels_the_person_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "available", lambda: False)

    with pytest.raises(LaunchError, match="set DATABASE_URL and REDIS_URL"), surroundings(["shell"]):
        pass


@pytest.mark.server
@pytest.mark.skipif(not embedded.available(), reason="the embedded servers are not installed")
def test_a_command_of_a_bare_checkout_gets_servers_and_keys(state_dir: Path) -> None:
    with surroundings(["shell"]):
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("switchboard",)
        keys = os.environ["SECRET_KEY"], os.environ["VAULT_KEYS"]

    assert environment.keys(state_dir) == {"SECRET_KEY": keys[0], "VAULT_KEYS": keys[1]}
    number, _, key = keys[1].partition(":")
    assert (number, len(base64.b64decode(key))) == ("1", 32)
    for name in ("secret.key", "vault.keys", "postgres.password", "valkey.password"):
        assert (state_dir / name).stat().st_mode & 0o777 == 0o600
