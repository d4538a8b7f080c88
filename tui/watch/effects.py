"""What an intervention did: each term of the cost in equal windows of steps before and after it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
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
    """Mean and standard deviation of the values of a window; both NaN where one of them is not finite."""

    mean: float
    sd: float


class Spreads(Mapping[str, Spread]):
    """The spread of each column; kept for every intervention of a run, so as numbers in a row, not as objects."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...] = (), values: array[float] | None = None) -> None:
        """`values` are mean and standard deviation of the first column, then those of the second, …"""
        self._names, self._values = names, values or array("d")

    def __getitem__(self, name: str) -> Spread:
        try:
            at = 2 * self._names.index(name)
        except ValueError:
            raise KeyError(name) from None
        return Spread(self._values[at], self._values[at + 1])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, slots=True)
class Effect:
    """Before and after one intervention."""

    command: str
    """Id of its command."""
    window: int
    """Steps of each window; 0 when there are too few to say anything."""
    before: Spreads
    """By column: the total and the terms."""
    after: Spreads
    objective: bool = False
    """Whether it changed what the total is made of: a warm-up was switched, or a term got another weight."""


class _Deed(NamedTuple):
    segment: int
    step: int
    command: str
    objective: bool


class Effects:
    """Measures interventions once enough steps have followed them."""

    def __init__(self, reader: MetricsReader) -> None:
        self._reader = reader
        self._deeds: list[_Deed] = []
        self._measured = 0
        self._segment = 0
        self._names: list[str] = []
        self._told: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._weights: set[str | None] = set()
        self._ended = False

    def take(self, event: Event) -> None:
        """Take up an event."""
        match event:
            case RunStarted():
                self._segment, self._ended = event.segment, False
                self._names = ["total", *(term.name for term in event.terms)]
                self._weights = {"warmup", *(term.weight for term in event.terms)}
            case Commanded(outcome="applied") if event.changes:
                objective = any(change.knob in self._weights for change in event.changes)
                self._deeds.append(_Deed(self._segment, event.step, event.id, objective))
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
            return Effect(deed.command, 0, Spreads(), Spreads())
        return Effect(
            deed.command,
            window,
            self._spreads(deed.segment, deed.step - window + 1, deed.step),
            self._spreads(deed.segment, deed.step + 1, deed.step + window),
            any(d.objective for d, s in zip(self._deeds, same, strict=True) if s and d.step == deed.step),
        )

    def _spreads(self, segment: int, first: int, last: int) -> Spreads:
        records = self._reader.between(segment, first, last)
        names = [column.name for column in self._reader.columns]
        values = {
            name: records["values"][:, names.index(name)].astype(np.float64) for name in self._names if name in names
        }
        # A term that rests in a stage of the training is not computed: only where the total is no number either has
        # the training lost it.
        lost = ~np.isfinite(values["total"]) if "total" in values else np.zeros(len(records), bool)
        spreads, told = array("d"), []
        for name, column in values.items():
            known = column[np.isfinite(column) | lost]
            if len(known):
                told.append(name)
                finite = bool(np.isfinite(known).all())
                spreads.extend((float(known.mean()), float(known.std())) if finite else (np.nan, np.nan))
        # One tuple of names for all interventions that told of the same columns.
        return Spreads(self._told.setdefault(tuple(told), tuple(told)), spreads)


def before_after(effect: Effect, name: str) -> str:
    """One column before and after: 187±3 → 130±2, 24.7±0.4 → not finite; empty when it is not known on both sides."""
    if name not in effect.before or name not in effect.after:
        return ""
    return f"{_in_words(effect.before[name])} → {_in_words(effect.after[name])}"


def _in_words(spread: Spread) -> str:
    return f"{number(spread.mean)}±{_short(spread.sd)}" if np.isfinite(spread.mean) else "not finite"


def _short(sd: float) -> str:
    """Two significant digits."""
    return setting(float(f"{sd:.2g}"))


def moved_most(effect: Effect) -> list[str]:
    """The terms that moved, in units of their own spread, the most moved first; the total is none of them."""
    moves = {}
    for name, (mean, sd) in effect.before.items():
        if name != "total" and name in effect.after:
            later = effect.after[name]
            spread = float(np.hypot(sd, later.sd)) or 1e-12
            moved = abs(later.mean - mean) / spread
            # What was finite and is not any more has moved most; what was not, says nothing.
            moves[name] = moved if np.isfinite(moved) else np.inf if np.isfinite(mean) else 0.0
    return sorted(moves, key=lambda name: -moves[name])
