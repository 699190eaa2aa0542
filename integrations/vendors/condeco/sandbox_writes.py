"""What can be changed at the emulator through the API: bookings, visitors, cost codes."""

from datetime import date, timedelta
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.condeco.sandbox_desks import DeskBooking, Visit
from integrations.vendors.condeco.sandbox_diary import Account, Edit
from integrations.vendors.condeco.sandbox_gateway import invalid
from integrations.vendors.condeco.sandbox_messages import Source, Step
from integrations.vendors.condeco.sandbox_news import News
from integrations.vendors.condeco.sandbox_reads import in_small_letters, moment_of, sent_in, span_of

_STEPS = {"1": Step.START, "2": Step.STOP, "3": Step.EXTEND}  # `actionType`: not the numbers of the notifications
_DONE = {Step.START: "started", Step.STOP: "ended", Step.EXTEND: "extended"}
_GOING_ON, _ENDED = 1, 2
_PARTS = (0, 1, 2)  # of a day: morning, afternoon, all of it
_EARLY = timedelta(minutes=15)  # a meeting may be started so long before and after its booked start
_NO_BOOKING = "Booking Id does not exist."
_NO_USER = "User Id does not exist."
_TAKEN = "The room is not available at this time."


class Writes(News):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.cost_codes: dict[int, dict[str, dict[str, Any]]] = {}  # by account and code

    # Room bookings

    @route("POST", "/{suffix}/api/V1/bookings")
    def book(self, request: Request, suffix: str) -> Reply:
        account, sent = self.named(suffix), sent_in(request)
        host, room = account.person_of(sent.get("userid")), account.room_of(str(sent.get("roomid")))
        if host is None or room is None:
            return invalid(_NO_USER if host is None else "Room Id does not exist.")
        times = span_of(sent.get("startdatetime"), sent.get("enddatetime"), request, account, room)
        if times is None:
            return invalid("Start or end is not valid.")
        if account.is_taken(room, *times):
            return invalid(_TAKEN, 409)
        day = times[0].astimezone(account.site(room).zone).date()
        edit = Edit(
            times=times,
            title=str(sent.get("meetingtitle") or ""),
            host=host,
            is_private=_is_true(sent.get("privatemeeting")),
            is_deleted=False,
        )
        number = account.diary.enter(self.clock.now(), (room, day, -1), edit)
        return Reply.json({"bookingID": account.booking_id(number)}, 201)

    @route("PUT", "/{suffix}/api/V1/bookings/{booking}")
    def change(self, request: Request, suffix: str, booking: str) -> Reply:
        account, sent = self.named(suffix), sent_in(request)
        number = account.number_of(booking)
        if number is None:
            return invalid(_NO_BOOKING)
        if account.person_of(sent.get("userid")) is None:
            return invalid(_NO_USER)
        if "actiontype" in sent:
            return self._progress(account, number, sent)
        details = in_small_letters(sent.get("bookingdetails"))
        if not details:
            return invalid()
        old = account.place_of(number)
        room = account.room_of(str(details["roomid"])) if "roomid" in details else old[0]
        if room is None:
            return invalid("Room Id does not exist.")
        times = account.times_of(number)
        if "startdate" in details or "enddate" in details:
            sent_times = span_of(details.get("startdate"), details.get("enddate"), request, account, room)
            if sent_times is None:
                return invalid("Start or end is not valid.")
            times = sent_times
        if account.is_taken(room, *times, but=number):
            return invalid(_TAKEN, 409)
        edit = self.edit(account, number)
        edit.times = times
        edit.title = str(details.get("meetingtitle", edit.title or "")) or edit.title
        edit.is_private = _is_true(details["privatemeeting"]) if "privatemeeting" in details else edit.is_private
        account.put(number, (room, times[0].astimezone(account.site(room).zone).date(), -1))
        account.diary.mark(number, self.clock.now())
        return Reply.json({"bookingID": account.booking_id(number)})

    @route("DELETE", "/{suffix}/api/V1/bookings")
    def cancel(self, request: Request, suffix: str) -> Reply:
        account, sent = self.named(suffix), sent_in(request)
        number = account.number_of(sent.get("bookingid"))
        if number is None:
            return invalid(_NO_BOOKING)
        self.edit(account, number).is_deleted = True
        account.diary.mark(number, self.clock.now())
        return Reply.json({"bookingID": account.booking_id(number)})

    def _progress(self, account: Account, number: int, sent: dict[str, Any]) -> Reply:
        step = _STEPS.get(str(sent["actiontype"]))
        minutes = str(sent.get("extendminutes", 0))
        if step is None or not minutes.isdecimal() or (step is Step.EXTEND and minutes == "0"):
            return invalid()
        refusal = self.proceed(account, number, step, Source.OTHER, timedelta(minutes=int(minutes)))
        return refusal or Reply.json({"bookingID": account.booking_id(number)})

    def proceed(
        self, account: Account, number: int, step: Step, source: Source, longer: timedelta = timedelta()
    ) -> Reply | None:
        """Start, end or extend a meeting, and tell it. None, or why not."""
        now, (starts_at, ends_at), edit = self.clock.now(), account.times_of(number), self.edit(account, number)
        progress, later = account.fields_of(number)["meetingProgress"], ends_at + longer
        if step is Step.START and progress == _GOING_ON:
            return invalid("Meeting already started.")
        is_late_or_early = step is Step.START and not starts_at - _EARLY <= now <= starts_at + _EARLY
        if is_late_or_early or progress == _ENDED or account.is_deleted(number):
            return invalid(f"Meeting cannot be {_DONE[step]} at this moment.")
        if step is Step.EXTEND and account.is_taken(account.place_of(number)[0], starts_at, later, but=number):
            return invalid(_TAKEN, 409)
        match step:
            case Step.START:
                edit.began = now
            case Step.STOP:
                edit.ended = now
            case Step.EXTEND:
                edit.times = (starts_at, later)
        account.diary.stamp(number, now)
        self.tell_progress(account, number, step, source)
        return None

    @staticmethod
    def edit(account: Account, number: int) -> Edit:
        """What people made of a booking, to be changed; the rest stays as it is now."""
        if number not in account.edits:
            title = account.fields_of(number)["meetingTitle"]
            is_deleted = account.is_deleted(number)
            account.edits[number] = Edit(times=account.times_of(number), title=title, is_deleted=is_deleted)
        return account.edits[number]

    # Desk bookings

    @route("POST", "/{suffix}/api/V1/deskBookings/availableDesks")
    def available_desks(self, request: Request, suffix: str) -> Reply:
        account, sent = self.named(suffix), sent_in(request)
        site, days = account.site_of(str(sent.get("locationid"))), _days(sent)
        if site is None or not days:
            return invalid()
        taken = {desk for day, part in days for desk in self._taken_desks(account, site, day, part)}
        desks = [
            {"deskName": account.desk_name(desk), "deskID": account.desk_id(desk), "deskAttributes": []}
            for desk in range(account.desks)
            if account.site_number(desk) == site and desk not in taken
        ]
        return Reply.json({"availableDesks": desks})

    @route("POST", "/{suffix}/api/V1/deskBookings")
    def book_desk(self, request: Request, suffix: str) -> Reply:
        account, sent = self.named(suffix), sent_in(request)
        person, desk, days = (
            account.person_of(sent.get("userid")),
            account.desk_of(str(sent.get("deskid"))),
            _days(sent),
        )
        if person is None or desk is None or not days:
            return invalid(_NO_USER if person is None else "The desk or its dates are not valid.")
        if any(desk in self._taken_desks(account, account.site_number(desk), *day) for day in days):
            return invalid("The desk is not available on this day.", 409)
        book, user = self.desks[account.index], person[0] - account.person(0)[0]
        numbers = [
            book.enter(
                DeskBooking(desk=desk, day=day, part=part, is_open=False, person=user, is_deleted=False),
                self.clock.now(),
            )
            for day, part in days
        ]
        return Reply.json({"bookingID": book.id_of(numbers[0])}, 201)

    @route("DELETE", "/{suffix}/api/V1/deskBookings")
    def release_desk(self, request: Request, suffix: str) -> Reply:
        book = self.desks[self.named(suffix).index]
        number = book.number_of(sent_in(request).get("bookingid"))
        if number is None:
            return invalid(_NO_BOOKING)
        book.edit(number, self.clock.now(), is_deleted=True)
        return Reply.json({"bookingID": book.id_of(number)})

    def _taken_desks(self, account: Account, site: int, day: date, part: int) -> set[int]:
        book = self.desks[account.index]
        found = (book.booking(number) for number in book.numbers_at(site, day, day))
        return {one.desk for one in found if not one.is_deleted and (2 in (one.part, part) or one.part == part)}

    # The rest

    @route("POST", "/{suffix}/api/V1/visitor")
    def announce(self, request: Request, suffix: str) -> Reply:
        account, sent = self.named(suffix), sent_in(request)
        site, arrives = account.site_of(str(sent.get("locationid"))), moment_of(sent.get("arrivaldate"))
        host = in_small_letters(sent.get("hostdata"))
        person = account.person_of(host.get("hostid"))
        if site is None or arrives is None or person is None:
            return invalid("The location, host or arrival date is not valid.")
        book = self.visitors[account.index]
        number = book.enter(
            Visit(
                site=site,
                arrives=arrives,
                first_name=str(sent.get("firstname") or ""),
                last_name=str(sent.get("lastname") or ""),
                company=str(sent.get("visitorcompany") or ""),
                host=person[0] - account.person(0)[0],
            ),
            self.clock.now(),
        )
        return Reply.json({"visitorId": book.id_of(number)}, 201)

    @route("POST", "/{suffix}/api/V1/costcodes")
    def push_cost_codes(self, request: Request, suffix: str) -> Reply:
        sent = request.json
        if not isinstance(sent, list) or not all(isinstance(one, dict) and one.get("code") for one in sent):
            return invalid()
        self.cost_codes.setdefault(self.named(suffix).index, {}).update({one["code"]: one for one in sent})
        return Reply.json({"IsError": False, "Message": ""})


def _is_true(value: object) -> bool:
    return str(value).lower() in ("true", "1")


def _days(sent: dict[str, Any]) -> list[tuple[date, int]]:
    """Days and parts of them; empty when one of them is not that."""
    found = []
    for one in sent.get("datelist") or []:
        moment = moment_of(one.get("date")) if isinstance(one, dict) else None
        if moment is None or one.get("bookingType", 2) not in _PARTS:
            return []
        found.append((moment.date(), one.get("bookingType", 2)))
    return found
