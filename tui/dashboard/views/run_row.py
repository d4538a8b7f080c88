"""One run as the runs screen lists it: read once, then only what is new, and nothing once it is over."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from laddertop.journal import inside
from laddertop.journal.damage import all_damages
from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader, count_columns, record_type, segment_name, segment_size
from laddertop.journal.state import OVER, STARTUP, RunState
from laddertop.tui.watch.console import last_words, why_gone
from laddertop.tui.watch.spec_words import changed

TREND = 32
"""Points of the cost that a row keeps for its small curve."""

READ_WHOLE = 1 << 19
"""Bytes of a segment's numbers that are read at once, which takes less time than to read the few that are wanted."""

NEWEST = 1 << 20
"""Bytes of a segment's numbers that are compared with their checksums, besides the newest block."""


class Measured(NamedTuple):
    """The value that says best how good a run's model is."""

    label: str
    """What it is called."""
    sign: str
    """What stands behind the number."""
    newest: float
    best: float
    better: str
    """Which of two values speaks for a model: lower, higher, or none."""


@dataclass
class RunRow:
    """One run of the list."""

    run: RunFolder
    recipe: str | None = None
    """None when the spec can't be read, or has not been read yet."""
    problem: str = ""
    """Why the run is damaged; empty when it is not."""
    status: str = "reading"
    """One of laddertop.journal.state.STATES, `damaged`, or `reading` before the first look at it."""
    why: str = ""
    """The whole reason why it failed, diverged or crashed, in one or more lines; empty when it did not."""
    step: int = 0
    steps: int = 0
    """Planned length of the run; 0 before its first start."""
    evaluation: Measured | None = None
    """What its evaluations say."""
    made: float = 0.0
    """When the run was made, in seconds since 1970."""
    note: str = ""
    archived: bool = False
    pinned: bool = False
    """Whether it stands on top, however the list is ordered."""
    sweep: str = ""
    """The name of the sweep that it is a run of, and that stands in the list in its place."""
    name: str = ""
    origin: str = ""
    """Name of the run that it was forked from or that it replays."""
    differs: str = ""
    """What its spec has other than that run's, in a line; empty when nothing, or when that run is gone."""
    sampled: str = ""
    """File of its newest samples, relative to its folder; empty before the first."""
    trend: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    """Total cost at some steps of the newest start, evenly spread, at most 2·TREND of them."""

    def __post_init__(self) -> None:
        self.name = self.run.path.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.run.path

    def progress(self) -> float:
        """Share of the planned steps that is done."""
        return self.step / self.steps if self.steps else 0.0


class Files(NamedTuple):
    """What the files of a run look like from outside: while they do, there is nothing new in them."""

    events: int
    """Size of the event file in bytes."""
    changed: int
    """When it was last written to, in nanoseconds since 1970."""
    segment: int
    """Number of the newest start."""
    metrics: int
    """Size of its metrics in bytes."""


class Over(NamedTuple):
    """How a run ended that is over."""

    status: str
    """One of OVER."""
    files: Files
    """As they were when they were read."""


class RowReader:
    """Looks at one run again and again."""

    def __init__(self, run: RunFolder, identity: tuple[int, int]) -> None:
        """Reads nothing yet. A run that is deleted and made again under its name has another `identity`: the number and
        the time, in nanoseconds since 1970, of its spec file."""
        self.identity = identity
        self.row = RunRow(run, made=identity[1] / 1e9)
        self.over: Over | None = None
        """None while the run goes on, and as long as that isn't known."""
        self._reading: _Reading | None = None
        self.checked = True
        """Whether nothing is left to compare with its checksums."""

    def look(self) -> None:
        """Bring the row up to date."""
        row = self.row
        try:
            self._look()
        except (ValueError, OSError) as error:
            row.problem = str(error) if row.recipe is None else f"can't be read: {error}"
            row.status = "damaged"

    def check(self) -> None:
        """Say what is wrong with the files of a run that is over; of its numbers the newest are compared."""
        if self.checked:
            return
        self.checked, row = True, self.row
        try:
            state = RunState().apply_all(EventReader(row.run.events_path).read_all())
            row.why = "\n".join(filter(None, [row.why, *_damages(row.run, state)]))
        except (ValueError, OSError) as error:
            row.why = f"can't be checked: {error}"

    def _look(self) -> None:
        row = self.row
        row.note, row.archived = row.run.note, row.run.archived
        alive = row.run.engine_alive()
        if self.over is not None and not alive and _files(row.run, self.over.files.segment) == self.over.files:
            row.status = self.over.status
            return
        self._reading = reading = self._reading or _Reading(row.run)
        size, changed = _event_file(row.run)
        reading.take_up(row, alive)
        self.over = None
        if row.status in OVER:
            # What is known of it is in the row; should it go on, it is read again.
            self.over = Over(row.status, Files(size, changed, reading.state.segment, reading.metrics))
            self._reading, self.checked = None, False


class _Reading:
    """What is kept of a run in order to read on."""

    def __init__(self, run: RunFolder) -> None:
        self.state = RunState()
        self.metrics = 0
        """Bytes in the metrics of the newest start when they were last looked at."""
        self._begun = False
        """Whether what never changes has been read."""
        self._events = EventReader(run.events_path)
        self._width = 0
        """Bytes of a record of its metrics; 0 before its columns are named."""
        self._shown = (0, 0)
        """Segment and number of records that the trend and the newest step were taken from."""
        self._newest = 0
        """Steps completed at the newest record of the newest start; 0 without one."""

    def take_up(self, row: RunRow, alive: bool) -> None:
        """Read what is new into the row; `alive`: an engine held the run a moment ago.

        Raises ValueError or OSError when it can't be read.
        """
        state = self.state
        if not self._begun:
            row.recipe = row.run.spec.recipe
            row.origin = origin.run if (origin := row.run.origin) else ""
            row.differs = _differs(row.run, row.origin)
            self._begun = True
        state.apply_all(self._events.read_all())
        self._take_up_metrics(row)
        row.step, row.steps = max(state.step, self._newest), state.end
        row.evaluation = _evaluation(state)
        row.sampled = state.samplings[-1].file if state.samplings else ""
        # It may have ended while its events were read.
        row.status = state.status(alive and not (state.ended and not row.run.engine_alive()))
        row.why = state.ended.detail if state.ended and row.status in ("failed", "diverged") else ""
        row.problem = ""
        if row.status == "crashed" and state.started is None and time.time() - row.made < STARTUP:
            row.status = "starting"
        elif row.status == "crashed":
            row.why = why_gone(last_words(row.run))

    def _take_up_metrics(self, row: RunRow) -> None:
        """The trend and the newest step of the newest start, where it has new records."""
        segment = self.state.segment
        if segment != self._shown[0]:
            self._shown, self._newest, self.metrics = (segment, 0), 0, 0
        if not self._width and (columns := count_columns(row.run.path)):
            self._width = record_type(columns).itemsize
        # No file stays open: a list may hold hundreds of runs.
        try:
            file = inside.open_file(row.run.path, segment_name(segment))
        except FileNotFoundError:
            return
        try:
            self.metrics = os.fstat(file).st_size
            records = self.metrics // self._width if self._width else 0
            if not records or (segment, records) == self._shown:
                return
            self._newest = int.from_bytes(os.pread(file, 8, (records - 1) * self._width), "little", signed=True)
            row.trend = _trend(file, self._width, records)
        finally:
            os.close(file)
        self._shown = segment, records


def _differs(run: RunFolder, origin: str) -> str:
    # A name and nothing else: what a stranger wrote there leads to no other folder.
    if not origin or origin in (".", "..") or "/" in origin:
        return ""
    try:
        return changed(RunFolder(run.path.parent / origin).spec, run.spec)
    except (ValueError, OSError):
        return ""


def _files(run: RunFolder, segment: int) -> Files:
    return Files(*_event_file(run), segment, segment_size(run.path, segment) or 0)


def _event_file(run: RunFolder) -> tuple[int, int]:
    """Its size, and when it was last written to; zeros when there is none."""
    events = inside.look(run.path, "events.jsonl")
    return (events.st_size, events.st_mtime_ns) if events else (0, 0)


def _damages(run: RunFolder, state: RunState) -> list[str]:
    metrics = MetricsReader(run.path)
    metrics.poll()
    return all_damages(run, state, metrics, alive=False, newest=NEWEST)


def _evaluation(state: RunState) -> Measured | None:
    if (found := state.headline()) is None:
        return None
    value = found.newest
    return Measured(value.called(found.name), value.sign, value.value, found.best.value, value.better)


def _trend(file: int, width: int, records: int) -> np.ndarray:
    """The total, the first value of a record, at records evenly spread; more come at the end of a growing file."""
    apart = 1
    while records // apart > 2 * TREND:
        apart *= 2
    first = (apart - 1) * width + record_type(1).fields["values"][1]  # type: ignore[index]
    if records * width <= READ_WHOLE:
        data = os.pread(file, records * width, 0)
        points = [data[at : at + 4] for at in range(first, len(data), apart * width)]
    else:
        points = [os.pread(file, 4, first + i * apart * width) for i in range(records // apart)]
    return np.frombuffer(b"".join(points), "<f4")
