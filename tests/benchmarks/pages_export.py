"""An export of 100,000 rows as a browser would take it, in a process of its own that has answered before: seconds by
the clock and of the processor in Python, first byte, memory."""

import json
import subprocess
import sys
import time
from pathlib import Path

from portal.launcher.state import CHECKOUT

_ROWS = 100_000


def measure_export(slug: str) -> None:
    """Prints a line for each list of the tenant of that slug."""
    print(f"\n{'export of 100,000 rows':22}  seconds  in Python  first byte  memory at 5,000 rows  at the end")
    for path in (
        "work-orders/export.csv?status=all",
        "billings/export.csv?status=all",
        "records/kore/deal-lines/export.csv",
    ):
        ran = subprocess.run(
            [sys.executable, "-m", __name__, f"/t/{slug}/{path}"],
            cwd=CHECKOUT, stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        found = json.loads(ran.stdout)
        print(
            f"{path.split('/export')[0]:22}  {found['seconds']:7.1f}  {found['python']:9.1f}  {found['first']:8.2f} s"
            f"  {found['early']:17.0f} MB  {found['late']:7.0f} MB  ({found['rows']:,} rows)"
        )


def _run(path: str) -> dict[str, float]:
    import django

    django.setup()
    from django.test import Client

    from portal.accounts.models import User
    from tests.benchmarks.pages_data import OWNER

    client = Client()
    client.force_login(User.objects.get(email=OWNER))
    client.get(f"{path.partition('/export')[0]}/")
    began, busy, rows, early, first = time.perf_counter(), time.process_time(), 0, 0.0, 0.0
    response = client.get(path)
    for chunk in response.streaming_content:  # type: ignore[attr-defined]
        first = first or time.perf_counter() - began
        rows += chunk.count(b"\n")
        if not early and rows > 5_000:
            early = _memory()
        if rows > _ROWS:
            break
    return {
        "seconds": time.perf_counter() - began,
        "python": time.process_time() - busy,
        "first": first,
        "early": early,
        "late": _memory(),
        "rows": rows - 1,
    }


def _memory() -> float:
    """MB this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1])))
