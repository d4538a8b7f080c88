"""A run as an event file of TensorBoard while it trains: `python -m laddertop.tui.export.live RUN DIR`.

A process of its own beside the engine, which reads the journal as every front end does and holds no training up.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from laddertop.journal.events import Evaluated, EventReader, RunStarted, Sampled
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from laddertop.tui.export.event_files import begun, evaluated, sampled, steps, tags
from laddertop.tui.export.steps import ROWS
from laddertop.tui.watch.following import BEGINS

LOOK = 1.0
"""Seconds between two looks at the journal."""
AGAIN = 10.0
"""Seconds until it is tried again to write where that can't be done."""


class Live:
    """What TensorBoard is told of a run: all of its history, then what is new, and what was thrown away."""

    def __init__(self, run: RunFolder, write: Callable[[Any], object]) -> None:
        """`write` takes the events of TensorBoard."""
        self._run, self._write = run, write
        self._events, self._metrics = EventReader(run.events_path), MetricsReader(run.path)
        self._state = RunState()
        self._written: list[int] = []
        """Records by segment."""
        write(begun(self._state))

    def take(self) -> None:
        """Tells what happened since the last call."""
        events = self._events.read_all()
        self._metrics.poll()  # later than the events: what came before a start is there once the start is
        for event in events:
            if isinstance(event, RunStarted):
                self._tell_steps()
                self._write(_start(event))
            self._state.apply(event)
            told: Iterator[Any] = iter(())
            if isinstance(event, Evaluated):
                told = evaluated([event])
            elif isinstance(event, Sampled):
                told = sampled(self._run, [event])
            for one in told:
                self._write(one)
        self._tell_steps()

    def _tell_steps(self) -> None:
        """The records of the starts that are known."""
        parts = self._metrics.records()[: self._state.segment]
        self._written += [0] * (len(parts) - len(self._written))
        for segment, part in enumerate(parts):
            while len(some := part[self._written[segment] :][:ROWS]):
                for one in steps(tags(self._metrics, self._state), some):
                    self._write(one)
                self._written[segment] += len(some)


def follow(run: RunFolder, folder: Path) -> None:
    """Writes a file in the folder of that name below `folder`, until no engine is at work in the run any more, or a
    later one has a file of its own.

    Raises OSError where it can't be written or the run can't be read.
    """
    from tensorboard.summary.writer.record_writer import RecordWriter

    place = folder / run.name
    place.mkdir(parents=True, exist_ok=True)
    # TensorBoard reads the files of a folder in the order of their names.
    path = place / f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}"
    since, trained = time.monotonic(), False
    with open(path, "wb") as file:
        records = RecordWriter(file)
        live = Live(run, lambda event: records.write(event.SerializeToString()))
        while True:
            alive = run.engine_alive()
            live.take()
            file.flush()
            over = not alive and (trained or time.monotonic() - since > BEGINS)
            if over or max(place.glob("events.out.tfevents.*"), default=path) > path:  # of a later start
                return
            trained = trained or alive
            time.sleep(LOOK)


def follow_on(run: RunFolder, folder: Path) -> None:
    """Does the same, however often it can't be written on: the file that is begun some seconds later has all of the
    history. Returns where that is still so when no engine is at work any more."""
    since = time.monotonic()
    while True:
        with contextlib.suppress(OSError):
            follow(run, folder)
            return
        time.sleep(AGAIN)
        if not run.engine_alive() and time.monotonic() - since > BEGINS:
            return


def _start(event: RunStarted) -> Any:
    """Tells TensorBoard to forget what it knows of later steps, also from other files."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog

    step = 0 if event.segment == 1 else event.step + 1
    return Event(wall_time=event.time, step=step, session_log=SessionLog(status=SessionLog.START))


if __name__ == "__main__":
    os.nice(10)
    follow_on(RunFolder(Path(sys.argv[1])), Path(sys.argv[2]))
