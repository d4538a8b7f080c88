"""The x axis that all charts of a screen share: an interval of steps or seconds, its bins, its ticks.

It moves seldom, so that a new point touches one column of a chart and not every cell: a whole run's axis covers the
planned steps, or a half, a quarter … of them; one that follows the end moves on by a quarter of its width.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from laddertop.tui.draw.numbers import tick
from laddertop.tui.draw.ticks import linear_ticks, log_ticks, nice

BINS = 512
"""Bins of every axis: more than a chart has columns of dots on all but the widest screens."""

Unit = Literal["step", "epoch", "time"]
UNITS: tuple[Unit, ...] = ("step", "epoch", "time")
_CLOCK = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, 86400)
"""Seconds between two ticks of a wall time axis below a day."""


class XAxis(NamedTuple):
    """The interval first … last, in steps for the units step and epoch, else in seconds since the run's first start."""

    first: float
    last: float
    unit: Unit = "step"
    log: bool = False
    per: float = 1.0
    """Steps of an epoch."""

    def fractions(self, x: np.ndarray | float) -> np.ndarray:
        """Positions as shares of the axis: 0 its first end, 1 its last; nan for what a log axis can't show."""
        at = np.asarray(x, float)
        if not self.log:
            return np.asarray((at - self.first) / (self.last - self.first))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(at / self.first) / math.log(self.last / self.first))

    def bins(self, x: np.ndarray) -> np.ndarray:
        """The bin of every position, -1 for those beyond the axis."""
        share = self.fractions(x)
        inside = (share >= 0) & (share <= 1)
        return np.where(inside, np.minimum(np.where(inside, share, 0) * BINS, BINS - 1), -1).astype(np.int64)

    def place(self, x: float, columns: int) -> int | None:
        """The column of a position among `columns`; None when it lies beyond the axis."""
        share = float(self.fractions(x))
        return min(int(share * columns), columns - 1) if 0 <= share <= 1 else None

    def at(self, share: float) -> float:
        """The position at a share of the axis."""
        if self.log:
            return float(self.first * (self.last / self.first) ** share)
        return self.first + share * (self.last - self.first)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """At most `most` positions with their labels."""
        if self.unit == "time":
            return _clock_ticks(self.first, self.last, most)
        scale = self.per if self.unit == "epoch" else 1.0
        low, high = self.first / scale, self.last / scale
        values = log_ticks(low, high, most) if self.log else linear_ticks(low, high, most)
        return [(value * scale, tick(value)) for value in values]


def _clock_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    wanted = (high - low) / max(most, 1)
    step = next((s for s in _CLOCK if s >= wanted), 86400 * nice(max(wanted / 86400, 1)))
    return [
        (i * step, clock(i * step)) for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ]


def clock(seconds: float) -> str:
    """A time since the start in few columns: 0, 45s, 2:30, 1h, 1h05, 3d, 3d12h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s" if whole else "0"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 86400:
        return f"{whole // 3600}h" + (f"{whole % 3600 // 60:02d}" if whole % 3600 >= 60 else "")
    return f"{whole // 86400}d" + (f"{whole % 86400 // 3600}h" if whole % 86400 >= 3600 else "")
