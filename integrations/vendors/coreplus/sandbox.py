"""coreplus in a box: checks each request's own token for real, and has permissions that wait for the add-on.

Production answers at /API/Core/v2, the sandbox environment at /sandbox/API/Core/v2, each with keys of its own.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, ClassVar
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import jwt

from integrations.sandbox.kit import Reply, Request, Sandbox, route
from integrations.vendors.coreplus.sandbox_data import ADELAIDE, MELBOURNE, PRACTICES, Practice, World

API = "/API/Core/v2"
TRIAL = "/sandbox"
MAX_PAGE, CLIENTS_PAGE = 100, 50
CLAIMS = ("iss", "aud", "nbf", "exp", "consumerId", "accessToken", "url", "httpMethod")
ZONES = {zone_id.lower(): ZoneInfo(name) for zone_id, name in (MELBOURNE, ADELAIDE)}
# Stream -> its permission (CP-A03; only VIEW_CLIENTLIST is printed) and what the refusal calls it.
PERMISSIONS = {
    "locations": ("VIEW_LOCATIONLIST", "location list"),
    "practitioners": ("VIEW_PRACTITIONERLIST", "practitioner list"),
    "appointment-types": ("VIEW_APPOINTMENTTYPELIST", "appointment type list"),
    "appointments": ("VIEW_APPOINTMENTLIST", "appointment list"),
    "clients": ("VIEW_CLIENTLIST", "client list"),
}


def _happens(deed: Callable[["Emulator", int], str]) -> Callable[..., str]:
    """Something that people do in one practice; without an account, in every one of them."""

    @wraps(deed)
    def done(self: "Emulator", account: int | None = 0) -> str:
        with self.lock:
            numbers = range(len(self.practices)) if account is None else (account,)
            return [deed(self, number) for number in numbers][-1]

    return done


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


class Emulator(Sandbox):
    """`sizes`: appointments of each practice; it has a third as many clients. Faults are attributes and methods."""

    key = "coreplus"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("book", "Book an appointment"),
        ("move", "Move an appointment"),
        ("cancel", "Cancel an appointment"),
        ("delete", "Delete an appointment for good"),
        ("refuse_clients", "Take the permission for clients away"),
        ("refuse_appointments", "Take the permission for appointments away"),
        ("tick_everything", "Tick every permission (waits for the add-on)"),
        ("reenable", "Disable and enable the add-on"),
        ("revoke", "Disable the add-on"),
        ("expire", "Let the access token's term end"),
        ("renew", "Renew the access token"),
        ("keep_to_the_limit", "Refuse more than 10 calls a second"),
        ("put_the_clock_forward", "Put coreplus's clock forward by 5 minutes"),
    )
    mishaps = (
        "book",
        "book_two_at_once",
        "move",
        "cancel",
        "delete",
        "edit",
        "add_client",
        "rename_client",
        "remove_client",
        "hire_practitioner",
    )

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
        self.has_paging = True  # CP-A15: appointments may come without `paging`
        self.has_types = True  # CP-A19: the path may not exist
        self.refusals: list[str] = []  # why tokens were refused: coreplus's own log, which no caller sees
        self.after_page: Callable[[str], None] | None = None  # called once, after the next page of any list
        self._calls: dict[str, deque[datetime]] = {}
        self.lock = threading.RLock()
        self._dice = 0

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        practice, add_on = self.practices[account], self.add_ons[account]
        rooms = [(name, zone) for name, (zone_id, zone) in practice.rooms if zone_id != MELBOURNE[0]]
        settings = {
            "environment": practice.environment,
            "api_url": f"{self.url}{TRIAL if practice.environment == 'sandbox' else ''}{API}",
            "consumer_id": practice.consumer_id,
            "practice": practice.name,
            "granted_date": add_on.granted.isoformat(),
            "term_months": add_on.months,
            "show_client_names": practice.has_names,
            "zones": "\n".join(f"{name} = {zone}" for name, zone in rooms),
        }
        return settings, {"secret": practice.secret, "access_token": practice.access_token}

    def account_of(self, request: Request) -> int | None:
        _, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.PyJWTError:
            return None
        found = self._practice_of(claims.get("consumerId"), claims.get("accessToken"))
        return found.number if found else None

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        with self.lock:
            world = self.worlds[account]
            match stream:
                case "locations":
                    return {row["locationId"] for row in world.locations()}
                case "practitioners":
                    return {row["practitionerId"] for row in world.practitioners()}
                case "appointment-types":
                    rows = (row for one in world.specialties() for row in one["appointmentTypes"])
                    return {row["appointmentTypeId"] for row in rows}
                case "clients":
                    has_names = self.practices[account].has_names
                    return {world.ids["client"].of(n) for n in world.client_numbers()} if has_names else set()
            world.diary.catch_up(self.clock.now())
            return {world.ids["appointment"].of(number) for number in world.diary.between(date.min, date.max)}

    # What a practice's administrator does.

    def refuse(self, stream: str, account: int | None = None) -> None:
        """The permission is taken away, and the add-on enabled anew without it."""
        self.untick(stream, account)
        self.reenable(account)

    def refuse_clients(self, account: int | None = None) -> None:
        self.refuse("clients", account)

    def refuse_appointments(self, account: int | None = None) -> None:
        self.refuse("appointments", account)

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
        """Disable and enable: what is ticked counts from now on, and the terms are accepted once more."""
        for add_on in self._add_ons(account):
            add_on.is_enabled, add_on.active = True, set(add_on.ticked)
            add_on.acceptances += 1

    def expire(self, account: int | None = None) -> None:
        for add_on in self._add_ons(account):
            add_on.granted = self.clock.now().date() - timedelta(days=366 * add_on.months // 12)

    def renew(self, account: int | None = None) -> None:
        """Twelve months from today; the access token stays the same (CP-A04)."""
        for add_on in self._add_ons(account):
            add_on.granted, add_on.months = self.clock.now().date(), 12

    def keep_to_the_limit(self) -> None:
        self.calls_per_second = 10

    def put_the_clock_forward(self) -> None:
        self.clock.advance(timedelta(minutes=5))

    # What happens in a practice's day. Each returns the id of what it happened to.

    @_happens
    def book(self, account: int) -> str:
        diary = self.worlds[account].diary
        return self._appointment_id(account, diary.add(self.clock.now()))

    @_happens
    def book_two_at_once(self, account: int) -> str:
        """Two practitioners, one moment."""
        diary = self.worlds[account].diary
        first, second = diary.add(self.clock.now()), diary.add(self.clock.now())
        diary.moved[second] = diary.moved[first]
        return self._appointment_id(account, second)

    @_happens
    def move(self, account: int) -> str:
        number = self._upcoming(account)
        diary, day = self.worlds[account].diary, self.clock.now().date()
        diary.move(number, day + timedelta(days=2 + self._roll() % 9))
        return self._appointment_id(account, number)

    @_happens
    def cancel(self, account: int) -> str:
        """It leaves the list, and can still be read by its id."""
        number = self._upcoming(account)
        self.worlds[account].diary.cancelled[number] = "Client was unwell"
        return self._appointment_id(account, number)

    @_happens
    def delete(self, account: int) -> str:
        number = self._upcoming(account)
        self.worlds[account].diary.deleted.add(number)
        return self._appointment_id(account, number)

    @_happens
    def edit(self, account: int) -> str:
        """Its status changes."""
        number = self._upcoming(account)
        self.worlds[account].diary.version[number] += 1
        return self._appointment_id(account, number)

    @_happens
    def add_client(self, account: int) -> str:
        world = self.worlds[account]
        return world.ids["client"].of(world.clients.add(self.clock.now()))

    @_happens
    def rename_client(self, account: int) -> str:
        world = self.worlds[account]
        number = world.client_numbers()[self._roll() % len(world.client_numbers())]
        world.clients.touch(number, self.clock.now())
        return world.ids["client"].of(number)

    @_happens
    def remove_client(self, account: int) -> str:
        world = self.worlds[account]
        number = world.client_numbers()[self._roll() % len(world.client_numbers())]
        world.gone_clients.add(number)
        return world.ids["client"].of(number)

    @_happens
    def hire_practitioner(self, account: int) -> str:
        world = self.worlds[account]
        world.extra_practitioners += 1
        return str(world.practitioners()[-1]["practitionerId"])

    # What is answered.

    def handle(self, request: Request) -> Reply:
        try:
            is_trial = request.path.lower().startswith(f"{TRIAL}/")
            if not re.match(rf"({TRIAL})?{API}/", request.path, re.IGNORECASE):
                return Reply.html("<html><title>coreplus</title><p>Sign in to coreplus.</html>", 404)
            self._admit(request, is_trial=is_trial)
            with self.lock:
                self.worlds[self._number(request)].diary.catch_up(self.clock.now())
                path = request.path[len(TRIAL) :] if is_trial else request.path
                reply = super().handle(replace(request, path=path))
                if self.after_page and reply.status == 200:
                    hook, self.after_page = self.after_page, None
                    hook(path)
            return reply
        except Refusal as refusal:
            return refusal.reply

    def not_found(self, request: Request) -> Reply:
        return Refusal(404, "Resource not found").reply

    @route("GET", f"{API}/Location")
    def list_locations(self, request: Request) -> Reply:
        return Reply.json({"locations": self._allowed(request, "locations").locations()})

    @route("GET", f"{API}/Practitioner")
    def list_practitioners(self, request: Request) -> Reply:
        return Reply.json({"practitioners": self._allowed(request, "practitioners").practitioners()})

    @route("GET", f"{API}/SpecialtyType")
    def list_types(self, request: Request) -> Reply:
        if not self.has_types:
            return self.not_found(request)
        return Reply.json({"specialtyTypes": self._allowed(request, "appointment-types").specialties()})

    @route("GET", f"{API}/Client")
    def list_clients(self, request: Request) -> Reply:
        world = self._allowed(request, "clients")
        numbers, paging = _page(request, world.client_numbers(), CLIENTS_PAGE, MAX_PAGE)
        rows = [world.client(number) for number in numbers]
        return Reply.json({"clients": rows, "paging": paging, "statusMessages": []})

    @route("GET", f"{API}/Appointment")
    def list_appointments(self, request: Request) -> Reply:
        world = self._allowed(request, "appointments")
        zone = ZONES.get(request.get("timezoneId").lower())
        if zone is None:
            raise Refusal(400, "The time zone is not known")
        found = world.in_window(_day(request, "startDate"), _day(request, "endDate"), zone)
        numbers, paging = _page(request, found, MAX_PAGE, MAX_PAGE)
        has_profiles, now = request.get("getPractitionerProfiles").lower() == "true", self.clock.now()
        rows = [world.appointment(n, zone=zone, has_profiles=has_profiles, now=now) for n in numbers]
        return Reply.json({"appointments": rows, **({"paging": paging} if self.has_paging else {})})

    @route("GET", f"{API}/Appointment/{{appointment_id}}")
    def show_appointment(self, request: Request, appointment_id: str) -> Reply:
        world = self._allowed(request, "appointments")
        number = world.ids["appointment"].number(appointment_id)
        if number is None or number >= len(world.diary) or number in world.diary.deleted:
            raise Refusal(404, "Appointment not found")
        has_profiles = request.get("getPractitionerProfiles").lower() == "true"
        zone = ZoneInfo(world.practice.rooms[0][1][1])
        row = world.appointment(number, zone=zone, has_profiles=has_profiles, now=self.clock.now())
        row |= {"notes": "Bring the last X-ray.", "notifyPractitioner": False}
        if request.get("cancellationId").lower() == "true" and number in world.diary.cancelled:
            notes = world.diary.cancelled[number]
            row |= {"cancellationReasonId": world.ids["type"].of(900), "cancellationNotes": notes}
        return Reply.json({"appointment": row})

    def _admit(self, request: Request, *, is_trial: bool) -> None:
        """Raises Refusal. Why exactly is written into coreplus's own log only."""
        flaw = self._flaw(request, is_trial=is_trial)
        if flaw:
            self.refusals.append(flaw)
            raise Refusal(401, "Invalid token")
        consumer_id = self.practices[self._number(request)].consumer_id
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
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
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
        query = urlencode(request.query, quote_via=quote)
        if str(claims["url"]).lower() != f"{quote(request.path)}{'?' if query else ''}{query}".lower():
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

    def _allowed(self, request: Request, stream: str) -> World:
        """The caller's practice. Raises Refusal without the permission in effect."""
        number = self._number(request)
        if stream not in self.add_ons[number].active:
            raise Refusal(401, f"Not authorized for viewing {PERMISSIONS[stream][1]}")
        return self.worlds[number]

    def _number(self, request: Request) -> int:
        number = self.account_of(request)
        assert number is not None
        return number

    def _practice_of(self, consumer_id: Any, access_token: Any) -> Practice | None:
        keys = (consumer_id, access_token)
        return next((one for one in self.practices if (one.consumer_id, one.access_token) == keys), None)

    def _add_ons(self, account: int | None) -> Iterable[AddOn]:
        return self.add_ons if account is None else [self.add_ons[account]]

    def _appointment_id(self, account: int, number: int) -> str:
        return self.worlds[account].ids["appointment"].of(number)

    def _upcoming(self, account: int) -> int:
        """One of the next days' appointments; a new one where there is none."""
        today = self.clock.now().date()
        near = sorted(self.worlds[account].diary.between(today + timedelta(days=1), today + timedelta(days=12)))
        if not near:
            return self.worlds[account].diary.add(self.clock.now())
        return near[self._roll() % len(near)]

    def _roll(self) -> int:
        self._dice += 1
        return self.worlds[0].clients.dice(self._dice, "mishap").randrange(1 << 30)


def _page(request: Request, found: list[int], size: int, most: int) -> tuple[list[int], dict[str, int]]:
    try:
        page, size = int(request.get("pageNumber", "1")), int(request.get("pageSize", str(size)))
    except ValueError as mistake:
        raise Refusal(400, "pageNumber and pageSize must be numbers") from mistake
    if page < 1 or not 1 <= size <= most:
        raise Refusal(400, f"pageNumber begins at 1, pageSize is at most {most}")
    paging = {"totalRows": len(found), "pageNumber": page, "pageSize": size}
    return found[(page - 1) * size : page * size], paging


def _day(request: Request, name: str) -> date:
    try:
        return datetime.strptime(request.get(name), "%Y-%m-%d").date()  # noqa: DTZ007 - a bare date
    except ValueError as mistake:
        raise Refusal(400, f"{name} must be a date, yyyy-mm-dd") from mistake
