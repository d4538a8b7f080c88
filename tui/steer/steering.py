"""What a key asks of the engine: which command, with which new values; and sending it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from laddertop.journal.actions import Action
from laddertop.journal.commands import Command, drawn_up, put
from laddertop.journal.events import Commanded
from laddertop.journal.knobs import members
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.trust import ONLY_LOOKS
from laddertop.tui.watch.advice import together
from laddertop.tui.watch.diagnoses.advised import note_of
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.event_line import ADVISED, ME, UNDO
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import changes_in_words

Request = tuple[Action, dict[str, float]]


def flip(view: RunView, name: str) -> Request:
    """Turn a switch to its other side. Raises ValueError when the run has none of that name."""
    row = view.knobs().get(name)
    if row is None:
        raise ValueError(f"this run has no switch {name}")
    # A second press before the engine answered turns the first one back.
    now = row.pending if isinstance(row.pending, float | int) else row.knob.value
    return "set", {name: 0.0 if now else 1.0}


def turn(view: RunView, names: list[str], up: bool) -> Request:
    """Multiply or divide knobs by their factor, within their bounds, all in one command.

    Presses add up: what was asked for last counts, answered or not. Raises ValueError when there is nothing to turn.
    """
    rows = [row for name, row in view.knobs().items() if name in names]
    if not rows:
        raise ValueError("this run has no such knob")
    changes = {}
    for row in rows:
        knob = row.knob
        now = row.pending if isinstance(row.pending, float | int) else knob.value
        value = now * (knob.factor or 1.0) if up else now / (knob.factor or 1.0)
        value = min(max(_tidy(value), knob.low), knob.high)
        if value != now:
            changes[knob.name] = value
    if not changes:
        at = "0" if all(row.knob.value == 0 for row in rows) else "its bound"
        raise ValueError(
            f"{', '.join(row.knob.label for row in rows[:2])} is at {at}; {sign('everywhere.commands')} sets any value"
        )
    return "set", changes


def undo(view: RunView) -> tuple[Commanded, dict[str, float | str]]:
    """The newest intervention that was not taken back yet, and the values before it; of earlier starts those that are
    part of the run still, and that a resume has come to again.

    Raises ValueError when there is none.
    """
    deeds: list[Commanded] = []
    taken_back = {c.note.removeprefix(UNDO) for c in view.pending() if c.note.startswith(UNDO)}
    for done in view.state.interventions():
        if done.changes and done.step <= view.step:
            if done.note.startswith(UNDO):
                taken_back.add(done.note.removeprefix(UNDO))
            else:
                deeds.append(done)
    for done in reversed(deeds):
        if done.id not in taken_back:
            return done, {change.knob: change.before for change in done.changes}
    raise ValueError("there is nothing to undo")


Write = Callable[[Callable[[], None], Callable[[Exception], None]], None]
"""Does something that needs a disk, one thing after the other, and calls back with its OSError or ValueError."""


class Steering:
    """Sends what keys ask for, or says why not."""

    def __init__(self, view: RunView, say: Callable[[str], None], sent: Callable[[], None], write: Write) -> None:
        """`say` shows a sentence to the user, `sent` is called when a command is on its way, `write` takes it there."""
        self._view, self._say, self._sent, self._write = view, say, sent, write

    def ready(self) -> bool:
        """Whether the engine is past its start; says so when it is not."""
        if self._view.status() == "starting":
            self._say("the engine is still starting; try again in a moment")
            return False
        return True

    def heard(self) -> bool:
        """Whether there is an engine that would hear a command from here; says why not."""
        view = self._view
        if not view.steerable:
            self._say(view.stranger or ONLY_LOOKS)
            return False
        if not self.ready():
            return False
        if not view.alive:
            status = view.status()
            more = "" if status == "finished" else f"; {sign('run.resume')} resumes it"
            self._say(f"no engine at work ({status}): the key changes nothing{more}")
        return view.alive

    def ask(self, action: Action, changes: Mapping[str, float | str] | None = None, note: str = "") -> None:
        """Send a command to the engine."""
        if self.heard():
            self._send(drawn_up(self._view.state.segment, action, dict(changes or {}), by=ME, note=note))

    def advise(self, finding: Finding) -> None:
        """Send the remedy of a finding, which is that of others of its kind too, one command after the other."""
        if finding.remedy is None or not finding.remedy.commands or not self.heard():
            return
        note, segment = note_of(together(self._view.findings, finding)), self._view.state.segment
        for action, changes in finding.remedy.commands:
            self._send(drawn_up(segment, action, changes, by=f"{ME}{ADVISED}", note=note))
            # Going back is a start of its own, which hears what is meant for it.
            segment += action == "rollback"

    def _send(self, command: Command) -> None:
        view = self._view
        sent = view.sent(command)

        def written() -> None:
            put(view.run.path, command)
            sent.written = time.monotonic()

        def not_written(error: Exception) -> None:
            view.withdrawn(command)
            self._say(f"the command could not be written: {getattr(error, 'strerror', None) or error}")

        self._write(written, not_written)
        self._sent()

    def flip(self, name: str) -> None:
        """Turn a switch."""
        self._try(lambda: flip(self._view, name))

    def turn(self, name: str, up: bool) -> None:
        """Turn a knob, or all of a group, each by its factor."""
        self._try(lambda: turn(self._view, members(name, self._view.state.knobs), up))

    def pause(self) -> None:
        """Pause, or continue."""
        # A second press before the engine answered takes the first one back.
        asked = [c.action for c in self._view.pending() if c.action in ("pause", "continue")]
        paused = asked[-1] == "pause" if asked else self._view.state.paused
        self.ask("continue" if paused else "pause")

    def undo(self) -> None:
        """Send the values from before the newest intervention."""
        if not self.ready():
            return
        try:
            done, before = undo(self._view)
        except ValueError as error:
            self._say(str(error))
            return
        words = changes_in_words({c.knob: c.set_to for c in done.changes}, self._view.state.knobs)
        self._say(f"undo of {words} at step {thousands(done.step)}")
        self.ask("set", before, f"{UNDO}{done.id}")

    def _try(self, request: Callable[[], Request]) -> None:
        try:
            action, changes = request()
        except ValueError as error:
            if self.ready():
                self._say(str(error))
        else:
            self.ask(action, changes)


def _tidy(value: float) -> float:
    """Without the dust of repeated turning, so that as many presses back lead to the number it was."""
    short = float(f"{value:.3g}")
    return short if math.isclose(value, short, rel_tol=1e-5) else float(f"{value:.7g}")
