"""What people do on the day itself: meetings start, go on and end, people sit down and leave, visitors come and go."""

from datetime import timedelta
from typing import ClassVar

from integrations.vendors.condeco.sandbox_desks import DeskBooking, Visit
from integrations.vendors.condeco.sandbox_diary import Account, Edit
from integrations.vendors.condeco.sandbox_messages import Source, Step, Visiting, desk_changed, room_changed
from integrations.vendors.condeco.sandbox_mishaps import Mishaps, at_each

_LONGER = timedelta(minutes=15)
_EXPECTED, _THERE, _GONE = 0, 1, 2  # `status` of a visitor


class Day(Mishaps):
    switches: ClassVar[tuple[tuple[str, str], ...]] = (
        *Mishaps.switches,
        ("start_meeting", "Someone starts a meeting in a free room"),
        ("extend_meeting", "A meeting that goes on is extended by 15 minutes"),
        ("end_meeting", "A meeting that goes on is ended"),
        ("sit_down", "Someone checks in at a desk"),
        ("stay_longer", "Someone stays at a desk an hour longer"),
        ("leave_desk", "Someone leaves a desk"),
        ("rename_desk", "A desk gets another name"),
        ("close_room", "A room is closed, and what was booked in it is cancelled"),
        ("open_rooms", "All rooms are open again"),
        ("update_visitor", "A visitor comes for another company"),
        ("let_in_visitor", "A visitor arrives"),
        ("undo_arrival", "A visitor did not arrive after all"),
        ("let_out_visitor", "A visitor leaves"),
        ("undo_departure", "A visitor did not leave after all"),
    )

    # Meetings

    @at_each
    def start_meeting(self, account: int) -> None:
        one, now = self.accounts[account], self.clock.now()
        times = now, now + timedelta(minutes=30)
        free = [room for room in one.open_rooms if not one.is_taken(room, *times)]
        if free:
            room, host = self._dice().choice(free), one.person(self._dice().randrange(100))
            edit = Edit(times=times, title="Ad hoc", host=host, is_private=False, is_deleted=False)
            number = one.diary.enter(now, (room, now.astimezone(one.site(room).zone).date(), -1), edit)
            self.proceed(one, number, Step.START, Source.WEB)

    @at_each
    def extend_meeting(self, account: int) -> None:
        one = self.accounts[account]
        for number in self._going_on(one):
            if self.proceed(one, number, Step.EXTEND, Source.WEB, _LONGER) is None:
                return

    @at_each
    def end_meeting(self, account: int) -> None:
        one = self.accounts[account]
        for number in self._going_on(one)[:1]:
            self.proceed(one, number, Step.STOP, Source.WEB)

    def _going_on(self, one: Account) -> list[int]:
        """Meetings that began and are not over, the latest first."""
        now = self.clock.now()
        numbers = {number for room in one.open_rooms for number in one.numbers_between(room, now, now + _LONGER)}
        return [n for n in sorted(numbers, reverse=True) if one.fields_of(n)["meetingProgress"] == 1]

    # Desks

    @at_each
    def sit_down(self, account: int) -> None:
        self.tell_desk_progress(self.accounts[account], self._desk_today(account), Step.START)

    @at_each
    def stay_longer(self, account: int) -> None:
        until = self.clock.now() + timedelta(hours=1)
        self.tell_desk_progress(self.accounts[account], self._desk_today(account), Step.EXTEND, until)

    @at_each
    def leave_desk(self, account: int) -> None:
        self.tell_desk_progress(self.accounts[account], self._desk_today(account), Step.STOP)

    def _desk_today(self, account: int) -> int:
        """The first desk booking for today, made now if there is none."""
        one, book, now = self.accounts[account], self.desks[account], self.clock.now()
        for site, place in enumerate(one.customer.sites):
            today = now.astimezone(place.zone).date()
            for number in book.numbers_at(site, today, today):
                if not book.booking(number).is_deleted:
                    return number
        today = now.astimezone(one.site(0).zone).date()
        booking = DeskBooking(desk=0, day=today, part=2, is_open=False, person=0, is_deleted=False)
        return book.enter(booking, now)

    # Resources

    @at_each
    def rename_desk(self, account: int) -> None:
        one, dice = self.accounts[account], self._dice()
        desk = dice.randrange(one.desks)
        one.renamed_desks[desk] = f"Desk of {dice.randrange(1900, 2000)}"
        self.notify(account, desk_changed(one.desk_id(desk)))

    @at_each
    def close_room(self, account: int) -> None:
        one, now = self.accounts[account], self.clock.now()
        if len(one.open_rooms) > 1:
            room = self._dice().choice(one.open_rooms)
            for number in one.numbers_in(room):
                if one.times_of(number)[1] > now and not one.is_deleted(number):
                    self.edit(one, number).is_deleted = True
                    one.diary.mark(number, now)
            one.closed.add(room)
            self.notify(account, room_changed(one.room_id(room), is_deleted=True))

    @at_each
    def open_rooms(self, account: int) -> None:
        one = self.accounts[account]
        while one.closed:
            self.notify(account, room_changed(one.room_id(one.closed.pop())))

    # Visitors

    @at_each
    def update_visitor(self, account: int) -> None:
        number = self._expected(account)
        self.visitors[account].edit(number, self.clock.now(), company="Meridian Lighting")

    @at_each
    def let_in_visitor(self, account: int) -> None:
        self._see(account, self._expected(account), Visiting.ARRIVED)

    @at_each
    def undo_arrival(self, account: int) -> None:
        for number in self._visitors_in(account, _THERE)[:1]:
            self._see(account, number, Visiting.UNARRIVED)

    @at_each
    def let_out_visitor(self, account: int) -> None:
        for number in self._visitors_in(account, _THERE)[:1]:
            self._see(account, number, Visiting.DEPARTED)

    @at_each
    def undo_departure(self, account: int) -> None:
        for number in self._visitors_in(account, _GONE)[:1]:
            self._see(account, number, Visiting.UNDEPARTED)

    def _see(self, account: int, number: int, action: Visiting) -> None:
        has_left = action is Visiting.DEPARTED
        is_arrived = has_left or action in (Visiting.ARRIVED, Visiting.UNDEPARTED)
        self.visitors[account].see(number, self.clock.now(), arrived=is_arrived, left=has_left)
        self.tell_visitor(self.accounts[account], number, action)

    def _visitors_in(self, account: int, status: int) -> list[int]:
        """Visitors of today in that state."""
        book, now, sites = self.visitors[account], self.clock.now(), self.accounts[account].customer.sites
        numbers = [n for at, one in enumerate(sites) for n in book.numbers_on(at, now.astimezone(one.zone).date())]
        return [number for number in numbers if book.fields(number, now)["status"] == status]

    def _expected(self, account: int) -> int:
        """A visitor who is still to come today, announced now if there is none."""
        now = self.clock.now()
        for number in self._visitors_in(account, _EXPECTED):
            return number
        arrives = now.astimezone(self.accounts[account].site(0).zone).replace(tzinfo=None) + _LONGER
        visit = Visit(site=0, arrives=arrives, first_name="Ida", last_name="Berg", company="Orbit Couriers", host=0)
        return self.visitors[account].enter(visit, now)
