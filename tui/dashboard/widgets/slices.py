"""What the values of each key of a sweep came to, as plots side by side."""

from __future__ import annotations

from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.draw.cells import Cells
from laddertop.tui.draw.slices import Slice, draw_slices, in_row


class Slices(Widget):
    """The plots; those cells are sent that changed."""

    DEFAULT_CSS = "Slices { background: transparent; width: 100%; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._slices: list[Slice] = []
        self._measure = ""
        self._first = 0
        self._cells = Cells(0, 0)

    def show(self, slices: list[Slice], measure: str) -> None:
        """These are the slices, and what the runs are measured by."""
        self._slices, self._measure = slices, measure
        self._update()

    def turn(self) -> bool:
        """On to those that there was no room for; whether there are any."""
        room = in_row(self.size.width, len(self._slices))
        self._first = self._first + room if self._first + room < len(self._slices) else 0
        self._update()
        return room < len(self._slices)

    def on_resize(self, _: Resize) -> None:
        """More or fewer of them."""
        self._first = 0
        self._update()

    def _update(self) -> None:
        cells = draw_slices(self.size.height, self.size.width, self._slices, self._measure, self._first)
        before, self._cells = self._cells, cells
        for y, x, end in cells.changed_spans(before):
            self.refresh(Region(x, y, end - x, 1))

    def render_line(self, y: int) -> Strip:
        """Row y of the picture."""
        if y >= self._cells.height:
            return Strip.blank(self.size.width)
        colours = colours_of(self.app)
        segments = [Segment(text, style(ink, colours)) for text, ink in self._cells.runs(y)]
        return Strip(segments, self._cells.width).adjust_cell_length(self.size.width)
