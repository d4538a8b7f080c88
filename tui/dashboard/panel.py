"""A widget that shows a picture of character cells and sends only the cells that changed."""

from __future__ import annotations

from rich.segment import Segment
from textual.events import Click, Leave, MouseMove, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.pixels import placeholders
from laddertop.tui.draw.text import columns, fit
from laddertop.tui.watch.run_view import RunView


class Picture(Widget, can_focus=False):
    """Cells, drawn by `picture`."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.ascii_only = False
        self._cells = Cells(0, 0)

    def picture(self, height: int, width: int) -> Cells:
        """What to show, height × width cells."""
        raise NotImplementedError

    def update(self) -> None:
        """Draw again, and ask for the cells that look different now (see laddertop.tui.dashboard.paint)."""
        cells = self.picture(self.size.height, self.size.width)
        before, self._cells = self._cells, cells
        if regions := [Region(x, y, end - x, 1) for y, x, end in cells.changed_spans(before)]:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """Row y of the picture."""
        if y >= self._cells.height:
            return Strip.blank(self.size.width)
        colours = colours_of(self.app)
        segments = []
        for text, ink in self._cells.runs(y):
            # What is cut out of a segment is counted in cells, and a part of an image is one cell of four characters.
            parts = placeholders(text, ink - Ink.IMAGES) if ink >= Ink.IMAGES else [text]
            segments += [Segment(part, style(ink, colours)) for part in parts]
        return Strip(segments, self._cells.width).adjust_cell_length(self.size.width)

    def text(self) -> str:
        """The characters shown, one line per row."""
        return self._cells.text()

    def on_resize(self, _: Resize) -> None:
        """A new size means a new picture."""
        self.update()


class Panel(Picture):
    """One part of a screen about a run: a picture of `view`."""

    DEFAULT_CSS = """
    Panel { position: absolute; background: transparent; }
    """

    class Clicked(Message):
        """The user clicked at a cell of a panel."""

        def __init__(self, panel: Panel, row: int, column: int, other: bool) -> None:
            self.panel, self.row, self.column = panel, row, column
            self.other = other
            """Whether with another button than the first, or with shift, which most terminals keep to themselves."""
            super().__init__()

    class Turned(Message):
        """The wheel turned over a panel, a notch up or down."""

        def __init__(self, panel: Panel, up: bool) -> None:
            self.panel, self.up = panel, up
            super().__init__()

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(id=id)
        self.view = view
        self.chosen = False
        """Whether tab arrived here."""
        self.under = ""
        """What the mouse is over, in words; empty where that means nothing."""

    def titled(self, height: int, width: int, title: str, aside: str = "", under: str | None = None) -> Cells:
        """Cells whose first row is the panel's title. What the mouse is over (`under`, where several titles share that)
        takes the place of the aside, and of as much of the title as it needs."""
        under = self.under if under is None else under
        title = fit(title, max(width - columns(under) - 8, 0)) if under else title
        return titled(height, width, title, under or aside, self.chosen)

    def told(self, row: int, column: int) -> str:
        """What a cell is part of, in words: which sample, item or step; empty where it is of nothing."""
        return ""

    def on_mouse_move(self, event: MouseMove) -> None:
        """Say it."""
        self._point_at(self.told(event.y, event.x))

    def on_leave(self, _: Leave) -> None:
        """Say no more."""
        self._point_at("")

    def on_click(self, event: Click) -> None:
        """The screen knows what it means there."""
        self.post_message(self.Clicked(self, event.y, event.x, event.shift or event.button > 1))

    def on_mouse_scroll_up(self, _: MouseScrollUp) -> None:
        """The screen knows that, too."""
        self.post_message(self.Turned(self, True))

    def on_mouse_scroll_down(self, _: MouseScrollDown) -> None:
        """The screen knows that, too."""
        self.post_message(self.Turned(self, False))

    def _point_at(self, words: str) -> None:
        if words != self.under:
            self.under = words
            self.update()

    def least_rows(self, width: int, height: int) -> int:
        """Rows that show everything, title included, on a screen of that size; 0 where it takes what is left."""
        return 0


def titled(height: int, width: int, title: str, aside: str = "", chosen: bool = False, lit: bool = False) -> Cells:
    """Cells whose first row is a rule with a title on its left and an aside on its right; `lit` where what is below
    shows something that goes wrong."""
    cells = Cells(height, width)
    cells.put(0, 0, "─" * width, Ink.FAINT)
    if width > columns(title) + 4:
        ink = Ink.WARN if lit else Ink.KEY if chosen else Ink.STRONG
        cells.put(0, 1, f"[{title}]" if chosen else f" {title} ", ink)
    if aside and width >= columns(title) + columns(aside) + 8:
        cells.right(0, width - 1, f" {aside} ", Ink.DIM)
    return cells
