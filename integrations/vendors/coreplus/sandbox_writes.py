"""What can be made at the emulator through the API: clients, appointments, appointment types.

What only the emulator relies on: CP-A13 a good answer is a 200. CP-A17 a conflict is a 400 (`conflict_status`); its
body has reasons without a severity. CP-A18 cancelling by `deleted`, which only a plug-in was seen to do, works where
`take_cancellations` was called. CP-A25 what refusals of these say (`sandbox_door`).
"""

import re
from typing import Any

from integrations.sandbox.kit import Reply, Request, route
from integrations.vendors.coreplus.sandbox_diary import Visit
from integrations.vendors.coreplus.sandbox_door import API, Refusal
from integrations.vendors.coreplus.sandbox_fields import Fields
from integrations.vendors.coreplus.sandbox_reads import Reads
from integrations.vendors.coreplus.sandbox_world import World

TITLES = ("Acs Prof", "Dr", "Master", "Miss", "Mr", "Mrs", "Ms", "Prof", "Rev")
GENDERS = ("Male", "Female", "Other")
PRONOUNS = ("e", "he", "she", "they", "xe", "ze", "other")
NAME, CULTURE, WORDS, UNTOLD = 50, 20, 300, 200  # longest texts; UNTOLD where coreplus tells no limit
MOST_MINUTES = 120
_COLOUR = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


class Conflict(Refusal):
    """That time cannot be had."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.reply = Reply.json({"result": [{"reason": reason}]}, status)


class Writes(Reads):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.conflict_status = 400
        self._cancelling: set[int] = set()

    def take_cancellations(self, account: int | None = None) -> None:
        with self.lock:
            self._cancelling.update(self.numbers(account))

    @route("POST", f"{API}/Client")
    def make_client(self, request: Request) -> Reply:
        world, sent = self.allowed(request, "make-clients"), Fields.of(request)
        told = {
            "firstName": sent.text("firstName", NAME, is_needed=True),
            "lastName": sent.text("lastName", NAME, is_needed=True),
            "dateOfBirth": sent.day("dateOfBirth"),
            "ExternalId": sent.text("ExternalId", UNTOLD),
            "title": sent.choice("title", TITLES),
            "preferredName": sent.text("preferredName", UNTOLD),
            "middleName": sent.text("middleName", UNTOLD),
            "gender": sent.choice("gender", GENDERS),
            "pronoun": sent.choice("pronoun", PRONOUNS),
            "culture": sent.text("culture", CULTURE),
            "medicareCardNumber": sent.text("medicareCardNumber", UNTOLD),
            "Email": sent.text("Email", UNTOLD),
            "phoneNumberMobile": sent.text("phoneNumberMobile", UNTOLD),
        }
        number = world.add_client(self.clock.now(), told)
        return Reply.json({"client": {"clientId": world.ids["client"].of(number)}})

    @route("POST", f"{API}/AppointmentType")
    def make_type(self, request: Request) -> Reply:
        world, sent = self.allowed(request, "make-appointment-types"), Fields.of(request)
        description = sent.text("description", UNTOLD, is_needed=True)
        colour, minutes = sent.text("blockColour", UNTOLD), sent.text("durationMinutes", UNTOLD)
        if colour and not _COLOUR.fullmatch(colour):
            raise Refusal(400, "blockColour must be a hexadecimal colour")
        if minutes and not (minutes.isdecimal() and 1 <= int(minutes) <= MOST_MINUTES):
            raise Refusal(400, f"durationMinutes must be a number of at most {MOST_MINUTES}, as a text")
        for name, kind in (("practitionerId", "practitioner"), ("locationId", "location")):
            if name in sent:
                _known(world, kind, name, sent)
        number = world.add_type(description, int(minutes) if minutes else None)
        return Reply.json({"appointmentTypeId": world.ids["type"].of(number), "description": description})

    @route("POST", f"{API}/Appointment")
    def make_appointment(self, request: Request) -> Reply:
        world, sent = self.allowed(request, "make-appointments"), Fields.of(request)
        if "deleted" in sent and world.practice.number in self._cancelling:
            return self._cancel(world, sent)
        starts_at, ends_at = sent.moment("startDateTime"), sent.moment("endDateTime")
        if ends_at <= starts_at:
            raise Refusal(400, "endDateTime must be after startDateTime")
        practitioner = _known(
            world, "practitioner", "practitionerId", Fields(sent.need("practitioner"), "practitioner")
        )
        location = _known(world, "location", "locationId", sent)
        clients = sent.need("clients")
        if not isinstance(clients, list):
            raise Refusal(400, "clients must be a list")
        numbers = [_known(world, "client", "clientId", Fields(one, "A client")) for one in clients]
        kind = _known(world, "type", "appointmentTypeId", sent) if sent.any("appointmentTypeId") else None
        visit = Visit(
            practitioner=practitioner,
            client=numbers[0],
            appointment_type=kind,
            length=ends_at - starts_at,
            subject=sent.text("subject", WORDS),
            notes=sent.text("notes", WORDS),
            notifies_practitioner=sent.flag("notifyPractitioner"),
        )
        by_mail, by_sms = sent.flag("isEmailReminderRequired"), sent.flag("isSmsReminderRequired")
        if len(numbers) > 1:
            raise Conflict(self.conflict_status, "Only one client is supported")
        zone = world.zone_of(practitioner)
        start = starts_at.astimezone(zone).replace(tzinfo=None)
        is_there = location == world.room_of(practitioner)
        if not is_there or not world.diary.is_free(practitioner, start, start + visit.length):
            raise Conflict(self.conflict_status, "The slot is not available")
        number = world.diary.enter(self.clock.now(), start, visit)
        reminders = {
            "isEmailReminderRequired": by_mail,
            "isSmsReminderRequired": by_sms and world.has_mobile(visit.client),
        }
        return Reply.json({"appointment": self.details(world, number) | reminders})

    @route("POST", f"{API}/Message")
    def send_message(self, request: Request) -> Reply:
        """Clinical messages are off until coreplus enables them, and here it never does."""
        raise Refusal(403, "Messages are not enabled for this account")

    def _cancel(self, world: World, sent: Fields) -> Reply:
        number = _known(world, "appointment", "appointmentId", sent)
        if str(sent.any("deleted")).lower() != "true":
            raise Refusal(400, "deleted must be true")
        world.diary.cancelled.setdefault(number, "")
        return Reply.json({"appointment": self.details(world, number)})


def _known(world: World, kind: str, name: str, sent: Fields) -> int:
    """The number behind an id that was sent. Raises Refusal when the practice has no such thing."""
    number = world.find(kind, sent.need(name))
    if number is None:
        raise Refusal(400, f"{name} is not known")
    return number
