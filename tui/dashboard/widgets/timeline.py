"""The steps of a run in two rows: when there are samples, what was done to it, and where one looks."""

from __future__ import annotations

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.views.samples import SamplesView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.markers import SIGNS
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.run_view import RunView


class Timeline(Panel):
    """A mark for each sampling, the deeds above them, ▲ below the one that is shown."""

    def __init__(self, view: RunView, samples: SamplesView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._samples = samples

    def picture(self, height: int, width: int) -> Cells:
        """Deeds, the line with the marks, the step that is shown."""
        cells = Cells(height, width)
        if height < 3:
            return cells
        steps = self._samples.steps()
        cells.put(1, 1, "─" * (width - 2), Ink.DIM)
        free = 0
        for marker in self.view.marks:
            if marker.kind in SIGNS and marker.step <= self.last():
                x = self.column(marker.step, width)
                cells.put(1, x, "│", Ink.MARK)
                if x >= free:
                    free = cells.put(0, x, SIGNS[marker.kind] + marker.label, Ink.MARK) + 1
        for step in steps:
            cells.put(1, self.column(step, width), "┴", Ink.TEXT)
        shown = self._samples.sampling()
        step = shown[1] if shown else self.view.images_step
        x = self.column(step, width)
        cells.put(1, x, "┼", Ink.KEY)
        cells.put(2, x, "▲", Ink.KEY)
        cells.put(2, 1, "0" if x > 2 else "", Ink.DIM)
        last = thousands(self.last())
        if x < width - len(last) - 2:
            cells.right(2, width - 1, last, Ink.DIM)
        if self.under:
            middle = (width - len(self.under)) // 2
            cells.put(2, middle if x < middle - 1 or x > width - middle else 3, self.under, Ink.STRONG)
        return cells

    def last(self) -> int:
        """The step at the right end: how far the run has come, not how far it is planned to go."""
        return max(self.view.step, *self._samples.steps(), 1)

    def column(self, step: int, width: int) -> int:
        """Where a step lies."""
        return 1 + min(max(round(step / self.last() * (width - 3)), 0), width - 3)

    def step_at(self, column: int) -> int:
        """The step of a column."""
        return round((column - 1) / max(self.size.width - 3, 1) * self.last())

    def told(self, row: int, column: int) -> str:
        """The samples that a click goes to."""
        found = self._samples.nearest(self.step_at(column))
        return "" if found is None else f"samples of step {thousands(found)}"
