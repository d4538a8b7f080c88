"""The last two rows of a screen that asks a model: where what it shows comes from, and its keys."""

from __future__ import annotations

from collections.abc import Callable

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.text import fit
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView


class Source(Panel):
    """One line in the words of whoever knows: what is shown, stale, waited for or refused."""

    def __init__(self, view: RunView, said: Callable[[], tuple[str, int]], *, id: str) -> None:
        super().__init__(view, id=id)
        self._said = said

    def picture(self, height: int, width: int) -> Cells:
        """The line."""
        cells = Cells(height, width)
        text, ink = self._said()
        cells.put(0, 1, fit(text, width - 2), ink)
        return cells


class KeyLine(Panel):
    """The keys that matter most and do something now, as many as there is room for."""

    def __init__(self, view: RunView, hints: Callable[[], list[tuple[str, str]]], *, id: str) -> None:
        super().__init__(view, id=id)
        self._hints = hints

    def picture(self, height: int, width: int) -> Cells:
        """One row; the help comes last and always."""
        cells = Cells(height, width)
        help = sign("everywhere.help")
        x, end = 1, width - 7 - len(help)
        for key, name in self._hints():
            if x + len(key) + len(name) + 1 > end:
                break
            x = cells.put(0, x, key, Ink.KEY) + 1
            x = cells.put(0, x, name, Ink.DIM) + 2
        x = cells.put(0, x, help, Ink.KEY) + 1
        cells.put(0, x, "help", Ink.DIM)
        return cells
