"""The table of a sweep's runs: number, seed, state, what it came to, and the value of every key that varies."""

from __future__ import annotations

from laddertop.tui.dashboard.list_table import ListTable
from laddertop.tui.dashboard.views.sweep import TrialRow
from laddertop.tui.dashboard.views.sweep_row import COUNTED, short
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.spark import bar
from laddertop.tui.draw.text import columns, fit

_COLUMNS = {"run": 5, "seed": 5, "state": 10, "progress": 8}
_VALUES = 1 + sum(width + 2 for width in _COLUMNS.values())
"""Where the column of the values begins."""
_VALUE = 9
_MEASURE = 16
"""Columns of the values: so many at least, and at most, where their name takes them and the keys leave them."""
_WIDEST = 18
"""Columns of a key, at most."""


class TrialsTable(ListTable[TrialRow]):
    """One run a row."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._keys: list[str] = []
        self._measure = ""
        self._value = _VALUE
        """Columns of the values."""
        self._places: list[tuple[str, int, int]] = []
        """Every key with its first column and its width."""

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
        self._lay_out(cells.width)
        cells.right(0, x + self._value, fit(self._measure or "value", self._value), Ink.STRONG)
        for key, at, width in self._places:
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
            filled, empty = bar(row.progress(), 8)
            cells.put(y, cells.put(y, x, filled, Ink.CURVE), empty, Ink.FAINT)
        x = _VALUES + self._value
        if row.value is not None:
            over = row.state == "finished"
            cells.right(y, x, number(row.value) + row.sign, Ink.TEXT if over else Ink.DIM)
        end = x + 2
        for key, at, width in self._places:
            end = cells.put(y, at, fit(short(row.trial.values.get(key, "")), width)) + 2
        if row.trial.why:
            cells.put(y, end, fit(row.trial.why, cells.width - end - 1), Ink.BAD if row.state == "failed" else Ink.DIM)

    def _lay_out(self, room: int) -> None:
        """Where the keys stand, and how wide the values are in front of them."""
        x, self._places = _VALUES + _VALUE + 2, []
        for key in self._keys:
            longest = max((columns(short(row.trial.values.get(key, ""))) for row in self._rows), default=0)
            width = min(max(longest, columns(key)), _WIDEST)
            self._places.append((key, x, width))
            x += width + 2
        more = max(min(columns(self._measure) - _VALUE, _MEASURE - _VALUE, room + 1 - x), 0)
        self._value = _VALUE + more
        self._places = [(key, at + more, width) for key, at, width in self._places]
