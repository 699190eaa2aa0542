"""The switches of a running emulator: bad weather and the vendor's own mishaps, on a small page at /_control.

Each acts on every account, or on the one chosen: `POST /_control/<switch>?account=1`. A switch whose method takes text
gets it by its name, from the query or a form; where it has no default the page has a field for it. `GET
/_control/accounts` tells with what each account opens.
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


Switch = Callable[[int | None, Request], object]


def with_control(sandbox: Sandbox) -> Sandbox:
    """The emulator, with its switches in front of it."""
    vendor = sandbox.handle
    switches: dict[str, Switch] = {name: _weather_switch(sandbox, make) for name, (_, make) in WEATHER.items()}
    labels = {name: label for name, (label, _) in WEATHER.items()}
    for method, label in sandbox.controls:
        switches[method], labels[method] = _switch(getattr(sandbox, method)), label
    switches["clear"], labels["clear"] = lambda account, request: sandbox.clear_weather(), "Fair weather again"
    fields = {method: _texts(getattr(sandbox, method), is_asked=True) for method, _ in sandbox.controls}

    def handle(request: Request) -> Reply:
        if not request.path.startswith("/_control"):
            return vendor(request)
        name, account = request.path.removeprefix("/_control").strip("/"), _account(sandbox, request)
        if name == "accounts":
            return Reply.json([_open(sandbox, number) for number in range(len(sandbox.account_names))])
        if request.method == "POST" and name in switches:
            try:
                switches[name](account, request)
            except ValueError as error:  # what was asked for cannot be done
                return Reply.html(f"<p role=alert>{escape(str(error))}</p>", 400)
            chosen = {} if account is None else {"account": str(account)}
            return Reply.redirect("/_control?" + urlencode({"done": name, **chosen}))
        return Reply.html(_page(sandbox, labels, fields, request.get("done"), account))

    sandbox.handle = handle  # type: ignore[method-assign]
    return sandbox


def _weather_switch(sandbox: Sandbox, make: Callable[[], Fault]) -> Switch:
    return lambda account, request: sandbox.weather.add(replace(make(), account=account))


def _switch(method: Callable[..., object]) -> Switch:
    names, takes_account = _texts(method), "account" in inspect.signature(method).parameters

    def turn(account: int | None, request: Request) -> object:
        form = request.form
        given = {name: form.get(name, request.get(name)) for name in names}
        return method(**given, **({"account": account} if takes_account else {}))

    return turn


def _texts(method: Callable[..., object], *, is_asked: bool = False) -> list[str]:
    """Names of the texts it takes; with `is_asked` only those it cannot do without."""
    parameters = inspect.signature(method).parameters.values()
    return [one.name for one in parameters if one.annotation is str and not (is_asked and one.default != one.empty)]


def _open(sandbox: Sandbox, account: int) -> dict[str, object]:
    settings, secrets = sandbox.demo_setup(account)
    return {"name": sandbox.account_names[account], "settings": settings, "secrets": secrets}


def _account(sandbox: Sandbox, request: Request) -> int | None:
    chosen = request.get("account")
    return int(chosen) if chosen.isdecimal() and int(chosen) < len(sandbox.account_names) else None


def _page(
    sandbox: Sandbox, labels: dict[str, str], fields: dict[str, list[str]], done: str, account: int | None
) -> str:
    query = "" if account is None else f"?account={account}"
    buttons = "".join(
        f'<form method="post" action="/_control/{escape(name)}{query}">'
        + "".join(f'<input name="{escape(text)}" aria-label="{escape(text)}">' for text in fields.get(name, ()))
        + f"<button>{escape(label)}</button></form>"
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
        "button,input{font:inherit;margin:.25rem 0;padding:.5rem 1rem;width:100%;box-sizing:border-box}"
        "button{text-align:start}</style>"
        f"<h1>{escape(sandbox.key)} in a box</h1><p>For: {links}</p>{said}{buttons}"
        '<p><a href="/_control/accounts">What opens each account</a></p></html>'
    )
