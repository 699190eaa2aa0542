"""Every connector by key, found by looking: a vendor is added by adding a folder, removed by deleting it."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from integrations import vendors
from integrations.contract import Connector


@cache
def connectors() -> dict[str, Connector]:
    """Every connector by key. A folder that offers none fails here, at start-up, not in a sync run."""
    return {
        folder.name: import_module(f"{vendors.__name__}.{folder.name}").connector
        for folder in iter_modules(vendors.__path__)
    }
