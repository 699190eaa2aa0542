"""The sandbox's two accounts with their apps, and the checks a request about one of them must pass."""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode
from uuid import NAMESPACE_URL, uuid5

from integrations.sandbox.kit import Reply, Request
from integrations.vendors.corecon.codes import meaning_of

FEATURES = {
    "Company": "Companies",
    "Contact": "Contacts",
    "Project": "Projects",
    "ProjectFinancial": "Project Financials",
    "LaborTime": "Labor Timecards",
    "EquipmentTime": "Equipment Timecards",
    "EmployeeMiscExpenses": "Misc. Expenses",
}
SCOPES = ("add", "read", "edit", "add,read", "read,edit", "add,read,edit")


@dataclass
class App:
    """An account and the one app registered in it, with the fields the vendor lists for an app.

    `trouble` is the number every question is answered with while the app, the account or its database is not well.
    """

    account: str
    name: str
    prefix: str
    secret_key: str
    state: str
    scopes: frozenset[str]
    refresh_minutes: int
    username: str
    password: str
    time_zone: str
    environment: str
    account_key: str = ""
    integration_key: str = ""
    grants: frozenset[str] = frozenset({"authorization_code", "password", "client_credentials"})
    features: set[str] = field(default_factory=lambda: set(FEATURES.values()))
    trouble: int | None = None
    generation: int = 0  # tokens of an earlier one have ended

    def __post_init__(self) -> None:
        self.account_key = str(uuid5(NAMESPACE_URL, f"corecon/{self.account}"))
        self.integration_key = str(uuid5(NAMESPACE_URL, f"corecon/{self.account}/{self.name}"))


def demo_apps() -> list[App]:
    return [
        App(
            account="Harborline Builders",
            name="Switchboard",
            prefix="GC",
            secret_key="hb-7Qk2vXw9+Zr/4Lm==",
            state="Harbor#2026$%line&ok",
            scopes=frozenset({"add", "read", "edit"}),
            refresh_minutes=1440,
            username="ellen.keller",
            password="Level & plumb 7",
            time_zone="America/New_York",
            environment="sandbox",
        ),
        App(
            account="Prairie Ridge Construction",
            name="Switchboard",
            prefix="PR",
            secret_key="pr-Tz81:mNc%5Yb0",
            state="100% prairie + ridge/#$",
            scopes=frozenset({"read"}),
            refresh_minutes=4320,
            username="d.okafor",
            password="barn-raising-1897",
            time_zone="America/Chicago",
            environment="production",
        ),
    ]


class Refusal(Exception):
    """Answer with one of the vendor's numbers."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.name = meaning_of(number).name


def check_well(app: App) -> None:
    if app.trouble is not None:
        raise Refusal(app.trouble)


def check_grant(app: App, grant: str) -> None:
    if grant not in app.grants:
        raise Refusal(472)


def check_scopes(app: App, scopes: str) -> str:
    """The scopes asked for, where they are one of the six documented texts and all granted to the app."""
    if scopes not in SCOPES or not app.scopes.issuperset(scopes.split(",")):
        raise Refusal(489)
    return scopes


def check_user(app: App, form: dict[str, str]) -> None:
    username, password = form.get("username", ""), form.get("password", "")
    if not username or not password:
        raise Refusal(476)
    if (username, password) != (app.username, app.password):
        raise Refusal(475)


def basic_pair(request: Request) -> tuple[str, str]:
    """User name and password of Basic authentication; 401 without."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(401) from None
    if scheme.lower() != "basic" or ":" not in pair:
        raise Refusal(401)
    name, _, password = pair.partition(":")
    return name, password


def back_to(uri: str, **values: str) -> Reply:
    """Send the browser back with those values."""
    text = urlencode(values, quote_via=quote, safe="")
    return Reply.redirect(f"{uri}{'&' if '?' in uri else '?'}{text}")
