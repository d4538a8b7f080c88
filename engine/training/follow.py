"""How several ranks take the same steps with the same knobs: rank 0 leads, and the others follow.

Rank 0 says how many steps all of them take before it speaks again, some hundredths of a second; there alone knobs are
turned. So whatever is done to a training is done in all ranks at the same step, and no step waits to hear of it.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from laddertop.engine import ranks
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.device import choose_device
from laddertop.engine.training.launch import asked_for
from laddertop.engine.training.recorder import columns
from laddertop.engine.training.trainer import Trainer
from laddertop.journal.events import Checkpointed
from laddertop.journal.folder import RunFolder

APART = 0.02
"""Seconds of steps, roughly, after which rank 0 speaks again."""


class Begin(NamedTuple):
    """All begin anew."""

    checkpoint: Checkpointed | None
    """What they go on from; none: initial weights."""


class Steps(NamedTuple):
    """All take some steps."""

    steps: int
    controls: dict[str, Any]
    """The state of the controls before the first of them."""


class Leader:
    """Rank 0, as the others hear it; alone it says nothing."""

    def __init__(self, checkpoint: Checkpointed | None) -> None:
        """All begin at `checkpoint`, or with initial weights."""
        self._speaks_at = checkpoint.step if checkpoint else 0
        self._steps, self._spoke = 1, time.monotonic()
        if ranks.count() > 1:
            ranks.tell(Begin(checkpoint))

    def speaks(self, step: int) -> bool:
        """Whether all ranks stand at `step` and listen: what is done to a training is done then."""
        return ranks.count() == 1 or step == self._speaks_at

    def go(self, step: int, controls: Controls, at_most: Callable[[], int]) -> None:
        """Before the step after `step` completed ones: where all listen, they are told to take some, `at_most()`."""
        if ranks.count() == 1 or not self.speaks(step):
            return
        now = time.monotonic()
        fitting = round(self._steps * APART / max(now - self._spoke, 1e-6))
        self._steps = max(1, min(fitting, 2 * self._steps, at_most()))
        self._spoke, self._speaks_at = now, step + self._steps
        ranks.tell(Steps(self._steps, dataclasses.asdict(controls.state)))


def follow(run: RunFolder) -> int:
    """Does what rank 0 says until that has no more to say; returns the exit status of this rank."""
    try:
        ranks.join(*asked_for(), choose_device(run.spec.device))
        _obey(run)
    except ranks.LostRankError:
        return 1  # rank 0 tells it
    except Exception as error:
        ranks.say_failed(f"{type(error).__name__}: {error}; the traceback is in {run.console_path}")
        raise
    ranks.leave()
    return 0


def _obey(run: RunFolder) -> None:
    trainer: Trainer | None = None
    while (order := ranks.tell()) is not None:
        if isinstance(order, Begin):
            trainer = None  # two of them would need twice the memory
            trainer = Trainer(run)
            if order.checkpoint:
                trainer.restore(order.checkpoint)
            row = torch.empty(len(columns(trainer.model.terms, trainer.controls.knobs)), device=trainer.device)
            continue
        assert trainer is not None
        trainer.controls.load(order.controls)
        for _ in range(order.steps):
            trainer.take_step.enter(trainer.step)
            trainer.advance(row)
