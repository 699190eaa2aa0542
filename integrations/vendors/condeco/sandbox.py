"""Condeco in a box: the token host, the API host and the sender of notifications of two made-up customers.

Production has no path of its own; UAT is under `/uat`, the developers' environment under `/developer`, with keys and
passwords of their own. The layers, each leaning on the one before: `sandbox_gateway` (keys, limits, tokens),
`sandbox_reads`, `sandbox_listeners` (who is told), `sandbox_news` (what), `sandbox_writes`, `sandbox_mishaps` and
`sandbox_day` (what people do at the vendor); beside them `sandbox_faults`. The data are in `sandbox_places`,
`sandbox_diary` and `sandbox_desks`, the words of notifications in `sandbox_messages`. Here are the vendor's own
switches, and the truth that tests compare with.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from integrations.vendors.condeco.sandbox_day import Day
from integrations.vendors.condeco.sandbox_diary import Account
from integrations.vendors.condeco.sandbox_faults import Faults
from integrations.vendors.condeco.sandbox_reads import VISIT_DAYS

HISTORY_DAYS = 60
_AHEAD = timedelta(days=14)
_KEY_OF = {"room-bookings": "ExternalBookings", "desk-bookings": "ExternalBookings", "visitors": "Visitor"}


class Emulator(Faults, Day):
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
        ("limit_minutes", "Allow 500 calls a minute"),
        ("free_minutes", "Allow any number of calls a minute"),
        ("use_up_week", "Use up the weekly calls"),
        ("renew_week", "Renew the weekly calls"),
        ("show_portal", "Answer with the portal's web page"),
        ("hide_portal", "Answer as the API again"),
        ("half_a_day", "Twelve hours later"),
        *Day.switches,
        *Day.notice_switches,
        *Faults.fault_switches,
    )

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

    def limit_minutes(self) -> None:
        self.calls_per_minute = 500

    def free_minutes(self) -> None:
        self.calls_per_minute = None

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

    # The truth

    def holdings(self, stream: str, account: int = 0) -> set[str]:
        one = self.accounts[account]
        self.catch_up(one)
        if stream in one.nodes:
            return {str(node["InternalId"]) for node in one.nodes[stream]}
        ids: dict[str, Callable[[], set[int]]] = {
            "rooms": lambda: {one.room_id(room) for room in one.open_rooms},
            "desks": lambda: {one.desk_id(desk) for desk in range(one.desks)},
            "room-bookings": lambda: self._bookings_held(one),
            "desk-bookings": lambda: self._desk_bookings_held(account),
            "visitors": lambda: self._visitors_held(account),
        }
        return {str(number) for number in ids[stream]()}

    def _bookings_held(self, one: Account) -> set[int]:
        since, until = self._window()
        begin, end = (datetime(d.year, d.month, d.day, tzinfo=self.epoch.tzinfo) for d in (since, until))
        return {
            one.booking_id(n)
            for room in one.open_rooms
            for n in one.numbers_between(room, begin, end + timedelta(days=1))
        }

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
