"""`set`, `pause`, `continue`, `stop`, `checkpoint`, `evaluate`, `sample`: the keys of the dashboard as commands.

Each writes a command into the run's inbox and waits for what the engine records of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from laddertop.journal.actions import ACTIONS, Action, command_name
from laddertop.journal.commands import Command, send, sender
from laddertop.journal.events import (
    Checkpointed,
    Commanded,
    Evaluated,
    Event,
    EventReader,
    Knob,
    RunEnded,
    RunStarted,
    Sampled,
)
from laddertop.journal.folder import RunFolder, find_run, runs_folder
from laddertop.journal.knobs import asked_of, meant
from laddertop.journal.metrics import segment_size
from laddertop.journal.record import as_json
from laddertop.journal.state import RunState
from laddertop.tui.cli.follow import change_in_words
from laddertop.tui.cli.print import json_result, result
from laddertop.tui.cli.show import describe_evaluation
from laddertop.tui.steer.engine_process import EngineError, NoEngineError
from laddertop.tui.steer.trust import driven

COMPILING = 300.0
"""Seconds after its start that an engine may take for its first step before they count as silence."""


def ask(
    runs: Path | None,
    text: str,
    action: Action,
    *,
    settings: list[str] | None = None,
    step: int | None = None,
    note: str = "",
    trust: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Sends one command and prints the engine's answer; `settings` are knob=value, `step` is that of a roll-back.

    Raises ValueError for what the journal already knows to be wrong, and of a stranger's run without `trust`;
    NoEngineError when no engine is at work, EngineError when it refuses or does not answer within `timeout` seconds.
    """
    run = driven(find_run(runs_folder(runs), text), trust)
    dialogue = _Dialogue(run, time.monotonic() + timeout)
    dialogue.wait_for_engine()
    changes = {"step": step} if step is not None else parse_changes(settings or [], dialogue.state.knobs)
    sent = send(run.path, dialogue.state.segment, action, changes, by=sender("command line"), note=note)
    busy = f"has not answered within {timeout:g} s: it is busy, and takes up the command when it can"
    dialogue.wait(lambda: dialogue.answer(sent.id) is not None, busy)
    answer = dialogue.answer(sent.id)
    assert answer is not None
    if answer.outcome == "refused":
        if as_json:
            json_result({**_plain(answer), "result": None})
        raise EngineError(f"refused at step {answer.step}: {answer.reason}")
    if ACTIONS[action].yields:
        dialogue.wait(lambda: dialogue.done(sent) is not None, "took the command up and is still at it")
    if action == "stop":
        dialogue.wait_until_gone()
    done = dialogue.done(sent)
    if as_json:
        json_result({**_plain(answer), "result": _plain(done) if done else None})
        return
    for line in [*describe(answer, dialogue.state.knobs), *describe_result(done)]:
        result(line)


def parse_changes(settings: list[str], knobs: dict[str, Knob]) -> dict[str, float | str]:
    """New values by knob or group of knobs, from knob=value as typed.

    Raises ValueError for an unknown knob (with the nearest names) or a value that it can't take.
    """
    changes: dict[str, float | str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"{setting!r} is no setting: write knob=value, such as noise=off")
        for knob in meant(name, knobs):
            # A course begins where the engine takes it up.
            changes[name] = asked_of(knob, text, None)
    return changes


def describe(answer: Commanded, knobs: dict[str, Knob]) -> list[str]:
    """What the engine did, in lines for people."""
    what, why = command_name(answer.action), f": {answer.reason}" if answer.reason else ""
    lines = [f"{what} applied at step {answer.step}{why}"]
    return lines + [change_in_words(change, knobs) for change in answer.changes]


def describe_result(done: Event | None) -> list[str]:
    """What came of it, in lines for people."""
    match done:
        case Checkpointed():
            return [f"saved {done.file}"]
        case Sampled():
            return [f"wrote {done.file}"]
        case Evaluated():
            return describe_evaluation(as_json(done))
        case RunStarted():
            return [
                f"goes on from step {done.step}; what was recorded after it is kept, and no part of the run any more"
            ]
        case RunEnded():
            return [f"the engine ended at step {done.step}: {done.detail or done.reason}"]
    return []


class _Dialogue:
    """What the journal says from before a command is sent until it is answered and done."""

    def __init__(self, run: RunFolder, deadline: float) -> None:
        self._run = run
        self._deadline = deadline
        self._checked = time.monotonic()
        self._reader = EventReader(run.events_path)
        self.state = RunState().apply_all(self._reader.read_all())
        self._since: list[Event] = []

    def answer(self, id: str) -> Commanded | None:
        """The outcome of a command."""
        return next((e for e in self._since if isinstance(e, Commanded) and e.id == id), None)

    def done(self, sent: Command) -> Event | None:
        """What a command yielded: the first such event after its answer, as the engine answers before it carries out.

        Earlier ones were somebody else's, or the schedule's.
        """
        answer = self.answer(sent.id)
        if answer is None:
            return None
        after = self._since[self._since.index(answer) + 1 :]
        return next((e for e in after if e.type == ACTIONS[sent.action].yields), None)

    def wait_for_engine(self) -> None:
        """Returns once an engine is at work; raises NoEngineError when there is none."""
        while True:
            alive = self._read()
            if not alive:
                hint = f"; `laddertop resume {self._run.name}` goes on from its newest checkpoint"
                state = self.state.status(alive=False)
                raise NoEngineError(
                    f"no engine is at work in {self._run.name}: {state} at step {self.state.step}"
                    + (hint if state != "finished" else "")
                )
            if self.state.started is not None and self.state.ended is None:
                return
            self._check_time("is still starting")

    def wait(self, until: Callable[[], bool], otherwise: str) -> None:
        """Reads on until something holds; raises EngineError when the engine is gone, or when it takes too long."""
        while not until():
            alive = self._read()
            if not alive and not until():
                raise EngineError(f"the engine of {self._run.name} is gone: {self.state.status(alive=False)}")
            self._check_time(otherwise)

    def wait_until_gone(self) -> None:
        """Waits until the engine has let go of the run, so that the next one can begin."""
        while self._run.engine_alive():
            self._check_time("has reported its end and is still closing")

    def _read(self) -> bool:
        # Asked before reading, so that the last words of an engine that has just gone are heard.
        alive = self._run.engine_alive()
        events = self._reader.read_all()
        self._since += events
        self.state.apply_all(events)
        return alive

    def _check_time(self, otherwise: str) -> None:
        now, started = time.monotonic(), self.state.started
        before_first_step = started is not None and self._before_first_step()
        if started and started.compiled and before_first_step and time.time() < started.time + COMPILING:
            # It answers nothing while it compiles.
            self._deadline += now - self._checked
        self._checked = now
        if now > self._deadline:
            said = self.state.log[-1:] if before_first_step else []
            why = "".join(f" ({log.text})" for log in said if started and log.time >= started.time)
            raise EngineError(f"the engine of {self._run.name} {otherwise}{why}; see `laddertop show {self._run.name}`")
        time.sleep(0.02)

    def _before_first_step(self) -> bool:
        return not segment_size(self._run.path, self.state.segment)


def _plain(event: Event) -> dict[str, Any]:
    plain: dict[str, Any] = as_json(event)
    return plain
