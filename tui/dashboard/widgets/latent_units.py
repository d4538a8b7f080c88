"""The units of the code: the aggregate posterior of each against the prior, and the chosen one as a histogram."""

from __future__ import annotations

import numpy as np

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.views.latent import CODES, LatentView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.histogram import draw_histogram
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.watch.run_view import RunView

_LOWER = 7
"""Rows of the histogram, its title included."""


class LatentUnits(Panel):
    """Mean ± standard deviation of each unit on one axis, the prior's -1, 0 and 1 behind; below a histogram."""

    def __init__(self, view: RunView, latent: LatentView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._latent = latent
        self._listed: list[int] = []
        """The units in the rows below the title."""

    def unit_at(self, row: int) -> int | None:
        """The unit in a row of the panel."""
        return self._listed[row - 1] if 0 < row <= len(self._listed) else None

    def told(self, row: int, column: int) -> str:
        """The unit, which a click chooses."""
        unit = self.unit_at(row)
        return "" if unit is None else f"unit {unit}"

    def picture(self, height: int, width: int) -> Cells:
        """The list above, the histogram below."""
        latent = self._latent
        units, chosen = latent.units(), latent.unit()
        title = "aggregate posterior" if latent.has_prior() else "units, no prior" if units else "units"
        cells = self.titled(height, width, title, "mean ± sd")
        self._listed = []
        if not units or chosen is None or height < 4 or width < 20:
            cells.paste(1, 0, sentence(height - 1, width, ""))
            return cells
        lower = _LOWER if height >= 14 else max(height // 2, 5)
        room = height - 1 - lower
        at = next(i for i, unit in enumerate(units) if unit.number == chosen)
        first = min(max(at - room + 1, 0), max(len(units) - room, 0))
        low, high = latent.range()
        left, right = 13, width - 2

        def scale(value: float) -> int:
            return left + round((min(max(value, low), high) - low) / (high - low) * (right - left))

        unused = latent.unused()
        self._listed = [unit.number for unit in units[first : first + room]]
        for y, unit in enumerate(units[first : first + room], 1):
            here = unit.number == chosen
            cells.put(y, 0, "›" if here else " ", Ink.KEY)
            cells.right(y, 5, str(unit.number), Ink.KEY if here else Ink.STRONG)
            if unit.value is not None:
                ink = Ink.MARK if unit.changed else Ink.DIM
                cells.right(y, 12, f"{unit.value:+.2f}" if abs(unit.value) < 100 else number(unit.value), ink)
            if latent.has_prior():
                for mark in (-1, 0, 1):
                    cells.put(y, scale(mark), "┆", Ink.FAINT)
            a, b = scale(unit.mean - unit.std), scale(unit.mean + unit.std)
            ink = Ink.WARN if unit.number in unused else Ink.CURVE
            cells.put(y, a, "━" * max(b - a + 1, 1), ink)
            cells.put(y, scale(unit.mean), "●", ink)
            if unit.value is not None:
                cells.put(y, scale(unit.value), "▼" if here else "▾", Ink.KEY if here else Ink.MARK)
        if first + room < len(units):
            cells.right(1 + room, width - 1, f"{len(units) - first - room} more ↓", Ink.DIM)
        self._histogram(cells, 1 + room, lower, width, chosen)
        return cells

    def _histogram(self, cells: Cells, y: int, height: int, width: int, unit: int) -> None:
        latent, arrays = self._latent, self._latent.asking.got[CODES].arrays
        edges, (low, high) = arrays["edges"], latent.range()
        low, high = min(low, float(edges[0])), max(high, float(edges[-1]))
        cells.put(y, 1, f"unit {unit}", Ink.STRONG)
        columns = width - 3
        density = None
        if latent.has_prior():
            x = np.linspace(low, high, columns + 1)
            middle = (x[:-1] + x[1:]) / 2
            density = np.exp(-(middle**2) / 2) / np.sqrt(2 * np.pi)
            cells.put(y, 10, "• prior", Ink.MARK)
        cells.paste(
            y + 1, 1, draw_histogram(height - 1, columns, arrays["counts"][unit], edges, density, span=(low, high))
        )
