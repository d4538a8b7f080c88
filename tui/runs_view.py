"""All runs of a folder as the runs screen lists them. Each run's events are read once, then only what is new."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from journal.events import Evaluated, EventReader
from journal.folder import RunFolder, list_runs
from journal.metrics import read_columns, record_type, segment_path
from journal.spec import Spec
from journal.state import RunState
from tui.run_view import STARTUP


@dataclass
class RunRow:
    """One run of the list."""

    run: RunFolder
    spec: Spec | None
    """None when it can't be read."""
    problem: str = ""
    """Why the run is damaged; empty when it is not."""
    state: RunState = field(default_factory=RunState)
    status: str = "starting"
    """One of journal.state.STATES, or `damaged`."""
    step: int = 0
    made: float = 0.0
    """When the run was made, in seconds since 1970."""

    def evaluations(self) -> tuple[str, float, float] | None:
        """Name, newest and best value of the first thing that is evaluated."""
        found: list[Evaluated] = [e for e in self.state.evaluations if e.values]
        if not found:
            return None
        name, value = next(iter(found[-1].values.items()))
        numbers = [e.values[name].value for e in found if name in e.values]
        return name, value.value, min(numbers, key=lambda v: (v != v, v))


@dataclass
class _Known:
    """A run with what was read of it so far."""

    row: RunRow
    events: EventReader
    width: int = 0
    """Bytes of a record of its metrics; 0 before its columns are named."""


class RunsView:
    """Looks at a folder of runs again and again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._known: dict[tuple[Path, int, int], _Known] = {}

    def look(self) -> list[RunRow]:
        """The runs, newest first; a damaged one says so. Reads files only; called in a thread."""
        seen = {}
        for run in list_runs(self.runs):
            try:
                spec = (run.path / "spec.json").stat()
            except OSError:
                # Deleted a moment ago.
                continue
            # A run that was deleted and made again under its name has another spec file.
            key = run.path, spec.st_ino, spec.st_mtime_ns
            seen[key] = self._known.get(key) or _begin(run, spec.st_mtime)
        self._known = seen
        for known in seen.values():
            _look(known)
        return [known.row for known in seen.values()]


def _begin(run: RunFolder, made: float) -> _Known:
    try:
        row = RunRow(run, run.spec, made=made)
    except ValueError as error:
        row = RunRow(run, None, str(error), made=made)
    return _Known(row, EventReader(run.events_path))


def _look(known: _Known) -> None:
    row = known.row
    try:
        row.state.apply_all(known.events.read_all())
        row.step = max(row.state.step, _newest_record(known))
        row.status = row.state.status(row.run.engine_alive())
    except (ValueError, OSError, KeyError, TypeError) as error:
        row.problem = row.problem or f"can't be read: {error}"
    else:
        row.problem = row.problem if row.spec is None else ""
    if row.problem:
        row.status = "damaged"
    elif row.status == "crashed" and row.state.started is None and time.time() - row.made < STARTUP:
        row.status = "starting"


def _newest_record(known: _Known) -> int:
    """Steps completed at the newest record of the newest start, 0 when there is none.

    Reads a few bytes and keeps no file open: a list may hold hundreds of runs.
    """
    run, segment = known.row.run, segment_path(known.row.run.path, known.row.state.segment)
    if not known.width and (columns := read_columns(run.path)):
        known.width = record_type(len(columns)).itemsize
    if not known.width or not segment.is_file():
        return 0
    with segment.open("rb") as file:
        records = file.seek(0, 2) // known.width
        if not records:
            return 0
        file.seek((records - 1) * known.width)
        return int.from_bytes(file.read(8), "little", signed=True)
