"""The bare baseline: the same pages over a bare HTTP client, decoded as typed, written by COPY and one compared merge a
batch into one typed table. No tenant, no raw copy, no runs, no checks."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from queue import Queue
from threading import Thread, local
from urllib.parse import urlsplit

import msgspec
import psycopg

from tests.benchmarks.vendors.depot import Bill

BATCH = 10_000
_COLUMNS = (
    "id text primary key, number text, title text, status text, account text, deal text, currency text, "
    "amount numeric(18, 4), tax numeric(18, 4), paid numeric(18, 4), balance numeric(18, 4), billed date, due date, "
    "settled date, created timestamptz, modified timestamptz"
)
_NAMES = tuple(part.split()[0] for part in _COLUMNS.replace("(18, 4)", "").split(", "))
_DIFFERS = " or ".join(f"b.{name} is distinct from s.{name}" for name in _NAMES)
_MERGE = f"""
insert into bare select s.* from coming s left join bare b on b.id = s.id where {_DIFFERS}
on conflict (id) do update set {", ".join(f"{name} = excluded.{name}" for name in _NAMES[1:])}
"""


class _Sheet(msgspec.Struct):
    items: list[Bill]
    pages: int


_SHEETS = msgspec.json.Decoder(_Sheet)


def prepare(database_url: str) -> None:
    """An empty table."""
    with psycopg.connect(database_url) as connection:
        connection.execute("drop table if exists bare")
        connection.execute(f"create table bare ({_COLUMNS})")


def load(database_url: str, address: str, edition: int, latency: int, *, at_once: int) -> tuple[int, float]:
    """Read and write everything; how many billings, and in how many seconds."""
    started = time.perf_counter()
    pages: Queue[list[Bill] | None] = Queue(maxsize=200)
    reader = Thread(target=_read, args=(pages, address, edition, latency, at_once))
    reader.start()
    count = 0
    with psycopg.connect(database_url) as connection:
        connection.execute("create temp table coming (like bare)")
        connection.commit()
        for batch in _batches(pages):
            with connection.cursor() as cursor:
                with cursor.copy("copy coming from stdin") as copy:
                    copy.write("\n".join(map(_line, batch)) + "\n")
                cursor.execute(_MERGE)
                cursor.execute("truncate coming")
            connection.commit()
            count += len(batch)
    reader.join()
    return count, time.perf_counter() - started


def _line(bill: Bill) -> str:
    settled = bill.settled.isoformat() if bill.settled else r"\N"
    return (
        f"{bill.id}\t{bill.number}\t{bill.title}\t{bill.status}\t{bill.account.name}\t{bill.deal}\t{bill.currency}\t"
        f"{bill.amount}\t{bill.tax}\t{bill.paid}\t{bill.balance}\t{bill.billed}\t{bill.due}\t{settled}\t"
        f"{bill.created}\t{bill.modified}"
    )


def _batches(pages: "Queue[list[Bill] | None]") -> Iterator[list[Bill]]:
    batch: list[Bill] = []
    while (items := pages.get()) is not None:
        batch += items
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _read(pages: "Queue[list[Bill] | None]", address: str, edition: int, latency: int, at_once: int) -> None:
    parts, own = urlsplit(address), local()

    def fetch(number: int) -> bytes:
        if not hasattr(own, "line"):
            own.line = http.client.HTTPConnection(parts.hostname or "", parts.port)
        own.line.request("GET", f"/{edition}/{latency}/{number}")
        return bytes(own.line.getresponse().read())

    first = _SHEETS.decode(fetch(1))
    pages.put(first.items)
    numbers = iter(range(2, first.pages + 1))
    with ThreadPoolExecutor(at_once) as pool:
        waiting = [pool.submit(fetch, number) for number in islice(numbers, at_once)]
        while waiting:
            answer = waiting.pop(0).result()
            waiting += [pool.submit(fetch, number) for number in islice(numbers, 1)]
            pages.put(_SHEETS.decode(answer).items)
    pages.put(None)
