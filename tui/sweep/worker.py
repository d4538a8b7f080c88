"""A worker of a sweep: takes runs from the queue, one or several at a time, and follows each to its end."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable

from optuna.trial import TrialState

from laddertop.journal.checkpoints import to_resume, unrecorded
from laddertop.journal.commands import send, sender
from laddertop.journal.events import Evaluated, EventReader
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import override
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from laddertop.tui.steer.ending import signals_taken
from laddertop.tui.steer.engine_process import EngineError, EngineProcess, NotBegunError
from laddertop.tui.steer.keeping import tag
from laddertop.tui.steer.looking import startable
from laddertop.tui.steer.placing import freest, full
from laddertop.tui.sweep.plan import as_settings, run_name
from laddertop.tui.sweep.queue import OPEN, Claimed, Queue

LOOK_EVERY = 0.1
"""Seconds between two looks at the engines."""
ASK_EVERY = 1.0
"""Seconds until a worker that got nothing from the queue asks again."""
TIMES = 3
"""How often a worker goes on with a run whose engine dies without a word."""


class _Work:
    """A trial and its run, from where they stand to their end."""

    def __init__(self, queue: Queue, claimed: Claimed, device: str | None) -> None:
        """Makes the run, where there is none yet, on the `device` or on that of the sweep. Raises ValueError when it
        can't be made."""
        self.claimed = claimed
        runs, plan = queue.folder.parent, queue.plan
        name = run_name(plan.name, claimed.trial.number, claimed.seed)
        settings = [*as_settings(claimed.values), f"seed={claimed.seed}"]
        self.words = " ".join(settings)
        spec = startable(override(plan.spec, [*settings, *([f"device={device}"] if device else [])]))
        self.run = RunFolder(runs / name)
        if not (runs / name / "spec.json").exists():
            self.run = create_run(runs, spec, name)
        if plan.name not in self.run.tags:
            tag(self.run, [plan.name], True)
        self.device = self.run.spec.device
        """That of its run, whoever made it."""
        self.engine: EngineProcess | None = None
        self.starts = 0
        self.pruned = False

    def look(self) -> tuple[TrialState, str] | None:
        """What the run came to and why, once it is over; begins it, or goes on with it, where nobody is at work.

        Raises EngineError when its engine can't begin it.
        """
        if self.engine is None:
            if self.run.engine_alive():  # a dead worker's engine is about to stop
                return None
            state = RunState().apply_all(EventReader(self.run.events_path).read_all())
            if (over := self.over(state)) is None:
                self.engine = EngineProcess(self.run, foreground=True, back_to=_back_to(self.run, state))
                self.starts += 1
                self.report(self.engine.state.evaluations)
            return over
        gone = self.engine.process.poll() is not None
        news = self.engine.news()
        self.report([event for event in news if isinstance(event, Evaluated)])
        if not gone:
            return None
        if isinstance(error := self.engine.failure(), NotBegunError):
            shutil.rmtree(self.run.path)
            raise error
        over = self.over(self.engine.state)
        if over is None and self.starts >= TIMES:
            over = TrialState.FAIL, self.engine.obituary()
        self.engine = None
        return over

    def over(self, state: RunState) -> tuple[TrialState, str] | None:
        """What a run that no engine is at work in came to; none: it is to be gone on with."""
        match state.status(alive=False):
            case "finished":
                return TrialState.COMPLETE, ""
            case "diverged" | "failed" as reason:
                return TrialState.FAIL, f"{reason}: {state.ended.detail}" if state.ended else reason
            case "stopped" if command := _stopped_by(state):
                return TrialState.PRUNED, "" if command.startswith("pruned") else command
        return None

    def report(self, evaluations: list[Evaluated]) -> None:
        """Tells the study of evaluations, and stops the run where it is worse than others were at that step."""
        for evaluation in evaluations:
            name = evaluation.headline()
            if name is None or not self.claimed.report(evaluation.step, evaluation.values[name]) or self.pruned:
                continue
            self.pruned = True
            assert self.engine is not None
            note = f"pruned at step {evaluation.step}: others were better there"
            send(self.run.path, self.engine.state.segment, "stop", by=sender("sweep"), note=note)

    def measured(self) -> tuple[str, Value] | None:
        """The headline of its newest evaluation, with its name."""
        state = RunState().apply_all(EventReader(self.run.events_path).read_all())
        found = state.headline()
        return (found.name, found.newest) if found else None


def _stopped_by(state: RunState) -> str:
    """Why a command stopped the newest start, in its sender's words; empty where none did."""
    assert state.started
    since = state.started.time
    for command in reversed(state.commands):
        if command.action == "stop" and command.outcome == "applied" and command.time >= since:
            return command.note or f"stopped by {command.by}"
    return ""


def _back_to(run: RunFolder, state: RunState) -> int | None:
    """The step of the checkpoint that a run goes on from; none: the newest, or the beginning of a new one."""
    if not unrecorded(run, state):
        try:
            to_resume(run, state)
        except ValueError:  # it was killed before its first checkpoint
            return 0
    return None


def work(queue: Queue, at_once: int, say: Callable[[str], None], devices: list[str] | None = None) -> int:
    """Works at a sweep until all of its runs are over, `at_once` at a time, and returns the exit status. New runs are
    spread over the `devices`, where some are named; one that was left is gone on with on its own, when that has room.

    SIGINT, SIGTERM and SIGHUP stop the engines in good order, as does whoever asks the workers of the sweep to stop,
    and whoever works at the sweep next goes on with their runs; another SIGINT kills the engines. Raises ValueError
    when a run can't be trained here, which is left to others, and EngineError when its engine can't begin it, which
    then counts as failed.
    """
    at_work: list[_Work] = []
    broken: list[Exception] = []
    told_to_stop, kills_from, next_ask, waited = False, 0, 0.0, False
    before = {one.id for one in queue.inbox.look()}
    with signals_taken() as received:
        while at_work or not (received or told_to_stop or broken or not _left(queue)):
            while len(at_work) < at_once and not (received or told_to_stop or broken) and time.monotonic() >= next_ask:
                queue.grow()
                claimed = queue.take()
                if claimed is None:
                    next_ask = time.monotonic() + ASK_EVERY
                    if not at_work and not waited and queue.trials(*OPEN):
                        waited = True
                        say("other workers have the runs that are left; waiting, to go on with what they leave")
                    continue
                try:
                    device = freest(devices, [one.device for one in at_work]) if devices else None
                    at_work.append(_Work(queue, claimed, device))
                except ValueError as error:  # what is missing here may be there where others work
                    claimed.close()
                    broken.append(error)
                    continue
                say(f"{at_work[-1].run.name}: {at_work[-1].words}")
            time.sleep(LOOK_EVERY)
            stops = [one for one in queue.inbox.look() if one.action == "stop" and one.id not in before]
            if (received or stops) and not told_to_stop:
                told_to_stop, kills_from = True, len(received)
                why, again = (f"{stops[0].by} stops the sweep", "") if stops else ("stopping", " (again)")
                say(f"{why}: the engines finish their step and save; ctrl-c{again} kills them at once")
                _signal(at_work, signal.SIGTERM)
            if told_to_stop and signal.SIGINT in received[kills_from:]:
                _signal(at_work, signal.SIGKILL)
            for one in list(at_work):
                if told_to_stop:
                    if one.engine is None or one.engine.process.poll() is not None:
                        one.claimed.close()
                        at_work.remove(one)
                    continue
                taken = [other.device for other in at_work if other.engine]
                if one.engine is None and full(one.device, devices or [one.device], taken, at_once):
                    continue
                try:
                    over = one.look()
                except (EngineError, ValueError) as error:
                    over = TrialState.FAIL, str(error)
                    broken.append(error)
                if over is None:
                    continue
                at_work.remove(one)
                measured = one.measured()
                one.claimed.tell(over[0], measured, over[1])
                words = {TrialState.COMPLETE: "finished", TrialState.PRUNED: "pruned"}.get(over[0], over[1])
                value = f", {measured[1].called(measured[0])} {measured[1].value:.4g}" if measured else ""
                say(f"{one.run.name}: {words}{value}")
    if received:
        return 128 + received[0]
    if broken:
        raise broken[0]
    return 0


def _left(queue: Queue) -> bool:
    """Whether runs are left that are not over, those with it that were added meanwhile."""
    queue.grow()
    return bool(queue.trials(*OPEN))


def _signal(at_work: list[_Work], number: int) -> None:
    for one in at_work:
        if one.engine is not None:
            one.engine.process.send_signal(number)
