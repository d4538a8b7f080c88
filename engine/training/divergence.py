"""Whether a training has diverged: its cost is not finite, or a thousand times what it was.

The cost is compared at the weights of now, as medians over some steps: neither one wild batch nor a warm-up that raises
the weight of a term is a divergence. Nor is a cost that is no higher than that of the untrained model.

Shape letters: N steps, K columns of the metrics, B blocks of steps, T terms that are part of the total.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from laddertop.journal.events import Term
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState

BLOCK = 20
"""Steps whose median counts as one cost."""
TIMES = 1000
"""A cost this many times the lowest one has diverged."""
REMEMBERED = 2000
"""Steps that are looked back over for where a divergence began."""

Numbers = npt.NDArray[np.float64]


class Divergence:
    """Follows the cost of one start of a run."""

    def __init__(self, names: list[str], terms: list[Term], step: int, weights_finite: Callable[[], bool]) -> None:
        """`names` are those of the columns, `step` is where the start begins; `weights_finite` asks the device."""
        counted = [term for term in terms if not term.watched]
        self._raw = [names.index(term.name) for term in counted]
        self._weights = [names.index(term.weight) if term.weight else -1 for term in counted]
        self._total = names.index("total")
        self._weights_finite = weights_finite
        self._recent: npt.NDArray[np.float32] = np.empty((0, len(names)), np.float32)
        self._first = np.full(len(counted), np.nan)
        self._lowest = np.full(len(counted), np.nan)
        self.diverged = False
        """Whether the cost has diverged and is not back."""
        self.finite = True
        """Whether the newest cost is finite."""
        self.sound_until = step
        """The last step whose weights had a sound cost, where it diverged."""

    def look(self, steps: list[int], values: npt.NDArray[np.float32]) -> None:
        """Takes up what the steps that completed `steps` [N] recorded, `values` [N, K]."""
        self._recent = np.concatenate([self._recent, values])[-REMEMBERED:]
        raw = self._raw_costs(self._recent)
        self._learn(raw, max(1, len(steps) // BLOCK))
        weights = np.where(np.array(self._weights) < 0, 1.0, values[-1, self._weights].astype(np.float64))
        self.finite = bool(np.isfinite(values[-1, self._total])) or self._weights_finite()
        cost = float(_cost(_median(raw[-BLOCK:], 0), weights)) if self.finite else np.inf
        lowest, first = (float(_cost(np.nan_to_num(np.abs(one)), weights)) for one in (self._lowest, self._first))
        limit = max(TIMES * lowest, 2 * first)
        if self.diverged:
            self.diverged = not cost <= limit / 10
        elif cost > limit:
            self.diverged = True
            costs = _cost(raw, weights)
            sound = np.flatnonzero(costs <= min(10 * np.nanmedian(costs), limit / 10))
            # A step records the cost of the weights that it found.
            if len(sound):
                self.sound_until = max(self.sound_until, steps[-1] - len(raw) + int(sound[-1]))

    def _raw_costs(self, rows: npt.NDArray[np.float32]) -> Numbers:
        """The raw terms [N, T]: NaN where a term rests, infinite where the total is not finite."""
        raw = rows[:, self._raw].astype(np.float64)
        raw[~np.isfinite(rows[:, self._total])] = np.inf
        return raw

    def _learn(self, raw: Numbers, blocks: int) -> None:
        """Takes up the first and the lowest costs, the latter as medians of the newest `blocks`."""
        for i in np.flatnonzero(np.isnan(self._first)):
            known = raw[np.isfinite(raw[:, i]), i]
            self._first[i] = known[0] if len(known) else np.nan
        newest = raw[-blocks * BLOCK :]
        levels = _median(newest.reshape(blocks, -1, raw.shape[1]), 1)
        self._lowest = np.fmin.reduce([self._first, self._lowest, *np.where(np.isfinite(levels), levels, np.nan)])


def _cost(levels: Numbers, weights: Numbers) -> Numbers:
    """Σ weight × level over the last axis; terms of weight 0 rest, and their NaN counts for nothing."""
    counted = weights != 0
    cost: Numbers = levels[..., counted] @ weights[counted]
    return cost


def _median(levels: Numbers, axis: int) -> Numbers:
    """As `np.median`, which would import numpy.ma at every start; NaN where one of the values is."""
    ordered = np.sort(levels, axis)
    low, high = (ordered.take(at, axis) for at in ((levels.shape[axis] - 1) // 2, levels.shape[axis] // 2))
    middle: Numbers = np.where(np.isnan(ordered.take(-1, axis)), np.nan, (low + high) / 2)
    return middle


def step_before(divergence: Divergence, run: RunFolder, state: RunState) -> int:
    """The step of the newest checkpoint from before a divergence; 0 where there is none."""
    there = run.checkpoints(state.checkpoints)
    return max((s.step for s in there if not s.diverged and s.step <= divergence.sound_until), default=0)


def in_words(divergence: Divergence, run: RunFolder, state: RunState) -> str:
    """What became of the cost, and the way back, for people."""
    what = "is a thousand times what it was" if divergence.finite else "is no longer finite"
    step = step_before(divergence, run, state)
    back = f"`laddertop rollback {shlex.quote(run.name)} --step {step}`"
    where = "goes back to the checkpoint before" if step else "begins again"
    return f"the cost {what}: {back} {where}, without what was done to the run since; then lower the rate"
