"""The table of the runs screen: which columns there is room for, which run comes first, and what a cell says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

from laddertop.tui.dashboard.list_table import ListTable
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.dashboard.views.states import STATES
from laddertop.tui.dashboard.views.sweep_row import COUNTED, SweepRow
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import ago, number
from laddertop.tui.draw.spark import bar, trend
from laddertop.tui.draw.text import columns, fit, start
from laddertop.tui.watch.wording import measured

NARROW = {"run": 0, "state": 10, "progress": 11, "evaluation": 13, "age": 6}
WIDE = {"run": 0, "recipe": 16, "state": 10, "progress": 11, "cost": 9, "evaluation": 14, "best": 6, "age": 6}
WIDEST = {
    "run": 0,
    "recipe": 16,
    "state": 10,
    "progress": 11,
    "cost": 12,
    "evaluation": 14,
    "best": 6,
    "age": 6,
    "note": 28,
}
"""Columns with their widths; the name takes what its longest needs, and what the others leave at most."""

ORDERS: dict[str, Callable[[RunRow], object]] = {
    "newest": lambda row: -row.made,
    "name": lambda row: row.run.name,
    "recipe": lambda row: ("~" if row.recipe is None else row.recipe, -row.made),
    "state": lambda row: (list(STATES).index(row.status), -row.made),
    "progress": lambda row: (-row.progress(), -row.made),
    "best": lambda row: (_best_of(row), -row.made),
}
"""What the runs can be ordered by, the one to begin with first."""


class RunsTable(ListTable[RunRow]):
    """The runs and sweeps, one a row."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.order = "newest"
        self.reversed = False
        self.marked: list[Path] = []
        """Folders of the runs that were marked, in the order of marking."""

    def take(self, rows: list[RunRow]) -> None:
        """These are the runs; `update` draws them."""
        ordered = sorted(rows, key=ORDERS[self.order], reverse=self.reversed)  # type: ignore[arg-type]
        self.take_ordered(sorted(ordered, key=lambda row: not row.pinned))

    def mark(self) -> None:
        """Mark the run under the cursor, or take the mark away."""
        if (row := self.selected) is not None:
            if row.run.path in self.marked:
                self.marked.remove(row.run.path)
            else:
                self.marked.append(row.run.path)

    def put_heads(self, cells: Cells) -> None:
        """The names of the columns."""
        x = 1
        for name, wide in self._widths(cells.width).items():
            cells.put(0, x, name, Ink.STRONG)
            x += wide + 2

    def put_row(self, cells: Cells, y: int, row: RunRow) -> None:
        """What is known of a run, or of a sweep."""
        x = 1
        writers = _SWEEP if isinstance(row, SweepRow) else _CELLS
        for name, wide in self._widths(cells.width).items():
            if not (row.problem and name in _AFTER_REASON):
                writers[name](cells, y, x, wide, row)
            x += wide + 2
        if row.run.path in self.marked or row.archived or row.pinned:
            cells.put(y, 1, "◆" if row.run.path in self.marked else "›" if row.archived else "▲", Ink.MARK)

    def _widths(self, room: int) -> dict[str, int]:
        chosen = WIDEST if room >= 160 else WIDE if room >= 110 else NARROW
        others = sum(width + 2 for width in chosen.values() if width)
        longest = max((columns(_name(row)) for row in self._rows), default=1) + 2
        return {name: width or max(min(longest, room - others - 3), 5) for name, width in chosen.items()}


def _name(row: RunRow) -> str:
    return f"▸ {row.name}" if isinstance(row, SweepRow) else row.name


def _run(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    cells.put(y, x + 2, _squeezed(_name(row), width - 2), Ink.DIM if row.archived else Ink.TEXT)


def _state(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    sign, ink = STATES[row.status]
    cells.put(y, x, f"{sign} {row.status}", ink)


def _progress(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    if row.steps:
        end = _bar(cells, y, x, 6, row)
        cells.put(y, end, f" {min(int(100 * row.progress()), 100):>2} %")


def _bar(cells: Cells, y: int, x: int, width: int, row: RunRow) -> int:
    filled, empty = bar(row.progress(), width)
    return cells.put(y, cells.put(y, x, filled, Ink.CURVE), empty, Ink.FAINT)


def _counts(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    """How many runs of a sweep stand where: ✓5 ●2 ◌4 ■1 of 12."""
    assert isinstance(row, SweepRow)
    if row.problem:
        _state(cells, y, x, width, row)
        return
    end = x
    for word, count in row.counts.items():
        sign, ink = COUNTED[word]
        end = cells.put(y, end, f"{sign}{count}", ink) + 1
    cells.put(y, end, f"of {row.steps}", Ink.DIM)


def _evaluation(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    if row.problem:
        cells.put(y, x, fit(row.problem, cells.width - x - 1), Ink.BAD)
    elif (found := row.evaluation) is not None:
        cells.put(y, x, measured(found.label, number(found.newest) + found.sign, width))


def _best(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    if not row.problem and (found := row.evaluation) is not None:
        cells.right(y, x + width, number(found.best), Ink.DIM)


_CELLS: dict[str, Callable[[Cells, int, int, int, RunRow], object]] = {
    "run": _run,
    "recipe": lambda cells, y, x, w, row: cells.put(y, x, fit(row.recipe or "", w), Ink.DIM),
    "state": _state,
    "progress": _progress,
    "cost": lambda cells, y, x, w, row: cells.put(y, x, trend(row.trend, w), Ink.CURVE),
    "evaluation": _evaluation,
    "best": _best,
    "age": lambda cells, y, x, w, row: cells.right(y, x + w, ago(time.time() - row.made), Ink.DIM),
    "note": lambda cells, y, x, w, row: cells.put(y, x, fit(row.note, w), Ink.DIM),
}
"""What writes the cell of each column."""
_SWEEP = {
    **_CELLS,
    "state": _counts,
    "progress": lambda cells, y, x, w, row: None,
    "cost": _bar,
}
"""What writes those of a sweep; how many of its runs stand where takes the room of two."""
_AFTER_REASON = ("best", "age", "note")
"""Columns that give way to the reason why a run can't be read."""


def _best_of(row: RunRow) -> float:
    found = row.evaluation
    if found is None or math.isnan(found.best):
        return math.inf
    return -found.best if found.better == "higher" else found.best


def _squeezed(name: str, width: int) -> str:
    """A name in at most `width` columns: its end tells runs of one recipe apart, so the middle goes."""
    if columns(name) <= width or width <= 10:
        return fit(name, width)
    end = name[-5:]
    return f"{start(name, width - 1 - columns(end))}…{end}"
