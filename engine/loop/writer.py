"""Takes to the run's folder what a loop records, and finds there what people ask of it: all in a thread of its own, so
that no step waits for a disk.

What the disk refuses is kept, and tried again until it is taken: the loop goes on meanwhile.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from laddertop.journal import commands, inside
from laddertop.journal.events import Commanded, Event, EventWriter, Term
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsWriter

INTERVAL = 0.1
"""Seconds between two looks."""
PATIENCE = 10.0
"""Seconds that the end waits for a disk that takes nothing."""


class Row(NamedTuple):
    """What one step recorded."""

    step: int
    """Steps completed."""
    time: float
    """Seconds since 1970."""
    values: dict[str, object]
    """By name what `float` makes a number of."""
    knobs: tuple[float, ...]
    """The knobs' values, in their order."""


class Writer:
    """Writes the files of one start of a run."""

    def __init__(
        self, run: RunFolder, events: EventWriter, metrics: MetricsWriter, terms: Sequence[Term], knobs: Sequence[str]
    ) -> None:
        """Begins with the columns `total`, `terms` and `knobs`; nothing is written before `start`."""
        self.rows: deque[Row] = deque()
        """Put there by the loop."""
        self.events: deque[Event | Callable[[], Event]] = deque()
        """The same, or what makes one, for which it writes something itself; raises nothing."""
        self.asked: deque[commands.Command] = deque()
        """Commands that the loop has to take up, in the order of sending."""
        self._run, self._events, self._metrics = run, events, metrics
        self._terms = [(term.name, list(knobs).index(term.weight) if term.weight else -1) for term in terms]
        self._weighted = {term.name for term in terms if not term.watched}
        self._taken: set[str] = set()
        self._answering: set[str] = set()
        """Ids of commands whose answers are on their way to the disk, or there."""
        self._answered: set[str] = set()
        self._refused = ""
        """What the disk last said, while it takes nothing."""
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="laddertop")

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def close(self) -> None:
        """Writes what is left and closes the files. Raises OSError when the disk does not take it for a while."""
        self._leave.set()
        self._thread.join()
        until = time.monotonic() + PATIENCE
        while (problem := self._write()) and time.monotonic() < until:
            time.sleep(INTERVAL)
        try:
            if problem:
                raise problem
            self._metrics.finish()
        finally:
            self._metrics.close()
            self._events.close()

    def _work(self) -> None:
        while not self._leave.wait(INTERVAL):
            problem = self._write()
            if problem and not self._refused:
                print(f"laddertop: {problem}; the loop goes on, and what it records waits", file=sys.stderr, flush=True)
            self._refused = str(problem or "")
            self._look()

    def _write(self) -> OSError | None:
        """Everything that is there to be written; what the disk says where it takes none."""
        try:
            # The numbers before the events that are about them. What a flush could not write goes first the next time.
            self._metrics.flush()
            self._events.flush()
            if rows := [self.rows.popleft() for _ in range(len(self.rows))]:
                steps, times = [row.step for row in rows], [row.time for row in rows]
                self._metrics.append(steps, times, [self._numbers(row) for row in rows])
            while self.events:
                self._record(self.events.popleft())
        except OSError as error:
            return error
        # The disk has them all now, also those that it refused at first.
        self._answered |= self._answering
        return None

    def _record(self, event: Event | Callable[[], Event]) -> None:
        event = event() if callable(event) else event
        if isinstance(event, Commanded):
            self._answering.add(event.id)
        self._events.append(event)

    def _numbers(self, row: Row) -> list[float]:
        raw = [float(row.values.get(name, math.nan)) for name, _ in self._terms]  # type: ignore[arg-type]
        if "total" in row.values:
            total = float(row.values["total"])  # type: ignore[arg-type]
        else:
            total = math.fsum(
                value * (row.knobs[weight] if weight >= 0 else 1.0)
                for (name, weight), value in zip(self._terms, raw, strict=True)
                if name in self._weighted
            )
        return [total, *raw, *row.knobs]

    def _look(self) -> None:
        """What lies in the inbox; a command is taken out once its answer is written."""
        try:
            for path, command in commands.pending(self._run.path):
                if isinstance(command, str):
                    self._say(f"commands/{path.name}: {command}")
                    commands.done(self._run.path, path)
                elif command.id in self._answered:
                    commands.done(self._run.path, path)
                elif command.id not in self._taken:
                    self._taken.add(command.id)
                    self.asked.append(command)
        except FileNotFoundError:
            self._make_inbox()
        except (OSError, ValueError) as error:
            self._say(f"the inbox can't be read, and commands wait: {error}")

    def _make_inbox(self) -> None:
        try:
            inside.make_folder(self._run.path, "commands")
        except (OSError, ValueError) as error:
            self._say(f"a folder of the run can't be made: {error}")

    def _say(self, text: str) -> None:
        if text not in self._taken:
            self._taken.add(text)
            print(f"laddertop: {text}", file=sys.stderr, flush=True)

    def answered(self, ids: Iterable[str]) -> None:
        """Commands that earlier starts answered."""
        self._answered |= set(ids)
