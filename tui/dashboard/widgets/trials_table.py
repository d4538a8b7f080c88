"""The table of a sweep's runs: number, seed, state, what it came to, and the value of every key that varies."""

from __future__ import annotations

from laddertop.tui.dashboard.list_table import ListTable
from laddertop.tui.dashboard.views.sweep import TrialRow
from laddertop.tui.dashboard.views.sweep_row import COUNTED, short
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.spark import bar
from laddertop.tui.draw.text import columns, fit

_COLUMNS = {"run": 5, "seed": 5, "state": 10, "progress": 6}
_VALUE = 9
_WIDEST = 18
"""Columns of a key, at most."""


class TrialsTable(ListTable[TrialRow]):
    """One run a row."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._keys: list[str] = []
        self._measure = ""

    def take(self, rows: list[TrialRow], keys: list[str], measure: str) -> None:
        """These are the runs, the keys that vary, and what they are measured by; `update` draws them."""
        self._keys, self._measure = keys, measure
        self.take_ordered(rows)

    def put_heads(self, cells: Cells) -> None:
        """The names of the columns."""
        x = 1
        for name, width in _COLUMNS.items():
            if name in ("run", "seed"):
                cells.right(0, x + width, name, Ink.STRONG)
            else:
                cells.put(0, x, name, Ink.STRONG)
            x += width + 2
        cells.right(0, x + _VALUE, fit(self._measure or "value", _VALUE), Ink.STRONG)
        for key, at, width in self._places(x + _VALUE + 2):
            cells.put(0, at, fit(key, width), Ink.STRONG)

    def put_row(self, cells: Cells, y: int, row: TrialRow) -> None:
        """What is known of a run."""
        x = 1
        cells.right(y, x + 5, f"{row.trial.number}")
        cells.right(y, x + 12, f"{row.trial.seed}", Ink.DIM)
        sign, ink = COUNTED[row.state]
        cells.put(y, x + 14, f"{sign} {row.state}", ink)
        x += 26
        if row.state in ("running", "left"):
            filled, empty = bar(row.progress(), 6)
            cells.put(y, cells.put(y, x, filled, Ink.CURVE), empty, Ink.FAINT)
        x += 8
        if row.value is not None:
            over = row.state == "finished"
            cells.right(y, x + _VALUE, number(row.value) + row.sign, Ink.TEXT if over else Ink.DIM)
        x += _VALUE + 2
        end = x
        for key, at, width in self._places(x):
            end = cells.put(y, at, fit(short(row.trial.values.get(key, "")), width)) + 2
        if row.trial.why:
            cells.put(y, end, fit(row.trial.why, cells.width - end - 1), Ink.BAD if row.state == "failed" else Ink.DIM)

    def _places(self, x: int) -> list[tuple[str, int, int]]:
        """Every key with its first column and its width."""
        found = []
        for key in self._keys:
            longest = max((columns(short(row.trial.values.get(key, ""))) for row in self._rows), default=0)
            width = min(max(longest, columns(key)), _WIDEST)
            found.append((key, x, width))
            x += width + 2
        return found
