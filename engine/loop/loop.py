"""A loop of somebody's own as a run: it is recorded, watched and steered as every other one, and trains what it likes.

    run = laddertop.start("my-run", steps=4000, terms={"kl": "beta", "reconstruction": None}, knobs={"beta": 1.0})
    for step in run:
        ...
        run.record(kl=kl, reconstruction=reconstruction)

Shape letters: N items, H rows, W columns.
"""

from __future__ import annotations

import atexit
import difflib
import hashlib
import os
import platform
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from laddertop.engine.loop.pictures import as_rows
from laddertop.engine.loop.writer import Row, Writer
from laddertop.journal import inside
from laddertop.journal.actions import Action
from laddertop.journal.checkpoints import newest
from laddertop.journal.commands import Command, check_meant, outcome
from laddertop.journal.courses import is_course
from laddertop.journal.events import (
    Change,
    Checkpointed,
    Evaluated,
    Event,
    EventReader,
    EventWriter,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
    Term,
)
from laddertop.journal.folder import RunFolder
from laddertop.journal.knobs import meant, value_of
from laddertop.journal.metrics import MetricsWriter, columns_of, segments_on_disk, write_columns
from laddertop.journal.samples import write_samples
from laddertop.journal.state import RunState
from laddertop.journal.value import Value

Saves = Callable[[], str | Path]
"""Saves what is trained and returns the file."""
Evaluates = Callable[[], Mapping[str, float | Value]]
"""Measures what is trained: values by name, the one that says best how good it is first."""
Draws = Callable[[], Any]
"""Gives images: see `Loop.images`."""

LEFT = "its loop was left"
"""Why a run was stopped that nobody told to stop."""
GRACE = 1.0
"""Seconds that the end of a loop that was left waits for the error that may have been the reason."""
LOOK = 0.02
"""Seconds between two looks at what is asked of a loop that is paused."""


class Loop:
    """A run that the caller's own loop trains; `laddertop.start` makes it.

    It is iterated over once: each step as its number, from 0, with the commands of people taken up in between. The run
    ends with its last step, when somebody stops it, or when the loop is left; an error that ends the program is
    recorded with what it says.
    """

    def __init__(
        self,
        run: RunFolder,
        steps: int,
        terms: list[Term],
        knobs: list[Knob],
        *,
        epoch_steps: int | None = None,
        device: str = "",
        saves: Saves | None = None,
        evaluates: Evaluates | None = None,
        draws: Draws | None = None,
    ) -> None:
        """Goes on from the newest checkpoint of `run`, or from its beginning. Raises ValueError when it is being
        trained, OSError when its folder can't be written."""
        self.run = run
        """The run's folder."""
        self.steps = steps
        """How many steps it is to have."""
        self.paused = False
        """Whether somebody paused it."""
        self._terms, self._knobs = terms, {knob.name: knob for knob in knobs}
        self._recorded = {"total", *(term.name for term in terms)}
        self._saves, self._evaluates, self._draws = saves, evaluates, draws
        able: dict[Action, object] = {"checkpoint": saves, "evaluate": evaluates, "sample": draws}
        self._unable = [action for action, function in able.items() if function is None]
        self._stopped_by = self._ended = ""
        self._ending = threading.Lock()
        self._done = 0
        self._held = ExitStack()
        self._held.enter_context(run.engine_lock())
        state = RunState().apply_all(EventReader(run.events_path).read_all())
        begins = newest(run.checkpoints(state.checkpoints))
        self.step = begins.step if begins else 0
        """Steps completed."""
        self.resumed_from = run.path / begins.file if begins else None
        """The file that the loop has to load before its first step; None: it begins."""
        self.values = {knob.name: knob.value for knob in knobs} | _standing(state, begins)
        """The knobs' values now."""
        self._segment = 1 + max(state.segment, *segments_on_disk(run.path), 0)
        names = columns_of(terms, knobs)
        write_columns(run.path, names)
        events = EventWriter(run.events_path)
        metrics = MetricsWriter(run.path, self._segment, len(names))
        self._writer = Writer(run, events, metrics, terms, list(self._knobs))
        self._writer.answered(command.id for command in state.commands)
        events.append(self._started(begins, epoch_steps or steps, device))
        self._writer.start()
        self.say(f"a loop of its own: {Path(sys.argv[0]).name or 'typed in'}")
        self._process = os.getpid()
        atexit.register(self._at_exit)

    def __iter__(self) -> Iterator[int]:
        try:
            while True:
                self._obey()
                if self._stopped_by or self.step >= self.steps:
                    break
                yield self.step
                self.step += 1
        except GeneratorExit:
            # By a break, or by an error that whoever is above has yet to hear of.
            timer = threading.Timer(GRACE, self._end, ("stopped", LEFT))
            timer.daemon = True
            timer.start()
            raise
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None or isinstance(error, KeyboardInterrupt):
            self._stopped_by = self._stopped_by or ("SIGINT" if error else LEFT if self.step < self.steps else "")
            self.end()
        else:
            self._end("failed", _in_words(error))

    def record(self, **values: Any) -> None:
        """What this step came to, by name of its term: numbers, or scalar tensors, which are read later and make no
        device wait. `total` is the weighted sum where it is not given; what is not given else is no number.

        Raises ValueError for a name that was not declared.
        """
        if not values.keys() <= self._recorded:
            unknown = min(values.keys() - self._recorded)
            near = difflib.get_close_matches(unknown, self._recorded)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(self._recorded))}"
            raise ValueError(f"record: no term {unknown!r} was declared; {hint}")
        for name, value in values.items():
            if hasattr(value, "detach"):
                # Whoever trains may go on writing into it.
                values[name] = value.detach().clone()
        self._done = self.step + 1
        self._writer.rows.append(Row(self._done, time.time(), values, tuple(self.values.values())))

    def knob(self, name: str) -> float:
        """The value of a knob now. Raises ValueError for one that was not declared."""
        try:
            return self.values[name]
        except KeyError:
            raise ValueError(f"no knob {name!r} was declared; there are {', '.join(self.values) or 'none'}") from None

    def images(self, images: Any) -> None:
        """Shows images in the samples panel: an array or tensor, or several by name in the order to show. Grey
        [N, H, W] or [N, 1, H, W], colour [N, 3, H, W] or [N, H, W, 3]; numbers from 0 to 1, or bytes.

        Raises ValueError for anything else.
        """
        rows = {name: as_rows(name, array) for name, array in _by_name(images).items()}
        step, folder = self._now(), self.run.path

        def sampled() -> Event:
            try:
                return Sampled(step=step, file=write_samples(folder, step, rows), rows=list(rows))
            except (OSError, ValueError) as error:
                return Logged(step=step, level="warning", text=f"the samples can't be written: {error}")

        self._writer.events.append(sampled)

    def checkpoint(self, path: str | Path, reason: str = "schedule") -> None:
        """Takes a file that the loop has saved into the run, which a next start goes on from; waits for the disk.

        A disk that does not take it is told in the events, and the loop goes on. Raises OSError when the file can't be
        read.
        """
        data = Path(path).read_bytes()
        checksum, step = hashlib.sha256(data).hexdigest(), self._now()
        name = f"step-{step:09d}-{checksum[:8]}.ckpt"
        try:
            inside.write(self.run.path, name, data, durable=True)
        except OSError as error:
            self.say(f"nothing was saved: {error}", "warning")
        else:
            self._tell(Checkpointed(step=step, file=name, sha256=checksum, bytes=len(data), reason=reason))

    def evaluated(self, split: str = "test", seconds: float = 0.0, **values: float | Value) -> None:
        """What was measured, by name; the first says best how good the model is, and less is better, where no
        `laddertop.Value` says otherwise. Raises ValueError once the run has ended, as nobody would hear of it."""
        if self._ended:
            raise ValueError(
                "evaluated: the run has ended with its loop; measure in the last step, or give laddertop.start a "
                "function, evaluates=, which is asked at the end"
            )
        told = {
            name: value if isinstance(value, Value) else Value(value=float(value), unit="")
            for name, value in values.items()
        }
        self._tell(Evaluated(step=self._now(), split=split, values=told, seconds=seconds))

    def say(self, text: str, level: str = "info") -> None:
        """A line for the event log: info, warning or error."""
        self._tell(Logged(step=self.step, level=level, text=text))  # type: ignore[arg-type]

    def end(self) -> None:
        """Ends the run, as finished where all its steps are done, and measures, draws and saves it where the loop can.
        Once is enough."""
        if self._ended:
            return
        if self.step:
            if self._evaluates is not None:
                self._done_when_asked(self._evaluates, lambda values: self.evaluated(**values))
            if self._draws is not None:
                self._done_when_asked(self._draws, self.images)
            if self._saves is not None:
                self.checkpoint(self._saves(), "end")
        done = self.step >= self.steps and not self._stopped_by
        self._end("finished" if done else "stopped", self._stopped_by)

    def _now(self) -> int:
        """Steps completed, with the present one once it has recorded what it came to."""
        return max(self.step, self._done)

    def _tell(self, event: Event) -> None:
        self._writer.events.append(event)

    def _obey(self) -> None:
        """Takes up what was asked since the last step; while the run is paused, until it goes on or is stopped."""
        asked = self._writer.asked
        while asked or self.paused:
            if asked:
                self._take_up(asked.popleft())
            elif not self._stopped_by:
                time.sleep(LOOK)
            if self._stopped_by:
                return

    def _take_up(self, command: Command) -> None:
        changes: list[Change] = []
        try:
            self._refuse(command)
            if command.action == "set":
                changes = self._set(command.changes)
        except ValueError as refusal:
            self._tell(outcome(command, self.step, [], str(refusal)))
            return
        self._tell(outcome(command, self.step, changes))
        match command.action:
            case "pause" | "continue":
                self.paused = command.action == "pause"
            case "stop":
                self._stopped_by = f"told to by {command.by}"
            case "checkpoint":
                self._done_when_asked(self._saves, partial(self.checkpoint, reason="command"))
            case "evaluate":
                self._done_when_asked(self._evaluates, lambda values: self.evaluated(**values))
            case "sample":
                self._done_when_asked(self._draws, self.images)

    def _refuse(self, command: Command) -> None:
        """Raises ValueError, which says why, for what this loop can't do now."""
        check_meant(command, self._segment, self.step, self.paused)
        if command.action == "rollback":
            raise ValueError("a loop of one's own can't be sent back: only its program knows how to load what it saved")
        if command.action in self._unable:
            option = {"checkpoint": "saves", "evaluate": "evaluates", "sample": "draws"}[command.action]
            raise ValueError(f"this loop has not said how: laddertop.start takes {option}=, a function that does it")

    def _set(self, wanted: Mapping[str, float | str]) -> list[Change]:
        if name := next((name for name, text in wanted.items() if is_course(text)), ""):
            raise ValueError(f"{name}: a loop of one's own moves no knob by itself; set a value")
        found = {knob.name: value_of(knob, text) for name, text in wanted.items() for knob in meant(name, self._knobs)}
        changes = [Change(knob=name, old=self.values[name], applied=value) for name, value in found.items()]
        self.values |= found
        return changes

    def _done_when_asked(self, does: Callable[[], Any] | None, takes: Callable[[Any], None]) -> None:
        assert does is not None
        try:
            takes(does())
        except Exception as error:  # whatever the caller's function raises, the training goes on
            self.say(f"what was asked for failed: {_in_words(error)}", "warning")

    def _started(self, begins: Checkpointed | None, epoch_steps: int, device: str) -> RunStarted:
        torch = sys.modules.get("torch")
        return RunStarted(
            step=self.step,
            segment=self._segment,
            pid=os.getpid(),
            host=socket.gethostname(),
            device=device,
            precision="",
            compiled=False,
            threads=torch.get_num_threads() if torch else 1,
            versions={"python": platform.python_version(), "numpy": np.__version__}
            | ({"torch": torch.__version__} if torch else {}),
            resumed_from=begins.step if begins else None,
            steps=self.steps,
            epoch_steps=epoch_steps,
            unable=self._unable,
            terms=self._terms,
            knobs=[knob.model_copy(update={"value": self.values[name]}) for name, knob in self._knobs.items()],
        )

    def _end(self, reason: str, detail: str) -> None:
        if os.getpid() != self._process:
            return  # a process that this one made ends, and not the run
        with self._ending:
            if self._ended:
                return
            self._ended = reason
        atexit.unregister(self._at_exit)
        self._tell(RunEnded(step=self.step, reason=reason, detail=detail))  # type: ignore[arg-type]
        try:
            self._writer.close()
        finally:
            self._held.close()

    def _at_exit(self) -> None:
        error = getattr(sys, "last_value", None)
        if error is None:
            self._end("stopped", LEFT)
        elif isinstance(error, KeyboardInterrupt):
            self._end("stopped", "SIGINT")
        else:
            self._end("failed", _in_words(error))


def _standing(state: RunState, begins: Checkpointed | None) -> dict[str, float]:
    """What knobs were set to when the checkpoint was saved that a run goes on from."""
    if begins is None:
        return {}
    done = [change for c in state.interventions() if c.step <= begins.step for change in c.changes]
    return {change.knob: change.applied for change in done}


def _by_name(images: Any) -> Mapping[str, Any]:
    return images if isinstance(images, Mapping) else {"samples": images}


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
