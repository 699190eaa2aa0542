"""Serves every emulator named in SANDBOX_URLS on its port until told to stop: `python -m integrations.sandbox`.

The data moves while it runs: SANDBOX_CHANGE_SECONDS (default 20) is how often something changes at each vendor; 0 is
never.
"""

import os
import signal
import sys
import threading
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from integrations.sandbox.control import with_control
from integrations.sandbox.kit import Sandbox


def emulator(vendor: str, **options: object) -> Sandbox:
    """The emulator of that vendor, as its folder offers it."""
    made: Sandbox = import_module(f"integrations.vendors.{vendor}.sandbox").Emulator(**options)
    return made


def main() -> int:
    state_dir = Path(os.environ.get("STATE_DIR", ".local")) / "sandbox"
    state_dir.mkdir(parents=True, exist_ok=True)
    pause = float(os.environ.get("SANDBOX_CHANGE_SECONDS", "20"))
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with ExitStack() as servers:
        for entry in filter(None, os.environ.get("SANDBOX_URLS", "").split(",")):
            vendor, _, address = entry.strip().partition("=")
            made = with_control(
                emulator(vendor, state_dir=state_dir, change_every=timedelta(seconds=pause) if pause else None)
            )
            servers.enter_context(made.serve(urlsplit(address).port or 0))
            sys.stdout.write(f"{vendor} answers at {made.url}, its switches at {made.url}/_control\n")
            sys.stdout.flush()
        done.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
