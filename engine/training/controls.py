"""The knobs of a running training: their values as set, their schedules, and the commands that change them.

What a step uses is the *effective* value: as set, times its schedule. Effective values live in one tensor that the step
reads, so that turning a knob never changes the step itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from laddertop.journal.courses import Course, course_in
from laddertop.journal.declared import shared_knobs
from laddertop.journal.events import Change, Knob, Schedule
from laddertop.journal.knobs import asked_of, meant
from laddertop.journal.schedules import WARMED, Fall
from laddertop.journal.spec import Spec


@dataclass
class ControlState:
    """What a checkpoint keeps of the controls."""

    values: dict[str, float]
    """Every knob as set."""
    warmed: float
    """The warm-up's progress from 0 to 1."""
    waited: int = 0
    """Steps that the warm-up stayed at 0 before it rose."""
    courses: dict[str, str] = field(default_factory=dict)
    """The courses of the knobs that are on one."""


class Controls:
    """Holds the knobs, turns them, and computes what the next step uses."""

    def __init__(self, spec: Spec, model_knobs: list[Knob], epoch_steps: int, steps: int, device: torch.device) -> None:
        """`epoch_steps` and `steps` are the lengths of an epoch and of the run."""
        self._knobs = {knob.name: knob for knob in shared_knobs(spec) + model_knobs}
        self.state = ControlState({name: knob.value for name, knob in self._knobs.items()}, warmed=0.0)
        self._warmed_prefix = WARMED[spec.warmup.of]
        self._fall = Fall.of(spec.optimizer, epoch_steps, steps)
        self._courses: dict[str, Course] = {}
        self.set(spec.knobs)
        # On the CPU this is the tensor itself; elsewhere it is copied without waiting.
        self._host = torch.zeros(len(self._knobs))
        self._numbers = self._host.numpy()
        self.effective = self._host if device.type == "cpu" else torch.zeros(len(self._knobs), device=device)
        """Effective values, float32 [number of knobs], in the order of `names`."""
        self.resting: frozenset[str] = frozenset()
        """Knobs that are 0 whatever they are set to: weights of terms that the present stage does not train."""
        self.learning_rate = spec.optimizer.lr
        """The effective learning rate, for what is computed on the host."""

    @property
    def names(self) -> list[str]:
        """Names of the knobs, in the order of `effective`."""
        return list(self._knobs)

    @property
    def knobs(self) -> list[Knob]:
        """The knobs with their present values and courses."""
        values, courses = self.state.values, self.state.courses
        return [
            knob.model_copy(update={"value": values[name], "course": courses.get(name, "")})
            for name, knob in self._knobs.items()
        ]

    @property
    def schedules(self) -> list[Schedule]:
        """What the learning rate does by itself within the run."""
        fall = self._fall
        what = {
            "linear": "falls to 0",
            "burda": "falls to a tenth in stages of 1, 3, 9, … epochs",
            "im": "falls to a tenth at epochs 3, 9, 27, …",
        }[fall.schedule]
        told = [(what, fall.first)]
        if fall.anneal < 1:
            told.append((f"is multiplied by {fall.anneal:g} after every epoch", fall.epoch_steps))
        return [Schedule(knob="lr", what=what, first=first) for what, first in told if first < fall.steps]

    def by_name(self) -> dict[str, Tensor]:
        """Effective values as scalar tensors that follow every change."""
        return dict(zip(self._knobs, self.effective.unbind(), strict=True))

    def set(self, changes: Mapping[str, float | str], step: int = 0) -> list[Change]:
        """Turns knobs before the step after `step` completed ones, all or none; a group such as noise.std turns all its
        members.

        Raises ValueError for an unknown knob (with the nearest names), a value that is none, or one out of bounds.
        """
        done: dict[str, Change] = {}
        self.move(step)
        for name, text in changes.items():
            for knob in meant(name, self._knobs):
                old, old_course = self.state.values[knob.name], self.state.courses.get(knob.name, "")
                asked = asked_of(knob, text, step)
                course, value = (asked, course_in(asked).at(step)) if isinstance(asked, str) else ("", asked)
                done[knob.name] = Change(knob=knob.name, old=old, applied=value, old_course=old_course, course=course)
        for change in done.values():
            self.state.values[change.knob] = change.applied
            self.state.courses.pop(change.knob, None)
            if change.course:
                self.state.courses[change.knob] = change.course
            if change.knob == "warmup" and change.applied and not change.old:
                self.state.warmed, self.state.waited = 0.0, 0
        self._parse()
        return list(done.values())

    def move(self, step: int) -> None:
        """Takes the knobs that are on a course to where they are once `step` steps are completed."""
        for name, course in self._courses.items():
            self.state.values[name] = course.at(step)

    def _parse(self) -> None:
        self._courses = {name: course_in(word) for name, word in self.state.courses.items()}

    def load(self, saved: dict[str, Any]) -> None:
        """Takes up the state of a checkpoint; a knob that is newer than the checkpoint stays as the spec has it."""
        known = {name: value for name, value in saved["values"].items() if name in self._knobs}
        courses = {name: word for name, word in saved.get("courses", {}).items() if name in self._knobs}
        self.state = ControlState(**{**saved, "values": {**self.state.values, **known}, "courses": courses})
        self._parse()

    def prepare(self, step: int) -> None:
        """Computes what the step after `step` completed ones uses, into `effective`."""
        self.move(step)
        values = self.state.values
        warmup = self.state.warmed if values["warmup"] else 1.0
        for i, (name, value) in enumerate(values.items()):
            if name.startswith("noise."):
                value *= values["noise"]
            if name.startswith(self._warmed_prefix):
                value *= warmup
            if name == "lr":
                value *= self._fall.at(step)
            if name in self.resting:
                value = 0.0
            self._numbers[i] = warmup if name == "warmup" else value
            if name == "lr":
                self.learning_rate = value
        if self.effective is not self._host:
            self.effective.copy_(self._host, non_blocking=True)

    def advance(self) -> None:
        """Moves the warm-up on by one step."""
        state, values = self.state, self.state.values
        if not values["warmup"] or values["warmup.hold"]:
            return
        if state.warmed == 0 and state.waited < values["warmup.after"]:
            state.waited += 1
        else:
            state.warmed = min(1.0, state.warmed + 1.0 / values["warmup.steps"])
