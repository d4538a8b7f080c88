"""What schedules of a spec make of knobs step by step: one rule for the engine and for who draws it ahead."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

from laddertop.journal.sections import OptimizerSpec

WARMED = {"noise": "noise.", "denoising": "lambda.", "kl": "beta"}
"""What the warm-up factor multiplies: the knobs whose names begin so."""


class Fall(NamedTuple):
    """How the learning rate falls in a run of a certain length."""

    schedule: str
    decay_from: float
    anneal: float
    epoch_steps: int
    """Steps of an epoch."""
    steps: int
    """Those of the run."""

    @classmethod
    def of(cls, optimizer: OptimizerSpec, epoch_steps: int, steps: int) -> Self:
        """As a recipe has it."""
        return cls(optimizer.schedule, optimizer.decay_from, optimizer.anneal, epoch_steps, steps)

    @property
    def first(self) -> int:
        """Steps completed before the first step that the schedule acts on; the annealing left out."""
        epoch = {"linear": math.floor(self.decay_from * self._epochs) + 1, "burda": 1, "im": 2}[self.schedule]
        return epoch * self.epoch_steps

    @property
    def _epochs(self) -> float:
        return self.steps / self.epoch_steps

    def at(self, step: int) -> float:
        """What multiplies the learning rate in the step after `step` completed ones."""
        epoch = step // self.epoch_steps
        return self._decay(epoch) * float(self.anneal**epoch)

    def _decay(self, epoch: int) -> float:
        epochs = self._epochs
        match self.schedule:
            case "linear":
                # After epoch e of E: 1 until e > share·E, then (E - e) / (E - share·E), as in the ladder's code.
                start = self.decay_from * epochs
                return (epochs - epoch) / (epochs - start) if epoch > start else 1.0
            case "burda":
                # 10^(-i/7) in stage i = 0..7, which lasts 3^i epochs (Burda et al. 2016, section 5).
                return math.pow(10, -sum((3**i - 1) // 2 <= epoch for i in range(1, 8)) / 7)
            case "im":
                # 10^(-k/c) from epoch 3^k on, counted from 1, with c = log₃(E/2), as in the code of Im et al. 2017.
                steps_down = sum(3**k <= epoch + 1 for k in range(1, 40))
                return math.pow(10, -steps_down / max(math.log(epochs / 2, 3), 1.0))
        raise AssertionError(self.schedule)
