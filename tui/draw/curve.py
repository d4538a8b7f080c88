"""A curve of any length, kept as a bounded number of blocks: minimum, maximum and smoothed value of each.

Smoothing happens on the raw points, before they are gathered into blocks, so a curve looks the same however it is
binned. The blocks keep both extremes, so a spike of one step stays visible.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MOST_BLOCKS = 1 << 14


class Blocks(NamedTuple):
    """Arrays of one length, one entry per block of consecutive steps."""

    steps: np.ndarray
    """Last step of the block."""
    low: np.ndarray
    """Smallest finite value; nan when there is none."""
    high: np.ndarray
    """Largest finite value; nan when there is none."""
    bad: np.ndarray
    """Whether any value is nan or infinite."""
    smooth: np.ndarray
    """Smoothed value at the last finite point; nan when there is none."""


class Smoother:
    """Exponential moving average with bias correction: Σ decayᵏ x₋ₖ / Σ decayᵏ over the finite values so far."""

    _BLOCK = 128

    def __init__(self, decay: float) -> None:
        self.decay = decay
        lags = np.arange(self._BLOCK)
        gaps = lags[:, None] - lags[None, :]
        self._kernel = np.where(gaps >= 0, decay ** np.maximum(gaps, 0), 0.0)
        self._fade = decay ** (lags + 1.0)
        self._state = np.zeros(2)

    def extend(self, values: np.ndarray) -> np.ndarray:
        """The averages at the next `values`; nan where the value itself is not finite."""
        finite = np.isfinite(values)
        n, size = len(values), self._BLOCK
        padded = np.zeros((2, -(-n // size) * size))
        padded[0, :n] = np.where(finite, values, 0.0)
        padded[1, :n] = finite
        local = padded.reshape(2, -1, size) @ self._kernel.T
        carried = np.empty(local.shape[:2])
        for block in range(local.shape[1]):
            carried[:, block] = self._state
            last = min(n - block * size, size) - 1
            self._state = local[:, block, last] + self._fade[last] * self._state
        sums = (local + carried[:, :, None] * self._fade).reshape(2, -1)[:, :n]
        return np.where(finite, sums[0] / np.maximum(sums[1], 1e-300), np.nan)


class Curve:
    """One curve that grows at its end."""

    def __init__(self, decay: float) -> None:
        self.points = 0
        """Points so far."""
        self.last = float("nan")
        """The newest value as recorded, nan included."""
        self.smoothed = float("nan")
        """The newest finite smoothed value."""
        self._smoother = Smoother(decay)
        self._size = 1
        self._blocks = _empty(0)
        self._tail = _empty(0)
        self._gathered: Blocks | None = None

    def extend(self, steps: np.ndarray, values: np.ndarray) -> None:
        """Add points; steps must rise."""
        if not len(steps):
            return
        self._gathered = None
        self.points += len(steps)
        self.last = float(values[-1])
        finite = np.isfinite(values)
        smooth = self._smoother.extend(values)
        if finite.any():
            self.smoothed = float(smooth[finite][-1])
        fresh = np.where(finite, values, np.nan).astype(np.float64)
        tail = _join(self._tail, Blocks(np.asarray(steps, np.int64), fresh, fresh, ~finite, smooth))
        while len(self._blocks.steps) + len(tail.steps) // self._size > MOST_BLOCKS:
            self._size *= 2
            self._blocks = _merge(self._blocks, 2)
        whole = len(tail.steps) // self._size * self._size
        self._blocks = _join(self._blocks, _merge(Blocks(*(a[:whole] for a in tail)), self._size))
        self._tail = Blocks(*(a[whole:] for a in tail))

    def blocks(self) -> Blocks:
        """All points, gathered."""
        if self._gathered is None:
            self._gathered = _join(self._blocks, _merge(self._tail, self._size))
        return self._gathered


def _empty(n: int) -> Blocks:
    return Blocks(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(n))


def _join(first: Blocks, second: Blocks) -> Blocks:
    return Blocks(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))


def _merge(blocks: Blocks, size: int) -> Blocks:
    """Every `size` blocks as one; the last one may hold fewer."""
    n = len(blocks.steps)
    if size == 1 or n == 0:
        return blocks
    return reduce_at(blocks, np.arange(0, n, size))


def reduce_at(blocks: Blocks, starts: np.ndarray) -> Blocks:
    """One block for each stretch that begins at an index of `starts` (rising, the first one 0)."""
    n = len(blocks.steps)
    ends = np.append(starts[1:], n) - 1
    # The last finite smoothed value of each stretch: carry indices of finite values forward, then look at the ends.
    finite = np.isfinite(blocks.smooth)
    latest = np.maximum.accumulate(np.where(finite, np.arange(n), -1))[ends]
    smooth = np.where(latest >= starts, blocks.smooth[np.maximum(latest, 0)], np.nan)
    return Blocks(
        blocks.steps[ends],
        np.fmin.reduceat(blocks.low, starts),
        np.fmax.reduceat(blocks.high, starts),
        np.logical_or.reduceat(blocks.bad, starts),
        smooth,
    )
