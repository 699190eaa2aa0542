"""Everything one practice has: locations, practitioners, appointment types, clients, appointments.

What only the emulator relies on: CP-A34 a practitioner works at one location and in one specialty. CP-A35 types made
through the API stand in a specialty of their own (`OTHER`), and take half an hour where no duration was sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox.shelf import Shelf
from integrations.vendors.coreplus.sandbox_data import FIRST_NAMES, LAST_NAMES, TYPES, Guids, Practice, written
from integrations.vendors.coreplus.sandbox_diary import HALF_HOUR, Diary, Visit, gaps

OTHER = "Other"
_KINDS = ("location", "practitioner", "client", "specialty", "type", "appointment", "reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentType:
    specialty: int
    description: str
    minutes: int | None  # None: nobody said

    @property
    def length(self) -> timedelta:
        return HALF_HOUR if self.minutes is None else timedelta(minutes=self.minutes)


class World:
    def __init__(
        self, practice: Practice, size: int, *, seed: int, epoch: datetime, change_every: timedelta | None
    ) -> None:
        self.practice = practice
        self.practitioner_count = max(8, size // 1200 + 1)
        self.client_count = max(5, size * 4 // 13)  # of those who have appointments
        self.clients = Shelf(size=self.client_count, seed=seed + practice.number, epoch=epoch)
        self.diary = Diary(
            practitioners=self.practitioner_count,
            today=epoch.date(),
            size=size,
            seed=seed + practice.number,
            epoch=epoch,
            change_every=change_every,
        )
        self.ids = {kind: Guids(seed, practice.number, kind) for kind in _KINDS}
        self.types = [
            AppointmentType(specialty=specialty, description=description, minutes=minutes)
            for specialty, (_, *kinds) in enumerate(TYPES)
            for description, minutes in kinds
        ]
        self.gone_clients: set[int] = set()
        self.entered_clients: dict[int, dict[str, str]] = {}  # those made through the API, as sent
        self.extra_practitioners = 0

    def find(self, kind: str, guid: object) -> int | None:
        """The number of what the practice has under that id; None when it has none, or no longer."""
        number = self.ids[kind].number(guid) if isinstance(guid, str) else None
        if number is None:
            return None
        gone = {"client": self.gone_clients, "appointment": self.diary.deleted}.get(kind, set())
        count = {
            "location": len(self.practice.rooms),
            "practitioner": self.practitioner_count + self.extra_practitioners,
            "client": len(self.clients),
            "type": len(self.types),
            "appointment": len(self.diary),
        }[kind]
        return number if number < count and number not in gone else None

    def locations(self) -> list[dict[str, Any]]:
        return [
            {"locationId": self.ids["location"].of(number), "name": name, "timezoneId": zone_id}
            for number, (name, (zone_id, _)) in enumerate(self.practice.rooms)
        ]

    def practitioners(self) -> list[dict[str, Any]]:
        count = self.practitioner_count + self.extra_practitioners
        return [self.practitioner(number) | self._practitioner_name(number) for number in range(count)]

    def practitioner(self, number: int) -> dict[str, Any]:
        return {"practitionerId": self.ids["practitioner"].of(number)}

    def specialty_of(self, practitioner: int) -> str:
        """The id of what that practitioner does."""
        return self.ids["specialty"].of(practitioner % len(TYPES))

    def specialties(self) -> list[dict[str, Any]]:
        names = [name for name, *_ in TYPES] + ([OTHER] if self.types[-1].specialty == len(TYPES) else [])
        return [
            {
                "specialtyId": self.ids["specialty"].of(specialty),
                "name": name,
                "appointmentTypes": [
                    {
                        "appointmentTypeId": self.ids["type"].of(number),
                        "description": one.description,
                        "durationMinutes": "" if one.minutes is None else str(one.minutes),
                    }
                    for number, one in enumerate(self.types)
                    if one.specialty == specialty
                ],
            }
            for specialty, name in enumerate(names)
        ]

    def add_type(self, description: str, minutes: int | None) -> int:
        self.types.append(AppointmentType(specialty=len(TYPES), description=description, minutes=minutes))
        return len(self.types) - 1

    def client_numbers(self) -> list[int]:
        return [number for number in range(len(self.clients)) if number not in self.gone_clients]

    def add_client(self, at: datetime, sent: dict[str, str]) -> int:
        """`sent`: the fields as they were sent, by coreplus's names."""
        number = self.clients.add(at)
        self.entered_clients[number] = sent
        return number

    def client(self, number: int) -> dict[str, Any]:
        told = self._entered(number) if number in self.entered_clients else self._made_up(number)
        if self.clients.version[number] % 2:
            told["lastName"] += f"-{LAST_NAMES[number % len(LAST_NAMES)]}"
        return {"clientId": self.ids["client"].of(number), **told}

    def has_mobile(self, client: int) -> bool:
        """Of those who were there before, three in four."""
        entered = self.entered_clients.get(client)
        return bool(client % 4) if entered is None else bool(entered["phoneNumberMobile"])

    def room_of(self, practitioner: int) -> int:
        return practitioner % len(self.practice.rooms)

    def zone_of(self, practitioner: int) -> ZoneInfo:
        return ZoneInfo(self.practice.rooms[self.room_of(practitioner)][1][1])

    def moments(self, number: int) -> tuple[datetime, datetime]:
        """Start and end, aware in the zone of the location."""
        zone = self.zone_of(self.diary.holder(number))
        return self.diary.start(number).replace(tzinfo=zone), self.diary.end(number).replace(tzinfo=zone)

    def visit(self, number: int) -> Visit:
        """As it was sent, or made up."""
        return self.diary.visits.get(number) or Visit(
            practitioner=self.diary.holder(number),
            client=self.diary.dice(number, "client").randrange(self.client_count),
            appointment_type=self.diary.dice(number, "type").randrange(2 * len(TYPES)),
            notes="Bring the last X-ray.",
        )

    def appointment(self, number: int, *, zone: ZoneInfo, has_profiles: bool, now: datetime) -> dict[str, Any]:
        starts_at, ends_at = (moment.astimezone(UTC) for moment in self.moments(number))
        visit = self.visit(number)
        client, holder, kind = self.client(visit.client), visit.practitioner, visit.appointment_type
        birth = datetime.fromisoformat(client["dateOfBirth"])
        practitioner = self.practitioner(holder) | (self._practitioner_name(holder) if has_profiles else {})
        return {
            "appointmentId": self.ids["appointment"].of(number),
            "appointmentReferenceNumber": str(4_846_396 + number),
            "status": self._status(number, ends_at, now),
            "practitioner": practitioner,
            # What coreplus writes there when nobody writes anything else.
            "subject": visit.subject or f"{client['firstName']} {client['lastName']} {birth:%d/%m/%Y}",
            "locationId": self.ids["location"].of(self.room_of(holder)),
            "appointmentTypeId": "" if kind is None else self.ids["type"].of(kind),
            "startDateTime": written(starts_at.astimezone(zone)),
            "endDateTime": written(ends_at.astimezone(zone)),
            "clients": [{"clientId": client["clientId"]}],
        }

    def in_window(self, since: date, until: date, zone: ZoneInfo) -> list[int]:
        """Numbers that start on those days of the zone, both included, in the order of their starts."""
        begin, end = _bounds(since, until, zone)
        near = self.diary.between(since - timedelta(days=1), until + timedelta(days=1))
        found = [(self.moments(number)[0].astimezone(UTC), number) for number in near]
        return [number for start, number in sorted(found) if begin <= start < end]

    def free(
        self, since: date, until: date, zone: ZoneInfo, practitioners: Sequence[int]
    ) -> Iterator[tuple[datetime, datetime, int]]:
        """Start and end (UTC) of each free stretch that starts on those days of the zone, and whose it is."""
        begin, end = _bounds(since, until, zone)
        for ahead in range(-1, (until - since).days + 2):
            day = since + timedelta(days=ahead)
            taken = self.diary.taken(day)
            for one in practitioners:
                for stretch in gaps(day, taken.get(one, [])):
                    starts_at, ends_at = (at.replace(tzinfo=self.zone_of(one)).astimezone(UTC) for at in stretch)
                    if begin <= starts_at < end:
                        yield starts_at, ends_at, one

    def _made_up(self, number: int) -> dict[str, str]:
        dice = self.clients.dice(number, "client")
        first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
        return {
            "title": dice.choice(("Mr", "Mrs", "Ms", "Dr")),
            "firstName": first,
            "middleName": dice.choice(("", "Kim", "Lou")),
            "lastName": last,
            "preferredName": first if number % 3 else "",
            "dateOfBirth": f"{date(1940, 1, 1) + timedelta(days=dice.randrange(25_000))}T00:00:00",
            "gender": dice.choice(("Female", "Male", "Other")),
            "culture": "",
            "pronouns": dice.choice(("she", "he", "they")),
            "practitionerId": self.ids["practitioner"].of(number % self.practitioner_count),
        }

    def _entered(self, number: int) -> dict[str, str]:
        """As listed: `pronouns` though `pronoun` was sent, and a birth date with a time of day."""
        sent = self.entered_clients[number]
        names = ("title", "firstName", "middleName", "lastName", "preferredName", "gender", "culture")
        birth = f"{sent['dateOfBirth']}T00:00:00"
        told = {name: sent[name] for name in names}
        return told | {"dateOfBirth": birth, "pronouns": sent["pronoun"], "practitionerId": ""}

    def _practitioner_name(self, number: int) -> dict[str, Any]:
        dice = self.diary.dice(number, "practitioner")
        return {"firstName": dice.choice(FIRST_NAMES), "lastName": dice.choice(LAST_NAMES)}

    def _status(self, number: int, ends_at: datetime, now: datetime) -> str:
        if number in self.diary.cancelled:
            return "Cancelled"
        if ends_at <= now:
            return "Did Not Attend" if number % 17 == 0 else "Attended"
        place = 0 if number in self.diary.visits else number
        return ("Booked", "Confirmed", "")[(place + self.diary.version[number]) % 3]


def _bounds(since: date, until: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Those days of the zone, both included, as instants: from the first up to, without, the second."""
    begin = datetime.combine(since, time(), zone).astimezone(UTC)
    return begin, datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC)
