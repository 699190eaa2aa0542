"""Everything one practice has: locations, practitioners, appointment types, clients, appointments."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox.shelf import Shelf
from integrations.vendors.coreplus.sandbox_data import FIRST_NAMES, LAST_NAMES, TYPES, Guids, Practice, written
from integrations.vendors.coreplus.sandbox_diary import HALF_HOUR, Diary


class World:
    """Everything one practice has."""

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
        self.ids = {
            kind: Guids(seed, practice.number, kind)
            for kind in ("location", "practitioner", "client", "specialty", "type", "appointment")
        }
        self.gone_clients: set[int] = set()
        self.extra_practitioners = 0

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

    def specialties(self) -> list[dict[str, Any]]:
        return [
            {
                "specialtyId": self.ids["specialty"].of(n),
                "name": name,
                "appointmentTypes": [
                    {
                        "appointmentTypeId": self.ids["type"].of(2 * n + place),
                        "description": description,
                        "durationMinutes": str(minutes),
                    }
                    for place, (description, minutes) in enumerate(kinds)
                ],
            }
            for n, (name, *kinds) in enumerate(TYPES)
        ]

    def client_numbers(self) -> list[int]:
        return [number for number in range(len(self.clients)) if number not in self.gone_clients]

    def client(self, number: int) -> dict[str, Any]:
        dice = self.clients.dice(number, "client")
        first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
        if self.clients.version[number] % 2:
            last = f"{last}-{LAST_NAMES[number % len(LAST_NAMES)]}"
        return {
            "clientId": self.ids["client"].of(number),
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

    def room_of(self, number: int) -> int:
        return self.diary.holder(number) % len(self.practice.rooms)

    def moments(self, number: int) -> tuple[datetime, datetime]:
        """Start and end, aware in the zone of the location."""
        zone = ZoneInfo(self.practice.rooms[self.room_of(number)][1][1])
        start = self.diary.start(number)
        return start.replace(tzinfo=zone), (start + HALF_HOUR).replace(tzinfo=zone)

    def appointment(self, number: int, *, zone: ZoneInfo, has_profiles: bool, now: datetime) -> dict[str, Any]:
        diary = self.diary
        starts_at, ends_at = (moment.astimezone(UTC) for moment in self.moments(number))
        client_number = diary.dice(number, "client").randrange(self.client_count)
        client, holder = self.client(client_number), diary.holder(number)
        birth = datetime.fromisoformat(client["dateOfBirth"])
        practitioner = self.practitioner(holder) | (self._practitioner_name(holder) if has_profiles else {})
        return {
            "appointmentId": self.ids["appointment"].of(number),
            "appointmentReferenceNumber": str(4_846_396 + number),
            "status": self._status(number, ends_at, now),
            "practitioner": practitioner,
            # What coreplus writes there when nobody writes anything else.
            "subject": f"{client['firstName']} {client['lastName']} {birth:%d/%m/%Y}",
            "locationId": self.ids["location"].of(self.room_of(number)),
            "appointmentTypeId": self.ids["type"].of(diary.dice(number, "type").randrange(2 * len(TYPES))),
            "startDateTime": written(starts_at.astimezone(zone)),
            "endDateTime": written(ends_at.astimezone(zone)),
            "clients": [{"clientId": client["clientId"]}],
        }

    def in_window(self, since: date, until: date, zone: ZoneInfo) -> list[int]:
        """Numbers that start on those days of the zone, both included, in the order of their starts."""
        begin = datetime.combine(since, time(), zone).astimezone(UTC)
        end = datetime.combine(until + timedelta(days=1), time(), zone).astimezone(UTC)
        near = self.diary.between(since - timedelta(days=1), until + timedelta(days=1))
        found = [(self.moments(number)[0].astimezone(UTC), number) for number in near]
        return [number for start, number in sorted(found) if begin <= start < end]

    def _practitioner_name(self, number: int) -> dict[str, Any]:
        dice = self.diary.dice(number, "practitioner")
        return {"firstName": dice.choice(FIRST_NAMES), "lastName": dice.choice(LAST_NAMES)}

    def _status(self, number: int, ends_at: datetime, now: datetime) -> str:
        if number in self.diary.cancelled:
            return "Cancelled"
        if ends_at <= now:
            return "Did Not Attend" if number % 17 == 0 else "Attended"
        return ("Booked", "Confirmed", "")[(number + self.diary.version[number]) % 3]
