"""The training loop: a flat list of things done once in a while, around one step.

Between two steps the engine looks into its inbox, evaluates, samples and saves when it is time; every record goes to
the journal, and a run that ends on purpose says so exactly once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import partial

import torch

from laddertop.engine import ranks
from laddertop.engine.explore.answers import Subject
from laddertop.engine.explore.explorer import Explorer
from laddertop.engine.training import checkpoint, looks
from laddertop.engine.training.adopt import adopt
from laddertop.engine.training.announced import started
from laddertop.engine.training.balance import Balance
from laddertop.engine.training.beginning import find_beginning
from laddertop.engine.training.device import choose_device
from laddertop.engine.training.disk import Disk
from laddertop.engine.training.divergence import Divergence, in_words, step_before
from laddertop.engine.training.follow import Leader
from laddertop.engine.training.guard import Guard, TakenOverError
from laddertop.engine.training.inbox import Inbox, make_folders, refuse, step_wanted
from laddertop.engine.training.launch import Launched, asked_for
from laddertop.engine.training.own import in_own_model
from laddertop.engine.training.policies import Policies
from laddertop.engine.training.recorder import Recorder, columns
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.trainer import Trainer
from laddertop.engine.training.word import Word
from laddertop.journal import commands, inside
from laddertop.journal.checkpoints import gone_back_to, kept
from laddertop.journal.events import Change, Event, EventReader, EventWriter, Logged, RunEnded
from laddertop.journal.files import Lock
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import write_columns
from laddertop.journal.start import NOT_BEGUN, doubts
from laddertop.journal.state import RunState, standing

LOOK = 0.02
"""Seconds between two looks into the inbox."""


class Training(Trainer):
    """One segment of a run: from its start, or from its newest checkpoint, to its end; what rank 0 does."""

    def __init__(
        self,
        run: RunFolder,
        events: EventWriter,
        state: RunState,
        back_to: int | None = None,
        disk: Disk | None = None,
        lock: Lock | None = None,
        tell: Callable[[Event], None] | None = None,
    ) -> None:
        """Loads the data, builds the model and goes on where the newest checkpoint stands, or that of step `back_to`.

        `disk` is what is written to; `lock` the run's, which is looked after where there is one; `tell`
        records what happened, and may do more with it. Raises ValueError when
        data, device or checkpoint are not as the spec or the journal says.
        """
        self.begins = find_beginning(run, state, back_to)
        self._leader = Leader(self.begins.checkpoint)
        super().__init__(run)
        self.disk, self._lock = disk or Disk(run, state), lock
        self.events, self.state = events, state
        self.tell = tell or partial(self.disk.tell, events)
        """Records what happened."""
        self.explorer = Explorer(run, Subject(self.model, self.data, self.batches, self.spec))
        self.resumed_from = self.begins.step if self.begins.checkpoint else None
        if self.begins.checkpoint:
            self.restore(self.begins.checkpoint)
        self.controls.move(self.step)
        self._look_back()
        self.policies = Policies(run, state, self.begins, self.steps, self._warn)
        self._record()
        self._announce()
        self.policies.begin(self.step, next(knob for knob in self.controls.knobs if knob.name == "lr"))

    def _look_back(self) -> None:
        """What is done already and what is still to do: what was done at the step of the checkpoint is not done again,
        and what a stop left undone is done now."""
        self._again = list(self.begins.again)
        self.until = self.begins.until
        self._evaluated = max((e.step for e in self.state.evaluations if e.step <= self.step), default=-1)
        self._sampled = max((s.step for s in self.state.samplings if s.step <= self.step), default=-1)
        self._inbox = Inbox(self.run, (c.id for c in self.state.commands), self._warn)
        self._saved = self.resumed_from
        self._warned: set[str] = set()
        self._unsaid = self.run.shortcomings()
        before = self.state.started.ranks if self.state.started and self.resumed_from is not None else ranks.count()
        if before != ranks.count():
            self._unsaid.append(
                f"trained by {before} {'rank' if before == 1 else 'ranks'} so far and by {ranks.count()} from here on: "
                "the same but for rounding"
            )
        self._balance = Balance(self.tell)
        self.paused = False
        self.back_to: int | None = None
        """Step of the checkpoint that somebody wants to go on from instead."""
        self._looked = 0.0

    def _record(self) -> None:
        """Opens the records of this segment."""
        takes = self.disk.takes
        takes(lambda: make_folders(self.run))
        if self.spec.model.labelled and self.spec.data.labels != "all":
            try:
                self.run.write_labelled(self.batches.labelled.tolist())
            except OSError as error:
                self._unsaid.append(f"which images carry labels can't be written down: {error}")
        named = columns(self.model.terms, self.controls.knobs)
        takes(lambda: write_columns(self.run.path, named))
        self.divergence = Divergence([c.name for c in named], self.model.terms, self.step, self.optimizer.finite)
        segment, look = self.begins.segment, self.divergence.look
        self.recorder = takes(lambda: Recorder(self.run.path, segment, len(named), self.device, look, takes))
        self.guard = Guard(self.events, self.recorder, self.disk, self._lock, self._warn)

    def _announce(self) -> None:
        """Tells the journal that this segment begins, and with what."""
        self.tell(started(self, self.begins, self.until))
        if self.data.training.on_host:
            text = (
                f"{self.device} has no room for the data: they stay on the host, and each step's batch is moved there"
            )
            self.tell(Logged(step=self.step, level="info", text=text))
        first = [*doubts(self.spec), self.policies.on_test()] if self.resumed_from is None else []
        for text in filter(None, [*self._unsaid, *first]):
            self._warn(text)
        if self.compiled:
            text = "compiling the step: the first takes up to a minute or two, seconds where it was compiled before"
            self.tell(Logged(step=self.step, level="info", text=text))

    def _warn(self, text: str) -> None:
        """Tells people once what went wrong and ends no training."""
        if text not in self._warned:
            self._warned.add(text)
            self.tell(Logged(step=self.step, level="warning", text=text))

    def _tell_of_waiting(self) -> None:
        if self.disk.story:
            text, self.disk.story = self.disk.story, ""
            self.tell(Logged(step=self.step, level="warning", text=text))

    def loop(self, stop: Stop) -> RunEnded | None:
        """Trains until the steps are done or somebody wants it to stop; saves, and returns how it ended.

        None when it has to begin again: where somebody wants to go on from another checkpoint, `back_to`, for which
        it saves nothing, or where the file of its numbers is lost.
        """
        spec, self.disk.stop = self.spec, stop
        while True:
            self._tell_of_waiting()
            if self.step == self.until:
                stop.reason = stop.reason or "the run that it replays was stopped here"
            if self._leader.speaks(self.step):
                self.obey(stop)
                if self.back_to is not None:
                    self.recorder.flush()
                    return None
                if stop.reason:
                    break
                if self.guard.numbers_lost and not self.paused:
                    self.save("end")
                    return None
                if self.paused:
                    self.recorder.flush()
                    time.sleep(LOOK)
                    continue
            last = self.step == self.steps
            if stage := self.take_step.enter(self.step - last):
                text = f"{stage.name}, since step {stage.first}"
                begins = stage.name if self.step == stage.first else ""
                self.tell(Logged(step=self.step, level="info", text=text, stage=begins))
            if last and spec.policy.on_divergence != "nothing":
                self.recorder.flush()
                self.notice_divergence()
            if (last or looks.due(self.step, spec.evaluate.every)) and self.step != self._evaluated:
                self.evaluate()
            if self.policies.wanted and self._leader.speaks(self.step):
                continue
            if (last or self.step == 0 or spec.samples.due(self.step)) and self.step != self._sampled:
                self.sample()
            if not last and looks.due(self.step, spec.checkpoint.every) and self.step != self._saved:
                self.save("schedule")
            if last:
                break
            self._leader.go(self.step, self.controls, self._undisturbed)
            self.advance(self.recorder.row())
            if self.take_step.problem:
                text = f"{self.take_step.problem}; the precision stays {self.precision_in_words}"
                self.tell(Logged(step=self.step - 1, level="warning", text=text, uncompiled=True))
                self.take_step.problem = ""
            self.recorder.report(self.step)
            self._balance.look(self.step)
            if self.recorder.problem:
                self._warn(self.recorder.problem)
            self.notice_divergence()
        self.save("end")
        self._tell_of_waiting()
        if self.state.diverged or not self.optimizer.finite():
            said = self.state.diverged
            lost = said.text if said else in_words(self.divergence, self.run, self.state)
            return RunEnded(step=self.step, reason="diverged", detail="; ".join(filter(None, [stop.reason, lost])))
        return RunEnded(step=self.step, reason="stopped" if stop.reason else "finished", detail=stop.reason)

    def _undisturbed(self) -> int:
        """Steps from here in which nothing is done to the training that is known already."""
        ends = [self.steps, *(command.step for command in self._again), *([self.until] if self.until else [])]
        return min(step - self.step for step in ends if step > self.step)

    def obey(self, stop: Stop) -> None:
        """Carries out what has to be done again after a resume, and what lies in the inbox."""
        while self._again and self._again[0].step == self.step:
            done = self._again.pop(0)
            changes = self.controls.set({change.knob: change.set_to for change in done.changes}, self.step)
            if any(change.before != change.set_to for change in changes):
                self.tell(done.model_copy(update={"time": time.time(), "changes": changes}))
        while self.policies.wanted and self.back_to is None:
            self._carry_out(self.policies.wanted.pop(0), stop)
        now = time.monotonic()
        if now - self._looked < LOOK or self.back_to is not None:
            return
        self._looked = now
        self.guard.look()
        for command in self._inbox.take_up():
            self._carry_out(command, stop)
            if self.back_to is not None:
                break
        try:
            self.explorer.look(self.step)
        except (OSError, ValueError) as error:
            self._warn(f"questions can't be read: {error}")

    def _carry_out(self, command: commands.Command, stop: Stop) -> None:
        changes: list[Change] = []
        try:
            refuse(command, self.begins.segment, self.step, self.paused, self.optimizer.finite)
            if command.action == "set":
                changes = self.controls.set(command.changes, self.step)
            if command.action == "rollback":
                back_to = step_wanted(command)
                gone_back_to(self.run, self.state, back_to)
                changes = [Change(knob="step", old=self.step, applied=back_to)]
        except ValueError as refusal:
            self._answer(command, [], refusal=str(refusal))
            return
        self._answer(command, changes)
        match command.action:
            case "pause" | "continue":
                self.paused = command.action == "pause"
            case "rollback":
                self.back_to = back_to
            case "stop":
                stop.reason = f"told to by {command.by}"
            case "checkpoint":
                self.save("command")
            case "evaluate":
                self.evaluate()
            case "sample":
                self.sample()

    def _answer(self, command: commands.Command, changes: list[Change], refusal: str = "") -> None:
        self.recorder.flush()
        answer = commands.outcome(command, self.step, changes, refusal)
        self.tell(answer)
        if command.action == "set":
            # Who turns a knob now does not want it turned again as it was turned after the checkpoint.
            self._again = [c for c in standing([*self._again, answer]) if c.id != answer.id]

    def evaluate(self) -> None:
        """Measures the model and records it."""
        self._evaluated = self.step
        split = "held back" if self.spec.data.held_back else "test"
        self.controls.prepare(self.step)
        self.recorder.flush()
        event = looks.evaluate(self.model, self.data.held_back, split, self.batches, self.spec.seed, self.step)
        self.tell(event)
        if self.step < self.steps and self.policies.is_best(event) and self.step != self._saved:
            self.save("best")
        self.policies.evaluated(event)

    def sample(self) -> None:
        """Passes the fixed test items through the model and records them."""
        self._sampled = self.step
        self.controls.prepare(self.step)
        self.recorder.flush()
        items, seed = self.spec.samples.items, self.spec.seed
        knobs = self.controls.by_name()
        try:
            sampling = self.run.path, self.model, self.data, knobs, items, seed, self.step
            self.tell(self.disk.takes(lambda: looks.sample(*sampling), passing=inside.NO_ROOM))
        except (OSError, ValueError) as error:
            self._warn(f"the samples can't be written: {error}")

    def save(self, reason: str) -> None:
        """Writes a checkpoint, records it, and removes old ones; a diverged training leaves the good ones alone."""
        self.recorder.flush()
        self.notice_divergence()
        if not self.optimizer.finite():
            return
        self._saved = self.step
        saving = self.run.path, self.step, self.optimizer, self.controls, reason
        segment, lost = self.begins.segment, self.state.diverged is not None
        self.tell(self.disk.takes(lambda: checkpoint.save(*saving, segment=segment, diverged=lost)))
        there, spec = self.run.checkpoints(self.state.checkpoints), self.spec.checkpoint
        stay = kept(self.state, there, spec.keep, spec.keep_best, self.spec.policy.keep_best)
        checkpoint.prune(self.run.path, self.state, stay)

    def leave(self) -> None:
        """Takes what is measured so far to the journal, as far as that can still be done."""
        with contextlib.suppress(OSError, RuntimeError):
            self.recorder.close()

    def notice_divergence(self) -> None:
        """Says when the cost diverges, and when it is back; the training goes on, so that somebody can look at it."""
        if self.divergence.diverged and not self.state.diverged:
            text, sound = in_words(self.divergence, self.run, self.state), self.divergence.sound_until
            self.tell(Logged(step=self.step, level="error", text=text, diverged=True, sound_until=sound))
            self.policies.diverged(step_before(self.divergence, self.run, self.state))
        elif self.state.diverged and not self.divergence.diverged:
            self.tell(Logged(step=self.step, level="info", text="the cost is back where it was", diverged=False))


def train(
    run: RunFolder,
    stop: Stop,
    back_to: int | None = None,
    lock: Lock | None = None,
    launched: Launched | None = None,
) -> int:
    """Trains a run to its end, or on from its newest checkpoint or that of step `back_to`; returns the exit code of
    the engine: 0, 1 when it failed, NOT_BEGUN when a new run can't even begin.

    `lock` is the run's, which the caller holds. Where another engine has it meanwhile, this one writes nothing more.
    `launched` are the other ranks, where this process started them.
    """
    reader = EventReader(run.events_path)
    state = RunState().apply_all(reader.read_all())
    disk = Disk(run, state, stop)
    with disk.takes(lambda: EventWriter(run.events_path)) as events:
        training = None
        tell = Word(run, state, partial(disk.tell, events)).tell
        try:
            adopt(run, tell, state, reader.damaged)
            rank, count = asked_for()
            if count > 1:
                device = choose_device(run.spec.device)
                ranks.join(rank, count, device, *((launched.gone, launched.hang) if launched else ()))
            ended = None
            while ended is None:
                training = Training(run, events, state, back_to, disk, lock, tell)
                ended = training.loop(stop)
                training.recorder.close()
                if ended is None:
                    back_to, training = training.back_to, None
        except TakenOverError as error:
            print(f"laddertop: {error}", flush=True)
            return 1
        except Exception as error:
            if training:
                training.leave()
            step, detail = training.step if training else state.step, str(error)
            if in_own := in_own_model(error, run):
                detail = in_own
            elif not isinstance(error, ValueError | OSError | torch.OutOfMemoryError | ranks.LostRankError):
                detail = f"{type(error).__name__}: {error}; the traceback is in {run.console_path}"
                tell(RunEnded(step=step, reason="failed", detail=detail))
                raise
            ended = RunEnded(step=step, reason="failed", detail=detail)
        tell(ended)
        if ranks.count() > 1:
            with contextlib.suppress(ranks.LostRankError):
                ranks.tell()
    if ended.reason in ("failed", "diverged"):
        print(f"laddertop: {ended.detail}", flush=True)
        return 1 if training or state.starts else NOT_BEGUN
    return 0
