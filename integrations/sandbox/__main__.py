"""Serves every emulator named in SANDBOX_URLS on its port until told to stop: `python -m integrations.sandbox`.

The data moves while it runs: SANDBOX_CHANGE_SECONDS (default 20) is how often something changes at each vendor; 0 is
never.
"""

import os
import signal
import sys
import threading
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from integrations.sandbox.control import with_control
from integrations.sandbox.kit import Sandbox

LONGEST_DEMO = timedelta(hours=12)


def emulator(vendor: str, **options: object) -> Sandbox:
    """The emulator of that vendor, as its folder offers it."""
    made: Sandbox = import_module(f"integrations.vendors.{vendor}.sandbox").Emulator(**options)
    return made


def begun(state_dir: Path) -> datetime:
    """The moment the vendors' data is told from. It outlives a restart, so that the same demo finds the same data; a
    demo that slept for half a day begins anew around the present."""
    note, now = state_dir / "begun", datetime.now(UTC).replace(second=0, microsecond=0)
    try:
        moment = datetime.fromisoformat(note.read_text())
    except (OSError, ValueError):
        moment = now - LONGEST_DEMO
    if now - moment >= LONGEST_DEMO:
        moment = now
        note.write_text(moment.isoformat())
    return moment


def main() -> int:
    state_dir = Path(os.environ.get("STATE_DIR", ".local")) / "sandbox"
    state_dir.mkdir(parents=True, exist_ok=True)
    pause = float(os.environ.get("SANDBOX_CHANGE_SECONDS", "20"))
    epoch = begun(state_dir)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with ExitStack() as servers:
        for entry in filter(None, os.environ.get("SANDBOX_URLS", "").split(",")):
            vendor, _, address = entry.strip().partition("=")
            made = with_control(
                emulator(
                    vendor,
                    epoch=epoch,
                    state_dir=state_dir,
                    change_every=timedelta(seconds=pause) if pause else None,
                )
            )
            servers.enter_context(made.serve(urlsplit(address).port or 0))
            sys.stdout.write(f"{vendor} answers at {made.url}, its switches at {made.url}/_control\n")
            sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
