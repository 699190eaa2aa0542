"""Charts as numbers: what a server-rendered SVG needs to be drawn. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH, HEIGHT = 640, 190
_LEFT, _TOP, _BOTTOM = 46, 10, 26  # room for the words at the axes
_BAR = 48
_GAP = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What was billed in a month, and how much of that is still owed."""

    label: str
    billed: Decimal
    outstanding: Decimal

    @property
    def paid(self) -> Decimal:
        return max(self.billed - self.outstanding, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rectangle; without height it is not drawn."""

    css: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    label: str
    x: float
    middle: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line across, with the amount it stands for."""

    y: float
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    months: tuple[Month, ...]
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]

    @property
    def is_empty(self) -> bool:
        return not any(month.billed for month in self.months)


def stacked(months: Sequence[Month]) -> Chart:
    """One bar a month: what is paid at the foot, what is outstanding on top."""
    top = _round_up(max((max(month.billed, month.outstanding) for month in months), default=Decimal(0)))
    step = (WIDTH - _LEFT) / max(len(months), 1)
    bars = []
    for number, month in enumerate(months):
        middle = _LEFT + step * (number + 0.5)
        paid, due = _length(month.paid, top), _length(month.outstanding, top)
        gap = _GAP if paid and due > _GAP else 0
        parts = (
            Part(css="paid", y=_foot() - paid, height=paid),
            Part(css="due", y=_foot() - paid - due, height=due - gap),
        )
        bars.append(
            Bar(
                label=month.label,
                x=round(middle - _BAR / 2, 1),
                middle=round(middle, 1),
                parts=tuple(part for part in parts if part.height > 0),
            )
        )
    lines = (Decimal(0), top / 2, top) if top else (Decimal(0),)
    return Chart(
        months=tuple(months),
        bars=tuple(bars),
        lines=tuple(Line(y=_foot() - _length(amount, top), amount=amount) for amount in lines),
    )


def _foot() -> float:
    return HEIGHT - _BOTTOM


def _length(amount: Decimal, top: Decimal) -> float:
    if not top or amount <= 0:
        return 0
    return round(float(amount / top) * (HEIGHT - _BOTTOM - _TOP), 1)


def _round_up(amount: Decimal) -> Decimal:
    """To 1, 2, 4, 5 or 8 times a power of ten, so that the lines stand at round amounts."""
    if amount <= 0:
        return Decimal(0)
    power = Decimal(10) ** amount.adjusted()
    return next(power * factor for factor in (1, 2, 4, 5, 8, 10) if power * factor >= amount)
