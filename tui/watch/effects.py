"""What an intervention did: each term of the cost in equal windows of steps before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from laddertop.journal.events import Commanded, Event, RunEnded, RunStarted
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.draw.numbers import number, setting

WINDOW = 200
"""Steps of a window; fewer where another intervention, a start or the end is nearer."""
FEWEST = 10
"""Steps below which nothing is said."""


class Spread(NamedTuple):
    """Mean and standard deviation of the finite values of a window."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Effect:
    """Before and after one intervention."""

    command: str
    """Id of its command."""
    window: int
    """Steps of each window; 0 when there are too few to say anything."""
    before: dict[str, Spread]
    """By column: the total and the terms."""
    after: dict[str, Spread]


class _Deed(NamedTuple):
    segment: int
    step: int
    command: str


class Effects:
    """Measures interventions once enough steps have followed them."""

    def __init__(self, reader: MetricsReader) -> None:
        self._reader = reader
        self._deeds: list[_Deed] = []
        self._measured = 0
        self._segment = 0
        self._names: list[str] = []
        self._ended = False

    def take(self, event: Event) -> None:
        """Take up an event."""
        match event:
            case RunStarted():
                self._segment, self._ended = event.segment, False
                self._names = ["total", *(term.name for term in event.terms)]
            case Commanded(outcome="applied") if event.changes:
                self._deeds.append(_Deed(self._segment, event.step, event.id))
            case RunEnded():
                self._ended = True

    def measured(self, alive: bool) -> list[Effect]:
        """The effects that can be told by now and were not told before, oldest first."""
        found = []
        while self._measured < len(self._deeds):
            effect = self._measure(self._measured, alive)
            if effect is None:
                break
            found.append(effect)
            self._measured += 1
        return found

    def _measure(self, at: int, alive: bool) -> Effect | None:
        deed = self._deeds[at]
        # Commands that were applied at one step have one effect.
        same = [d.segment == deed.segment for d in self._deeds]
        before = [d.step for d, s in zip(self._deeds[:at], same, strict=False) if s and d.step < deed.step]
        after = [d.step for d, s in zip(self._deeds[at:], same[at:], strict=True) if s and d.step > deed.step]
        first, newest = self._reader.span(deed.segment)
        over = deed.segment < self._segment or self._ended or not alive
        until = min([*after[:1], deed.step + WINDOW])
        if newest < until and not over:
            return None
        window = min(deed.step - max([*before[-1:], first - 1]), min(until, newest) - deed.step)
        if window < FEWEST or first == 0:
            return Effect(deed.command, 0, {}, {})
        return Effect(
            deed.command,
            window,
            self._spreads(deed.segment, deed.step - window + 1, deed.step),
            self._spreads(deed.segment, deed.step + 1, deed.step + window),
        )

    def _spreads(self, segment: int, first: int, last: int) -> dict[str, Spread]:
        records = self._reader.between(segment, first, last)
        names = [column.name for column in self._reader.columns]
        spreads = {}
        for name in self._names:
            if name in names:
                values = records["values"][:, names.index(name)].astype(np.float64)
                values = values[np.isfinite(values)]
                if len(values):
                    spreads[name] = Spread(float(values.mean()), float(values.std()))
        return spreads


def before_after(effect: Effect, name: str) -> str:
    """One column before and after: 187±3 → 130±2; empty when it is not known on both sides."""
    if name not in effect.before or name not in effect.after:
        return ""
    (mean, sd), (later, later_sd) = effect.before[name], effect.after[name]
    return f"{number(mean)}±{_short(sd)} → {number(later)}±{_short(later_sd)}"


def _short(sd: float) -> str:
    """Two significant digits."""
    return setting(float(f"{sd:.2g}"))


def moved_most(effect: Effect) -> list[str]:
    """The terms that moved, in units of their own spread, the most moved first; the total is none of them."""
    moves = {}
    for name, (mean, sd) in effect.before.items():
        if name != "total" and name in effect.after:
            spread = float(np.hypot(sd, effect.after[name].sd)) or 1e-12
            moves[name] = abs(effect.after[name].mean - mean) / spread
    return sorted(moves, key=lambda name: -moves[name])
