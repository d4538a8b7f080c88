"""The panels of a run screen: which one is chosen, whether it is alone, and where each lies."""

from __future__ import annotations

from textual.screen import Screen

from laddertop.tui.dashboard.layout import arrange, beside, too_small
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.panels import MIDDLE, PANELS
from laddertop.tui.dashboard.widgets.guide import GuidePanel
from laddertop.tui.dashboard.widgets.machine import MachineLine


class Arrangement:
    """Lays out the panels of a screen."""

    def __init__(self, screen: Screen[None], guided: bool) -> None:
        """Nothing is laid out yet; a `guided` screen leaves room for the guide of a lesson."""
        self.chosen = MIDDLE[0]
        """The panel that is chosen."""
        self.maximised = False
        """Whether it has the whole screen."""
        self.with_machine = False
        """Whether there is a line about the machine."""
        self.below = 0
        """Rows at the bottom that are somebody else's."""
        self._screen, self._guided = screen, guided
        self._rows: dict[str, int] = {}

    @property
    def room(self) -> tuple[int, int]:
        """Columns and rows that the panels share."""
        width, height = self._screen.app.size
        if self._guided:
            width, height, _ = beside(width, height)
        return width, height - self.with_machine - self.below

    def outgrown(self) -> bool:
        """Whether panels need other rows than when this was asked last."""
        before, self._rows = self._rows, self._least()
        return before != self._rows

    def lay_out(self) -> None:
        """Every panel to its place, and out of sight where it has none."""
        screen = self._screen
        if too_small(*screen.app.size):
            return
        width, height = self.room
        places = arrange(width, height, MIDDLE, self._least(), self.chosen, self.maximised)
        for panel in screen.query(Panel):
            place = places.get(panel.id or "")
            if place is None:
                panel.display = False
            else:
                panel.display = True
                panel.styles.offset = (place.x, place.y)
                panel.styles.width, panel.styles.height = place.width, place.height
        for guide in screen.query(GuidePanel):
            guide.lie(*screen.app.size)
        line = screen.query_one(MachineLine)
        line.display = self.with_machine
        line.styles.offset, line.styles.width, line.styles.height = (0, height), width, 1
        for name in MIDDLE:
            panel = screen.query_one(f"#{name}", Panel)
            panel.chosen = name == self.chosen
            panel.update()

    def _least(self) -> dict[str, int]:
        return {name: self._screen.query_one(f"#{name}", Panel).least_rows(*self.room) for name in PANELS}
