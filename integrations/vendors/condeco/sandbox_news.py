"""What a change at a customer means in notifications.

Only the emulator relies on these guesses:
- OURS-14: a booking that moved is told once, with the room and the day it is in now.
- OURS-15: starting, ending and extending are told by the progression services alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

from integrations.sandbox.kit import Sandbox
from integrations.vendors.condeco import sandbox_messages as messages
from integrations.vendors.condeco.sandbox_diary import Account
from integrations.vendors.condeco.sandbox_listeners import Listeners
from integrations.vendors.condeco.sandbox_messages import Source, Step, Visiting
from integrations.vendors.condeco.sandbox_places import NO_VALUE, wall


class News(Listeners):
    @contextmanager
    def serve(self, port: int = 0) -> Iterator[Sandbox]:
        """While it runs, each change is told when it happens. What happened before is no news."""
        self.let_time_pass()
        for account in self.accounts:
            account.diary.tell = partial(self._tell_booking, account)
        for account, desks in zip(self.accounts, self.desks, strict=False):
            desks.tell = partial(self._tell_desk_booking, account)
        for account, visitors in zip(self.accounts, self.visitors, strict=False):
            visitors.tell = partial(self._tell_visit, account)
        with super().serve(port):
            yield self

    def let_time_pass(self) -> None:
        for account in self.accounts:
            self.catch_up(account)

    def tell_progress(self, account: Account, number: int, step: Step, source: Source) -> None:
        """A meeting was started, ended or extended."""
        room, _, _ = account.place_of(number)
        until = wall(account.times_of(number)[1], account.site(room).zone) if step is Step.EXTEND else NO_VALUE
        ids = account.booking_id(number), account.room_id(room)
        self.notify(account.index, messages.meeting_progression(*ids, step, source, until))

    def tell_desk_progress(self, account: Account, number: int, step: Step, until: datetime | None = None) -> None:
        """Someone at a desk checked in, left or stays longer; seen on Condeco's web pages only."""
        book = self.desks[account.index]
        desk = book.booking(number).desk
        ids, zone = (book.id_of(number), account.desk_id(desk)), account.site(desk).zone
        self.notify(account.index, messages.desk_progression(*ids, step, Source.WEB, wall(until, zone)))

    def tell_visitor(self, account: Account, number: int, action: Visiting) -> None:
        book = self.visitors[account.index]
        site = book.visit(number).site
        at = wall(self.clock.now(), account.customer.sites[site].zone)
        self.notify(account.index, messages.visitor(book.id_of(number), account.location_id(site), action, at))

    def _tell_booking(self, account: Account, number: int, is_new: bool) -> None:
        room, _, _ = account.place_of(number)
        day = account.times_of(number)[0].astimezone(account.site(room).zone).date()
        is_deleted = number in account.erased or account.is_deleted(number)
        ids = account.booking_id(number), account.room_id(room)
        self.notify(account.index, messages.meeting_external(*ids, day, is_deleted=is_deleted))

    def _tell_desk_booking(self, account: Account, number: int, is_new: bool) -> None:
        book = self.desks[account.index]
        found = book.booking(number)
        is_deleted = number in book.erased or found.is_deleted
        ids = book.id_of(number), account.desk_id(found.desk)
        self.notify(account.index, messages.desk(*ids, found.day, is_deleted=is_deleted, is_open=found.is_open))

    def _tell_visit(self, account: Account, number: int, is_new: bool) -> None:
        is_deleted = self.visitors[account.index].visit(number).is_withdrawn
        known = Visiting.CREATED if is_new else Visiting.UPDATED
        self.tell_visitor(account, number, Visiting.DELETED if is_deleted else known)
