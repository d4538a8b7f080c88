"""Where a run stands: a fold over its events, the same for a live, an attached, a finished and a replayed run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from laddertop.journal.events import (
    Checkpointed,
    Commanded,
    Evaluated,
    Event,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
    Term,
)
from laddertop.journal.value import Value

STATES = ("starting", "training", "paused", "finished", "stopped", "diverged", "failed", "crashed")
"""starting: made, and no engine has reported yet; crashed: an engine is gone without a word; diverged: its steps are
done or it was stopped, with a cost that had diverged; the others say it."""

OVER = ("finished", "stopped", "diverged", "failed", "crashed")
"""Of STATES those in which nothing is written any more."""

STARTUP = 30.0
"""Seconds that a new run may be silent before it counts as crashed."""


class Headline(NamedTuple):
    """The value of the evaluations that says best how good the model is."""

    name: str
    newest: Value
    evaluated: Evaluated
    """The newest evaluation."""
    best: Value
    """Where neither of two values is better, the first."""
    evaluated_best: Evaluated
    """The evaluation that gave the best."""


@dataclass
class RunState:
    """What the events up to now amount to."""

    started: RunStarted | None = None
    """The newest start."""
    ended: RunEnded | None = None
    """How the newest start ended; none while it goes on, or when it crashed."""
    paused: bool = False
    """Whether the newest start is paused."""
    step: int = 0
    """Steps completed at the newest event."""
    knobs: dict[str, Knob] = field(default_factory=dict)
    """The knobs by name with their present values."""
    commands: list[Commanded] = field(default_factory=list)
    """Outcomes of commands, oldest first."""
    evaluations: list[Evaluated] = field(default_factory=list)
    """Evaluations, oldest first; those of steps that a resume threw away are left out."""
    samplings: list[Sampled] = field(default_factory=list)
    """Samplings, oldest first, as above."""
    checkpoints: list[Checkpointed] = field(default_factory=list)
    """Checkpoints, oldest first, as above; the files of old ones are gone."""
    abandoned: list[Checkpointed] = field(default_factory=list)
    """The checkpoints that were thrown away with their steps, oldest first."""
    diverged: Logged | None = None
    """What was said when the newest start diverged; none while its cost is sound, and after a way back."""
    starts: list[RunStarted] = field(default_factory=list)
    """Every start, oldest first."""
    rank_seconds: list[float] = field(default_factory=list)
    """By rank, how long its own part of a step takes, as the newest start told last; empty before that."""
    log: list[Logged] = field(default_factory=list)
    """Lines for people, oldest first."""
    reached: dict[int, int] = field(default_factory=dict)
    """By number of a start: the step up to which its numbers are in the metrics, as far as the events say."""
    sent_back: int | None = None
    """The step that the newest start was told to go back to; none once another start has begun."""
    undone: set[str] = field(default_factory=set)
    """Ids of commands that a roll-back threw away together with their steps."""
    _saved_after: dict[int, int] = field(default_factory=dict)
    """By step of a checkpoint: how many commands it holds the effect of."""

    def apply(self, event: Event) -> None:
        """Takes up one more event."""
        self.step = event.step
        # The engine writes the numbers down before it records one of these.
        done = isinstance(event, RunEnded) and event.reason != "failed"
        if self.started and (done or isinstance(event, Evaluated | Sampled | Checkpointed)):
            self.reached[self.segment] = max(event.step, self.reached.get(self.segment, 0))
        match event:
            case RunStarted():
                self.started, self.ended, self.paused, self.sent_back = event, None, False, None
                self.starts.append(event)
                self.rank_seconds = []
                self.knobs = {knob.name: knob for knob in event.knobs}
                self._forget_after(event)
            case Commanded():
                self.commands.append(event)
                if event.outcome == "applied":
                    if event.action in ("pause", "continue"):
                        self.paused = event.action == "pause"
                    if event.action == "rollback":
                        self.sent_back = round(event.changes[0].applied)
                    for change in event.changes:
                        # A start that could not be read has declared no knobs.
                        if knob := self.knobs.get(change.knob):
                            self.knobs[change.knob] = knob.model_copy(
                                update={"value": change.applied, "course": change.course}
                            )
            case Evaluated():
                self.evaluations.append(event)
            case Sampled():
                self.samplings.append(event)
            case Checkpointed():
                self.checkpoints.append(event)
                self._saved_after[event.step] = len(self.commands)
            case Logged():
                self.log.append(event)
                self.rank_seconds = event.rank_seconds or self.rank_seconds
                if event.diverged is not None:
                    self._diverge(event)
                if event.uncompiled and self.started:
                    self.started = self.started.model_copy(update={"compiled": False, "note": event.text})
                    self.starts[-1] = self.started
            case RunEnded():
                self.ended = event

    def _forget_after(self, start: RunStarted) -> None:
        """What lies beyond the step that a start goes on from is no part of the run any more, or comes again."""
        self.diverged = None
        self.evaluations = [e for e in self.evaluations if e.step <= start.step]
        self.samplings = [e for e in self.samplings if e.step <= start.step]
        self.abandoned += [e for e in self.checkpoints if e.step > start.step]
        self.checkpoints = [e for e in self.checkpoints if e.step <= start.step]
        if start.rolled_back:
            # Whoever goes back to a checkpoint takes it for sound, whatever was said of it.
            self.checkpoints = [
                c.model_copy(update={"diverged": False}) if c.step == start.step else c for c in self.checkpoints
            ]
            later = self.commands[self._saved_after.get(start.step, 0) :]
            self.undone |= {command.id for command in later if command.step >= start.step}

    def _diverge(self, event: Logged) -> None:
        self.diverged = event if event.diverged else None
        if event.diverged and event.sound_until is not None:
            # What was saved on the way there is as lost as what is saved after it was noticed.
            lost = event.sound_until
            self.checkpoints = [
                c.model_copy(update={"diverged": True}) if c.step > lost else c for c in self.checkpoints
            ]

    def interventions(self, since: int = 0, before: Iterable[Commanded] = ()) -> list[Commanded]:
        """The changes of knobs that are part of the run, each once, by step, from those at step `since` on.

        `before` are those of the run that it replays.
        """
        done = [c for c in self.commands if c.outcome == "applied" and c.action == "set" and c.id not in self.undone]
        return sorted((c for c in standing([*before, *done]) if c.step >= since), key=lambda c: c.step)

    def apply_all(self, events: Iterable[Event]) -> RunState:
        """Takes up many events and returns itself."""
        for event in events:
            self.apply(event)
        return self

    def status(self, alive: bool) -> str:
        """One of STATES, given whether an engine holds the run."""
        if self.started is None and self.ended is None:
            return "starting" if alive else "crashed"
        if self.ended is not None:
            # An engine that holds an ended run is loading it to go on.
            return "starting" if alive else self.ended.reason
        if not alive:
            return "crashed"
        return "paused" if self.paused else "training"

    def headline(self) -> Headline | None:
        """The value that says best how good the model is; none before the first evaluation."""
        found = [event for event in self.evaluations if event.values]
        if not found:
            return None
        name = found[-1].headline()
        assert name is not None
        best, *later = [event for event in found if name in event.values]
        for event in later:
            best = event if event.values[name].beats(best.values[name]) else best
        return Headline(name, found[-1].values[name], found[-1], best.values[name], best)

    @property
    def segment(self) -> int:
        """Number of the newest start; 0 before the first."""
        return self.started.segment if self.started else 0

    @property
    def steps(self) -> int:
        """Planned length of the run in steps; 0 before the first start."""
        return self.started.steps if self.started else 0

    @property
    def end(self) -> int:
        """The step at which the newest start is to end: its planned length, or earlier where a replay does."""
        until = self.started.until if self.started else None
        return self.steps if until is None else min(until, self.steps)

    @property
    def terms(self) -> list[Term]:
        """The terms of the cost."""
        return self.started.terms if self.started else []


def standing(done: Iterable[Commanded]) -> list[Commanded]:
    """Of applied changes of knobs in the order in which they were recorded, those that count, each once.

    After a resume the run comes again to steps at which knobs were turned before. Who turns a knob then takes the place
    of what was done to that knob at later steps.
    """
    each = {command.id: command for command in done}
    first: dict[str, int] = {}  # by knob: the earliest step at which a newer command turns it
    counting = []
    for command in reversed(each.values()):
        changes = [c for c in command.changes if command.step <= first.get(c.knob, command.step)]
        if changes:
            counting.append(command.model_copy(update={"changes": changes}))
        first |= {c.knob: min(command.step, first.get(c.knob, command.step)) for c in command.changes}
    return counting[::-1]
