"""The depot's server: a process of its own that answers prepared pages of 100 billings from memory.

`GET /<set>/<latency in ms>/<page>`. In set 0 stand the billings as they are; set n has one in a hundred changed anew.
"""

import asyncio
import json
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

PAGE = 100
_DAY = date(2026, 1, 1)
_MEMO = (
    "Please quote the number of the invoice with your payment, and write to us within ten days where something is "
    "amiss. Payments go to the account that is printed on the last page of the contract; cheques are not taken."
)


def bill(number: int, edition: int) -> dict[str, object]:
    """About 930 bytes in 27 fields; every hundredth tells the edition."""
    told = edition if number % 100 == 0 else 0
    amount, day = 100 + number % 9_000, _DAY + timedelta(days=number % 300)
    return {
        "id": f"bill-{number:08d}",
        "number": f"INV-{number:07d}",
        "title": f"Maintenance of unit {number % 5_000} in building {number % 77}, period {number % 12 + 1}",
        "status": ("scheduled", "billed", "partially_paid", "paid", "draft")[number % 5],
        "account": {"id": number % 700, "name": f"Customer {number % 700} Holdings"},
        "deal": f"deal-{number % 20_000:06d}",
        "currency": "USD",
        "amount": f"{amount}.{number % 100:02d}",
        "tax": f"{amount // 10}.00",
        "paid": f"{told}.00",
        "balance": f"{amount - told}.{number % 100:02d}",
        "billed": day.isoformat(),
        "due": (day + timedelta(days=30)).isoformat(),
        "settled": None if number % 3 else (day + timedelta(days=20)).isoformat(),
        "created": f"{day.isoformat()}T08:{number % 60:02d}:00Z",
        "modified": f"{day.isoformat()}T09:{number % 60:02d}:{told % 60:02d}Z",
        "reference": f"PO-{number * 7 % 1_000_003:06d}",
        "cost_centre": f"CC-{number % 43}",
        "site": {"id": number % 77, "name": f"Building {number % 77}", "city": "Springfield"},
        "contact": {
            "name": f"Person {number % 900}",
            "email": f"person{number % 900}@example.com",
            "phone": "+1 555 0100",
        },
        "terms": "Net 30 days",
        "method": "transfer",
        "is_recurring": number % 2 == 0,
        "lines": number % 9 + 1,
        "discount": "0.00",
        "memo": _MEMO,
        "version": told,
    }


def sheet(number: int, total: int, edition: int) -> bytes:
    """Page `number`, from 1, of the whole answer."""
    rows = [bill(n, edition) for n in range((number - 1) * PAGE, min(number * PAGE, total))]
    return json.dumps({"items": rows, "pages": -(-total // PAGE)}, separators=(",", ":")).encode()


@contextmanager
def serving(total: int, editions: int = 2) -> Iterator[str]:
    """The address of a server with that many billings, in its own process until the block ends."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, total, editions), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(pipe: object, total: int, editions: int) -> None:
    pages = {
        (edition, number): _answer(sheet(number, total, edition))
        for edition in range(editions)
        for number in range(1, -(-total // PAGE) + 1)
    }

    class Talk(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            self.heard = b""

        def data_received(self, data: bytes) -> None:
            self.heard += data
            while b"\r\n\r\n" in self.heard:
                head, _, self.heard = self.heard.partition(b"\r\n\r\n")
                edition, latency, number = map(int, head.split(b" ", 2)[1].strip(b"/").split(b"/"))
                answer = pages[edition, number]
                if latency:
                    asyncio.get_running_loop().call_later(latency / 1000, self.transport.write, answer)
                else:
                    self.transport.write(answer)

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0, backlog=256)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    with serving(int(sys.argv[1])) as address:
        print(address)
        sys.stdin.read()
