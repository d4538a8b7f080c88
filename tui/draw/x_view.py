"""Which part of a run the charts show, all of it, its end, or a stretch the user went to; and where in it one looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from laddertop.tui.draw.axis import UNITS, Unit, XAxis
from laddertop.tui.draw.ticks import planned_end

CLOSEST = 8.0
"""Steps or seconds that the charts show at least."""


@dataclass(frozen=True)
class Extent:
    """How far a run has come."""

    step: int = 0
    planned: int = 0
    """Its length in steps as planned."""
    seconds: float = 0.0
    """Since its first start, to its newest record."""
    epoch_steps: int = 0


@dataclass
class XView:
    """What of a run is shown, and in which unit."""

    unit: Unit = "step"
    log: bool = False
    shown: Literal["whole", "end", "stretch"] = "whole"
    width: float = 0.0
    """Of the end, in steps or seconds."""
    first: float = 0.0
    last: float = 0.0
    """Of the stretch."""
    cursor: float | None = None
    """Where the cursor of all charts stands, a position of the x axis; None: there is none."""
    pointed: float | None = None
    """The position that the mouse is over; None while it is elsewhere."""

    ahead: int = 0
    """The step that an axis of steps has to hold at least, as something is planned up to there."""

    @property
    def under(self) -> float | None:
        """The position whose values are read out: that under the mouse, else that of the cursor."""
        return self.cursor if self.pointed is None else self.pointed

    def axis(self, extent: Extent) -> XAxis:
        """The axis for a run that has come this far."""
        begin, newest, whole = self._reach(extent)
        per = max(extent.epoch_steps, 1)
        if self.shown == "whole":
            return XAxis(begin, whole, self.unit, self.log, per)
        if self.shown == "end":
            # It moves on by a quarter of its width, so that most points touch one column only.
            step = self.width / 4
            last = max(math.ceil(newest / step) * step, begin + self.width)
            return XAxis(last - self.width, last, self.unit, self.log and last > self.width, per)
        return XAxis(self.first, self.last, self.unit, self.log and self.first > 0, per)

    def zoom(self, extent: Extent, factor: float, around: float | None = None) -> None:
        """Show `factor` times as much, around a position or, without one, at the end of the run."""
        axis = self.axis(extent)
        begin, newest, whole = self._reach(extent)
        width = max((axis.last - axis.first) * factor, CLOSEST)
        if width >= whole - begin:
            self.shown = "whole"
        elif around is None and self.shown != "stretch":
            self.shown, self.width = "end", min(width, max(newest * factor, CLOSEST))
        else:
            middle = (axis.first + axis.last) / 2 if around is None else around
            share = float(axis.fractions(middle)) if not axis.log else 0.5
            self._show(middle - share * width, width, extent)

    def pan(self, extent: Extent, share: float) -> None:
        """Go to the right by a share of what is shown."""
        axis = self.axis(extent)
        if self.shown != "whole":
            self._show(axis.first + share * (axis.last - axis.first), axis.last - axis.first, extent)

    def show(self, extent: Extent, position: float) -> None:
        """Pan as little as brings a position into view."""
        axis = self.axis(extent)
        width = axis.last - axis.first
        if position < axis.first:
            self._show(position - width / 4, width, extent)
        elif position > axis.last:
            self._show(position - 3 * width / 4, width, extent)

    def follow(self, extent: Extent) -> None:
        """Keep to the end of the run, as wide as now; twice: its newest tenth."""
        axis = self.axis(extent)
        if self.shown == "whole" or self.shown == "end":
            self.shown, self.width = "end", max(self._reach(extent)[1] / 10, CLOSEST)
        else:
            self.shown, self.width = "end", axis.last - axis.first

    def next_unit(self) -> None:
        """Steps, epochs, wall time."""
        before, self.unit = self.unit, UNITS[(UNITS.index(self.unit) + 1) % len(UNITS)]
        self.cursor = self.pointed = None
        if "time" in (before, self.unit):
            self.shown = "whole"

    def _show(self, first: float, width: float, extent: Extent) -> None:
        begin, _, whole = self._reach(extent)
        first = max(min(first, whole - width), begin)
        self.shown, self.first, self.last = "stretch", first, first + width

    def _reach(self, extent: Extent) -> tuple[float, float, float]:
        """Where the run begins, its newest position, and the end of an axis that holds all of it."""
        begin = 1.0 if self.log else 0.0
        if self.unit == "time":
            return begin, extent.seconds, 60.0 * 2 ** max(math.ceil(math.log2(max(extent.seconds, 1.0) / 60)), 0)
        whole = planned_end(max(extent.step, self.ahead), extent.planned)
        return begin, float(extent.step), float(max(whole, begin + CLOSEST))
