"""The door of the emulator: each request's own token, checked for real, and the permissions of each practice.

Production answers at /API/Core/v2, the sandbox environment at /sandbox/API/Core/v2, each with keys of its own.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import jwt

from integrations.sandbox.kit import Reply, Request, Sandbox
from integrations.vendors.coreplus.sandbox_data import PRACTICES, Practice
from integrations.vendors.coreplus.sandbox_world import World

API = "/API/Core/v2"
TRIAL = "/sandbox"
CLAIMS = ("iss", "aud", "nbf", "exp", "consumerId", "accessToken", "url", "httpMethod")
# Stream or deed -> its permission (CP-A03: only VIEW_CLIENTLIST is printed) and how the refusal goes on, of which
# "viewing client list" is printed (others CP-A25).
PERMISSIONS = {
    "locations": ("VIEW_LOCATIONLIST", "viewing location list"),
    "practitioners": ("VIEW_PRACTITIONERLIST", "viewing practitioner list"),
    "appointment-types": ("VIEW_APPOINTMENTTYPELIST", "viewing appointment type list"),
    "appointments": ("VIEW_APPOINTMENTLIST", "viewing appointment list"),
    "clients": ("VIEW_CLIENTLIST", "viewing client list"),
    "availability": ("VIEW_AVAILABILITYSLOT", "viewing availability slot list"),
    "make-appointments": ("ADD_APPOINTMENT", "creating appointment"),
    "make-clients": ("ADD_CLIENT", "creating client"),
    "make-appointment-types": ("ADD_APPOINTMENTTYPE", "creating appointment type"),
}


class Refusal(Exception):
    """An error answer in coreplus's shape."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.reply = Reply.json({"result": [{"severity": 2, "reason": reason}]}, status)


@dataclass(slots=True, kw_only=True)
class AddOn:
    """A practice's grant to the application: what is ticked takes effect only when it is enabled again."""

    granted: date
    months: int = 12
    is_enabled: bool = True
    ticked: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    active: set[str] = field(default_factory=lambda: set(PERMISSIONS))
    acceptances: int = 1  # how often the practice accepted the terms

    @property
    def ends_on(self) -> date:
        return self.granted + timedelta(days=365 * self.months // 12)


class Door(Sandbox):
    """`sizes`: appointments of each practice; it has a third as many clients."""

    def __init__(self, *, sizes: tuple[int, ...] = (520, 260, 60), **options: Any) -> None:
        super().__init__(**options)
        self.practices = PRACTICES[: len(sizes)]
        self.account_names = tuple(practice.name for practice in self.practices)
        self.worlds = [
            World(practice, size, seed=self.seed, epoch=self.epoch, change_every=self.change_every)
            for practice, size in zip(self.practices, sizes, strict=True)
        ]
        granted = self.epoch.date() - timedelta(days=90)
        self.add_ons = [AddOn(granted=granted) for _ in self.practices]
        self.calls_per_second: int | None = None  # coreplus has 10; the emulator minds it when told to
        self.refusals: list[str] = []  # why tokens were refused: coreplus's own log, which no caller sees
        self.after_page: Callable[[str], None] | None = None  # called once, after the next page of any list
        self._calls: dict[str, deque[datetime]] = {}
        self.lock = threading.RLock()

    def account_of(self, request: Request) -> int | None:
        _, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return None
        found = self._practice_of(claims.get("consumerId"), claims.get("accessToken"))
        return found.number if found else None

    def handle(self, request: Request) -> Reply:
        try:
            is_trial = request.path.lower().startswith(f"{TRIAL}/")
            if not re.match(rf"({TRIAL})?{API}/", request.path, re.IGNORECASE):
                return Reply.html("<html><title>coreplus</title><p>Sign in to coreplus.</html>", 404)
            self._admit(request, is_trial=is_trial)
            with self.lock:
                self.worlds[self.number(request)].diary.catch_up(self.clock.now())
                path = request.path[len(TRIAL) :] if is_trial else request.path
                reply = super().handle(replace(request, path=path))
                if self.after_page and request.method == "GET" and reply.status == 200:
                    hook, self.after_page = self.after_page, None
                    hook(path)
            return reply
        except Refusal as refusal:
            return refusal.reply

    def not_found(self, request: Request) -> Reply:
        return Refusal(404, "Resource not found").reply

    def allowed(self, request: Request, deed: str) -> World:
        """The caller's practice. Raises Refusal without the permission in effect; `deed` is a key of PERMISSIONS."""
        number = self.number(request)
        if deed not in self.add_ons[number].active:
            raise Refusal(401, f"Not authorized for {PERMISSIONS[deed][1]}")
        return self.worlds[number]

    # What a practice's administrator does.

    def refuse(self, stream: str, account: int | None = None) -> None:
        """The permission is taken away, and the add-on enabled anew without it."""
        self.untick(stream, account)
        self.reenable(account)

    def refuse_clients(self, account: int | None = None) -> None:
        self.refuse("clients", account)

    def refuse_appointments(self, account: int | None = None) -> None:
        self.refuse("appointments", account)

    def refuse_bookings(self, account: int | None = None) -> None:
        self.refuse("make-appointments", account)

    def untick(self, stream: str, account: int | None = None) -> None:
        """No effect until the add-on is enabled again."""
        for add_on in self._add_ons(account):
            add_on.ticked.discard(stream)

    def tick_everything(self, account: int | None = None) -> None:
        """No effect until the add-on is enabled again."""
        for add_on in self._add_ons(account):
            add_on.ticked = set(PERMISSIONS)

    def revoke(self, account: int | None = None) -> None:
        for add_on in self._add_ons(account):
            add_on.is_enabled = False

    def reenable(self, account: int | None = None) -> None:
        """Disable and enable: what is ticked counts from now on; in production the terms are accepted once more."""
        for number in self.numbers(account):
            add_on = self.add_ons[number]
            add_on.is_enabled, add_on.active = True, set(add_on.ticked)
            add_on.acceptances += self.practices[number].environment == "production"

    def expire(self, account: int | None = None) -> None:
        for add_on in self._add_ons(account):
            add_on.granted = self.clock.now().date() - timedelta(days=366 * add_on.months // 12)

    def renew(self, account: int | None = None) -> None:
        """Twelve months from today; the access token stays the same (CP-A04)."""
        for add_on in self._add_ons(account):
            add_on.granted, add_on.months = self.clock.now().date(), 12

    # Whether a request comes in.

    def _admit(self, request: Request, *, is_trial: bool) -> None:
        """Raises Refusal. Why exactly is written into coreplus's own log only."""
        flaw = self._flaw(request, is_trial=is_trial)
        if flaw:
            self.refusals.append(flaw)
            raise Refusal(401, "Invalid token")
        consumer_id = self.practices[self.number(request)].consumer_id
        with self.lock:
            now, calls = self.clock.now(), self._calls.setdefault(consumer_id, deque())
            while calls and calls[0] <= now - timedelta(seconds=1):
                calls.popleft()
            if self.calls_per_second is not None and len(calls) >= self.calls_per_second:
                raise Refusal(429, "Too many requests")
            calls.append(now)

    def _flaw(self, request: Request, *, is_trial: bool) -> str:
        """What is wrong with the request's token; "" when nothing is."""
        header = re.fullmatch(r"JwToken ([^\s]+)", request.headers.get("authorization", ""))
        if header is None:
            return "scheme"
        is_message = request.path.rstrip("/").lower().endswith("/message")  # it carries a file
        content = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content != ("multipart/form-data" if is_message else "application/json"):
            return "content type"
        environment = "sandbox" if is_trial else "production"
        practices = [practice for practice in self.practices if practice.environment == environment]
        try:
            told = jwt.decode(header[1], options={"verify_signature": False})
            secret = next((one.secret for one in practices if one.consumer_id == told.get("consumerId")), None)
            if secret is None:
                return "consumerId"
            options: Any = {"verify_exp": False, "verify_nbf": False, "verify_aud": False, "require": list(CLAIMS)}
            claims = jwt.decode(header[1], secret, algorithms=["HS256"], options=options)
        except jwt.PyJWTError as mistake:
            return type(mistake).__name__
        if not claims["nbf"] <= self.clock.now().timestamp() <= claims["exp"]:
            return "time"
        told_path, _, told_query = str(claims["url"]).partition("?")
        sent_path, _, sent_query = request.target.partition("?")
        if (told_path.lower(), told_query) != (sent_path.lower(), sent_query):
            return "url"
        if claims["httpMethod"] != request.method:
            return "httpMethod"
        practice = self._practice_of(claims["consumerId"], claims["accessToken"])
        if practice is None:
            return "accessToken"
        add_on = self.add_ons[practice.number]
        if not add_on.is_enabled:
            return "disabled"
        return "" if self.clock.now().date() < add_on.ends_on else "term"

    def number(self, request: Request) -> int:
        number = self.account_of(request)
        assert number is not None
        return number

    def _practice_of(self, consumer_id: Any, access_token: Any) -> Practice | None:
        keys = (consumer_id, access_token)
        return next((one for one in self.practices if (one.consumer_id, one.access_token) == keys), None)

    def numbers(self, account: int | None) -> Iterable[int]:
        """That practice, or every one."""
        return range(len(self.practices)) if account is None else (account,)

    def _add_ons(self, account: int | None) -> Iterable[AddOn]:
        return [self.add_ons[number] for number in self.numbers(account)]
