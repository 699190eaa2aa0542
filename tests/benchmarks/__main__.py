"""`python -m tests.benchmarks <name> [options]`: measure on a real PostgreSQL (fsync on) and a real broker."""

import importlib
import sys

from tests.benchmarks.house import house

BENCHMARKS = ("fairness", "limits", "pages", "sync")


def main() -> int:
    """Each benchmark is a module with `main(arguments)`; its first line says what it measures."""
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        print(f"usage: python -m tests.benchmarks <{'|'.join(BENCHMARKS)}> [options]")
        return 2
    name, *arguments = sys.argv[1:]
    with house(name):
        importlib.import_module(f"tests.benchmarks.{name}").main(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
