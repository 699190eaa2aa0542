"""A practice in the sandbox: who works where, its clients and its diary, worked out from numbers whenever asked for."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox.shelf import Shelf

DAYS_BACK, DAYS_AHEAD = 29, 60  # around the epoch's day
DAYS = DAYS_BACK + DAYS_AHEAD
HALF_HOUR = timedelta(minutes=30)
OPENS_AT = time(9)
BUSY_DAY, BUSY_SIZE = 3, 110  # a vaccination day: more than one page of 100
HOT_DAYS = 13  # mishaps and new bookings fall into what is looked at often
_MIXER, _SPACE = 0x5DEECE66D, 1 << 48
MELBOURNE = ("39D62534-501C-49CD-9DA9-6FA8D6A81F48", "Australia/Melbourne")
ADELAIDE = ("B7C1F0A2-3E64-4D0B-9A55-0C2E77D1A913", "Australia/Adelaide")  # invented
FIRST_NAMES = ("Ana", "Ben", "Chloe", "Dev", "Ella", "Finn", "Grace", "Hugo", "Isla", "Jack", "Kiri", "Liam", "Mei")
LAST_NAMES = ("Ng", "Walker", "Rossi", "Singh", "Brown", "Nguyen", "Taylor", "Okafor", "Kelly", "Papadopoulos", "Lee")
TYPES = (
    ("Physiotherapy", ("Initial consultation", 60), ("Standard consultation", 30)),
    ("Podiatry", ("Nail care", 30), ("Orthotics fitting", 60)),
    ("Nutrition", ("Diet review", 30), ("Vaccination", 30)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One customer of coreplus: where it is, and what opens its data."""

    number: int
    name: str
    environment: str
    consumer_id: str
    secret: str
    access_token: str
    rooms: tuple[tuple[str, tuple[str, str]], ...]  # (location, its zone)
    has_names: bool


# Two practices share an application, as coreplus allows; the third is a trial account of the sandbox environment.
_APP = ("switchboard-live", "c3dpdGNoYm9hcmQtcHJvZHVjdGlvbi1zZWNyZXQtMDE=")
_TRIAL_APP = ("switchboard-trial", "c3dpdGNoYm9hcmQtc2FuZGJveC1zZWNyZXQtMDAwMQ==")
PRACTICES = (
    Practice(
        number=0,
        name="Brightwater Allied Health",
        environment="production",
        consumer_id=_APP[0],
        secret=_APP[1],
        access_token="brightwater-6f0e2d",
        rooms=(("Main rooms", MELBOURNE), ("Hillside clinic", ADELAIDE), ("Harbour rooms", MELBOURNE)),
        has_names=True,
    ),
    Practice(
        number=1,
        name="Tamar Physiotherapy",
        environment="production",
        consumer_id=_APP[0],
        secret=_APP[1],
        access_token="tamar-91b7c4",
        rooms=(("Tamar Street", MELBOURNE), ("Riverside", ADELAIDE), ("Sports centre", MELBOURNE)),
        has_names=False,
    ),
    Practice(
        number=2,
        name="Trial practice",
        environment="sandbox",
        consumer_id=_TRIAL_APP[0],
        secret=_TRIAL_APP[1],
        access_token="trial-52a8ee",
        rooms=(("Trial rooms", MELBOURNE), ("Trial outpost", ADELAIDE), ("Trial annexe", MELBOURNE)),
        has_names=False,
    ),
)


class Guids:
    """Ids of one kind, from number to GUID and back."""

    def __init__(self, seed: int, account: int, kind: str) -> None:
        digest = hashlib.blake2b(f"{seed}/{account}/{kind}".encode(), digest_size=10).hexdigest()
        self._head = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[15:18]}"

    def of(self, number: int) -> str:
        return f"{self._head}-{(number * _MIXER + 11) % _SPACE:012x}"

    def number(self, guid: str) -> int | None:
        """None for an id of another kind, account or shape."""
        head, _, tail = guid.lower().rpartition("-")
        try:
            return (int(tail, 16) - 11) * pow(_MIXER, -1, _SPACE) % _SPACE if head == self._head else None
        except ValueError:
            return None


class Diary(Shelf):
    """Appointments by number, with what people did to them since: moved, cancelled, deleted, edited."""

    def __init__(self, *, practitioners: int, today: date, **options: Any) -> None:
        super().__init__(**options)
        self.size, self.practitioners, self.first_day = len(self), practitioners, today - timedelta(days=DAYS_BACK)
        self.moved: dict[int, datetime] = {}
        self.cancelled: dict[int, str] = {}
        self.deleted: set[int] = set()
        self._busy = min(BUSY_SIZE, self.size // 4)

    def start(self, number: int) -> datetime:
        """Local wall-clock time at the appointment's location."""
        return self.moved.get(number) or self._planned(number)

    def holder(self, number: int) -> int:
        """Which practitioner has it: two at the same time are with different ones."""
        return number % self.practitioners

    def between(self, since: date, until: date) -> Iterator[int]:
        """Numbers on days from `since` to `until`, both included, that are neither cancelled nor deleted."""
        absent = self.cancelled.keys() | self.deleted
        for number in self._planned_between(since, until):
            if number not in absent and number not in self.moved:
                yield number
        for number, start in list(self.moved.items()):
            if number not in absent and since <= start.date() <= until:
                yield number

    def touch(self, number: int, at: datetime) -> None:
        """Time does something to an appointment of the next days, for only those are looked at often."""
        with self._lock:
            today, dice = at.date(), self.dice(number, at)
            near = list(self.between(today, today + timedelta(days=HOT_DAYS)))
            if not near:
                return
            chosen = dice.choice(near)
            match dice.randrange(10):
                case 0:
                    self.cancelled[chosen] = "Client was unwell"
                case 1 | 2:
                    self.move(chosen, today + timedelta(days=dice.randrange(HOT_DAYS)))
                case _:
                    pass
            super().touch(chosen, at)

    def add(self, at: datetime) -> int:
        """A new booking within the next days."""
        with self._lock:
            number = super().add(at)
            self.move(number, at.date() + timedelta(days=1 + self.dice(number, "day").randrange(HOT_DAYS - 1)))
            return number

    def move(self, number: int, day: date) -> None:
        """To the first free half hour of its practitioner on that day."""
        holder = self.holder(number)
        taken = {self.start(other) for other in self.between(day, day) if self.holder(other) == holder}
        start = datetime.combine(day, OPENS_AT)
        while start in taken:
            start += HALF_HOUR
        self.moved[number] = start

    def _planned(self, number: int) -> datetime:
        if number < self._busy:
            day, place = DAYS_BACK + BUSY_DAY, number
        else:
            day = (number - self._busy) * DAYS // (self.size - self._busy)
            place = number - self._first_on(day)
            if day == DAYS_BACK + BUSY_DAY:
                place += self._busy + self.practitioners
        # Numbers that follow one another go round the practitioners, so a full round takes the next half hour.
        start = datetime.combine(self.first_day + timedelta(days=day), OPENS_AT)
        return start + HALF_HOUR * (place // self.practitioners)

    def _planned_between(self, since: date, until: date) -> Iterator[int]:
        first = max((since - self.first_day).days, 0)
        last = min((until - self.first_day).days, DAYS - 1)
        if first <= DAYS_BACK + BUSY_DAY <= last:
            yield from range(self._busy)
        if first <= last:
            yield from range(self._first_on(first), self._first_on(last + 1))

    def _first_on(self, day: int) -> int:
        """The number with which that day begins: those beyond the busy day's are spread evenly."""
        return self._busy + -(-day * (self.size - self._busy) // DAYS)


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


def written(moment: datetime) -> str:
    """As coreplus writes it: a blank before the offset."""
    text = moment.isoformat(timespec="seconds")
    return f"{text[:19]} {text[19:]}"
