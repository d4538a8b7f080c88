"""The y axis of a chart: linear, logarithmic, or logarithmic on both sides of zero (symlog)."""

from __future__ import annotations

import contextlib
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
Part = Literal["settled", "whole", "clipped"]
PARTS: tuple[Part, ...] = ("settled", "whole", "clipped")
"""Which values an axis has to hold: all but the first steps, where these take much of it; every one; or all but the
outliers."""
Bounds = tuple[float, float]
"""The lowest and the highest value of an axis, where somebody has set them."""
CLIPPED = 2.0
"""Per cent of the columns that lie outside on each side when outliers are clipped."""
EARLY = 0.05
"""Share of a curve's bins that may be left out at its beginning."""
FEWEST = 40
"""Bins that a curve must have for that."""
WORTH = 0.6
"""What is left out must leave no more than this share of the axis."""
NOUGHT = 1e-3
"""Of the largest value: negative ones that are smaller come from rounding; the axis does not go below 0 for them."""
DEEPEST = 1e-6
"""Of the largest value: the lowest end of a logarithmic axis; what is below stands at its foot."""


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
        every = [*(-v for v in reversed(decades)), 0.0, *decades]
        found = [value for value in every if self.low <= value <= self.high]
        return [0.0] if len(found) > most and most < 3 else found[:: max(1, -(-len(found) // max(most, 1)))]

    @property
    def _turn(self) -> float:
        """Where a symlog axis turns linear."""
        return max(abs(self.low), abs(self.high)) / 10.0**DECADES

    def _bent(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.kind == "log":
                # What is not positive stands at the foot of the axis.
                return np.asarray(np.log(np.maximum(values, self.low)))
            if self.kind == "symlog":
                return np.asarray(np.arcsinh(values / self._turn / 2))
        return values


def scale_for(
    curves: Sequence[Binned], kind: Kind, part: Part = "settled", bounds: Bounds | None = None
) -> Scale | None:
    """A scale that holds the curves, or a part of them, or what lies within given bounds; None without finite values;
    linear instead of logarithmic when values are negative beyond rounding, or none is positive."""
    whole = _scale(curves, kind, part == "clipped")
    if whole is not None and bounds is not None:
        return Scale(*bounds, kind="linear" if kind == "log" and bounds[0] <= 0 else kind)
    if part != "settled" or whole is None:
        return whole
    later = _scale([_without(curve, early_bins(curve)) for curve in curves], kind, False)
    return later if later is not None and _worth(whole, later) else whole


def bounds_of(text: str) -> Bounds | None:
    """The bounds of an axis as they are typed, `0.1 2`; None for auto and for nothing. Raises ValueError for others."""
    words = text.replace(",", " ").replace("…", " ").split()
    if words in ([], ["auto"]):
        return None
    with contextlib.suppress(ValueError):  # of what is no number, or not two
        low, high = map(float, words)
        if -math.inf < low < high < math.inf:
            return low, high
    raise ValueError(f"two numbers, the smaller first, such as 0.1 2, or auto; not {text.strip()!r}")


def left_out(curves: Sequence[Binned], kind: Kind) -> bool:
    """Whether a scale of the settled part leaves out the first steps."""
    return scale_for(curves, kind) != scale_for(curves, kind, "whole")


def early_bins(curve: Binned) -> int:
    """The bin at which the settled part of a curve begins; 0 where it is too short to tell."""
    filled = np.flatnonzero(curve.filled)
    return int(filled[int(EARLY * len(filled))]) if len(filled) >= FEWEST else 0


def _without(curve: Binned, bins: int) -> Binned:
    there = np.arange(curve.low.shape[0]) >= bins
    return curve._replace(low=np.where(there, curve.low, np.nan), high=np.where(there, curve.high, np.nan))


def _worth(whole: Scale, later: Scale) -> bool:
    """Whether the settled part is so small on the whole axis that it is better off with one of its own."""
    if whole.kind != later.kind:
        return False
    low, high, bottom, top = whole._bent(np.array([later.low, later.high, whole.low, whole.high])).tolist()
    return bool(high - low < WORTH * (top - bottom))


def _scale(curves: Sequence[Binned], kind: Kind, clip: bool) -> Scale | None:
    lows = np.concatenate([b.low[np.isfinite(b.low)] for b in curves]) if curves else np.empty(0)
    highs = np.concatenate([b.high[np.isfinite(b.high)] for b in curves]) if curves else np.empty(0)
    if not len(lows):
        return None
    low, high = float(lows.min()), float(highs.max())
    if clip:
        low, high = float(np.percentile(lows, CLIPPED)), float(np.percentile(highs, 100 - CLIPPED))
    if -NOUGHT * high <= low < 0:
        low = 0.0
    if kind == "log" and high > 0 and low >= 0:
        positive = np.concatenate([lows[lows > 0], highs[highs > 0]])
        low = max(low or float(positive.min()), high * DEEPEST)
        return Scale(*log_bounds(min(low, high), high), kind="log")
    if kind == "symlog" and (low < 0 or high > 0):
        size = max(abs(low), abs(high))
        top = nice(size) if not math.isclose(nice(size), size) else size
        return Scale(-top if low < 0 else 0.0, top if high > 0 else 0.0, kind="symlog")
    return Scale(*linear_bounds(low, high))
