"""`python -m tests.benchmarks <name> [options]`: measure on a real PostgreSQL (fsync on) and a real broker."""

import importlib
import sys
from pathlib import Path

from tests.benchmarks.house import HELPERS, house


def main() -> int:
    """Each benchmark is a module with `main(arguments)`; its first line says what it measures."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py") if path.stem not in HELPERS)
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: python -m tests.benchmarks <{'|'.join(names)}> [options]")
        return 2
    name, *arguments = sys.argv[1:]
    with house(name):
        importlib.import_module(f"tests.benchmarks.{name}").main(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
