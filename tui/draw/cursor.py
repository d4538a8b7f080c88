"""Where on its charts one looks, by key or by mouse: the nearest position that holds a step, and the values there."""

from __future__ import annotations

import math

import numpy as np

from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.numbers import number


def nearest(axis: XAxis, positions: np.ndarray, share: float) -> float | None:
    """Of the positions [N] that hold a step the one nearest to a share of the axis; None where there is none."""
    shares = axis.fractions(positions)
    inside = (shares >= 0) & (shares <= 1)
    if not inside.any():
        return None
    return float(positions[int(np.where(inside, np.abs(shares - share), np.inf).argmin())])


def moved(axis: XAxis, positions: np.ndarray, cursor: float | None, by: int, columns: int) -> float | None:
    """Where a cursor stands on the positions [N, rising] after going some of `columns` to the right: always on another
    position, if there is one; without a cursor on the last. None where no position holds a step."""
    if not len(positions) or cursor is None:
        return float(positions[-1]) if len(positions) else None
    # A key moves it by a column, not by a bin that nobody can tell from the next one.
    share = float(axis.fractions(cursor)) + by / columns
    at = int(np.abs(axis.fractions(positions) - share).argmin())
    if positions[at] == cursor:
        at = min(max(at + (by > 0) - (by < 0), 0), len(positions) - 1)
    return float(positions[at])


def reading(curve: Binned, at: int) -> str:
    """The values of a bin: raw, as a range where it holds several steps, and smoothed; empty where it holds none."""
    low, high, smooth = (float(array[at]) for array in (curve.low, curve.high, curve.smooth))
    if math.isnan(low) and not curve.bad[at]:
        return ""
    raw = number(low) if low == high or math.isnan(low) else f"{number(low)} … {number(high)}"
    return raw if smooth == low == high else f"{raw} ~ {number(smooth)}"
