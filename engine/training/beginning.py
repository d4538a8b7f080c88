"""Where one segment of a run begins, and what is done to it again: the journal tells, before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from laddertop.journal.checkpoints import gone_back_to, to_resume
from laddertop.journal.events import Checkpointed, Commanded
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import segments_on_disk
from laddertop.journal.state import RunState

AGAIN = ", again after the resume"
"""Ends the sender's name where a command is carried out again."""


@dataclass(frozen=True)
class Beginning:
    """What a segment goes on from."""

    segment: int
    """Its number; 1 is a run's first start."""
    checkpoint: Checkpointed | None = None
    """What it goes on from; none: it begins with step 0."""
    rolled_back: bool = False
    """Whether somebody sent the run back there: what was done to it since is no part of it any more."""
    again: list[Commanded] = field(default_factory=list)
    """What is done again, by step."""
    until: int | None = None
    """Step at which it is stopped, as the run that it replays was; none: it goes to its planned end."""

    @property
    def step(self) -> int:
        """Steps completed when it begins."""
        return self.checkpoint.step if self.checkpoint else 0


def find_beginning(run: RunFolder, state: RunState, back_to: int | None) -> Beginning:
    """Where the run's next segment begins: at its newest sound checkpoint, or at that of step `back_to`, or of the step
    that its last start was told to go back to when it was killed.

    Raises ValueError when there is no such checkpoint, or the run's origin is damaged.
    """
    segment = 1 + max(state.segment, _segments_on_disk(run))
    if (back_to := state.sent_back if back_to is None else back_to) is not None:
        return Beginning(segment, gone_back_to(run, state, back_to), rolled_back=True)
    begins = Beginning(segment, to_resume(run, state))
    # What was done to the run after its checkpoint is done again at the same steps: it is part of the run. So is what
    # was done to a run that this one replays, until somebody rolls back.
    origin = None if any(start.rolled_back for start in state.starts) else run.origin
    known = {command.id for command in state.commands}
    again = [
        c.model_copy(update={"by": f"{c.by.removesuffix(AGAIN)}{AGAIN}"}) if c.id in known else c
        for c in state.interventions(begins.step, origin.commands if origin else [])
    ]
    # A replay that came to where the other run was stopped has repeated it; from there it goes its own way.
    until = origin.until if origin and origin.until is not None and begins.step < origin.until else None
    return Beginning(segment, begins.checkpoint, again=again, until=until)


def _segments_on_disk(run: RunFolder) -> int:
    return max(segments_on_disk(run.path), default=0)
