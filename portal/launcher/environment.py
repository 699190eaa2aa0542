"""The environment variables the settings read, for a checkout that was given none."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from portal.launcher import state
from portal.launcher.ports import Ports
from portal.launcher.problems import LaunchError


def has_servers(environ: Mapping[str, str]) -> bool:
    """Whether somebody brought their own PostgreSQL and Redis; raises LaunchError for one of the two."""
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if environ.get(name)]
    if len(given) == 1:
        raise LaunchError(f"Only {given[0]} is set: set both DATABASE_URL and REDIS_URL, or neither.")
    return bool(given)


def new_vault_key() -> str:
    """A first key of the keyring: its number and 32 random bytes."""
    return f"1:{base64.b64encode(os.urandom(32)).decode()}"


def keys(state_dir: Path) -> dict[str, str]:
    """The secrets of this checkout, made at the first call."""
    vault = state_dir / "vault.keys"
    if not vault.exists():
        state.write_private(vault, new_vault_key())
    return {"SECRET_KEY": state.remembered(state_dir / "secret.key", 48), "VAULT_KEYS": vault.read_text().strip()}


def throwaway_keys() -> dict[str, str]:
    """For a command that touches no data: nothing is written down."""
    return {"SECRET_KEY": secrets.token_urlsafe(48), "VAULT_KEYS": new_vault_key()}


def site(state_dir: Path, *, running: bool) -> dict[str, str]:
    """How the demo is reached, where its mail goes, and where its vendors stand; `running`: or may stand already."""
    ports = Ports(state_dir / "ports.json")
    sandboxes = (f"{vendor}=http://127.0.0.1:{ports.choose(vendor, running=running)}" for vendor in vendors())
    return {
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DEMO": "on",
        "EMAIL_URL": f"filemail:///{quote(str(state_dir / 'mail'))}",
        "SANDBOX_URLS": ",".join(sandboxes),
        "SITE_URL": f"http://localhost:{ports.web()}",
        "STATE_DIR": str(state_dir),
    }


def vendors() -> list[str]:
    """The vendors that can be had in a box, by folder: a new one is a new folder and nothing else."""
    return sorted(path.parent.name for path in (state.CHECKOUT / "integrations" / "vendors").glob("*/sandbox.py"))
