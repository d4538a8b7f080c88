"""Charts over one x axis that keys and the mouse point into: hover reads out, a click places the cursor, the wheel
zooms. What the mouse does is told to the screen, which does what it does for a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from textual.events import Click, Leave, MouseMove, MouseScrollDown, MouseScrollUp

from laddertop.tui.dashboard.messages import Placed, Pointed, Zoomed
from laddertop.tui.dashboard.panel import Picture
from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.cursor import moved, nearest
from laddertop.tui.draw.markers import GUTTER, Marker, label_at
from laddertop.tui.draw.x_view import XView

WHEEL = 0.8
"""What a notch of the wheel leaves of what is shown."""


class Plot(NamedTuple):
    """Where a chart was drawn, in cells of the picture, axes included."""

    name: str
    y: int
    x: int
    height: int
    width: int

    @property
    def columns(self) -> int:
        """Columns of its curves."""
        return max(self.width - GUTTER, 1)


class ChartPicture(Picture):
    """One chart, or several of them."""

    plots: Sequence[Plot] = ()
    """The charts that were drawn last."""

    @property
    def sight(self) -> XView:
        """What part of the runs is shown, and where in it one looks."""
        raise NotImplementedError

    def axis(self) -> XAxis:
        """The x axis that was drawn."""
        raise NotImplementedError

    def positions(self) -> np.ndarray:
        """The positions [N, rising] of the axis that hold a step."""
        raise NotImplementedError

    def ahead(self) -> np.ndarray:
        """The positions [N, rising] behind all of those for which something is planned."""
        return np.empty(0)

    def marks(self) -> Sequence[Marker]:
        """What is marked on the charts, oldest first."""
        raise NotImplementedError

    def choose(self, name: str) -> None:
        """Go to a chart that was clicked at."""

    def move_cursor(self, by: int) -> None:
        """Put the cursor some columns on, or back."""
        columns = min((plot.columns for plot in self.plots), default=1)
        # At first it stands on the newest step, whatever is planned.
        there = self.positions() if self.sight.under is None else self._all_positions()
        self.sight.cursor = moved(self.axis(), there, self.sight.under, by, columns)
        self.sight.pointed = None

    def plot_at(self, x: int, y: int) -> Plot | None:
        """The chart under a cell of the picture; None beside all of them."""
        inside = (p for p in self.plots if p.y <= y < p.y + p.height and p.x + GUTTER <= x < p.x + p.width)
        return next(inside, None)

    def position_at(self, x: int, y: int) -> float | None:
        """The position with a step that is nearest to a cell of the picture; None beside the charts."""
        plot = self.plot_at(x, y)
        if plot is None:
            return None
        return nearest(self.axis(), self._all_positions(), (x - plot.x - GUTTER + 0.5) / plot.columns)

    def _all_positions(self) -> np.ndarray:
        return np.concatenate([self.positions(), self.ahead()])

    def on_mouse_move(self, event: MouseMove) -> None:
        """The values under the mouse are to be read out."""
        position = self.position_at(event.x, event.y)
        if position != self.sight.pointed:
            self.post_message(Pointed(position))

    def on_leave(self, _: Leave) -> None:
        """Those of the cursor again."""
        self.post_message(Pointed(None))

    def on_click(self, event: Click) -> None:
        """The cursor goes there; at the label of a marker to what it marks."""
        plot = self.plot_at(event.x, event.y)
        if plot is None:
            return
        self.choose(plot.name)
        position = self.position_at(event.x, event.y)
        if event.y == plot.y and (marker := label_at(event.x - plot.x, plot.width, self.axis(), self.marks())):
            at = marker.time if self.axis().unit == "time" else marker.step
            position = nearest(self.axis(), self.positions(), float(self.axis().fractions(at)))
        if position is not None:
            self.post_message(Placed(position))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Less of the axis."""
        event.stop()
        self.post_message(Zoomed(WHEEL))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """More of it."""
        event.stop()
        self.post_message(Zoomed(1 / WHEEL))
