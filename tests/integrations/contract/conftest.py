"""The contract suite's vendors: each in its box on a real port, small, with both of its accounts.

At the end a table tells which vendor shows which behaviour.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.contract import Stream
from integrations.registry import connectors
from tests.integrations.contract.vendor import Vendor, serving

# What a test asks for by the name of its argument: every stream of every vendor, or those it is about.
ABOUT: dict[str, Callable[[Stream], bool]] = {
    "stream_key": lambda stream: True,
    "typed_key": lambda stream: stream.kind is not None,
    "generic_key": lambda stream: stream.kind is None,
    "swept_key": lambda stream: stream.sweep_interval is not None,
    "sought_key": lambda stream: stream.can_look_up,
    "child_key": lambda stream: bool(stream.parent),
}
_outcomes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, is_meant in ABOUT.items():
        if name in metafunc.fixturenames:
            pairs = [
                (key, stream.key)
                for key, connector in sorted(connectors().items())
                for stream in connector.streams
                if is_meant(stream)
            ]
            metafunc.parametrize(("vendor_key", name), pairs, ids=["-".join(pair) for pair in pairs], scope="session")
            return
    if "vendor_key" in metafunc.fixturenames:
        metafunc.parametrize("vendor_key", sorted(connectors()), scope="session")


@pytest.fixture(scope="session")
def boxes() -> Iterator[dict[str, Vendor]]:
    """Emulators that stay as they are: for tests that only read."""
    running: dict[str, Any] = {}
    found: dict[str, Vendor] = {}
    for key in connectors():
        running[key] = serving(key)
        found[key] = running[key].__enter__()
    yield found
    for one in running.values():
        one.__exit__(None, None, None)


@pytest.fixture
def box(vendor_key: str, boxes: dict[str, Vendor]) -> Vendor:
    """The vendor in its box; the test only reads, or clears the weather it makes."""
    return boxes[vendor_key]


@pytest.fixture
def fresh(vendor_key: str) -> Iterator[Vendor]:
    """A box of the test's own, to do with as it likes."""
    with serving(vendor_key) as vendor:
        yield vendor


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and "integrations/contract/" in report.nodeid and "[" in report.nodeid:
        behaviour, _, rest = report.nodeid.rpartition("::")[2].partition("[")
        vendor = next((key for key in connectors() if rest.startswith(key)), "")
        if vendor:
            _outcomes[behaviour][vendor].append(report.outcome)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _outcomes:
        return
    vendors = sorted(connectors())
    width = max(map(len, _outcomes))
    terminalreporter.section("vendor x behaviour: passed of run")
    terminalreporter.line(" " * width + "".join(f"{vendor:>12}" for vendor in vendors))
    for behaviour, by_vendor in _outcomes.items():
        cells = [f"{by_vendor[v].count('passed')}/{len(by_vendor[v])}" if by_vendor.get(v) else "–" for v in vendors]
        terminalreporter.line(behaviour.ljust(width) + "".join(f"{cell:>12}" for cell in cells))
