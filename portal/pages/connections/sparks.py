"""The small chart of a stream's last runs: a bar a run, as high as what it brought, in SVG with words beside it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from integrations.sync.models import RunState
from portal.pages.connections.states import OUTCOMES, outcome_key

_HEIGHT, _WIDTH, _STEP, _LEAST = 24, 5, 7, 3
_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A run that was, as far as a bar needs it."""

    state: str
    code: str
    found: int
    rejected: int
    needs_a_person: bool

    @property
    def key(self) -> str:
        return outcome_key(
            state=self.state,
            code=self.code,
            found=self.found,
            rejected=self.rejected,
            needs_a_person=self.needs_a_person,
        )

    @property
    def is_open(self) -> bool:
        return self.state in {RunState.QUEUED, RunState.RUNNING, RunState.WAITING}

    @property
    def is_empty(self) -> bool:
        return self.key == "nothing"

    @property
    def is_trouble(self) -> bool:
        return self.state == RunState.FAILED

    @property
    def badge(self) -> str:
        return OUTCOMES[self.key].badge


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    x: int
    y: int
    height: int
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    bars: tuple[Bar, ...]
    words: str

    width = _SHOWN * _STEP - (_STEP - _WIDTH)
    height = _HEIGHT
    bar_width = _WIDTH


def spark_of(runs: Sequence[Past]) -> Spark:
    """Oldest at the left; the newest always ends at the right edge. Heights are logarithmic."""
    runs = runs[-_SHOWN:]
    most = max((_size(run.found) for run in runs), default=0)
    offset = (_SHOWN - len(runs)) * _STEP
    bars = tuple(_bar(run, offset + place * _STEP, most) for place, run in enumerate(runs))
    return Spark(bars=bars, words=_words(runs))


def _bar(run: Past, x: int, most: float) -> Bar:
    share = _size(run.found) / most if most else 0
    mark = OUTCOMES[run.key].mark
    least = _HEIGHT // 3 if mark else _LEAST
    height = max(round(share * _HEIGHT), least)
    return Bar(x=x, y=_HEIGHT - height, height=height, mark=mark)


def _size(found: int) -> float:
    return math.log10(found + 1)


def _words(runs: Sequence[Past]) -> str:
    """ "Last 20 syncs: 18 complete, 1 nothing new, 1 not completed"."""
    if not runs:
        return "Not synced yet"
    kinds = Counter(OUTCOMES[run.key].badge.partition(",")[0].lower() for run in runs)
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common())
    return f"Last {len(runs)} syncs: {told}" if len(runs) > 1 else f"Last sync: {told.removeprefix('1 ')}"
