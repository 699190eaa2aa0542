"""The switches of a running emulator: bad weather and the vendor's own mishaps, on a small page at /_control."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from html import escape

from integrations.sandbox.kit import Fault, Reply, Request, Sandbox

WEATHER: dict[str, tuple[str, Callable[[], Fault]]] = {
    "limit": (
        "The next 3 calls: 429, try again in 10 s",
        lambda: Fault(times=3, status=429, headers={"Retry-After": "10"}),
    ),
    "error": ("The next 3 calls: 500", lambda: Fault(times=3, status=500)),
    "outage": ("The next 30 calls: 503", lambda: Fault(times=30, status=503)),
    "lose": ("The next call: carried out, answer lost", lambda: Fault(lose_reply=True)),
    "lose-token": ("The next token call: carried out, answer lost", lambda: Fault(path="token", lose_reply=True)),
    "truncate": ("The next call: answer cut in half", lambda: Fault(truncate=True)),
    "slow": ("The next 20 calls: 2 s late", lambda: Fault(times=20, delay=timedelta(seconds=2))),
}


def with_control(sandbox: Sandbox) -> Sandbox:
    """The emulator, with its switches in front of it."""
    vendor = sandbox.handle
    switches: dict[str, Callable[[], object]] = {
        name: partial(_let_it_rain, sandbox, make) for name, (_, make) in WEATHER.items()
    }
    labels = {name: label for name, (label, _) in WEATHER.items()}
    for method, label in sandbox.controls:
        switches[method], labels[method] = getattr(sandbox, method), label
    switches["clear"], labels["clear"] = sandbox.weather.clear, "Fair weather again"

    def handle(request: Request) -> Reply:
        if not request.path.startswith("/_control"):
            return vendor(request)
        name = request.path.removeprefix("/_control").strip("/")
        if request.method == "POST" and name in switches:
            switches[name]()
            return Reply.redirect("/_control?done=" + name)
        return Reply.html(_page(sandbox.key, labels, request.get("done")))

    sandbox.handle = handle  # type: ignore[method-assign]
    return sandbox


def _let_it_rain(sandbox: Sandbox, make: Callable[[], Fault]) -> None:
    sandbox.weather.add(make())


def _page(vendor: str, labels: dict[str, str], done: str) -> str:
    buttons = "".join(
        f'<form method="post" action="/_control/{escape(name)}"><button>{escape(label)}</button></form>'
        for name, label in labels.items()
    )
    said = f"<p role=status>Done: {escape(labels[done])}</p>" if done in labels else ""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox: {escape(vendor)}</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}"
        "button{font:inherit;margin:.25rem 0;padding:.5rem 1rem;width:100%;text-align:start}</style>"
        f"<h1>{escape(vendor)} in a box</h1>{said}{buttons}</html>"
    )
