"""What a hostile vendor sends never weighs on the worker: each case is weighed in a process of its own."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from integrations.sync.models import RunState, SyncRun
from tests.integrations.sync.conftest import Stage
from tests.integrations.sync.scoundrel import Asked, Play, answer, page
from tests.integrations.sync.test_hostile import OK, ROW, body, endlessly

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]
MOST = 300_000_000
MEGABYTE = b"x" * 1_000_000
CHECKOUT = Path(__file__).resolve().parents[3]


def two_gigabytes(start: bytes) -> Play:
    def play(asked: Asked) -> Iterator[bytes]:
        yield start
        for _ in range(2000):
            yield b"f4240\r\n" + MEGABYTE + b"\r\n"

    return play


def heavy_pages(asked: Asked) -> list[bytes]:
    number = int(asked.cursor or 0)
    then = str(number + 1) if number < 11 else None
    return [answer(page({"id": number, "much": "m" * 25_000_000}, {"id": str(number)}, then=then))]


CASES: dict[str, tuple[Play, str, str]] = {
    "nothing unusual": (body(page(ROW)), RunState.DONE, ""),
    "two gigabytes, announced": (
        two_gigabytes(OK + b"Content-Length: 2000000000\r\n\r\n"),
        RunState.WAITING,
        "too_large",
    ),
    "two gigabytes, one by one": (
        two_gigabytes(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        RunState.WAITING,
        "too_large",
    ),
    "two gigabytes, packed": (
        endlessly(b"x" * 65_536, OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")),
        RunState.WAITING,
        "damaged",
    ),
    "a bomb": (
        lambda asked: [answer(gzip.compress(b"[" * 100_000_000, 1), Content_Encoding="gzip")],
        RunState.WAITING,
        "too_large",
    ),
    "a million tiny records": (body(page(*([b"{}"] * 1_000_000))), RunState.WAITING, "too_large"),
    "the same nearly 100,000 times, with as many values as are taken": (
        body(page(*([b'{"id":"1","name":{},"kind":{}}'] * 99_000))),
        RunState.DONE,
        "",
    ),
    "many heavy pages": (heavy_pages, RunState.DONE, ""),
    "30 MB in one record": (body(page({"id": "1", "name": "n" * 30_000_000})), RunState.DONE, ""),
}


@contextmanager
def weighing(urls: Iterable[str]) -> Iterator[Callable[[SyncRun], int]]:
    """A worker of its own, which tells how many bytes more than at its start it has needed by the end of a slice."""
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    surroundings = {
        **os.environ,
        "DATABASE_URL": address.geturl(),
        "DATABASE_ROLE": "portal_app",
        "DEMO": "on",
        "SANDBOX_URLS": ",".join(f"v{number}={url}" for number, url in enumerate(urls)),
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "tests.integrations.sync.weigher"]
    with subprocess.Popen(
        command, env=surroundings, cwd=CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        told, heard = worker.stdin, worker.stdout
        assert told
        assert heard

        def growth(run: SyncRun) -> int:
            print(run.tenant_id, run.pk, file=told, flush=True)
            return int(heard.readline())

        yield growth
        told.close()


def test_whatever_a_vendor_sends_weighs_little_on_the_worker(stage: Stage) -> None:
    urls = {name: stage.serve(play) for name, (play, _, _) in CASES.items()}
    grown = {}
    with weighing(urls.values()) as weigh:
        for name, url in urls.items():
            _, state, code = CASES[name]
            run = stage.run(url=url)
            while run.state in (RunState.QUEUED, RunState.RUNNING):
                grown[name] = weigh(run)
                run = stage.look(run)
            assert (name, run.state, run.code) == (name, state, code)
    assert max(grown.values()) < MOST, grown
