"""What the demo is made of: the command lines of its steps and of its children."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.launcher.state import CHECKOUT

Argv = Sequence[str | Path]
_PYTHON = sys.executable


@dataclass(frozen=True)
class Programs:
    """Each as a command line; the tests of the supervisor put lighter ones in their place."""

    setup: Sequence[tuple[str, Argv]]
    collect: Argv
    sandbox: Argv
    seed: Argv
    web: Callable[[int], Argv]  # given the descriptor of the listening socket
    worker: Argv
    beat: Argv
    cwd: Path = CHECKOUT
    first_pause: float = 1.0  # seconds before a dead child is started again; each further one doubles it


def _manage(*arguments: str) -> Argv:
    return [_PYTHON, CHECKOUT / "manage.py", *arguments]


def _celery(*arguments: str) -> Argv:
    return [_PYTHON, "-m", "celery", "-A", "portal", *arguments]


def demo(state_dir: Path) -> Programs:
    """The real ones."""
    return Programs(
        setup=(
            ("Preparing the database roles", _manage("setup_database")),
            ("Migrating the database", _manage("migrate", "--noinput", "-v", "0")),
        ),
        collect=_manage("collectstatic", "--noinput", "-v", "0"),
        sandbox=[_PYTHON, "-m", "integrations.sandbox"],
        seed=_manage("seed_demo"),
        web=lambda descriptor: [
            *[_PYTHON, "-m", "gunicorn", "portal.wsgi"],
            *["--bind", f"fd://{descriptor}", "--worker-class", "gthread", "--workers", "2", "--threads", "8"],
        ],
        worker=_celery("worker", "--pool", "prefork", "-c", "2", "-l", "info"),
        beat=_celery("beat", "-s", str(state_dir / "beat"), "-l", "info", "--pidfile="),
    )
