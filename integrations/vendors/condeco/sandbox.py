"""Condeco in a box: the token host and the API host of two made-up customers, on one port.

The gateway looks first (key there, key valid, key of this collection, calls a minute, calls a week), then the
application (session token), then the list itself.
"""

import re
import secrets
from collections import deque
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.condeco.sandbox_diary import Account

TOKEN_LIFETIME = timedelta(seconds=43_199)
_COLLECTIONS = {
    "countries": "HierarchyMapping",
    "regions": "HierarchyMapping",
    "locations": "HierarchyMapping",
    "rooms": "HierarchyMapping",
    "bookings": "ExternalBookings",
}
_API = re.compile(r"/([^/]+)/api/V1/([^/]+)/?", re.IGNORECASE)


class Emulator(Sandbox):
    """`sizes` are the room bookings of the two customers. `calls_per_minute` is the vendor's 500 where it is wanted:
    without our own limiter in front, tests at full speed would spend most of their time waiting."""

    key = "condeco"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("expire_tokens", "End all session tokens"),
        ("revoke_access", "Refuse client id and password"),
        ("restore_access", "Accept client id and password again"),
        ("withdraw_bookings_key", "Switch the ExternalBookings key off"),
        ("withdraw_hierarchy_key", "Switch the HierarchyMapping key off"),
        ("restore_keys", "Switch all keys on"),
        ("withdraw_platinum", "End the Platinum subscription (403)"),
        ("restore_platinum", "Renew the Platinum subscription"),
        ("use_up_week", "Use up the weekly calls"),
        ("renew_week", "Renew the weekly calls"),
        ("show_portal", "Answer with the portal's web page"),
        ("hide_portal", "Answer as the API again"),
    )

    def __init__(
        self,
        *,
        sizes: tuple[int, ...] = (1300, 700),
        calls_per_minute: int | None = None,
        calls_per_week: int = 50_000,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.calls_per_minute, self.calls_per_week = calls_per_minute, calls_per_week
        self.accounts = [
            Account(
                index,
                size,
                seed=self.seed,
                epoch=self.epoch,
                change_every=self.change_every,
                clock=self.clock,
            )
            for index, size in enumerate(sizes[:2])
        ]
        self.calls_this_week: dict[int, int] = {}  # by account; the allowance page of the vendor
        self._week = self._monday()
        self._recent: dict[int, deque[datetime]] = {account.index: deque() for account in self.accounts}
        self._withdrawn_keys: set[str] = set()
        self._is_open, self._has_platinum, self._is_portal = True, True, False

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        customer = self.accounts[account].customer
        settings = {
            "environment": "production",
            "customer_url": self.url,
            "api_url": self.url,
            "subscription_name": customer.subscription_name,
            "client_id": customer.client_id,
            "history_days": 60,
        }
        return settings, {
            "client_password": customer.client_password,
            "external_bookings_key": customer.keys["ExternalBookings"],
            "hierarchy_mapping_key": customer.keys["HierarchyMapping"],
        }

    # Switches

    def expire_tokens(self) -> None:
        self.tokens.revoke("session")

    def revoke_access(self) -> None:
        self._is_open = False
        self.tokens.revoke("session")

    def restore_access(self) -> None:
        self._is_open = True

    def withdraw_bookings_key(self) -> None:
        self._withdrawn_keys.add("ExternalBookings")

    def withdraw_hierarchy_key(self) -> None:
        self._withdrawn_keys.add("HierarchyMapping")

    def restore_keys(self) -> None:
        self._withdrawn_keys.clear()

    def withdraw_platinum(self) -> None:
        self._has_platinum = False

    def restore_platinum(self) -> None:
        self._has_platinum = True

    def use_up_week(self) -> None:
        self._week = self._monday()
        self.calls_this_week = {account.index: self.calls_per_week for account in self.accounts}

    def renew_week(self) -> None:
        self.calls_this_week.clear()

    def show_portal(self) -> None:
        self._is_portal = True

    def hide_portal(self) -> None:
        self._is_portal = False

    # Token host

    @route("POST", "/tokenproviderapi/token")
    def token(self, request: Request) -> Reply:
        form = request.form if "form-urlencoded" in request.headers.get("content-type", "") else {}
        for account in self.accounts:
            customer = account.customer
            is_right = (form.get("client_id"), form.get("password")) == (customer.client_id, customer.client_password)
            if self._is_open and is_right and form.get("grant_type") == "password":
                value = f"eyJhbGciOiJIUzI1NiJ9.{secrets.token_urlsafe(48)}"
                self.tokens.issue(value, kind="session", lifetime=TOKEN_LIFETIME, account=account.index)
                seconds = int(TOKEN_LIFETIME.total_seconds())
                return Reply.json({"access_token": value, "token_type": "bearer", "expires_in": seconds})
        refusal = {"error": "invalid_grant", "error_description": "The client id or password is incorrect."}
        return Reply.json(refusal, 400)

    # API host

    def handle(self, request: Request) -> Reply:
        found = _API.fullmatch(request.path)
        if not found:
            return super().handle(request)
        if self._is_portal:
            return Reply.html("<!doctype html><title>Integration portal</title><h1>Sign in or sign up</h1>")
        account = self._account_of(found[1])
        collection = _COLLECTIONS.get(found[2].lower(), "")
        if account is None:
            return self.not_found(request)
        account.diary.catch_up(self.clock.now())
        return self._gateway(request, account, collection) or super().handle(request)

    def not_found(self, request: Request) -> Reply:
        return Reply.json({"statusCode": 404, "message": "Resource not found"}, 404)

    @route("GET", "/{suffix}/api/V1/countries")
    def countries(self, request: Request, suffix: str) -> Reply:
        return _envelope(self._named(suffix).nodes["countries"])

    @route("GET", "/{suffix}/api/V1/regions")
    def regions(self, request: Request, suffix: str) -> Reply:
        return _children(self._named(suffix).nodes["regions"], request.get("countryId"))

    @route("GET", "/{suffix}/api/V1/locations")
    def locations(self, request: Request, suffix: str) -> Reply:
        return _children(self._named(suffix).nodes["locations"], request.get("regionId"))

    @route("GET", "/{suffix}/api/V1/rooms")
    def rooms(self, request: Request, suffix: str) -> Reply:
        location = request.get("locationId")
        return _envelope(self._named(suffix).room_nodes(int(location))) if location.isdecimal() else _invalid()

    @route("GET", "/{suffix}/api/V1/bookings")
    def bookings(self, request: Request, suffix: str) -> Reply:
        account, room_id = self._named(suffix), request.get("roomId")
        try:
            since, until = date.fromisoformat(request.get("startDate")), date.fromisoformat(request.get("endDate"))
        except ValueError:
            return _invalid("Start date or end date is not valid.")
        if not room_id.isdecimal():
            return _invalid()
        room = int(room_id) - account.room_id(0)
        if not 0 <= room < account.rooms:
            return _invalid("Room Id does not exist.")
        is_utc = request.get("isUTCDateTime").lower() == "true"
        zone = UTC if is_utc else account.customer.sites[account.site_number(room)].zone
        begin, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (since, until + timedelta(days=1)))
        return Reply(
            body=account.bookings_json(room, begin, end), headers={"Content-Type": "application/json; charset=utf-8"}
        )

    def _gateway(self, request: Request, account: Account, collection: str) -> Reply | None:
        """The refusal of the gateway or, behind it, of the application's sign-in; None to go on."""
        key = request.headers.get("ocp-apim-subscription-key", "")
        if not key:
            return _refused(401, "Access denied due to missing subscription key. Make sure to include it.")
        keys = account.customer.keys
        is_known = key in keys.values() and key not in (keys[name] for name in self._withdrawn_keys)
        if not is_known or (collection and key != keys[collection]):
            return _refused(401, "Access denied due to invalid subscription key. Provide a valid key.")
        if limited := self._count(account):
            return limited
        if not collection:
            return self.not_found(request)
        if not self._has_platinum:
            return _refused(403, "This account is not licensed for the API service.")
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        facts = self.tokens.find(value, "session") if scheme.lower() == "bearer" else None
        if facts is None or self.tokens.is_expired(facts) or facts["account"] != account.index:
            return Reply.json({"Message": "Authorization has been denied for this request."}, 401)
        return None

    def _count(self, account: Account) -> Reply | None:
        """One call more, or the refusal when a limit is reached. The week begins on Monday, 00:00 UTC."""
        now, recent = self.clock.now(), self._recent[account.index]
        with self._count_lock:
            if self._week != self._monday():
                self._week = self._monday()
                self.calls_this_week.clear()
            while recent and recent[0] <= now - timedelta(minutes=1):
                recent.popleft()
            if self.calls_per_minute is not None and len(recent) >= self.calls_per_minute:
                seconds = max(1, round((recent[0] + timedelta(minutes=1) - now).total_seconds()))
                text = f"Rate limit is exceeded. Try again in {seconds} seconds."
                return _refused(429, text, {"Retry-After": str(seconds)})
            if self.calls_this_week.get(account.index, 0) >= self.calls_per_week:
                left = int((self._week + timedelta(days=7) - now).total_seconds())
                clock = f"{left // 3600:02}:{left // 60 % 60:02}:{left % 60:02}"
                return _refused(403, f"Out of call volume quota. Quota will be replenished in {clock}.")
            recent.append(now)
            self.calls_this_week[account.index] = self.calls_this_week.get(account.index, 0) + 1
        return None

    def _monday(self) -> datetime:
        now = self.clock.now()
        return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())

    def _account_of(self, suffix: str) -> Account | None:
        for account in self.accounts:
            if account.customer.subscription_name.lower() == suffix.lower():
                return account
        return None

    def _named(self, suffix: str) -> Account:
        account = self._account_of(suffix)
        assert account, "handle() has looked already"
        return account


def _envelope(data: list[dict[str, Any]]) -> Reply:
    return Reply.json({"IsError": False, "Status": False, "Message": "", "Data": data})  # Status is false when good


def _children(nodes: list[dict[str, Any]], parent: str) -> Reply:
    if not parent.isdecimal():
        return _invalid()
    return _envelope([node for node in nodes if node["InternalParentId"] == int(parent)])


def _invalid(message: str = "The request is invalid.") -> Reply:
    return Reply.json({"IsError": True, "Status": False, "Message": message, "Data": None}, 400)


def _refused(status: int, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply.json({"statusCode": status, "message": message}, status, headers)
