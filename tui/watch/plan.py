"""What a knob will do by itself from the present step on: its course, the warm-up, the fall of the learning rate.

These are functions of the step alone, so what is drawn ahead is what the engine will use, unless somebody turns a knob.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from laddertop.journal.courses import Course, course_in
from laddertop.journal.schedules import WARMED, Fall
from laddertop.tui.draw.axis import BINS, XAxis
from laddertop.tui.draw.bins import Binned, empty_bins
from laddertop.tui.watch.run_view import RunView

PER_BIN = 4
"""Steps of each bin that are looked at: what goes up and down within one is drawn as a range."""


class Plan(NamedTuple):
    """The values of a knob at steps that are still to come."""

    binned: Binned
    steps: np.ndarray
    """The last step of each bin that is planned; 0 where there is none."""


def planned(view: RunView, name: str) -> Plan | None:
    """What a knob will do on the axis of the charts; None where it stays as it is, or where nobody can say: on an axis
    of wall time, in a loop of the user's own, and while a stage of the training rests it."""
    axis = view.curves.wanted.axis
    if name not in view.state.knobs or axis.unit == "time" or not view.spec.model.ours:
        return None
    moves = _moves(view, name)
    last = min(max(moves.ends(view.step), default=0.0), view.state.end)
    if last <= max(view.step, axis.first):
        return None
    turned = any(command.step >= view.step for command in view.state.commands[-1:])
    if not turned and view.latest.get(name) == 0 != moves.at(view.step):
        return None
    steps = _positions(axis)
    wanted = (steps > view.step) & (steps <= last) & (axis.bins(steps) >= 0)
    return _binned(axis, steps[wanted], moves.along(axis)[wanted]) if wanted.any() else None


def reach(view: RunView, name: str) -> int:
    """The step at which a knob has come to the end of its course and of the warm-up; 0 where it has, or has none."""
    if view.curves.wanted.axis.unit == "time" or name not in view.state.knobs or not view.spec.model.ours:
        return 0
    ends = [end for end in _moves(view, name).ends(view.step) if end < math.inf]
    return min(round(max(ends, default=0)), view.state.end)


class _WarmUp(NamedTuple):
    """A warm-up on its way."""

    begins: float
    """Steps completed when it begins to rise from 0."""
    steps: float

    def at(self, steps: np.ndarray) -> np.ndarray:
        """The factor after some completed steps."""
        return np.clip((steps - self.begins) / self.steps, 0.0, 1.0)


class _Moves(NamedTuple):
    """What acts on a knob: all of it multiplies. Steps are counted as in the metrics, each with itself completed."""

    value: float
    course: Course | None
    warmup: _WarmUp | None
    fall: Fall | None

    def at(self, step: int) -> float:
        """The value in one step."""
        value = self.value if self.course is None else self.value * self.course.at(step - 1)
        value *= 1.0 if self.warmup is None else float(self.warmup.at(np.array(step - 1)))
        return value if self.fall is None else value * self.fall.at(step - 1)

    def along(self, axis: XAxis) -> np.ndarray:
        """The values all along an axis."""
        steps = _positions(axis)
        values = np.full(len(steps), self.value)
        for way in (self.course, self.fall):
            values *= 1.0 if way is None else _along(way, axis)
        return values if self.warmup is None else values * self.warmup.at(steps - 1)

    def ends(self, step: int) -> list[float]:
        """The last step of each of them that still moves after a present one; infinity: as long as the run goes."""
        ends: list[float] = []
        if self.course is not None and not self.course.over(step):
            ends.append(math.inf if self.course.shape == "cyclical" else self.course.first + self.course.steps + 1)
        if self.warmup is not None:
            ends.append(math.ceil(self.warmup.begins + self.warmup.steps) + 1)
        if self.fall is not None and self.fall.at(step) != self.fall.at(self.fall.steps - 1):
            ends.append(math.inf)
        return ends


def _moves(view: RunView, name: str) -> _Moves:
    knobs, started = view.state.knobs, view.state.started
    knob, warmed = knobs[name], name == "warmup" or name.startswith(WARMED[view.spec.warmup.of])
    factor = knobs["noise"].value if name.startswith("noise.") and "noise" in knobs else 1.0
    course = course_in(knob.course) if knob.course else None
    return _Moves(
        factor if course is not None else 1.0 if name == "warmup" else factor * knob.value,
        course,
        _warmup(view) if warmed else None,
        Fall.of(view.spec.optimizer, started.epoch_steps, started.steps) if started and name == "lr" else None,
    )


def _warmup(view: RunView) -> _WarmUp | None:
    """The warm-up, where it is on its way."""
    set_to = {name: knob.value for name, knob in view.state.knobs.items() if name.startswith("warmup")}
    if not set_to.get("warmup") or set_to.get("warmup.hold"):
        return None
    turns = [c.step for c in view.state.interventions() if any(change.knob == "warmup" for change in c.changes)]
    begun, steps = turns[-1] if turns else 0, set_to["warmup.steps"]
    now = view.latest.get("warmup", 0.0) if view.step > begun else 0.0
    if now >= 1:
        return None
    return _WarmUp(view.step - 1 - now * steps if now else begun + set_to.get("warmup.after", 0.0), steps)


@lru_cache(8)
def _positions(axis: XAxis) -> np.ndarray:
    """Whole steps all over an axis, some of each bin."""
    shares = (np.arange(BINS * PER_BIN) + 0.5) / (BINS * PER_BIN)
    return np.unique(np.rint([*map(axis.at, shares.tolist()), axis.last]))


@lru_cache(32)
def _along(way: Course | Fall, axis: XAxis) -> np.ndarray:
    """The values of a course, or of the fall of the learning rate, in every step of `_positions`."""
    return np.array([way.at(int(step) - 1) for step in _positions(axis)])


def _binned(axis: XAxis, steps: np.ndarray, values: np.ndarray) -> Plan:
    at = axis.bins(steps)
    starts = np.flatnonzero(np.diff(at, prepend=-2))
    ends = np.append(starts[1:], len(at)) - 1
    own, bins, last = at[starts], empty_bins(), np.zeros(BINS, np.int64)
    bins.low[own], bins.high[own] = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    bins.smooth[own], bins.filled[own], last[own] = values[ends], True, steps[ends]
    return Plan(bins, last)
