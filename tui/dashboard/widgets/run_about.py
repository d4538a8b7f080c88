"""What is said of the run that is chosen in the list: where it comes from, its note, its cost, what is wrong."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.views.run_row import TREND, RunRow
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.spark import trend
from laddertop.tui.draw.text import harmless


class RunAbout(Static):
    """A few lines, at least one."""

    DEFAULT_CSS = "RunAbout { height: auto; min-height: 1; max-height: 8; padding: 0 1; width: 100%; }"

    def show(self, row: RunRow | None) -> None:
        """Say it of a run; without one, nothing."""
        colours = colours_of(self.app)
        parts = [] if row is None else [_origin(row), row.note, _curve(row)]
        about = Text(harmless("   ".join(part for part in parts if part)), style(Ink.DIM, colours))
        for line in f"{row.problem}\n{row.why}".splitlines() if row else ():
            if line:
                about.append("\n" if about else "").append(harmless(line), style(Ink.BAD, colours))
        self.update(about)


def _origin(row: RunRow) -> str:
    if not row.origin:
        return ""
    return f"from {row.origin}" + (f" ({row.differs})" if row.differs else "")


def _curve(row: RunRow) -> str:
    """The cost since the newest start, its first and its last value, as far as they are known."""
    if len(row.trend) < 2:
        return ""
    return f"cost {number(float(row.trend[0]))} {trend(row.trend, TREND)} {number(float(row.trend[-1]))}"
