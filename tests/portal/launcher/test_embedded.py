"""The embedded pair survives whatever ends its processes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from portal.launcher import accounts, embedded, problems
from portal.launcher.processes import runs_in, wait_until
from tests.portal.launcher.conftest import Start

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(not embedded.available(), reason="the embedded servers are not installed"),
]

OWNER = """
import os, pathlib, sys, time
from portal.launcher import embedded
servers = embedded.start(pathlib.Path(os.environ["STATE_DIR"]))
print(servers.database_url, servers.redis_url)
time.sleep(600)
"""


def remember(servers: embedded.Servers, number: int) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def remembered(servers: embedded.Servers) -> list[int]:
    with psycopg.connect(servers.database_url) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM kept ORDER BY 1").fetchall()]


def postmaster(state_dir: Path) -> int:
    return int((state_dir / "postgres" / "postmaster.pid").read_text().split()[0])


def test_what_was_stored_is_there_at_the_next_start(state_dir: Path) -> None:
    with embedded.start(state_dir) as servers:
        remember(servers, 1)
        redis.Redis.from_url(servers.redis_url).set("greeting", "hello")

    with embedded.start(state_dir) as again:
        assert again.database_url == servers.database_url
        assert again.redis_url == servers.redis_url
        assert remembered(again) == [1]
        assert redis.Redis.from_url(again.redis_url).get("greeting") == b"hello"


def test_nothing_is_let_in_without_the_password(state_dir: Path) -> None:
    with embedded.start(state_dir, fast=True) as servers:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(servers.database_url, password="guess")
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=urlsplit(servers.redis_url).port or 0, password="guess").ping()


def test_a_cluster_has_checksums_and_the_order_of_code_points(state_dir: Path) -> None:
    with embedded.start(state_dir, fast=True) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
        assert connection.execute("SELECT 'B' < 'a', lower('Ä')").fetchone() == (True, "ä")


def test_a_second_process_attaches_to_the_running_pair(state_dir: Path, start_python: Start) -> None:
    owner = start_python("-c", OWNER)
    assert owner.stdout
    addresses = owner.stdout.readline().split()

    with embedded.attach_or_start(state_dir) as servers:
        assert [servers.database_url, servers.redis_url] == addresses
        remember(servers, 1)
    assert owner.poll() is None


def test_a_pair_in_use_is_not_started_twice(state_dir: Path) -> None:
    with embedded.start(state_dir, fast=True), pytest.raises(problems.InUse):
        embedded.start(state_dir, fast=True)


def test_an_owner_that_is_done_waits_for_its_guests(state_dir: Path, start_python: Start) -> None:
    code = OWNER.replace("time.sleep(600)", "sys.stdin.readline(); servers.wait_for_guests(); servers.close()")
    owner = start_python("-c", code)
    assert owner.stdout
    assert owner.stdin
    owner.stdout.readline()

    with embedded.attach_or_start(state_dir) as servers:
        owner.stdin.close()
        assert "waiting" in owner.stdout.readline()
        remember(servers, 1)
    assert owner.wait(30) == 0


def test_servers_end_with_a_killed_owner_and_start_again(state_dir: Path, start_python: Start) -> None:
    owner = start_python("-c", OWNER)
    assert owner.stdout
    owner.stdout.readline()
    with embedded.attach_or_start(state_dir) as servers:
        remember(servers, 1)
    server = postmaster(state_dir)
    owner.kill()

    assert wait_until(lambda: not runs_in(server, state_dir / "postgres"), 10)
    with embedded.start(state_dir) as again:
        assert remembered(again) == [1]


def test_a_killed_postgres_keeps_what_was_committed(state_dir: Path) -> None:
    with embedded.start(state_dir) as servers:
        remember(servers, 1)
        connection = psycopg.connect(servers.database_url)
        connection.execute("INSERT INTO kept SELECT generate_series(2, 100000)")
        servers.kill_postgres()
        connection.close()

        servers.restart_postgres()

        assert remembered(servers) == [1]


def test_killed_servers_are_revived_at_the_same_address(state_dir: Path) -> None:
    with embedded.start(state_dir) as servers:
        os.kill(postmaster(state_dir), signal.SIGKILL)
        os.kill(int((state_dir / "valkey.pid").read_text()), signal.SIGKILL)

        revived: set[str] = set()
        assert wait_until(lambda: len(revived) == 2 or revived.update(servers.revive()), 10)  # type: ignore[func-returns-value]

        remember(servers, 1)
        assert redis.Redis.from_url(servers.redis_url).ping()


def test_a_wiped_redis_is_empty(state_dir: Path) -> None:
    with embedded.start(state_dir) as servers:
        client = redis.Redis.from_url(servers.redis_url)
        client.set("greeting", "hello")

        servers.wipe_redis()

        assert client.get("greeting") is None


def test_a_half_made_cluster_is_not_used(state_dir: Path) -> None:
    half = state_dir / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with embedded.start(state_dir, fast=True) as servers:
        remember(servers, 1)
    assert not half.exists()


@pytest.mark.parametrize("pid", [1, 2**22 + 1], ids=["a stranger", "nobody"])
def test_a_pid_file_that_names_somebody_else_does_not_matter(state_dir: Path, pid: int) -> None:
    with embedded.start(state_dir, fast=True):
        note = (state_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    (state_dir / "postgres" / "postmaster.pid").write_text("\n".join([str(pid), *note[1:]]))

    with embedded.start(state_dir, fast=True) as servers:
        remember(servers, 1)


def test_a_port_taken_meanwhile_is_chosen_anew(state_dir: Path) -> None:
    with embedded.start(state_dir, fast=True) as servers:
        pass
    port = urlsplit(servers.redis_url).port
    with socket.create_server(("127.0.0.1", port)), embedded.start(state_dir, fast=True) as again:
        assert again.redis_url != servers.redis_url
        assert redis.Redis.from_url(again.redis_url).ping()


def test_data_below_a_private_directory_is_kept_where_the_servers_account_can_reach_it(state_dir: Path) -> None:
    state_dir.parent.chmod(0o700)
    # Root starts the servers as another account, which may not look into its directory; a person's own account may.
    reachable = accounts.roaming_path(state_dir) if os.geteuid() == 0 else state_dir

    with embedded.start(state_dir, fast=True) as servers:
        remember(servers, 1)
        assert servers.home.base == reachable
    shutil.rmtree(state_dir)
    with embedded.start(state_dir, fast=True) as anew, psycopg.connect(anew.database_url) as connection:
        assert connection.execute("SELECT to_regclass('kept')").fetchone() == (None,)
    assert state_dir.parent.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_is_one_clear_line(state_dir: Path) -> None:
    state_dir.parent.joinpath("file").write_text("")

    with pytest.raises(problems.LaunchError, match="Cannot write to"):
        embedded.start(state_dir.parent / "file" / "state")
