"""What keys and mouse do with the charts of a screen, whichever charts they are."""

from __future__ import annotations

from textual import work
from textual.screen import Screen

from laddertop.tui.dashboard.chart_picture import ChartPicture
from laddertop.tui.dashboard.messages import Placed, Pointed, Zoomed
from laddertop.tui.dashboard.screens.ask import AskLine
from laddertop.tui.draw.scale import Bounds, bounds_of
from laddertop.tui.draw.x_view import Extent, XView


class ChartScreen(Screen[None]):
    """A screen with charts over one x axis."""

    # What the screens differ in

    @property
    def charts(self) -> ChartPicture:
        """The charts."""
        raise NotImplementedError

    @property
    def sight(self) -> XView:
        """What part of the runs they show, and where in it one looks."""
        raise NotImplementedError

    @property
    def extent(self) -> Extent:
        """How far the runs have come."""
        raise NotImplementedError

    def bounds(self) -> Bounds | None:
        """The bounds of the y axis that the keys are about; None where they are not set."""
        raise NotImplementedError

    def bound(self, bounds: Bounds | None) -> None:
        """Set them, or leave them to the chart again, and show it."""
        raise NotImplementedError

    def read_out(self) -> None:
        """Show the values under cursor or mouse."""
        raise NotImplementedError

    def looked_elsewhere(self) -> None:
        """Show another part of the runs."""
        raise NotImplementedError

    def looked_otherwise(self) -> None:
        """Show them on other axes, which is kept."""
        raise NotImplementedError

    # What they share

    def action_zoom(self, factor: float) -> None:
        """Show less or more, around the mouse or the cursor."""
        self.sight.zoom(self.extent, factor, self.sight.under)
        self.looked_elsewhere()

    def action_pan(self, share: float) -> None:
        """Show earlier or later steps."""
        self.sight.pan(self.extent, share)
        self.looked_elsewhere()

    def action_whole(self) -> None:
        """Show all of it."""
        self.sight.shown = "whole"
        self.looked_elsewhere()

    def action_follow(self) -> None:
        """Keep to the end."""
        self.sight.follow(self.extent)
        self.looked_elsewhere()

    def action_log_x(self) -> None:
        """Logarithmic or linear x axis."""
        self.sight.log = not self.sight.log
        self.looked_otherwise()

    def action_unit(self) -> None:
        """Steps, epochs, wall time."""
        self.sight.next_unit()
        self.looked_otherwise()

    @work
    async def action_bounds(self) -> None:
        """Ask for the bounds of the y axis until they are some, or nobody wants any."""
        now = self.bounds()
        problem, text = "", f"{now[0]:g} {now[1]:g}" if now else ""
        while True:
            question = problem or "y axis: its lowest and its highest value, or auto"
            answer = await self.app.push_screen_wait(AskLine(question, text))
            if answer is None:
                return
            try:
                self.bound(bounds_of(answer))
            except ValueError as error:
                problem, text = str(error), answer
            else:
                return

    def action_cursor(self, by: int) -> None:
        """Move the cursor of all charts, and the charts with it."""
        self.charts.move_cursor(by)
        if self.sight.cursor is not None:
            self.sight.show(self.extent, self.sight.cursor)
        self.looked_elsewhere()

    def end_under_way(self) -> bool:
        """Take the cursor away; whether there was one."""
        was, self.sight.cursor, self.sight.pointed = self.sight.cursor, None, None
        if was is not None:
            self.looked_elsewhere()
        return was is not None

    def on_pointed(self, message: Pointed) -> None:
        """The mouse is over a position."""
        self.sight.pointed = message.position
        if self.display:  # one that is on its way out has no charts any more
            self.read_out()

    def on_placed(self, message: Placed) -> None:
        """The cursor to a position."""
        self.sight.cursor = message.position
        self.looked_otherwise()

    def on_zoomed(self, message: Zoomed) -> None:
        """The wheel does what the keys do."""
        self.action_zoom(message.factor)
