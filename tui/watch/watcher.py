"""Looks at a run folder a few times a second, in a thread of its own, and hands over what is new.

It polls file sizes (no inotify, which fails on network file systems) and takes up a bounded amount at each look. What
the charts show is gathered here too, so that no key ever waits for a disk.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

import numpy as np

from laddertop.journal.commands import Command, pending
from laddertop.journal.damage import MetricsCheck, damages
from laddertop.journal.events import Event, EventReader, RunStarted, Sampled
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.record import lean
from laddertop.journal.samples import read_samples
from laddertop.journal.state import RunState
from laddertop.tui.watch.console import last_words
from laddertop.tui.watch.diagnoses.advised import Advised
from laddertop.tui.watch.diagnoses.diagnoses import Diagnoses
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.effects import Effect, Effects
from laddertop.tui.watch.history import Curves, History, Wanted

ROWS_AT_MOST = 4000
"""Of the newest records, how many one look hands over at most."""
CHECK_EVERY = 2.0
"""Seconds between two looks whether the files of a run are as they were written."""
CHECKED_AT_ONCE = 1 << 21
"""Bytes of numbers that one look compares with their checksums."""
APPENDED_AT_MOST = 50_000
"""New records that are added to what is gathered already; more are gathered afresh."""
PAST_AT_MOST = 100
"""Findings that are over, of which one look tells."""


@dataclass(frozen=True)
class News:
    """What one look found."""

    began: float
    """When the look began, in seconds of the monotonic clock: commands sent later are not in `inbox`."""
    events: list[Event]
    alive: bool
    """Whether an engine holds the run."""
    inbox: list[Command]
    """Commands without an outcome so far."""
    columns: list[str] = field(default_factory=list)
    """Names of the columns of `rows`."""
    rows: np.ndarray | None = None
    """The newest of the new records: step, time and values of each; None when there are no new ones."""
    curves: Curves | None = None
    """What was wanted of the metrics; None when it is as it was."""
    smoothed: dict[str, float] = field(default_factory=dict)
    """The moving averages at the newest record, with `curves`."""
    effects: list[Effect] = field(default_factory=list)
    """What interventions did, as far as it can be told only now."""
    images: dict[str, np.ndarray] | None = None
    """The newest samples, uint8 (N, H, W) by row; None when they are those of before."""
    images_step: int = 0
    problem: str = ""
    """Something in the folder that can't be read."""
    console: list[str] = field(default_factory=list)
    """The last lines that a dead engine printed."""
    files: frozenset[str] = frozenset()
    """Names of the checkpoint files in the folder."""
    room: int = 0
    """Bytes that are left on its disk."""
    waits: bool = False
    """Whether the training stands still because the disk takes nothing of what it writes."""
    more: bool = False
    """There is more to take up at once."""
    damages: list[str] = field(default_factory=list)
    """What is wrong with the files of the run, each in a sentence."""
    findings: list[Finding] = field(default_factory=list)
    """What goes wrong in the run, the worst first."""
    past: list[Finding] = field(default_factory=list)
    """What went wrong and is over, oldest first; of many the newest."""
    advised: list[Advised] = field(default_factory=list)
    """The remedies that were sent, and what became of them, oldest first."""
    babysat: bool = False
    """Whether a babysitter is at work beside the engine."""
    damaged: int = 0
    """Lines of the event file that could not be read, since its beginning."""


class Watcher:
    """The eyes on one run."""

    def __init__(self, run: RunFolder, events: EventReader | None = None, metrics: MetricsReader | None = None) -> None:
        """Looks at `run`, or at what other readers make of it."""
        self._run = run
        self._events = events or EventReader(run.events_path)
        self._metrics = metrics or MetricsReader(run.path)
        self._history = History(self._metrics)
        self._effects = Effects(self._metrics)
        self._diagnoses = Diagnoses(run, self._metrics)
        self._check = None if events else MetricsCheck(self._metrics)
        self._state, self._found, self._next_check = RunState(), list[str](), 0.0
        self._samplings: list[Sampled] = []
        """Those of the steps that are part of the run."""
        self._shown: Sampled | None = None
        """The one that was handed over last."""
        self._wanted: Wanted | None = None
        self._gathered = self._handed = (0, 0)

    def look(self, wanted: Wanted | None = None) -> News:
        """What is new since the last look. Reads files only; called in a thread."""
        began = time.monotonic()
        alive = self.alive()
        # The inbox before the events: what is gone from the inbox has its outcome among the events.
        inbox = [command for _, command in self._inbox() if isinstance(command, Command)]
        events = self._events.poll()
        lean(events)
        images, images_step, problem = self._images(events)
        self._metrics.poll()
        for event in events:
            self._effects.take(event)
        self._diagnoses.look(events)
        curves = self._curves(wanted)
        return News(
            began,
            events,
            alive,
            inbox,
            [column.name for column in self._metrics.columns],
            self._rows(),
            curves,
            self._history.smoothed() if curves is not None else {},
            self._effects.measured(alive),
            images,
            images_step,
            problem,
            [] if alive else last_words(self._run),
            self._checkpoints(),
            self._room(),
            self._run.engine_waits(),
            not (self._history.complete and self._diagnoses.complete),
            self._damages(events, alive),
            self._diagnoses.findings(),
            self._diagnoses.past()[-PAST_AT_MOST:],
            self._diagnoses.advised(),
            alive and self._run.babysitter_alive(),
            self._events.damaged,
        )

    def _images(self, events: list[Event]) -> tuple[dict[str, np.ndarray] | None, int, str]:
        """The newest samples, where they are others than before: later ones, or older ones after a way back. With
        their step, and what can't be read of them."""
        for event in events:
            if isinstance(event, Sampled):
                self._samplings.append(event)
            elif isinstance(event, RunStarted):
                self._samplings = [one for one in self._samplings if one.step <= event.step]
        newest = self._samplings[-1] if self._samplings else None
        if newest is self._shown:
            return None, 0, ""
        self._shown = newest
        try:
            return (read_samples(self._run.path, newest.file), newest.step, "") if newest else ({}, 0, "")
        except ValueError as error:
            return None, 0, str(error)

    def _damages(self, events: list[Event], alive: bool) -> list[str]:
        """What is wrong with the files of a run that is looked at, and not played again."""
        if self._check is None:
            return []
        self._state.apply_all(events)
        now = time.monotonic()
        if now >= self._next_check and not events:  # all of them are read
            self._next_check = now + CHECK_EVERY
            whole = self._check.look(CHECKED_AT_ONCE)
            self._found = [*damages(self._run, self._state, self._metrics, alive), *self._check.told()]
            self._next_check = now + CHECK_EVERY if whole else 0.0
        return self._found

    def alive(self) -> bool:
        """Whether an engine is at work in the run."""
        return self._run.engine_alive()

    def _inbox(self) -> list[tuple[object, Command | str]]:
        try:
            return list(pending(self._run.path))
        except (ValueError, FileNotFoundError):  # one that is a link is nobody's inbox
            return []

    def _rows(self) -> np.ndarray | None:
        """The newest of the records that were not handed over before."""
        segment, end = newest = self._metrics.end()
        begin = self._handed[1] if self._handed[0] == segment else 0
        self._handed = newest
        return self._metrics.read(segment, max(begin, end - ROWS_AT_MOST), end) if end > begin else None

    def _curves(self, wanted: Wanted | None) -> Curves | None:
        """What is wanted, as far as it differs from what was handed over before."""
        segment, end = newest = self._metrics.end()
        if wanted is None or not self._metrics.columns:
            return None
        same = wanted == self._wanted and self._history.complete and segment == self._gathered[0]
        new = end - self._gathered[1]
        if same and new == 0:
            return None
        begin, self._gathered, self._wanted = self._gathered[1], newest, wanted
        if same and 0 < new <= APPENDED_AT_MOST:
            return self._history.more(self._metrics.read(segment, begin, end))
        return self._history.all(wanted)

    def _checkpoints(self) -> frozenset[str]:
        return frozenset(name for name in os.listdir(self._run.path) if name.endswith(".ckpt"))

    def _room(self) -> int:
        disk = os.statvfs(self._run.path)
        return disk.f_bavail * disk.f_frsize
