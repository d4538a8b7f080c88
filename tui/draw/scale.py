"""The y axis of a chart: linear, logarithmic, or logarithmic on both sides of zero (symlog)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.ticks import linear_bounds, linear_ticks, log_bounds, log_ticks, nice

Kind = Literal["log", "linear", "symlog"]
KINDS: tuple[Kind, ...] = ("log", "linear", "symlog")
DECADES = 3
"""Decades that a symlog axis shows on each side of zero before it turns linear."""
CLIPPED = 2.0
"""Per cent of the columns that lie outside on each side when outliers are clipped."""


class Scale(NamedTuple):
    """Bounds and kind of a y axis."""

    low: float
    high: float
    kind: Kind = "linear"

    def rows(self, values: np.ndarray, height: int) -> np.ndarray:
        """Values as rows 0 … height - 1 counted from the bottom, rounded and clipped; nan stays nan."""
        low, high = self._bent(np.array([self.low, self.high]))
        with np.errstate(invalid="ignore", divide="ignore"):
            at = (self._bent(values) - low) / (high - low) * (height - 1)
        return np.asarray(np.clip(np.rint(at), 0, height - 1))

    def ticks(self, most: int) -> list[float]:
        """At most `most` round numbers within the bounds."""
        if self.kind == "log":
            return log_ticks(self.low, self.high, most)
        if self.kind == "linear":
            return linear_ticks(self.low, self.high, most)
        decades = [self._turn * 10**i for i in range(DECADES + 1)]
        found = [-v for v in reversed(decades) if -v >= self.low] + [0.0] + [v for v in decades if v <= self.high]
        return [0.0] if len(found) > most and most < 3 else found[:: max(1, -(-len(found) // max(most, 1)))]

    @property
    def _turn(self) -> float:
        """Where a symlog axis turns linear."""
        return max(abs(self.low), abs(self.high)) / 10.0**DECADES

    def _bent(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.kind == "log":
                return np.asarray(np.log(values))
            if self.kind == "symlog":
                return np.asarray(np.arcsinh(values / self._turn / 2))
        return values


def scale_for(curves: Sequence[Binned], kind: Kind, clip: bool = False) -> Scale | None:
    """A scale that holds all the curves, or all but their outliers; None without finite values; linear instead of
    logarithmic when a value is not positive."""
    lows = np.concatenate([b.low[np.isfinite(b.low)] for b in curves]) if curves else np.empty(0)
    highs = np.concatenate([b.high[np.isfinite(b.high)] for b in curves]) if curves else np.empty(0)
    if not len(lows):
        return None
    low, high = float(lows.min()), float(highs.max())
    if clip:
        low, high = float(np.percentile(lows, CLIPPED)), float(np.percentile(highs, 100 - CLIPPED))
    if kind == "log" and low > 0:
        return Scale(*log_bounds(low, high), kind="log")
    if kind == "symlog" and (low < 0 or high > 0):
        size = max(abs(low), abs(high))
        top = nice(size) if not math.isclose(nice(size), size) else size
        return Scale(-top if low < 0 else 0.0, top if high > 0 else 0.0, kind="symlog")
    return Scale(*linear_bounds(low, high))
