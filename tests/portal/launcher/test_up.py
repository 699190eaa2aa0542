"""One supervisor, from the first line to the last."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest

from portal.launcher import embedded
from portal.launcher.processes import runs_in, wait_until
from portal.launcher.state import CHECKOUT
from tests.portal.launcher.conftest import Start

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not embedded.available(), reason="the embedded servers are not installed"),
]

STAND_IN = Path(__file__).with_name("stand_in.py")
READY = re.compile(r"Switchboard is ready: (http://localhost:\d+) \(sign in as ada@example.com / engine\)\n")
# Servers that run already: most of what a supervisor does is the same beside them, and sooner tested.
GIVEN = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
# What makes the stand-in worker recognisable among all processes.
WORKER = "import time; worker_of = {!r}; time.sleep(600)"


def lines_until_ready(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if READY.fullmatch(line):
            break
    return lines


def address(lines: list[str]) -> str:
    found = READY.fullmatch(lines[-1])
    assert found, "".join(lines)
    return found[1]


def pids_of(marker: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        pid = int(path.parent.name)
        if marker.encode() in _read(path) and runs_in(pid, CHECKOUT):
            found.append(pid)
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_it_ends_on_the_ready_line_and_serves(start_python: Start) -> None:
    supervisor = start_python(STAND_IN)

    lines = lines_until_ready(supervisor)

    assert urllib.request.urlopen(address(lines) + "/health/ready").status == 200
    assert any(re.fullmatch(r"Starting PostgreSQL … \d+\.\d s\n", line) for line in lines)
    supervisor.terminate()
    assert supervisor.communicate() == ("", None)
    assert supervisor.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_takes_everything_with_it(start_python: Start, state_dir: Path, number: signal.Signals) -> None:
    supervisor = start_python(STAND_IN, WORKER=WORKER.format(str(state_dir)))
    lines_until_ready(supervisor)

    supervisor.send_signal(number)

    assert supervisor.wait(30) == 0
    assert pids_of(str(state_dir)) == []
    with embedded.start(state_dir):
        pass


def test_killed_outright_it_takes_everything_with_it(start_python: Start, state_dir: Path) -> None:
    supervisor = start_python(STAND_IN, WORKER=WORKER.format(str(state_dir)))
    before = address(lines_until_ready(supervisor))

    supervisor.kill()
    supervisor.wait()

    assert wait_until(lambda: not pids_of(str(state_dir)), 10)
    again = start_python(STAND_IN)
    assert address(lines_until_ready(again)) == before


def test_a_second_start_names_the_address_of_the_first(start_python: Start) -> None:
    serving = address(lines_until_ready(start_python(STAND_IN, **GIVEN)))

    second = start_python(STAND_IN, **GIVEN)

    assert second.communicate()[0] == f"Switchboard runs already in this checkout: {serving}\n"
    assert second.returncode == 1


def test_two_checkouts_run_side_by_side(start_python: Start, state_dir: Path) -> None:
    first = start_python(STAND_IN, **GIVEN)
    second = start_python(STAND_IN, **GIVEN, STATE_DIR=str(state_dir.with_name("other")))

    assert address(lines_until_ready(first)) != address(lines_until_ready(second))


def test_a_port_asked_for_must_be_free(start_python: Start, state_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        refused = start_python(STAND_IN, **GIVEN, PORT=str(port))
        assert refused.communicate()[0] == f"Port {port} is taken: set PORT to another one.\n"
        assert refused.returncode == 2

    served = start_python(STAND_IN, **GIVEN, PORT=str(port))
    assert address(lines_until_ready(served)) == f"http://localhost:{port}"
    assert json.loads((state_dir / "ports.json").read_text())["web"] == port


def test_a_dead_child_is_started_again(start_python: Start, state_dir: Path) -> None:
    supervisor = start_python(STAND_IN, **GIVEN, WORKER=WORKER.format(str(state_dir)))
    lines_until_ready(supervisor)
    [worker] = pids_of(str(state_dir))

    subprocess.run(["kill", "-KILL", str(worker)], check=True)

    assert supervisor.stdout
    assert "worker was killed by SIGKILL; it starts again in 0 s." in supervisor.stdout.readline()
    assert wait_until(lambda: pids_of(str(state_dir)) not in ([], [worker]), 10)


def test_a_child_that_keeps_dying_ends_the_start_with_its_last_words(start_python: Start) -> None:
    supervisor = start_python(STAND_IN, **GIVEN, WORKER="import sys; sys.exit('no broker')", PAUSE="0")

    output = supervisor.communicate()[0]

    assert supervisor.returncode == 1
    assert "worker ended with status 1, for the 5th time. Its last words:\n" in output
    assert output.endswith("no broker\n")


def test_a_failing_step_is_shown_with_its_last_words(start_python: Start) -> None:
    supervisor = start_python(STAND_IN, **GIVEN, SETUP="import sys; sys.exit('no such role')")

    output = supervisor.communicate()[0]

    assert supervisor.returncode == 1
    assert output.endswith("no such role\n")
    assert "Switchboard is ready" not in output
