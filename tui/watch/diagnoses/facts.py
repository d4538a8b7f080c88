"""What diagnoses know of a run: its spec, what happened, and the course of its numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from laddertop.journal.events import Evaluated, Term
from laddertop.journal.folder import RunFolder
from laddertop.journal.spec import Spec
from laddertop.journal.state import RunState
from laddertop.tui.watch.diagnoses.course import Course


@dataclass
class Facts:
    """A run as far as it has come."""

    run: RunFolder
    state: RunState
    """What happened."""
    course: Course
    """What its numbers did."""
    memo: dict[str, np.ndarray] = field(default_factory=dict)
    """What was computed of all that at this step, by name; whoever changes it forgets that."""
    step: int = 0
    """Steps completed at the newest record or event."""

    @cached_property
    def spec(self) -> Spec:
        """What the run trains."""
        return self.run.spec

    def weight(self, term: Term) -> float:
        """What multiplies a term now; 0: it is no part of the total."""
        if term.weight is None:
            return float(not term.watched)
        knob = self.state.knobs.get(term.weight)
        now = self.course.now(term.weight)
        return now if np.isfinite(now) else knob.value if knob else float("nan")

    def cost(self) -> np.ndarray:
        """The cost of every block of steps at the weights of now [B]: neither a warm-up nor a turned weight moves it.
        NaN where a term was not finite."""
        if "cost" in self.memo:
            return self.memo["cost"]
        course = self.course
        total = np.zeros(len(course.last))
        for term in self.state.terms:
            weight = self.weight(term)
            if term.name in course and weight:
                total += weight * np.where(course.bad(term.name) == 0, course.mean(term.name), np.nan)
        self.memo["cost"] = total
        return total

    def late_costs(self, terms: list[Term]) -> dict[str, float]:
        """The means of some terms over the newest quarter of the settled blocks, by their names."""
        late = max(int(self.settled().sum()) // 4, 1)
        return {term.name: float(self.course.mean(term.name)[-late:].mean()) for term in terms}

    def settled(self) -> np.ndarray:
        """Which blocks of steps were taken after the warm-up, after the last stage began, and after the last time that
        anything was turned [B]."""
        if "settled" in self.memo:
            return self.memo["settled"]
        since = max(self.turned(), self.newest_stage())
        settled = self.course.first > since
        if "warmup" in self.course:
            settled &= self.course.low("warmup") >= 1
        self.memo["settled"] = np.asarray(settled)
        return self.memo["settled"]

    def newest_stage(self) -> int:
        """Steps completed when the present stage of the training began; 0 without stages."""
        return max((one.step for one in self.state.log if one.stage), default=0)

    def knob(self, name: str) -> float:
        """A knob as it is set; nan: there is none."""
        knob = self.state.knobs.get(name)
        return knob.value if knob else float("nan")

    def kl_terms(self) -> list[Term]:
        """The KL terms that belong to a layer, and have a column."""
        return [t for t in self.state.terms if t.layer and t.name.partition(".")[0] == "kl" and t.name in self.course]

    def told(self) -> list[Evaluated]:
        """The evaluations that count the active units of layers, oldest first."""
        return [event for event in self.state.evaluations if event.layers]

    def time_of(self, step: int) -> float:
        """When a step was taken, in seconds since 1970, as near as blocks tell; 0 where nobody knows."""
        at = int(np.searchsorted(self.course.last, step))
        return float(self.course.time[at]) if at < len(self.course.last) else 0.0

    def turned(self, *knobs: str) -> int:
        """Steps completed when one of some knobs was turned last, or any where none is named; 0: as the run began."""
        begin = self.state.starts[0].step if self.state.starts else 0
        deeds = [
            c.step for c in self.state.interventions() if not knobs or any(change.knob in knobs for change in c.changes)
        ]
        return max(deeds, default=begin)

    def way_back(self, before: int) -> int | None:
        """The step of the newest checkpoint from before a step and before the cost diverged; 0, the beginning, where
        there is none and the run began from nothing; None where there is no way back."""
        sound = [saved.step for saved in self.state.checkpoints if not saved.diverged and saved.step < before]
        first = self.state.starts[0] if self.state.starts else None
        return max(sound) if sound else None if first is None or first.resumed_from is not None else 0


def streak(true: np.ndarray) -> int:
    """How many of the newest of some truths [B] are true."""
    false = np.flatnonzero(~true)
    return len(true) - (int(false[-1]) + 1 if len(false) else 0)
