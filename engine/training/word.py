"""Word from afar: commands of the user's that are run when a training ends, diverges or has a new best.

They come from options, environment or settings of whoever starts the engine, never from a run's folder, which may be a
stranger's. The engine starts them itself, as a detached one has no parent that waits, and waits for none: each
has a session of its own and reads a file that is written before it begins, so that one that hangs holds nobody up.
"""

from __future__ import annotations

import json
import math
import socket
import subprocess
import tempfile
from collections.abc import Callable

from laddertop.journal.events import Evaluated, Event, Logged, RunEnded
from laddertop.journal.folder import RunFolder
from laddertop.journal.record import as_json
from laddertop.journal.settings import WORDS, held
from laddertop.journal.state import RunState


class Word:
    """Sends word of one run."""

    def __init__(self, run: RunFolder, state: RunState, tell: Callable[[Event], None]) -> None:
        """`tell` records an event and brings `state` up to date."""
        self._run, self._state, self._record = run, state, tell
        self._commands = {name: str(held(name).value or "") for name in WORDS}
        self._running: list[subprocess.Popen[bytes]] = []

    def tell(self, event: Event) -> None:
        """Records an event, and that word of it is sent, and sends it; waits for nothing but the disk.

        The command is not recorded: it may hold what is nobody's business, such as an address to send to.
        """
        ends = isinstance(event, RunEnded)
        if not ends:
            self._record(event)
        if name := self._name(event):
            self._record(Logged(step=event.step, level="info", text=f"running the command of {name}"))
        if ends:
            # Nothing comes after the end.
            self._record(event)
        if name and (problem := self._send(name, event)):
            text = f"the command of {name} can't be run: {problem}"
            print(f"laddertop: {text}", flush=True)
            if not ends:
                self._record(Logged(step=event.step, level="warning", text=text))

    def _send(self, name: str, event: Event) -> str:
        """Starts a command; why that can't be, else an empty text."""
        # Those that are over leave the table of processes.
        self._running = [process for process in self._running if process.poll() is None]
        try:
            with tempfile.TemporaryFile() as told:
                told.write(json.dumps(self._told(name, event)).encode())
                told.seek(0)
                command = ["/bin/sh", "-c", self._commands[name]]
                self._running.append(subprocess.Popen(command, stdin=told, start_new_session=True))
        except OSError as error:
            return str(error)
        return ""

    def _name(self, event: Event) -> str:
        """The setting whose command an event asks for; empty where none does, or nobody wants to know."""
        name = ""
        match event:
            case RunEnded():
                name = "on-end"
            case Logged(diverged=True):
                name = "on-diverge"
            case Evaluated() if self._best(event):
                name = "on-best"
        return name if name and self._commands[name] else ""

    def _best(self, event: Evaluated) -> bool:
        """Whether an evaluation beats all that came before it; the first one is a best of nothing."""
        if (name := event.headline()) is None or math.isnan(event.values[name].value):
            return False
        before = [e.values[name] for e in self._state.evaluations if e is not event and name in e.values]
        return bool(before) and all(event.values[name].beats(value) for value in before)

    def _told(self, name: str, event: Event) -> dict[str, object]:
        run, state = self._run, self._state
        evaluation = event if isinstance(event, Evaluated) else next(reversed(state.evaluations), None)
        measured = ""
        if evaluation is not None and (headline := evaluation.headline()) is not None:
            value = evaluation.values[headline]
            measured = f"{value.called(headline)} {value.value:.6g}{value.sign}"
        what: str
        match event:
            case RunEnded():
                what, detail = event.reason, event.detail
            case Logged():
                what, detail = "diverged", event.text
            case _:
                what, detail = "new best", ""
        text = f"{run.name}: {what} at step {event.step}" + (f", {measured}" if measured else "")
        return {
            "event": name.removeprefix("on-"),
            "text": text,
            "name": run.name,
            "folder": str(run.path.absolute()),
            "recipe": run.spec.recipe,
            "host": socket.gethostname(),
            "time": event.time,
            "step": event.step,
            "steps": state.steps or None,
            "reason": what,
            "detail": detail,
            "evaluation": as_json(evaluation) if evaluation is not None else None,
        }
