"""The sandbox's work orders: worked out from their number whenever asked for, changed with time by a shelf."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from integrations.sandbox.shelf import Shelf
from integrations.vendors.corrigopro.sandbox_story import (
    DAY,
    HOUR,
    PRIORITIES,
    fraction_of,
    is_pre_billed,
    tell,
    written,
)
from integrations.vendors.corrigopro.sandbox_words import CHECKS, TROUBLES, World

SPAN = timedelta(days=88)  # less than the history a connection asks for by default
LONGEST_LIFE = timedelta(days=32)  # from creation to the last change that is not a shelf's
CLOSED = frozenset({"Verified", "Rejected", "Recalled"})
# What follows when an order is touched; what is not here stays as it is (a correction without a new status).
FOLLOWS = {
    "New": "Accepted",
    "Accepted": "CheckedIn",
    "CheckedIn": "CheckedOut",
    "Paused": "CheckedIn",
    "OnHold": "New",
    "NeedsCompletionDetails": "CheckedOut",
    "CheckedOut": "Verified",
}


class OrderBook(Shelf):
    """One company's work orders. `first_id` is the id of number 0."""

    def __init__(
        self, *, world: World, first_id: int, size: int, seed: int, epoch: datetime, change_every: timedelta | None
    ) -> None:
        super().__init__(size=size, seed=seed, epoch=epoch, span=SPAN, change_every=change_every)
        self.world, self.first_id = world, first_id
        self.vanished: set[int] = set()  # CorrigoPro gives them no more
        self.left: set[int] = set()  # customers who went elsewhere, by their place in the world
        self._touched: set[int] = set()
        self._stirred: Counter[int] = Counter()  # changes that left the status as it was
        self._turned: dict[int, tuple[str, int]] = {}  # a status the customer set, and after how many steps
        self._delays: Counter[int] = Counter()  # days by which the due date was moved
        self._limits: dict[int, float] = {}
        self.quotes: dict[int, dict[str, Any]] = {}
        self.appointments: dict[int, dict[str, Any]] = {}
        self.additional: dict[int, dict[int, dict[str, Any]]] = {}  # values of additional fields, by order and field
        self.digits: int | None = None  # of the second's fraction in what changes from now on; None: none
        self._fractions: dict[int, str] = {}
        self.on_change: Callable[[int, str | None], None] = lambda number, before: None  # None: it is new
        self.story = lru_cache(maxsize=50_000)(
            lambda number: tell(number, self.dice(number, "story"), self.created[number], epoch)
        )

    def touch(self, number: int, at: datetime) -> None:
        """Time changes the next order from there that is still open: closed ones rest."""
        for step in range(min(len(self), 300)):
            candidate = (number + step) % len(self)
            if self.status(candidate) not in CLOSED:
                number = candidate
                break
        self.advance(number, at)

    def advance(self, number: int, at: datetime) -> None:
        """Change this very order: on to its next status, or corrected in place."""
        before = self.status(number)
        self._mark(number, at)
        self.on_change(number, before)

    def add(self, at: datetime) -> int:
        number = super().add(at)
        self.on_change(number, None)
        return number

    def stir(self, number: int, at: datetime) -> None:
        """Something on the order changed, its status did not."""
        self._mark(number, at)
        self._stirred[number] += 1

    def turn(self, number: int, status: str, at: datetime) -> None:
        """Somebody sets its status."""
        self.stir(number, at)
        self._turned[number] = (status, self._steps(number))

    def delay(self, number: int, days: int, at: datetime) -> None:
        self._delays[number] += days
        self.stir(number, at)

    def limit(self, number: int, amount: float, at: datetime) -> None:
        self._limits[number] = amount
        self.stir(number, at)

    def status(self, number: int) -> str:
        status, since = self._turned.get(number) or (self.story(number).status, 0)
        for _ in range(self._steps(number) - since):
            following = FOLLOWS.get(status, status)
            if following == status:
                break
            status = following
        return status

    def _mark(self, number: int, at: datetime) -> None:
        super().touch(number, at)
        self._touched.add(number)
        if self.digits is not None:
            self._fractions[number] = fraction_of(at, self.digits)
            self.modified[number] = datetime.fromisoformat(written(at, self._fractions[number]))
        else:
            self._fractions.pop(number, None)

    def _fraction(self, number: int) -> str:
        return self._fractions.get(number, "") if self.version[number] else self.story(number).fraction

    def _steps(self, number: int) -> int:
        return self.version[number] - self._stirred[number]

    def last_update(self, number: int) -> datetime:
        return self.modified[number] if self.version[number] else self.story(number).changed

    def created_between(self, begin: datetime, end: datetime) -> Iterator[int]:
        """Numbers of what was created in that span, both ends included."""
        first = bisect_left(self.created, begin.replace(microsecond=0))
        for number in range(first, bisect_right(self.created, end)):
            if number not in self.vanished and begin <= self.story(number).created <= end:
                yield number

    def updated_between(self, begin: datetime, end: datetime) -> Iterator[int]:
        """Numbers of what was last changed in that span, without looking at all of them."""
        touched = sorted(self._touched - self.vanished)
        yield from (number for number in touched if begin <= self.modified[number] <= end)
        oldest = begin if begin > self.epoch + HOUR else begin - LONGEST_LIFE  # lives are told up to the epoch
        for number in self.created_between(oldest, end):
            if not self.version[number] and begin <= self.story(number).changed <= end:
                yield number

    def number_of(self, order_id: int) -> int | None:
        number = order_id - self.first_id
        return number if 0 <= number < len(self) and number not in self.vanished else None

    def row(self, number: int) -> dict[str, Any]:
        """The basic form that search gives."""
        story = self.story(number)
        due = story.due + DAY * self._delays[number]
        customer, _, prefix = self.world.customers[self.customer_of(number)]
        name, category = ("Preventive Maintenance", "PMRM") if story.is_planned else ("Corrective", "Request")
        digits = 53_010_737 + number // 3 if not prefix else 10_000 + number  # numbers are not unique, ids are
        return {
            "WorkOrderId": self.first_id + number,
            "WorkOrderNumber": f"{prefix}{digits}",
            "BranchId": self.branches[number % 2],
            "Type": category,
            "WorkType": {"Id": 12 if story.is_planned else 9, "Name": name, "Category": category, "IsVisit": False},
            "Status": self.status(number),
            "Customer": {"Id": self.customer_id(self.customer_of(number)), "Name": customer},
            "Sla": {
                "DueDate": written(due),
                "OnSiteBy": written(due - (due - story.created) / 3),
                "AcknowledgeBy": written(story.created + (due - story.created) / 8),
                "PriorityId": story.priority + 1,
                "PriorityName": PRIORITIES[story.priority][0],
                "IsEmergency": story.priority == 0,
            },
            "Created": written(story.created, story.fraction),
            "LastUpdate": written(self.last_update(number), self._fraction(number)),
        }

    def detail(self, number: int) -> dict[str, Any]:
        """The whole order."""
        story, dice, world = self.story(number), self.dice(number, "detail"), self.world
        path, asset, specialty, faults = TROUBLES[dice.randrange(len(TROUBLES))]
        task, message = faults[dice.randrange(len(faults))]
        if story.is_planned:
            task = CHECKS[dice.randrange(len(CHECKS))]
            message = f"{task} as agreed in the service contract."
        customer, site, _ = world.customers[self.customer_of(number)]
        place = dice.randrange(1, 240)
        town, state, postal = world.towns[place % len(world.towns)]
        person = world.people[dice.randrange(len(world.people))]
        if self.version[number]:
            message += f"\nUpdate {self.version[number]} from site."
        limit = self._limits.get(number, dice.choice((0, 0, 250, 350, 500, 750.5, 1200, 2499.99, 5000)))
        return self.row(number) | {
            "AccompanyingMessage": message,
            "Schedule": self.appointments.get(number)
            or {
                "ScheduledStart": written(story.scheduled) if story.scheduled else None,
                "Pte": "Appointment" if story.scheduled else "CallFirst",
            },
            "Nte": {"Amount": limit, "Quote": self.quotes.get(number)},
            "AdditionalFields": list(self.additional.get(number, {}).values()),
            "Currency": world.currency,
            "IsPreBilled": is_pre_billed(number),
            "WorkDetails": {
                "Assets": [
                    {
                        "Id": 700_000 + place * 20 + number % 20,
                        "Path": f"{path}>{asset}",
                        "Task": task,
                        "AssetName": asset,
                        "Comment": "Use the rear entrance." if number % 9 == 0 else None,
                    }
                ],
                "CheckList": [],
                "Procedures": self.procedures(number) or None,
                "Specialty": {"Name": specialty},
            },
            "Contact": {
                "FullName": person,
                "ContactAt": "Phone",
                "Phones": [f"{world.phone}{place:04}"],
                "Emails": [f"{person.split()[0].lower()}@example.com"] if number % 3 else [],
            },
            "ServiceLocation": {
                "OccupantID": 30_000 + place,
                "SpaceId": 90_000 + place,
                "SpaceName": f"{customer} {site} {place:04}",
                "Address": {
                    "Street": f"{place * 7 % 980 + 11} {world.streets[place % len(world.streets)]}",
                    "City": town,
                    "State": state,
                    "PostalCode": f"{postal}{place % 90 + 10}"
                    if world.country == "US"
                    else f"{postal}{place % 9 + 1} 4QT",
                    "Country": world.country,
                },
            },
        }

    def procedures(self, number: int) -> list[dict[str, Any]]:
        """Only planned work has them, and not all of it."""
        dice = self.dice(number, "procedures")
        count = dice.choice((0, 1, 1, 2)) if self.story(number).is_planned else 0
        return [
            {"Id": 60_000 + number * 4 + n, "Name": dice.choice(CHECKS), "IsMarkedNa": dice.random() < 0.1}
            for n in range(count)
        ]

    def customer(self, index: int) -> dict[str, Any]:
        return {
            "Id": self.customer_id(index),
            "Name": self.world.customers[index][0],
            "BranchIds": list(self.branches[: 1 + index % 2]),
        }

    def customers(self) -> list[int]:
        """Who still sends work, by their place in the world."""
        return [index for index in range(len(self.world.customers)) if index not in self.left]

    @property
    def branches(self) -> tuple[int, int]:
        first = 500_000 + self.first_id % 1000
        return first, first + 1

    def customer_id(self, index: int) -> int:
        return 100_160 + self.first_id % 997 * 100 + index * 7

    def customer_of(self, number: int) -> int:
        return self.dice(number, "customer").randrange(len(self.world.customers))
