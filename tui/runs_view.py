"""All runs of a folder as the runs screen lists them. Each run's events are read once, then only what is new."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from journal.events import Evaluated, EventReader
from journal.folder import RunFolder, list_runs
from journal.metrics import read_columns, record_type, segment_path
from journal.spec import Spec
from journal.state import RunState
from tui.run_view import STARTUP

BUDGET = 0.15
"""Seconds that one look takes, roughly: in a folder of hundreds of runs the older ones follow at the next looks."""
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
    """Segment and number of records that the trend was taken from."""


class RunsView:
    """Looks at a folder of runs again and again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._known: dict[tuple[Path, int, int], _Known] = {}
        self.more = False
        """Whether some runs could not be read within the last look's time."""

    def look(self) -> list[RunRow]:
        """The runs, newest first; a damaged one says so. Reads files only; called in a thread."""
        end = time.monotonic() + BUDGET
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
        records = _count_records(known)
        row.step = max(row.state.step, _newest_record(known, records))
        if records and (row.state.segment, records) != known.shown:
            known.shown = row.state.segment, records
            row.trend = _trend(known, records)
        row.status = row.state.status(row.run.engine_alive())
    except (ValueError, OSError, KeyError, TypeError) as error:
        row.problem = row.problem or f"can't be read: {error}"
    else:
        row.problem = row.problem if row.spec is None else ""
    if row.problem:
        row.status = "damaged"
    elif row.status == "crashed" and row.state.started is None and time.time() - row.made < STARTUP:
        row.status = "starting"


def _count_records(known: _Known) -> int:
    """Records of the newest start."""
    if not known.width and (columns := read_columns(known.row.run.path)):
        known.width = record_type(len(columns)).itemsize
    try:
        return _segment(known).stat().st_size // known.width if known.width else 0
    except FileNotFoundError:
        return 0


def _newest_record(known: _Known, records: int) -> int:
    """Steps completed at the newest of so many records; 0 when there is none."""
    if not records:
        return 0
    # A few bytes, and no file stays open: a list may hold hundreds of runs.
    with _segment(known).open("rb") as file:
        file.seek((records - 1) * known.width)
        return int.from_bytes(file.read(8), "little", signed=True)


def _trend(known: _Known, records: int) -> np.ndarray:
    """The total, the first value of a record, at records evenly spread; more come at the end of a growing file."""
    apart = 1
    while records // apart > 2 * TREND:
        apart *= 2
    total = np.dtype({"names": ["total"], "formats": ["<f4"], "offsets": [16], "itemsize": known.width})
    mapped = np.memmap(_segment(known), total, "r", shape=(records,))
    return np.array(mapped["total"][apart - 1 :: apart])


def _segment(known: _Known) -> Path:
    return segment_path(known.row.run.path, known.row.state.segment)
