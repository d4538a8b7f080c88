"""All runs of a folder as the runs screen lists them. Each run's events are read once, then only what is new."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np

from journal.events import Evaluated, EventReader
from journal.folder import RunFolder, list_runs
from journal.metrics import count_columns, record_type, segment_path
from journal.spec import Spec
from journal.state import STARTUP, RunState

BUDGETS = 0.05, 0.1, 0.2, 0.4
"""Seconds that the first looks take, roughly, and every one after them the last of these: in a folder of hundreds of
runs the newest are there at once, and the older ones follow."""
TREND = 32
"""Points of the cost that a row keeps for its small curve."""


@dataclass
class RunRow:
    """One run of the list."""

    run: RunFolder
    spec: Spec | None = None
    """None when it can't be read, or has not been read yet."""
    problem: str = ""
    """Why the run is damaged; empty when it is not."""
    state: RunState = field(default_factory=RunState)
    status: str = "reading"
    """One of journal.state.STATES, `damaged`, or `reading` before the first look at it."""
    step: int = 0
    made: float = 0.0
    """When the run was made, in seconds since 1970."""
    note: str = ""
    archived: bool = False
    name: str = ""
    origin: str = ""
    """Name of the run that it was forked from or that it replays."""
    trend: np.ndarray = field(default_factory=lambda: np.empty(0))
    """Total cost at some steps of the newest start, evenly spread, at most 2·TREND of them."""

    def __post_init__(self) -> None:
        self.name = self.run.name

    def evaluations(self) -> tuple[str, float, float] | None:
        """Name, newest and best value of the first thing that is evaluated."""
        found: list[Evaluated] = [e for e in self.state.evaluations if e.values]
        if not found:
            return None
        name, value = next(iter(found[-1].values.items()))
        numbers = [e.values[name].value for e in found if name in e.values]
        return name, value.value, min(numbers, key=lambda v: (v != v, v))

    def progress(self) -> float:
        """Share of the planned steps that is done."""
        return self.step / self.state.steps if self.state.steps else 0.0


@dataclass
class _Known:
    """A run with what was read of it so far."""

    row: RunRow
    events: EventReader
    width: int = 0
    """Bytes of a record of its metrics; 0 before its columns are named."""
    shown: tuple[int, int] = (0, 0)
    """Segment and number of records that the trend and the newest step were taken from."""
    newest: int = 0
    """Steps completed at the newest record of the newest start; 0 without one."""


class RunsView:
    """Looks at a folder of runs again and again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._known: dict[tuple[Path, int, int], _Known] = {}
        self._looks = 0
        self.more = False
        """Whether some runs could not be read within the last look's time."""

    def look(self) -> list[RunRow]:
        """The runs, newest first; a damaged one says so. Reads files only; called in a thread."""
        end = time.monotonic() + BUDGETS[min(self._looks, len(BUDGETS) - 1)]
        self._looks += 1
        seen = {}
        for run in list_runs(self.runs):
            try:
                spec = (run.path / "spec.json").stat()
            except OSError:
                # Deleted a moment ago.
                continue
            # A run that was deleted and made again under its name has another spec file.
            key = run.path, spec.st_ino, spec.st_mtime_ns
            seen[key] = self._known.get(key) or _Known(RunRow(run, made=spec.st_mtime), EventReader(run.events_path))
        self._known = seen
        # Those that were never read come first, as many as there is time for.
        for known in sorted(seen.values(), key=lambda known: known.row.status != "reading"):
            self.more = known.row.status == "reading" and time.monotonic() > end
            if self.more:
                break
            if known.row.status == "reading":
                _begin(known.row)
            _look(known)
        return [known.row for known in seen.values()]


def _begin(row: RunRow) -> None:
    try:
        row.spec = row.run.spec
        row.origin = origin.run if (origin := row.run.origin) else ""
    except ValueError as error:
        row.problem = str(error)


def _look(known: _Known) -> None:
    row = known.row
    try:
        row.state.apply_all(known.events.read_all())
        row.note, row.archived = row.run.note, row.run.archived
        _take_up_metrics(known)
        row.step = max(row.state.step, known.newest)
        row.status = row.state.status(row.run.engine_alive())
    except (ValueError, OSError, KeyError, TypeError) as error:
        row.problem = row.problem or f"can't be read: {error}"
    else:
        row.problem = row.problem if row.spec is None else ""
    if row.problem:
        row.status = "damaged"
    elif row.status == "crashed" and row.state.started is None and time.time() - row.made < STARTUP:
        row.status = "starting"


def _take_up_metrics(known: _Known) -> None:
    """The trend and the newest step of the newest start, where it has new records."""
    row = known.row
    if row.state.segment != known.shown[0]:
        known.shown, known.newest = (row.state.segment, 0), 0
    if not known.width and (columns := count_columns(row.run.path)):
        known.width = record_type(columns).itemsize
    # No file stays open: a list may hold hundreds of runs.
    try:
        file = segment_path(row.run.path, row.state.segment).open("rb")
    except FileNotFoundError:
        return
    with file:
        records = os.fstat(file.fileno()).st_size // known.width if known.width else 0
        if not records or (row.state.segment, records) == known.shown:
            return
        with mmap(file.fileno(), records * known.width, access=ACCESS_READ) as mapped:
            last = (records - 1) * known.width
            known.newest = int.from_bytes(mapped[last : last + 8], "little", signed=True)
            row.trend = _trend(mapped, known.width, records)
    known.shown = row.state.segment, records


def _trend(mapped: mmap, width: int, records: int) -> np.ndarray:
    """The total, the first value of a record, at records evenly spread; more come at the end of a growing file."""
    apart = 1
    while records // apart > 2 * TREND:
        apart *= 2
    first = (apart - 1) * width + record_type(1).fields["values"][1]  # type: ignore[index]
    return np.ndarray((records // apart,), "<f4", mapped, first, (apart * width,)).copy()
