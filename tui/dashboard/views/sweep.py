"""A sweep as its screen shows it: a row for each of its runs, and by each key that varies what its values came to."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from laddertop.tui.dashboard.views.run_row import RowReader, RunRow
from laddertop.tui.dashboard.views.sweep_row import in_words, short, varies
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.slices import Point, Slice
from laddertop.tui.sweep.group import Group
from laddertop.tui.sweep.plan import Range
from laddertop.tui.sweep.study import TOLD, Trial


@dataclass
class TrialRow:
    """One run of a sweep."""

    path: Path
    """Its folder, which may not be there yet."""
    trial: Trial
    state: str
    """One of laddertop.tui.sweep.study.TOLD."""
    run: RunRow | None
    """What is known of a run that is at work."""
    value: float | None
    """What it came to, or has come to so far; None: nothing yet."""
    sign: str = ""
    """What stands behind the number."""

    def progress(self) -> float:
        """Share of its steps that is done."""
        return 1.0 if self.state == "finished" else self.run.progress() if self.run else 0.0


class SweepView:
    """Looks at the sweep in a folder again and again."""

    def __init__(self, folder: Path) -> None:
        """Reads nothing yet."""
        self.group = Group(folder)
        """What its folder tells."""
        self.rows: list[TrialRow] = []
        """Its runs, by number."""
        self._readers: dict[Path, RowReader] = {}

    def look(self) -> list[TrialRow]:
        """Takes up what is new, and returns the rows. Reads files only; called in a thread."""
        self.group.look()
        if self.group.plan is None or self.group.problem:
            return self.rows
        readers, self._readers = self._readers, {}
        return [self._row(*one, readers) for one in zip(self.group.trials, self.group.states, strict=True)]

    def _row(self, trial: Trial, state: str, readers: dict[Path, RowReader]) -> TrialRow:
        path = self.group.run_of(trial)
        row = TrialRow(path, trial, state, None, trial.value.value if trial.value else None)
        if trial.value:
            row.sign = trial.value.sign
        if trial.state == "running" and (reader := readers.get(path) or _reader(path)):
            self._readers[path] = reader
            reader.look()
            row.run = reader.row
            if row.value is None and (found := reader.row.evaluation):
                row.value, row.sign = found.newest, found.sign
        return row

    def measure(self) -> str:
        """What the runs are measured by, in a word or two; empty before the first was."""
        for row in self.rows:
            if row.trial.value:
                return row.trial.value.called(row.trial.name)
            if row.run and row.run.evaluation:
                return row.run.evaluation.label
        return ""

    def higher(self) -> bool:
        """Whether higher values are better."""
        return any(
            row.trial.value.better == "higher" if row.trial.value else bool(row.run and _higher(row.run))
            for row in self.rows
        )

    def about(self) -> list[str]:
        """What is said above the table: where the runs stand and who added some; what varies and what is best."""
        group = self.group
        if group.plan is None:
            return ["", ""]
        best = group.best()
        words = f"best {number(best.value.value)}{best.value.sign} in run {best.trial.number}" if best else ""
        added = [one.by for one in group.asked if one.action == "add"]
        by = f"more added by {added[-1]}" if added else ""
        pruned = "worse ones are pruned" if group.plan.prune else ""
        stand = in_words(group)
        if group.status() == "stopped":
            stopped = f", stopped by {who}" if (who := group.stopped_by()) else ""
            stand += f"{stopped}; `laddertop sweep --join {group.folder}` goes on"
        return [stand, "   ".join(filter(None, [words, varies(group.plan), pruned, by]))]

    def keys(self) -> list[str]:
        """What varies from run to run, as columns of the table."""
        plan = self.group.plan
        return [*plan.grid, *(one.key for one in plan.search)] if plan else []

    def slices(self, chosen: TrialRow | None) -> list[Slice]:
        """What the values of each key came to, the best and the `chosen` run marked; by seed where nothing else
        varies."""
        plan, best = self.group.plan, self.group.best()
        if plan is None:
            return []
        axes: list[tuple[str, _Axis]] = [(key, _of_words(words)) for key, words in plan.grid.items()]
        axes += [(one.key, _of_range(one)) for one in plan.search]
        if not axes:
            seeds = sorted({str(row.trial.seed) for row in self.rows}, key=int)
            axes = [("seed", _of_words(seeds))]
        found = []
        for key, (ticks, place) in axes:
            points = []
            for row in self.rows:
                word = str(row.trial.seed) if key == "seed" else row.trial.values.get(key)
                if row.value is not None and word is not None and (at := place(word)) is not None:
                    points.append(
                        Point(at, row.value, *_sign(row, row is chosen, best is not None and best.trial is row.trial))
                    )
            found.append(Slice(key, ticks, points))
        return found


_Axis = tuple[list[tuple[float, str]], Callable[[str], float | None]]
"""The ticks of an axis, and what places a word on it, from 0 to 1; None: nowhere."""


def _of_words(words: list[str]) -> _Axis:
    places = {word: i / (len(words) - 1) if len(words) > 1 else 0.5 for i, word in enumerate(words)}
    return [(at, short(word)) for word, at in places.items()], places.get


def _of_range(one: Range) -> _Axis:
    scale: Callable[[float], float] = math.log if one.log else float
    low, high = scale(one.low), scale(one.high)

    def place(word: str) -> float | None:
        try:
            return (scale(float(word)) - low) / (high - low)
        except (ValueError, ZeroDivisionError):
            return None

    middle = math.exp((low + high) / 2) if one.log else (low + high) / 2
    return [(0.0, number(one.low)), (1.0, number(one.high)), (0.5, number(middle))], place


def _sign(row: TrialRow, chosen: bool, best: bool) -> tuple[str, int, int]:
    """Sign, ink and rank of the point of a run."""
    if chosen:
        return "◆", Ink.MARK, 4
    if best:
        return "●", Ink.GOOD, 3
    if row.state == "finished":
        return "•", Ink.CURVE, 2
    return ("○", Ink.WARN, 1) if row.state in ("running", "left") else ("·", Ink.DIM, 0)


def _reader(path: Path) -> RowReader | None:
    """What reads the run in a folder, if there is one."""
    try:
        spec = os.lstat(f"{path}/spec.json")
    except OSError:
        return None
    from laddertop.journal.folder import RunFolder

    return RowReader(RunFolder(path), (spec.st_ino, spec.st_mtime_ns))


def _higher(run: RunRow) -> bool:
    return run.evaluation is not None and run.evaluation.better == "higher"


def ordered(rows: list[TrialRow], order: str, higher: bool) -> list[TrialRow]:
    """The rows in another order: by `run`, by `value` with the best first, or by `state`."""
    if order == "value":
        sign = -1.0 if higher else 1.0
        return sorted(
            rows, key=lambda row: sign * row.value if row.value == row.value and row.value is not None else math.inf
        )
    if order == "state":
        return sorted(rows, key=lambda row: (TOLD.index(row.state), row.trial.number))
    return rows


ORDERS = ("run", "value", "state")
"""What the runs can be ordered by, the one to begin with first."""
