"""The cost chart: one curve, smoothed over its raw envelope, with what the user did marked on it."""

from __future__ import annotations

from tui.draw.cells import Cells
from tui.draw.chart import draw_chart, scale_for
from tui.draw.curve import Curve
from tui.panel import Panel, titled
from tui.run_view import DECAY, RunView


class CostChart(Panel):
    """The total cost, or another column that the user went to."""

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.log_axis = True
        self.column = "total"

    def next_column(self) -> None:
        """Go on to the next curve: total, each term, the gradient's norm."""
        names = ["total", *(term.name for term in self.view.state.terms), "grad_norm"]
        at = names.index(self.column) if self.column in names else -1
        self.column = names[(at + 1) % len(names)]
        self.update()

    def toggle_log(self) -> None:
        """Logarithmic or linear y axis."""
        self.log_axis = not self.log_axis
        self.update()

    def picture(self, height: int, width: int) -> Cells:
        """Title, chart, axes."""
        blocks = self.view.curves.get(self.column, Curve(DECAY)).blocks()
        scale = scale_for([blocks], self.log_axis)
        axis = (
            "log"
            if scale is not None and scale.log
            else "linear (not positive)"
            if self.log_axis and scale
            else "linear"
        )
        label = {"total": "total cost", "grad_norm": "gradient norm"}.get(self.column) or next(
            (t.label for t in self.view.state.terms if t.name == self.column), self.column
        )
        aside = f"{axis} · EMA {DECAY:g} over raw range"
        if width < 56:
            aside = axis
        cells = titled(height, width, label, aside, self.chosen)
        chart = draw_chart(
            height - 1, width, blocks, self.view.x_axis(), self.log_axis, self.view.markers, self.ascii_only
        )
        cells.paste(1, 0, chart)
        return cells
