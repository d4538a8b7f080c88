"""What the engine does to a training by itself, where its spec asks for it.

A policy wants commands, as a person does; they are carried out and recorded as a person's are, `by` the policy. What it
wants follows from the journal, so that an engine that is killed in the middle of it goes on with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from laddertop.engine.training.beginning import Beginning
from laddertop.engine.training.looks import due
from laddertop.journal.actions import Action
from laddertop.journal.checkpoints import worth
from laddertop.journal.commands import Command, drawn_up
from laddertop.journal.courses import course_in
from laddertop.journal.events import Evaluated, Knob
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState

ON_DIVERGENCE, EARLY_STOP = "policy on-divergence", "policy early-stop"
"""Who sends their commands."""


class Policies:
    """The policies of one start of a run."""

    def __init__(
        self, run: RunFolder, state: RunState, begins: Beginning, steps: int, warn: Callable[[str], None]
    ) -> None:
        """`steps` is the length of the run; `warn` tells people what a policy can't go by."""
        self._spec, self._state, self._segment, self._steps, self._warn = run.spec, state, begins.segment, steps, warn
        self.asked = run.spec.policy
        """What the spec asks for."""
        self.wanted: list[Command] = []
        """What is to be carried out as soon as it can be."""
        origin = run.origin
        repeats = origin is not None and origin.kind == "replay" and not any(s.rolled_back for s in state.starts)
        # What policies did to the other run is repeated with all else that was done to it, up to where that ended.
        self._acts = not (repeats and origin and (origin.until is None or begins.step < origin.until))

    def begin(self, step: int, rate: Knob) -> None:
        """A start goes on at `step` with a learning `rate`: where a policy sent it there, it wants less."""
        done = [c for c in self._state.commands if c.by.startswith(ON_DIVERGENCE) and c.outcome == "applied"]
        if self._acts and done and done[-1].action == "rollback":
            # Once more for every time that it went this far back, or not as far: the checkpoint has the rate of before.
            times = sum(c.action == "rollback" and c.changes[0].applied >= step for c in done)
            course, factor = rate.course, 0.5**times
            less = course_in(course).scaled(factor).word() if course else rate.value * factor
            self._want("set", ON_DIVERGENCE, "half the rate", {"lr": less})

    def diverged(self, back_to: int) -> None:
        """The cost has diverged; `back_to` is the step of the newest checkpoint from before it."""
        action = self.asked.on_divergence
        if not self._acts or action == "nothing":
            return
        done = [c for c in self._state.commands if c.by.startswith(ON_DIVERGENCE) and c.action == "rollback"]
        if action != "rollback":
            self._want(action, ON_DIVERGENCE, "the cost diverged")
        elif len(done) < self.asked.rollbacks:
            self._want("rollback", ON_DIVERGENCE, f"{len(done) + 1} of {self.asked.rollbacks}", {"step": back_to})
        else:
            self._want("stop", ON_DIVERGENCE, f"the cost diverged again, after {len(done)} roll-backs")

    def evaluated(self, evaluation: Evaluated) -> None:
        """An evaluation was recorded: it may be one too many without a better value."""
        key, patience = self.asked.patience
        if not patience or not self._acts or evaluation.step == self._steps or self._lacks(evaluation, key):
            return
        every = self._spec.evaluate.every
        # Those that somebody asked for count for nothing, so that a training is stopped at the same step without them.
        found = {e.step: e for e in self._state.evaluations if due(e.step, every)}
        best = min(found.values(), key=lambda e: (math.isnan(worth(e, key)), worth(e, key), e.step), default=None)
        # Who goes on with a training that was stopped gives it as many evaluations again.
        stops = [c.step for c in self._state.commands if c.by.startswith(EARLY_STOP)]
        since = [step for step in found if step > max([best.step if best else 0, *stops])]
        if best is not None and len(since) >= patience:
            value = best.values[key]
            self._want(
                "stop",
                EARLY_STOP,
                f"{value.called(key)} has not improved in {len(since)} evaluations on the {best.split} images; the "
                f"best is {value.value:.6g}{value.sign} at step {best.step}",
            )

    def is_best(self, evaluation: Evaluated) -> bool:
        """Whether the checkpoint of an evaluation, which is recorded, is to be kept as the best so far."""
        key = self.asked.keep_best
        if not key or self._lacks(evaluation, key) or math.isnan(worth(evaluation, key)):
            return False
        before = [worth(e, key) for e in self._state.evaluations if e is not evaluation]
        return all(math.isnan(other) or worth(evaluation, key) < other for other in before)

    def on_test(self) -> str:
        """What to know where evaluations decide something and no images are held back for that; empty otherwise."""
        if self._spec.data.held_back or not (self.asked.keep_best or self.asked.early_stop):
            return ""
        return (
            "what is best is chosen by the test images, whose value then says too much of the model; data.held_back "
            "keeps training images for that"
        )

    def _lacks(self, evaluation: Evaluated, key: str) -> bool:
        if key in evaluation.values:
            return False
        self._warn(f"the policies know no value {key}; the evaluations have {', '.join(evaluation.values)}")
        return True

    def _want(self, action: Action, by: str, note: str, changes: dict[str, float | str] | None = None) -> None:
        self.wanted.append(drawn_up(self._segment, action, changes, by=by, note=note))
