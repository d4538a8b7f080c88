"""A run in stages: a model of which only a part is trained at a time, such as one layer after the other.

In each stage the update is that of a training of its own: it begins with Adam's moments at 0 and counts its own steps.
Parameters and moments of what is not trained stay as they are. Terms that are not computed in a stage are recorded as
NaN, with the weight 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from journal.events import Term


@dataclass(frozen=True)
class Stage:
    """A part of a run."""

    name: str
    """What is being trained, for people: layer 2 of 3."""
    first: int
    """Steps completed when it begins."""
    terms: tuple[str, ...]
    """Names of the terms that make up its cost."""
    parameters: tuple[str, ...]
    """Names of the parameters that it trains."""


@runtime_checkable
class Staged(Protocol):
    """A model that is trained in stages."""

    stage: int
    """Number of the stage it computes; whoever trains sets it, and a model that is not in training is in its last."""
    terms: list[Term]
    """The terms of all stages, each with a knob of its own as weight."""

    def stages(self, epoch_steps: int) -> list[Stage]:
        """Its stages in order, given the steps of an epoch; the last lasts to the end of the run."""
        ...


def stage_at(stages: list[Stage], step: int) -> int:
    """Number of the stage of the step after `step` completed ones: the last that has begun."""
    return max(number for number, stage in enumerate(stages) if stage.first <= step)
