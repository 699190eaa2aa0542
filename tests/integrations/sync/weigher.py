"""One worker that carries out slices and tells how much more memory it has ever needed: reads lines of `TENANT RUN`,
answers each with the growth of its peak since the first, in bytes."""

import resource
import sys
from pathlib import Path

import django

django.setup()

from integrations import registry  # noqa: E402 - needs the settings
from integrations.sync.engine import carry_out_slice  # noqa: E402
from tests.integrations.sync import vendors  # noqa: E402

registry.vendors = vendors  # type: ignore[assignment]
STATUS = Path("/proc/self/status")


def peak() -> int:
    """The most bytes ever in memory. Linux counts what the parent had in `getrusage`, too."""
    if STATUS.exists():
        return 1024 * next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


start = 0
for line in sys.stdin:
    tenant_id, run_id = map(int, line.split())
    carry_out_slice(tenant_id, run_id)
    start = start or peak()
    print(peak() - start, flush=True)
