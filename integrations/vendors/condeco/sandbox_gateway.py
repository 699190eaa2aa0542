"""The front of the emulator: keys, limits and session tokens, in the order in which Condeco looks at them.

Gateway: key there, key valid, key of this collection, calls a minute, calls a week. Then the application: account
licensed, session token.
"""

import re
import secrets
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.condeco.sandbox_data import COLLECTIONS, CUSTOMERS
from integrations.vendors.condeco.sandbox_desks import DeskBook, VisitorBook
from integrations.vendors.condeco.sandbox_diary import Account

TOKEN_LIFETIME = timedelta(seconds=43_199)
PORTAL_PAGE = Reply.html("<!doctype html><title>Integration portal</title><h1>Sign in or sign up</h1>")
_COLLECTIONS = {
    "countries": "HierarchyMapping",
    "regions": "HierarchyMapping",
    "regionsbyparent": "HierarchyMapping",
    "locations": "HierarchyMapping",
    "groups": "HierarchyMapping",
    "rooms": "HierarchyMapping",
    "users": "HierarchyMapping",
    "floorplan": "HierarchyMapping",
    "bookings": "ExternalBookings",
    "deskbookings": "ExternalBookings",
    "listener": "ExternalBookings",
    "visitor": "Visitor",
    "costcodes": "CostCode",
}
_API = re.compile(r"/([^/]+)/api/V1/([^/]+)(?:/.*)?", re.IGNORECASE)
_OTHERS = re.compile(r"/(uat|developer)(?=/)", re.IGNORECASE)  # production has no path of its own


class Gateway(Sandbox):
    """`sizes` are the room bookings of the two customers, `desk_bookings` and `visitors` the same. `calls_per_minute`
    is the vendor's 500 where it is wanted: without our own limiter in front, tests at full speed would spend most of
    their time waiting."""

    def __init__(
        self,
        *,
        sizes: tuple[int, ...] = (1300, 700),
        desk_bookings: tuple[int, ...] = (140, 60),
        visitors: tuple[int, ...] = (26, 14),
        calls_per_minute: int | None = None,
        calls_per_week: int = 50_000,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.calls_per_minute, self.calls_per_week = calls_per_minute, calls_per_week
        pace: dict[str, Any] = {"epoch": self.epoch, "change_every": self.change_every}
        slow: dict[str, Any] = {"epoch": self.epoch, "change_every": self.change_every and self.change_every * 4}
        self.accounts = [
            Account(index, size, seed=self.seed, clock=self.clock, **pace) for index, size in enumerate(sizes[:2])
        ]
        self.account_names = tuple(CUSTOMERS[account.index].subscription_name for account in self.accounts)
        self.desks = [
            DeskBook(account, size=size, seed=self.seed * 10 + 3 + account.index, **slow)
            for account, size in zip(self.accounts, desk_bookings, strict=False)
        ]
        self.visitors = [
            VisitorBook(account, size=size, seed=self.seed * 10 + 6 + account.index, **slow)
            for account, size in zip(self.accounts, visitors, strict=False)
        ]
        self.calls_this_week: dict[int, int] = {}  # by account; the allowance page of the vendor
        self._week = self._monday()
        self._recent: dict[int, deque[datetime]] = {account.index: deque() for account in self.accounts}
        self._withdrawn: set[tuple[int, str]] = set()  # (account, collection)
        self._closed: set[int] = set()  # accounts whose client id and password are refused
        self._unlicensed: set[int] = set()
        self._unknown: set[int] = set()  # accounts whose subscription name leads nowhere
        self._is_portal = False

    def numbers(self, account: int | None) -> list[int]:
        """That account, or every one."""
        return [one.index for one in self.accounts if account in (None, one.index)]

    def account_of(self, request: Request) -> int | None:
        if found := _API.fullmatch(_OTHERS.sub("", request.path, count=1)):
            account = self._account_of(found[1])
            return account.index if account else None
        client = request.form.get("client_id") if request.method == "POST" else ""
        return next((one.index for one in self.accounts if one.customer.client_id == client), None)

    # Token host

    @route("POST", "/tokenproviderapi/token")
    def token(self, request: Request) -> Reply:
        form = request.form if "form-urlencoded" in request.headers.get("content-type", "") else {}
        environment = _environment(request)
        for account in self.accounts:
            customer = account.customer
            right = (customer.client_id, customer.password_in(environment), "password")
            is_right = (form.get("client_id"), form.get("password"), form.get("grant_type")) == right
            if is_right and account.index not in self._closed:
                value = f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_urlsafe(48)}"
                facts = {"account": account.index, "environment": environment}
                self.tokens.issue(value, kind="session", lifetime=TOKEN_LIFETIME, **facts)
                seconds = int(TOKEN_LIFETIME.total_seconds())
                return Reply.json({"access_token": value, "token_type": "bearer", "expires_in": seconds})
        refusal = {"error": "invalid_grant", "error_description": "The client id or password is incorrect."}
        return Reply.json(refusal, 400)

    # API host

    def handle(self, request: Request) -> Reply:
        environment = _environment(request)
        inner = replace(request, path=_OTHERS.sub("", request.path, count=1))
        inner = replace(inner, headers={**request.headers, "x-environment": environment})
        found = _API.fullmatch(inner.path)
        if not found:
            return super().handle(inner)
        if self._is_portal:
            return PORTAL_PAGE
        account = self._account_of(found[1])
        if account is None or account.index in self._unknown:
            return self.not_found(request)
        self.catch_up(account)
        return self._gateway(inner, account, _COLLECTIONS.get(found[2].lower(), "")) or super().handle(inner)

    def not_found(self, request: Request) -> Reply:
        return refused(404, "Resource not found")

    def catch_up(self, account: Account) -> None:
        """Carry out what time has brought to its books by now."""
        only = slice(account.index, account.index + 1)
        for book in (account.diary, *self.desks[only], *self.visitors[only]):
            book.catch_up(self.clock.now())

    def _gateway(self, request: Request, account: Account, collection: str) -> Reply | None:
        """The refusal of the gateway or, behind it, of the application's sign-in; None to go on."""
        key, environment = request.headers.get("ocp-apim-subscription-key", ""), request.headers["x-environment"]
        if not key:
            return refused(401, "Access denied due to missing subscription key. Make sure to include it.")
        keys = account.customer.keys_in(environment)
        good = {keys[name] for name in COLLECTIONS if (account.index, name) not in self._withdrawn}
        if key not in good or (collection and key != keys[collection]):
            return refused(401, "Access denied due to invalid subscription key. Provide a valid key.")
        if limited := self._count(account):
            return limited
        if not collection:
            return self.not_found(request)
        if account.index in self._unlicensed:
            return refused(403, "This account is not licensed for the API service.")
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        facts = self.tokens.find(value, "session") if scheme.lower() == "bearer" else None
        is_good = facts and not self.tokens.is_expired(facts)
        if not is_good or not facts or (facts["account"], facts["environment"]) != (account.index, environment):
            return Reply.json({"Message": "Authorization has been denied for this request."}, 401)
        return None

    def _count(self, account: Account) -> Reply | None:
        """One call more, or the refusal when a limit is reached. The week begins on Monday, 00:00 UTC."""
        now, recent = self.clock.now(), self._recent[account.index]
        with self._count_lock:
            self._begin_week()
            while recent and recent[0] <= now - timedelta(minutes=1):
                recent.popleft()
            if self.calls_per_minute is not None and len(recent) >= self.calls_per_minute:
                seconds = max(1, round((recent[0] + timedelta(minutes=1) - now).total_seconds()))
                text = f"Rate limit is exceeded. Try again in {seconds} seconds."
                return refused(429, text, {"Retry-After": str(seconds)})
            if self.calls_this_week.get(account.index, 0) >= self.calls_per_week:
                left = int((self._week + timedelta(days=7) - now).total_seconds())
                clock = f"{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}"
                return refused(403, f"Out of call volume quota. Quota will be replenished in {clock}.")
            recent.append(now)
            self.calls_this_week[account.index] = self.calls_this_week.get(account.index, 0) + 1
        return None

    def _begin_week(self) -> None:
        if self._week != self._monday():
            self._week = self._monday()
            self.calls_this_week.clear()

    def _monday(self) -> datetime:
        now = self.clock.now()
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())

    def _account_of(self, suffix: str) -> Account | None:
        for account in self.accounts:
            if account.customer.subscription_name.lower() == suffix.lower():
                return account
        return None

    def named(self, suffix: str) -> Account:
        account = self._account_of(suffix)
        assert account, "handle() has looked already"
        return account

    @route("GET", "/_allowance")
    def allowance(self, request: Request) -> Reply:
        """The calls of this week, as Condeco's portal shows them."""
        self._begin_week()
        rows = "".join(
            f"<tr><td>{name}<td>{self.calls_this_week.get(number, 0)} of {self.calls_per_week}"
            for number, name in enumerate(self.account_names)
        )
        return Reply.html(f"<!doctype html><title>Allowance</title><h1>Calls this week</h1><table>{rows}</table>")


def _environment(request: Request) -> str:
    found = _OTHERS.match(request.path)
    return request.headers.get("x-environment") or (found[1].lower() if found else "production")


def refused(status: int, message: str, headers: dict[str, str] | None = None) -> Reply:
    """How the gateway refuses."""
    return Reply.json({"statusCode": status, "message": message}, status, headers)


def envelope(data: object) -> Reply:
    """How hierarchy answers come; `Status` is false when all is well."""
    return Reply.json({"IsError": False, "Status": False, "Message": "", "Data": data})


def invalid(message: str = "The request is invalid.", status: int = 400) -> Reply:
    """How the application refuses."""
    return Reply.json({"IsError": True, "Status": False, "Message": message, "Data": None}, status)
