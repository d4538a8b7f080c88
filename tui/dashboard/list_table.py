"""A table that a cursor walks through: it stays on its row whatever comes, goes or is ordered otherwise.

Only the rows that are seen are drawn, and only those cells that changed are sent.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Click, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.draw.cells import Cells, Ink


class Listed(Protocol):
    """What stands in a row."""

    @property
    def path(self) -> Path:
        """What tells it from the others."""


Row = TypeVar("Row", bound=Listed)


class ListTable(Widget, Generic[Row], can_focus=True):
    """Rows below their heads."""

    DEFAULT_CSS = "ListTable { height: 1fr; background: transparent; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("list.up", "move(-1)"),
        bind("list.down", "move(1)"),
        bind("list.page-up", "page(-1)"),
        bind("list.page-down", "page(1)"),
        bind("list.first", "to(0)"),
        bind("list.last", "to(-1)"),
    ]

    class Moved(Message):
        """The cursor stands on another row, which `update` draws."""

    class Opened(Message):
        """The row under the cursor was clicked at again."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._at = 0
        self._wanted: Path | None = None
        """The row that the cursor goes to once it is there."""
        self._first = 0
        """The uppermost row that is seen."""
        self._cursor_row = -1
        """Row of the picture that the cursor is drawn on."""
        self._cells = Cells(0, 0)

    def put_heads(self, cells: Cells) -> None:
        """Write the heads of the columns into the first row of a picture."""
        raise NotImplementedError

    def put_row(self, cells: Cells, y: int, row: Row) -> None:
        """Write a row into row y of a picture."""
        raise NotImplementedError

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._at] if self._rows else None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def take_ordered(self, rows: list[Row]) -> None:
        """These are the rows, in their order; `update` draws them."""
        chosen = self._wanted or (self.selected.path if self.selected else None)
        self._rows = rows
        self._at = min(self._at, max(len(self._rows) - 1, 0))
        self._stand_on(chosen)

    def choose(self, path: Path) -> None:
        """Put the cursor on a row as soon as it is there, unless somebody moves it before."""
        self._wanted = path
        self._stand_on(path)

    def _stand_on(self, path: Path | None) -> None:
        for at, row in enumerate(self._rows):
            if row.path == path:
                self._at, self._wanted = at, None

    def action_move(self, by: int) -> None:
        """The cursor some rows down."""
        self._go(self._at + by)

    def action_page(self, by: int) -> None:
        """The cursor some pages down."""
        self._go(self._at + by * max(self.size.height - 2, 1))

    def action_to(self, at: int) -> None:
        """The cursor to a row; -1 is the last."""
        self._go(at % max(len(self._rows), 1))

    def on_click(self, event: Click) -> None:
        """The cursor to the row that was clicked at; what stands there is opened when the cursor is there already."""
        at = self._first + event.y - 1
        if event.y >= 1 and at < len(self._rows):
            if at == self._at:
                self.post_message(self.Opened())
            self._go(at)

    def on_mouse_scroll_down(self) -> None:
        """The wheel moves the cursor."""
        self.action_move(3)

    def on_mouse_scroll_up(self) -> None:
        """The wheel moves the cursor."""
        self.action_move(-3)

    def _go(self, at: int) -> None:
        self._wanted = None
        self._at = min(max(at, 0), max(len(self._rows) - 1, 0))
        self.post_message(self.Moved())

    def on_resize(self, _: Resize) -> None:
        """Fewer columns where there is less room."""
        self.update()

    def update(self) -> None:
        """Draw again, and ask for the cells that look different now."""
        cells = self._picture(self.size.height, self.size.width)
        before, self._cells = self._cells, cells
        changed = cells.changed_spans(before)
        cursor_before, self._cursor_row = self._cursor_row, self._at - self._first + 1 if self._rows else -1
        if cursor_before != self._cursor_row:
            changed += [(y, 0, self.size.width) for y in (cursor_before, self._cursor_row) if y >= 0]
        for y, x, end in changed:
            self.refresh(Region(x, y, end - x, 1))

    def render_line(self, y: int) -> Strip:
        """Row y of the picture; the cursor's is reversed, in one colour: reversed, colours would be as many grounds."""
        if y >= self._cells.height:
            return Strip.blank(self.size.width)
        colours = colours_of(self.app)
        if y == self._cursor_row:
            row = "".join(text for text, _ in self._cells.runs(y))
            return Strip([Segment(row, Style(reverse=True))], self._cells.width).adjust_cell_length(self.size.width)
        segments = [Segment(text, style(ink, colours)) for text, ink in self._cells.runs(y)]
        return Strip(segments, self._cells.width).adjust_cell_length(self.size.width)

    def _picture(self, height: int, width: int) -> Cells:
        cells = Cells(height, width)
        room = max(height - 1, 1)
        self._first = max(min(self._first, self._at, len(self._rows) - room), self._at - room + 1, 0)
        self.put_heads(cells)
        for y, row in enumerate(self._rows[self._first : self._first + room], 1):
            self.put_row(cells, y, row)
        hidden = len(self._rows) - self._first - room
        if hidden > 0:
            cells.right(0, width - 1, f"  {hidden} more below", Ink.DIM)
        return cells
