"""Ports stay the same from one start to the next, unless somebody else took them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from portal.launcher.ports import Ports, answers, is_free
from portal.launcher.problems import LaunchError


def test_a_choice_is_remembered(tmp_path: Path) -> None:
    first = Ports(tmp_path / "ports.json").choose("corecon")

    assert Ports(tmp_path / "ports.json").choose("corecon") == first


def test_a_taken_port_is_chosen_anew(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    former = ports.choose("corecon")

    with socket.create_server(("127.0.0.1", former)):
        assert ports.choose("corecon", running=True) == former
        assert ports.choose("corecon") != former


def test_two_names_never_share_a_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")

    assert ports.choose("corecon") != ports.choose("kore")


def test_a_damaged_note_is_forgotten(tmp_path: Path) -> None:
    note = tmp_path / "ports.json"
    note.write_text('{"corecon": "no number"')

    assert is_free(Ports(note).choose("corecon"))


def test_the_web_socket_listens_from_the_choice_on(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")

    with ports.listen(None):
        assert answers(ports.web())
        assert not is_free(ports.web())
        with pytest.raises(LaunchError, match="is taken") as refusal:
            ports.listen(ports.web())
    assert refusal.value.status == 2


def test_the_next_free_web_port_is_taken_and_remembered(tmp_path: Path) -> None:
    mine, other = Ports(tmp_path / "mine.json"), Ports(tmp_path / "other.json")

    with mine.listen(None), other.listen(None):
        port = other.web()
        assert port != mine.web()

    with other.listen(None):
        assert other.web() == port
