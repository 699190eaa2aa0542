"""A person at a vendor's consent page, without a browser: reads the form there and presses one of its buttons."""

import http.client
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpResponse
from django.test import Client

from integrations.connections.models import Connection
from tests.portal.pages.connections.conftest import Person


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inputs: dict[str, str] = {}
        self.buttons: dict[str, tuple[str, str]] = {}
        self._button: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "input":
            self.inputs[facts.get("name", "")] = facts.get("value", "")
        if tag == "button":
            self._button = (facts.get("name", ""), facts.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._button and data.strip():
            self.buttons[data.strip()] = self._button

    def handle_endtag(self, tag: str) -> None:
        if tag == "button":
            self._button = None


def press(address: str, button: str) -> str:
    """Open the page, press the button of that name; the address the browser is sent to."""
    form = _Form()
    status, text, _ = _ask("GET", address)
    assert status == 200, text
    form.feed(text)
    name, value = form.buttons[button]
    status, text, location = _ask("POST", address, {**form.inputs, name: value})
    assert status == 302, text
    return location


def _ask(method: str, address: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
    parts = urlsplit(address)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    headers = {"content-type": "application/x-www-form-urlencoded"} if form else {}
    line.request(method, f"{parts.path}?{parts.query}", urlencode(form) if form else None, headers)
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    return answer.status, text, answer.headers.get("location", "")


def set_out(person: Person, connection: Connection) -> str:
    """Press Connect: the vendor's address."""
    response = person.post(f"connections/{connection.pk}/authorize/")
    assert response.status_code == 302
    return str(response["Location"])


def come_back(browser: Client, address: str) -> HttpResponse:
    """Follow the vendor's redirect to our callback, and ours to where it ends."""
    parts = urlsplit(address)
    return browser.get(f"{parts.path}?{parts.query}" if parts.query else parts.path, follow=True)  # type: ignore[return-value]


def values_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def words_of(response: HttpResponse) -> str:
    return response.content.decode().replace("&#x27;", "'")


def is_connected(person: Person) -> bool:
    return person.only().is_active
