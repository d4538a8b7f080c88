"""All runs of a folder as the runs screen lists them. Each run's events are read once, then only what is new."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from journal.events import Evaluated, EventReader
from journal.folder import RunFolder, list_runs
from journal.metrics import MetricsReader
from journal.spec import Spec
from journal.state import RunState
from journal.summary import last_step
from tui.run_view import STARTUP


@dataclass
class RunRow:
    """One run of the list."""

    run: RunFolder
    spec: Spec | None
    """None when it can't be read; then `problem` says why."""
    problem: str = ""
    state: RunState = field(default_factory=RunState)
    status: str = "starting"
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


class RunsView:
    """Looks at a folder of runs again and again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._known: dict[Path, tuple[RunRow, EventReader, MetricsReader]] = {}

    def look(self) -> list[RunRow]:
        """The runs, newest first. Reads files only; called in a thread."""
        rows = []
        for run in list_runs(self.runs):
            if run.path not in self._known:
                self._known[run.path] = _begin(run), EventReader(run.events_path), MetricsReader(run.path)
            row, events, metrics = self._known[run.path]
            row.state.apply_all(events.read_all())
            metrics.poll()
            row.step = last_step(run, row.state, metrics)
            alive = run.engine_alive()
            row.status = row.state.status(alive)
            if row.status == "crashed" and row.state.started is None and time.time() - row.made < STARTUP:
                row.status = "starting"
            rows.append(row)
        return rows


def _begin(run: RunFolder) -> RunRow:
    made = (run.path / "spec.json").stat().st_mtime
    try:
        return RunRow(run, run.spec, made=made)
    except ValueError as error:
        return RunRow(run, None, str(error), made=made)
