"""Whether the collected static files are still those of the checkout: compressing them anew takes seconds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from portal.launcher.state import CHECKOUT, write_private

# Whatever else may bring static files: the installed packages, and the list of those in use.
_OTHERS = ("requirements/dev.lock", "requirements/run.lock", "portal/settings.py")


class StaticFiles:
    """Remembers what was collected, by names, sizes and times."""

    def __init__(self, state_dir: Path) -> None:
        self._collected = state_dir / "static"
        self._note = state_dir / "static.collected"

    def are_fresh(self) -> bool:
        """True when collecting would change nothing."""
        return self._collected.exists() and self._note.exists() and self._note.read_text() == _fingerprint()

    def note(self) -> None:
        """They were just collected."""
        write_private(self._note, _fingerprint())


def _fingerprint() -> str:
    trees = [CHECKOUT / "static", *CHECKOUT.glob("portal/**/static"), *CHECKOUT.glob("integrations/**/static")]
    files = [path for tree in trees for path in tree.rglob("*") if path.is_file()]
    files += [path for name in _OTHERS if (path := CHECKOUT / name).exists()]
    facts = sorted(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
