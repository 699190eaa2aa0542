"""Condeco in a box: the token host and the API host of two made-up customers, on one port.

Production has no path of its own; UAT is under `/uat`, the developers' environment under `/developer`, with keys and
passwords of their own. The layers: `sandbox_gateway` (keys, limits, tokens), `sandbox_reads`, `sandbox_writes`; the
data are in `sandbox_places`, `sandbox_diary` and `sandbox_desks`. Here are the switches, and the truth that tests
compare with.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, ClassVar

from integrations.vendors.condeco.sandbox_diary import Account
from integrations.vendors.condeco.sandbox_reads import VISIT_DAYS
from integrations.vendors.condeco.sandbox_writes import Writes

HISTORY_DAYS = 60
_AHEAD = timedelta(days=14)
_KEY_OF = {"room-bookings": "ExternalBookings", "desk-bookings": "ExternalBookings", "visitors": "Visitor"}


class Emulator(Writes):
    key = "condeco"
    controls: ClassVar[tuple[tuple[str, str], ...]] = (
        ("expire_tokens", "End all session tokens"),
        ("revoke", "Refuse client id and password"),
        ("restore_access", "Accept client id and password again"),
        ("withdraw_bookings_key", "Switch the ExternalBookings key off"),
        ("withdraw_hierarchy_key", "Switch the HierarchyMapping key off"),
        ("withdraw_visitor_key", "Switch the Visitor key off"),
        ("restore_keys", "Switch all keys on"),
        ("withdraw_platinum", "End the Platinum subscription (403)"),
        ("restore_platinum", "Renew the Platinum subscription"),
        ("drop_subscription", "Forget the client subscription name (404)"),
        ("restore_subscription", "Know the client subscription name again"),
        ("use_up_week", "Use up the weekly calls"),
        ("renew_week", "Renew the weekly calls"),
        ("show_portal", "Answer with the portal's web page"),
        ("hide_portal", "Answer as the API again"),
        ("half_a_day", "Twelve hours later"),
        ("book_room", "Someone books a room"),
        ("move_booking", "A booking moves to another room"),
        ("cancel_booking", "A booking is cancelled"),
        ("erase_booking", "A booking vanishes without a trace"),
        ("book_a_desk", "Someone books a desk"),
        ("expect_visitor", "A visitor is announced"),
    )
    mishaps: ClassVar[tuple[str, ...]] = (
        "book_room",
        "reword_booking",
        "shift_booking",
        "move_booking",
        "hide_booking",
        "cancel_booking",
        "erase_booking",
        "tie_bookings",
        "rename_room",
        "book_a_desk",
        "give_back_desk",
        "erase_desk_booking",
        "expect_visitor",
        "disinvite_visitor",
    )

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._mishaps = 0

    def demo_setup(self, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        return self.setup_in("production", account)

    def sign_ins(self, account: int = 0) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
        return {environment: self.setup_in(environment, account) for environment in ("production", "uat", "developer")}

    def setup_in(self, environment: str, account: int = 0) -> tuple[dict[str, Any], dict[str, str]]:
        """As `demo_setup`, in that environment."""
        customer = self.accounts[account].customer
        keys, address = customer.keys_in(environment), self.url
        address += "" if environment == "production" else f"/{environment}"
        settings = {
            "environment": environment,
            "customer_url": address,
            "api_url": address,
            "subscription_name": customer.subscription_name,
            "client_id": customer.client_id,
            "subscription_ends_on": "",
            "places": "",
            "history_days": HISTORY_DAYS,
            "reads_desk_bookings": True,
        }
        return settings, {
            "client_password": customer.password_in(environment),
            "external_bookings_key": keys["ExternalBookings"],
            "hierarchy_mapping_key": keys["HierarchyMapping"],
            "visitor_key": keys["Visitor"],
        }

    # Switches

    def expire_tokens(self, account: int | None = None) -> None:
        for number in self.numbers(account):
            self.tokens.revoke("session", account=number)

    def revoke(self, account: int | None = None) -> None:
        self._closed.update(self.numbers(account))
        self.expire_tokens(account)

    def restore_access(self, account: int | None = None) -> None:
        self._closed.difference_update(self.numbers(account))

    def refuse(self, stream: str, account: int | None = None) -> None:
        """The key of its collection is switched off: every stream of that collection is refused."""
        self._withdraw(_KEY_OF.get(stream, "HierarchyMapping"), account)

    def withdraw_bookings_key(self, account: int | None = None) -> None:
        self._withdraw("ExternalBookings", account)

    def withdraw_hierarchy_key(self, account: int | None = None) -> None:
        self._withdraw("HierarchyMapping", account)

    def withdraw_visitor_key(self, account: int | None = None) -> None:
        self._withdraw("Visitor", account)

    def _withdraw(self, collection: str, account: int | None) -> None:
        self._withdrawn.update((number, collection) for number in self.numbers(account))

    def restore_keys(self, account: int | None = None) -> None:
        self._withdrawn = {one for one in self._withdrawn if one[0] not in self.numbers(account)}

    def withdraw_platinum(self, account: int | None = None) -> None:
        self._unlicensed.update(self.numbers(account))

    def restore_platinum(self, account: int | None = None) -> None:
        self._unlicensed.difference_update(self.numbers(account))

    def drop_subscription(self, account: int | None = None) -> None:
        self._unknown.update(self.numbers(account))

    def restore_subscription(self, account: int | None = None) -> None:
        self._unknown.difference_update(self.numbers(account))

    def use_up_week(self, account: int | None = None) -> None:
        self._begin_week()
        self.calls_this_week |= dict.fromkeys(self.numbers(account), self.calls_per_week)

    def renew_week(self, account: int | None = None) -> None:
        for number in self.numbers(account):
            self.calls_this_week.pop(number, None)

    def show_portal(self) -> None:
        self._is_portal = True

    def hide_portal(self) -> None:
        self._is_portal = False

    def half_a_day(self) -> None:
        """Long enough for every session token to end."""
        self.clock.advance(timedelta(hours=12))

    # Mishaps: what people at the vendor do. Only bookings to come change, as at the vendor.

    def book_room(self, account: int = 0) -> None:
        self.accounts[account].diary.add(self.clock.now())

    def reword_booking(self, account: int = 0) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "title", "Moved to Thursday?"))

    def shift_booking(self, account: int = 0) -> None:
        """To another time in the same room."""
        self._on_booking(account, lambda one, number: one.settle(number, self.clock.now(), one.place_of(number)[0]))

    def move_booking(self, account: int = 0) -> None:
        """To another room at some time."""

        def move(one: Account, number: int) -> None:
            one.settle(number, self.clock.now(), (one.place_of(number)[0] + 1 + number % 3) % one.rooms)

        self._on_booking(account, move)

    def hide_booking(self, account: int = 0) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "is_private", True))

    def cancel_booking(self, account: int = 0) -> None:
        self._on_booking(account, lambda one, number: setattr(self.edit(one, number), "is_deleted", True))

    def erase_booking(self, account: int = 0) -> None:
        """Released because nobody came, say: it is simply no longer there."""
        self._on_booking(account, lambda one, number: one.erased.add(number))

    def tie_bookings(self, account: int = 0) -> None:
        """Three changes at one moment."""
        now = self.clock.now()
        for number in self._ahead(account)[:3]:
            self.edit(self.accounts[account], number).title = "All hands"
            self.accounts[account].diary.mark(number, now)

    def rename_room(self, account: int = 0) -> None:
        one, dice = self.accounts[account], self._dice()
        one.renamed[dice.randrange(one.rooms)] = f"Room of {dice.randrange(1900, 2000)}"

    def book_a_desk(self, account: int = 0) -> None:
        self.desks[account].add(self.clock.now())

    def give_back_desk(self, account: int = 0) -> None:
        number = self._desk_ahead(account)
        if number is not None:
            self.desks[account].edit(number, self.clock.now(), is_deleted=True)

    def erase_desk_booking(self, account: int = 0) -> None:
        number = self._desk_ahead(account)
        if number is not None:
            self.desks[account].erased.add(number)

    def expect_visitor(self, account: int = 0) -> None:
        self.visitors[account].add(self.clock.now())

    def disinvite_visitor(self, account: int = 0) -> None:
        book, now = self.visitors[account], self.clock.now()
        tomorrow = now.date() + timedelta(days=2)  # everywhere still to come
        numbers = [number for number in range(len(book)) if book.visit(number).arrives.date() >= tomorrow]
        if numbers:
            book.edit(self._dice().choice(numbers), now, is_withdrawn=True)

    def _dice(self) -> Random:
        self._mishaps += 1
        return self.accounts[0].diary.dice(self._mishaps, "mishap")

    def _ahead(self, account: int) -> list[int]:
        one, now = self.accounts[account], self.clock.now()
        numbers = (number for room in range(one.rooms) for number in one.numbers_in(room))
        return [n for n in numbers if now < one.times_of(n)[0] < now + timedelta(days=12) and not one.is_deleted(n)]

    def _on_booking(self, account: int, change: Callable[[Account, int], object]) -> None:
        one, numbers = self.accounts[account], self._ahead(account)
        if numbers:
            number = self._dice().choice(numbers)
            change(one, number)
            one.diary.mark(number, self.clock.now())

    def _desk_ahead(self, account: int) -> int | None:
        book, today = self.desks[account], self.clock.now().date()
        numbers = [
            number
            for number in range(len(book))
            if number not in book.erased and today < book.booking(number).day < today + timedelta(days=12)
        ]
        return self._dice().choice(numbers) if numbers else None

    # The truth

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        one = self.accounts[account]
        for book in (one.diary, self.desks[account], self.visitors[account]):
            book.catch_up(self.clock.now())
        if stream in one.nodes:
            return {str(node["InternalId"]) for node in one.nodes[stream]}
        ids: dict[str, Callable[[], set[int]]] = {
            "rooms": lambda: {one.room_id(room) for room in range(one.rooms)},
            "desks": lambda: {one.desk_id(desk) for desk in range(one.desks)},
            "room-bookings": lambda: self._bookings_held(one),
            "desk-bookings": lambda: self._desk_bookings_held(account),
            "visitors": lambda: self._visitors_held(account),
        }
        return {str(number) for number in ids[stream]()}

    def _bookings_held(self, one: Account) -> set[int]:
        since, until = self._window()
        begin, end = (datetime(d.year, d.month, d.day, tzinfo=self.epoch.tzinfo) for d in (since, until))
        rooms = range(one.rooms)
        return {one.booking_id(n) for room in rooms for n in one.numbers_between(room, begin, end + timedelta(days=1))}

    def _desk_bookings_held(self, account: int) -> set[int]:
        book, sites = self.desks[account], range(len(self.accounts[account].customer.sites))
        return {book.id_of(number) for site in sites for number in book.numbers_at(site, *self._window())}

    def _visitors_held(self, account: int) -> set[int]:
        book, now = self.visitors[account], self.clock.now()
        found: set[int] = set()
        for number, site in enumerate(self.accounts[account].customer.sites):
            today = now.astimezone(site.zone).date()
            for ahead in range(VISIT_DAYS):
                found.update(book.id_of(n) for n in book.numbers_on(number, today + timedelta(days=ahead)))
        return found

    def _window(self) -> tuple[date, date]:
        """The first copy's days, both included."""
        today = self.clock.now().date()
        return today - timedelta(days=HISTORY_DAYS), today + _AHEAD
