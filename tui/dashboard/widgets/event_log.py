"""The newest lines of the event log, with commands under way and what the dashboard itself has to say."""

from __future__ import annotations

from itertools import islice

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.draw.text import whole_parts
from laddertop.tui.watch.event_line import Line
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import command_in_words


class EventLog(Panel):
    """What was done to the run, and what happened."""

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._said: tuple[str, int] | None = None

    def say(self, text: str) -> None:
        """Show a line of the dashboard's own until something new happens."""
        self._said = text, len(self.view.lines)
        self.update()

    def picture(self, height: int, width: int) -> Cells:
        """The newest line last."""
        view = self.view
        # Evaluations and checkpoints repeat: of them only the newest, so that they don't push out what was done.
        # A single row has no place for them at all; the terms show the newest evaluation anyway.
        routine = next((line for line in reversed(view.lines) if line.ink is Ink.DIM and height > 1), None)
        kept = (line for line in reversed(view.lines) if line.ink is not Ink.DIM or line is routine)
        lines = list(islice(kept, height))[::-1]
        extra = []
        if view.problem:
            extra.append(Line(view.step, view.problem, Ink.BAD))
        for command in view.pending():
            words = command_in_words(command.action, command.changes, command.note, view.state.knobs)
            extra.append(Line(view.step, f"pending: {words}", Ink.WARN))
        if self._said is not None and self._said[1] == len(view.lines):
            extra.append(Line(view.step, self._said[0], Ink.WARN))
        shown = [*lines, *extra][-height:]
        digits = max((len(thousands(line.step)) for line in shown), default=1)
        cells = Cells(height, width)
        for y, line in enumerate(shown):
            x = cells.put(y, 1, f"step {thousands(line.step):>{digits}}", Ink.DIM) + 2
            cells.put(y, x, whole_parts(line.text, width - x), line.ink)
        return cells
