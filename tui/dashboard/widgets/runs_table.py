"""The table of the runs screen: which columns there is room for, which run comes first, and what a cell says."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

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
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import ago, number
from laddertop.tui.draw.spark import bar, trend
from laddertop.tui.draw.text import columns, fit, start
from laddertop.tui.watch.wording import measured

STATUS_INKS = {
    "reading": ("◌", Ink.DIM),
    "starting": ("◌", Ink.WARN),
    "training": ("●", Ink.GOOD),
    "paused": ("‖", Ink.WARN),
    "finished": ("✓", Ink.TEXT),
    "stopped": ("■", Ink.DIM),
    "diverged": ("✗", Ink.BAD),
    "failed": ("✗", Ink.BAD),
    "crashed": ("✗", Ink.BAD),
    "damaged": ("✗", Ink.BAD),
}
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
    "state": lambda row: (list(STATUS_INKS).index(row.status), -row.made),
    "progress": lambda row: (-row.progress(), -row.made),
    "best": lambda row: (_best_of(row), -row.made),
}
"""What the runs can be ordered by, the one to begin with first."""


class RunsTable(Widget, can_focus=True):
    """The runs, one a row; the cursor stays on its run whatever comes, goes or is ordered otherwise.

    Only the rows that are seen are drawn, and only those that changed are sent.
    """

    DEFAULT_CSS = "RunsTable { height: 1fr; background: transparent; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("list.up", "move(-1)"),
        bind("list.down", "move(1)"),
        bind("list.page-up", "page(-1)"),
        bind("list.page-down", "page(1)"),
        bind("list.first", "to(0)"),
        bind("list.last", "to(-1)"),
    ]

    class Moved(Message):
        """The cursor stands on another run, which `update` draws."""

    class Opened(Message):
        """The run under the cursor was clicked at again."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.order = "newest"
        self.reversed = False
        self.marked: list[Path] = []
        """Folders of the runs that were marked, in the order of marking."""
        self._rows: list[RunRow] = []
        self._at = 0
        self._wanted: Path | None = None
        """The run that the cursor goes to once it is there."""
        self._first = 0
        """The uppermost row that is seen."""
        self._cursor_row = -1
        """Row of the picture that the cursor is drawn on."""
        self._cells = Cells(0, 0)

    @property
    def selected(self) -> RunRow | None:
        """The run under the cursor."""
        return self._rows[self._at] if self._rows else None

    @property
    def count(self) -> int:
        """How many runs there are."""
        return len(self._rows)

    def take(self, rows: list[RunRow]) -> None:
        """These are the runs; `update` draws them."""
        chosen = self._wanted or (self.selected.run.path if self.selected else None)
        self._rows = sorted(rows, key=ORDERS[self.order], reverse=self.reversed)  # type: ignore[arg-type]
        self._at = min(self._at, max(len(self._rows) - 1, 0))
        self._stand_on(chosen)

    def choose(self, path: Path) -> None:
        """Put the cursor on a run as soon as it is there, unless somebody moves it before."""
        self._wanted = path
        self._stand_on(path)

    def _stand_on(self, path: Path | None) -> None:
        for at, row in enumerate(self._rows):
            if row.run.path == path:
                self._at, self._wanted = at, None

    def mark(self) -> None:
        """Mark the run under the cursor, or take the mark away."""
        if (row := self.selected) is not None:
            if row.run.path in self.marked:
                self.marked.remove(row.run.path)
            else:
                self.marked.append(row.run.path)

    def action_move(self, by: int) -> None:
        """The cursor some runs down."""
        self._go(self._at + by)

    def action_page(self, by: int) -> None:
        """The cursor some pages down."""
        self._go(self._at + by * max(self.size.height - 2, 1))

    def action_to(self, at: int) -> None:
        """The cursor to a run; -1 is the last."""
        self._go(at % max(len(self._rows), 1))

    def on_click(self, event: Click) -> None:
        """The cursor to the run that was clicked at; the run itself when the cursor is there already."""
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

    # Drawing

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
        widths = self._widths(width)
        x = 1
        for name, wide in widths.items():
            cells.put(0, x, name, Ink.STRONG)
            x += wide + 2
        for y, row in enumerate(self._rows[self._first : self._first + room], 1):
            x = 1
            for name, wide in widths.items():
                if row.problem and name in _AFTER_REASON:
                    continue
                _CELLS[name](cells, y, x, wide, row)
                x += wide + 2
            if row.run.path in self.marked or row.archived:
                cells.put(y, 1, "◆" if row.run.path in self.marked else "›", Ink.MARK)
        hidden = len(self._rows) - self._first - room
        if hidden > 0:
            cells.right(0, width - 1, f"  {hidden} more below", Ink.DIM)
        return cells

    def _widths(self, room: int) -> dict[str, int]:
        chosen = WIDEST if room >= 160 else WIDE if room >= 110 else NARROW
        others = sum(width + 2 for width in chosen.values() if width)
        longest = max((columns(row.name) for row in self._rows), default=1) + 2
        return {name: width or max(min(longest, room - others - 3), 5) for name, width in chosen.items()}


def _run(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    cells.put(y, x + 2, _squeezed(row.name, width - 2), Ink.DIM if row.archived else Ink.TEXT)


def _state(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    sign, ink = STATUS_INKS[row.status]
    cells.put(y, x, f"{sign} {row.status}", ink)


def _progress(cells: Cells, y: int, x: int, width: int, row: RunRow) -> None:
    if row.steps:
        filled, empty = bar(row.progress(), 6)
        end = cells.put(y, cells.put(y, x, filled, Ink.CURVE), empty, Ink.FAINT)
        cells.put(y, end, f" {min(int(100 * row.progress()), 100):>2} %")


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
