"""The life of each of the sandbox's work orders up to the beginning, and how CorrigoPro writes moments."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PRIORITIES = (("Emergency", 5), ("HIGH", 20), ("NORMAL", 50), ("P3 - Low", 25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is fixed about an order from its creation on, and where its life had led by the epoch."""

    created: datetime
    fraction: str  # of the second, as CorrigoPro writes it: "" or a dot and up to seven digits
    due: datetime
    priority: int
    is_planned: bool
    status: str
    changed: datetime
    scheduled: datetime | None


def tell(number: int, dice: random.Random, created: datetime, epoch: datetime) -> Story:
    """The story of one order, by its number and dice of its own."""
    digits = number % 8
    fraction = f"{dice.randrange(10**digits):0{digits}}".rstrip("0") if digits else ""
    created += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
    priority = dice.choices(range(len(PRIORITIES)), weights=[weight for _, weight in PRIORITIES])[0]
    is_planned = priority > 1 and dice.random() < 0.25
    hours = (dice.uniform(4, 8), dice.uniform(20, 48), dice.uniform(72, 168), dice.uniform(240, 480))[priority]
    due = (created + HOUR * hours).replace(minute=0, second=0, microsecond=0)
    status, changed = _life(created, due, epoch, is_planned, (dice.random(), dice.random()))
    scheduled = due - HOUR * dice.randrange(2, 20) if dice.random() < 0.4 and priority > 1 else None
    return Story(
        created=created,
        fraction=f".{fraction}" if fraction else "",
        due=due,
        priority=priority,
        is_planned=is_planned,
        status=status,
        changed=changed,
        scheduled=scheduled,
    )


def _life(
    created: datetime, due: datetime, epoch: datetime, is_planned: bool, chances: tuple[float, float]
) -> tuple[str, datetime]:
    """The status reached by the epoch, and when."""
    (fate, pace), span = chances, due - created
    accepted, arrived = created + span * (0.02 + 0.1 * pace), created + span * (0.3 + 0.75 * pace)
    left = arrived + HOUR * (1 + 4 * pace)
    stages = [("Accepted", accepted), ("CheckedIn", arrived), ("CheckedOut", left)]
    stages.append(("Verified", left + DAY * (1 + 5 * pace)))
    if fate < 0.03:
        stages = [("Rejected", created + HOUR * 3)]
    elif fate < 0.055:
        stages = [("Accepted", accepted), ("Recalled", created + DAY * (1 + 4 * pace))]
    elif fate < 0.12 and epoch - created < timedelta(days=35):
        stuck = ("Accepted", "Paused", "OnHold", "CheckedIn", "OnHold", "Paused")[int(pace * 6)]
        stages = [("Accepted", accepted), (stuck, arrived)]
    elif fate > 0.95 and is_planned:
        stages.insert(2, ("NeedsCompletionDetails", left - HOUR / 2))
        stages[3:] = [("CheckedOut", left + DAY * 2), ("Verified", left + DAY * (3 + 4 * pace))]
    reached = [("New", created), *(stage for stage in stages if stage[1] <= epoch)]
    status, changed = reached[-1]
    return status, changed.replace(microsecond=created.microsecond)


def is_pre_billed(number: int) -> bool:
    return number % 37 == 0


def written(moment: datetime, fraction: str = "") -> str:
    """As CorrigoPro writes it: UTC with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def fraction_of(moment: datetime, digits: int) -> str:
    """Its fraction of the second with up to that many digits (0 to 7), the trailing zeros dropped."""
    told = f"{moment:%f}7"[:digits].rstrip("0")
    return f".{told}" if told else ""
