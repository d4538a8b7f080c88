"""One curve of every compared run in one chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from laddertop.tui.dashboard.chart_picture import ChartPicture, Plot
from laddertop.tui.draw.axis import XAxis, clock
from laddertop.tui.draw.cells import Cells
from laddertop.tui.draw.chart import Line, Look, draw_chart, kind_in_words, left_out_in_words, put_reading
from laddertop.tui.draw.markers import Marker, told_at
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.draw.x_view import XView
from laddertop.tui.watch.comparison import Curve


class Overlay(ChartPicture):
    """The curves with what was done to the runs."""

    DEFAULT_CSS = "Overlay { height: 1fr; background: transparent; }"

    def __init__(self, sight: XView, *, id: str) -> None:
        super().__init__(id=id)
        self._sight = sight
        self._axis, self._found, self._marks = XAxis(0, 8), list[Curve](), list[Marker]()
        self._look = Look()

    def show(self, axis: XAxis, found: Sequence[Curve], marks: Sequence[Marker], look: Look) -> None:
        """Show these curves, and what was done to their runs."""
        self._axis, self._found, self._marks, self._look = axis, list(found), list(marks), look
        self.update()

    @property
    def sight(self) -> XView:
        """That of all runs together."""
        return self._sight

    def axis(self) -> XAxis:
        """That of all runs."""
        return self._axis

    def positions(self) -> np.ndarray:
        """Those of any run."""
        return np.unique(np.concatenate([curve.held for curve in self._found])) if self._found else np.empty(0)

    def marks(self) -> list[Marker]:
        """What was done to the runs."""
        return self._marks

    def how(self) -> tuple[str, str]:
        """What kind of y axis it has, and what that leaves out, in words."""
        lines, steps = [Line(one.binned) for one in self._found], [one.steps for one in self._found]
        return kind_in_words(lines, self._look), left_out_in_words(lines, steps, self._look)

    def picture(self, height: int, width: int) -> Cells:
        """The chart."""
        if not self._found:
            return Cells(height, width)
        self.plots = [Plot("", 0, 0, height, width)]
        lines, under = [Line(one.binned) for one in self._found], self.sight.under
        cells = draw_chart(height, width, lines, self._axis, self._look._replace(cursor=under), self._marks)
        if under is not None:
            there = told_at(under, self.plots[0].columns, self._axis, self._marks)
            put_reading(cells, [_place(self._axis, under), *there])
        return cells


def _place(axis: XAxis, position: float) -> str:
    """A position of the axis in words, in its unit."""
    if axis.unit == "time":
        return f"{clock(position)} after the first start"
    return f"step {thousands(round(position))}" if axis.unit == "step" else f"epoch {position / axis.per:.2f}"
