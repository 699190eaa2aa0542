"""The switches of a running emulator: bad weather and the vendor's own mishaps, on a small page at /_control.

Each acts on every account, or on the one chosen: `POST /_control/<switch>?account=1`. `GET /_control/accounts` tells
with what each account opens.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import escape
from urllib.parse import urlencode

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
    "garbage": (
        "The next call: a web page instead of data",
        lambda: Fault(status=200, body=b"<html>Maintenance</html>"),
    ),
    "slow": ("The next 20 calls: 2 s late", lambda: Fault(times=20, delay=timedelta(seconds=2))),
}


Switch = Callable[[int | None], object]


def with_control(sandbox: Sandbox) -> Sandbox:
    """The emulator, with its switches in front of it."""
    vendor = sandbox.handle
    switches: dict[str, Switch] = {name: _weather_switch(sandbox, make) for name, (_, make) in WEATHER.items()}
    labels = {name: label for name, (label, _) in WEATHER.items()}
    for method, label in sandbox.controls:
        switches[method], labels[method] = _switch(getattr(sandbox, method)), label
    switches["clear"], labels["clear"] = lambda account: sandbox.weather.clear(), "Fair weather again"

    def handle(request: Request) -> Reply:
        if not request.path.startswith("/_control"):
            return vendor(request)
        name, account = request.path.removeprefix("/_control").strip("/"), _account(sandbox, request)
        if name == "accounts":
            return Reply.json([_open(sandbox, number) for number in range(len(sandbox.account_names))])
        if request.method == "POST" and name in switches:
            switches[name](account)
            chosen = {} if account is None else {"account": str(account)}
            return Reply.redirect("/_control?" + urlencode({"done": name, **chosen}))
        return Reply.html(_page(sandbox, labels, request.get("done"), account))

    sandbox.handle = handle  # type: ignore[method-assign]
    return sandbox


def _weather_switch(sandbox: Sandbox, make: Callable[[], Fault]) -> Switch:
    return lambda account: sandbox.weather.add(replace(make(), account=account))


def _switch(method: Callable[..., object]) -> Switch:
    if "account" in inspect.signature(method).parameters:
        return lambda account: method(account=account)
    return lambda account: method()


def _open(sandbox: Sandbox, account: int) -> dict[str, object]:
    settings, secrets = sandbox.demo_setup(account)
    return {"name": sandbox.account_names[account], "settings": settings, "secrets": secrets}


def _account(sandbox: Sandbox, request: Request) -> int | None:
    chosen = request.get("account")
    return int(chosen) if chosen.isdecimal() and int(chosen) < len(sandbox.account_names) else None


def _page(sandbox: Sandbox, labels: dict[str, str], done: str, account: int | None) -> str:
    query = "" if account is None else f"?account={account}"
    buttons = "".join(
        f'<form method="post" action="/_control/{escape(name)}{query}"><button>{escape(label)}</button></form>'
        for name, label in labels.items()
    )
    names: list[tuple[int | None, str]] = [(None, "Everyone"), *enumerate(sandbox.account_names)]
    links = " · ".join(
        f"<b>{escape(name)}</b>"
        if number == account
        else f'<a href="/_control{"" if number is None else f"?account={number}"}">{escape(name)}</a>'
        for number, name in names
    )
    said = f"<p role=status>Done: {escape(labels[done])}</p>" if done in labels else ""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox: {escape(sandbox.key)}</title>"
        "<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}"
        "button{font:inherit;margin:.25rem 0;padding:.5rem 1rem;width:100%;text-align:start}</style>"
        f"<h1>{escape(sandbox.key)} in a box</h1><p>For: {links}</p>{said}{buttons}"
        '<p><a href="/_control/accounts">What opens each account</a></p></html>'
    )
