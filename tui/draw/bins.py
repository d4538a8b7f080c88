"""A curve gathered into the bins of an x axis: smallest, largest and smoothed value of each.

Smoothing happens on the raw points, before they are gathered, so a curve looks the same however far it is zoomed. The
bins keep both extremes, so a spike of one step stays visible. S is a number of curves, N one of points.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from laddertop.tui.draw.axis import BINS, XAxis


class Binned(NamedTuple):
    """Arrays with one entry per bin in their last axis."""

    low: np.ndarray
    """Smallest finite value; nan when there is none."""
    high: np.ndarray
    """Largest finite value; nan when there is none."""
    bad: np.ndarray
    """Whether any value is nan or infinite."""
    smooth: np.ndarray
    """Smoothed value at the last point; nan when no point of the bin is finite."""
    filled: np.ndarray
    """Whether there is any point."""

    def of(self, curve: int) -> Binned:
        """One curve of several."""
        return Binned(*(array[curve] for array in self))

    def columns(self, count: int) -> Binned:
        """The same gathered into `count` columns."""
        if count >= BINS:
            return Binned(*(array[..., np.arange(count) * BINS // count] for array in self))
        starts = -(-np.arange(count) * BINS // count)
        # The last smoothed value of each column: carry indices forward, then look at the ends.
        finite = np.isfinite(self.smooth)
        ends = np.append(starts[1:], BINS) - 1
        latest = np.maximum.accumulate(np.where(finite, np.arange(BINS), -1), axis=-1)[..., ends]
        taken = np.take_along_axis(self.smooth, np.maximum(latest, 0), -1)
        return Binned(
            np.fmin.reduceat(self.low, starts, axis=-1),
            np.fmax.reduceat(self.high, starts, axis=-1),
            np.logical_or.reduceat(self.bad, starts, axis=-1),
            np.where(latest >= starts, taken, np.nan),
            np.logical_or.reduceat(self.filled, starts, axis=-1),
        )


def empty_bins(*shape: int) -> Binned:
    """No points at all, for as many curves as `shape` says."""
    size = (*shape, BINS)
    nothing = [np.full(size, np.nan) for _ in range(3)]
    return Binned(nothing[0], nothing[1], np.zeros(size, bool), nothing[2], np.zeros(size, bool))


def of_points(axis: XAxis, x: np.ndarray, values: np.ndarray) -> Binned:
    """Few points [N], such as evaluations, unsmoothed."""
    bins = empty_bins()
    at = axis.bins(x)
    for bin_, value in zip(at.tolist(), values.tolist(), strict=True):
        if bin_ < 0:
            continue
        bins.filled[bin_] = True
        if np.isfinite(value):
            bins.low[bin_] = np.fmin(bins.low[bin_], value)
            bins.high[bin_] = np.fmax(bins.high[bin_], value)
            bins.smooth[bin_] = value
        else:
            bins.bad[bin_] = True
    return bins


class Average:
    """Exponential moving average with bias correction: Σ decayᵏ x₋ₖ / Σ decayᵏ over the finite values so far, k counted
    in points."""

    def __init__(self, decay: float, curves: int) -> None:
        self.decay = decay
        self._sums = np.zeros((2, curves))

    def at_ends(self, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """The averages [S, stretches] at the end of each stretch of the next points `values` [N, S], where a stretch
        begins at each index of `starts` (rising, the first one 0)."""
        n = len(values)
        if not n:
            return np.empty((values.shape[1], 0))
        ends = np.append(starts[1:], n)
        lengths = ends - starts
        fade = self.decay ** (np.repeat(ends, lengths) - 1.0 - np.arange(n))
        finite = np.isfinite(values)
        own = np.stack(
            [
                np.add.reduceat(np.where(finite, values, 0) * fade[:, None], starts, axis=0),
                np.add.reduceat(finite * fade[:, None], starts, axis=0),
            ],
            1,
        )
        out = np.empty_like(own)
        for i, kept in enumerate((self.decay**lengths).tolist()):
            self._sums = own[i] + kept * self._sums
            out[i] = self._sums
        return np.asarray(ratio(out[:, 0], out[:, 1]).T)

    def now(self) -> np.ndarray:
        """The averages [S] at the newest point; nan before the first finite one."""
        return ratio(*self._sums)


def ratio(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sums divided by weights; nan where nothing weighs anything."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(weights > 0, sums / weights, np.nan))
