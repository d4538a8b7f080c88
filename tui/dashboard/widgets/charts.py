"""The charts: one of them, or as many of the pinned ones as fit, all over the same part of the run."""

from __future__ import annotations

import math
import time

import numpy as np

from laddertop.tui.dashboard.chart_picture import ChartPicture, Plot
from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.remembered import Remembered
from laddertop.tui.dashboard.views.findings import curves
from laddertop.tui.draw.axis import BINS, XAxis, clock
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.chart import INKS, Line, Look, draw_chart, kind_in_words, left_out_in_words, letter, put_reading
from laddertop.tui.draw.cursor import reading
from laddertop.tui.draw.markers import GUTTER, Marker, told_at
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.draw.scale import KINDS, PARTS, Bounds, Kind, Part
from laddertop.tui.draw.text import fit
from laddertop.tui.draw.x_view import XView
from laddertop.tui.watch.chart_choice import (
    EVALUATED,
    CurveName,
    curve_names,
    curves_of,
    evaluated,
    first_charts,
    title_of,
    usual_kind,
)
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.plan import planned, reach
from laddertop.tui.watch.run_view import DECAYS, RunView

LEAST = (34, 7)
"""Columns and rows of a chart in a grid, at least."""
LEGEND = 30
"""Columns of the legend beside a large chart of several curves."""


class Charts(Panel, ChartPicture):
    """Why the cost moves, over steps, epochs or time."""

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.pinned: list[str] = []
        """Names of the charts, in their order; empty: the first ones of the run."""
        self.focus_on = ""
        """Name of the one that the keys are about; where there is none of that name: the first."""
        self.kinds: dict[str, Kind] = {}
        """Kind of the y axis by name of chart, where it is not the usual one."""
        self.part: Part = PARTS[0]
        """Which values the y axes have to hold."""
        self.bounds: dict[str, Bounds] = {}
        """Those of the y axis by name of chart, where they are set."""
        self.colourless = False
        """Whether the terminal shows no colours."""
        self.grid = False
        """Whether more than one is shown."""

    def names(self) -> list[str]:
        """The charts, as pinned or as they are at first."""
        return self.pinned or first_charts(self.view.state)

    def focused(self) -> str:
        """The chart that the keys are about."""
        names = self.names()
        return self.focus_on if self.focus_on in names else names[0]

    def wanted(self) -> tuple[str, ...]:
        """The curves that the shown charts need. A chart that stands alone shows all of what is planned."""
        names = self._curves()
        self.sight.ahead = 0 if self.grid else max((reach(self.view, name) for name in names), default=0)
        return names

    def _curves(self) -> tuple[str, ...]:
        curves = curve_names(self.view.state)
        charts = self.names() if self.grid else [self.focused()]
        return tuple(c.name for chart in charts for c in curves_of(chart, curves))

    # What keys do

    def next_chart(self, by: int) -> None:
        """Go to another of the pinned charts."""
        names = self.names()
        self.focus_on = names[(names.index(self.focused()) + by) % len(names)]

    def next_kind(self) -> None:
        """Logarithmic, linear, symlog."""
        chart = self.focused()
        self.kinds[chart] = KINDS[(KINDS.index(self._kind(chart)) + 1) % len(KINDS)]

    def next_part(self) -> None:
        """A y axis for all but the first steps, for all values, for all but outliers."""
        self.part = PARTS[(PARTS.index(self.part) + 1) % len(PARTS)]
        self.bound(None)

    def bound(self, bounds: Bounds | None) -> None:
        """Bounds for the y axis of the chart in focus, or none."""
        self.bounds.pop(self.focused(), None)
        self.bounds |= {self.focused(): bounds} if bounds else {}

    def choose(self, name: str) -> None:
        """Go to one of those that are shown."""
        self.focus_on = name

    def show_evidence(self, finding: Finding) -> bool:
        """Go to the curve that shows a finding, with the cursor where it began; whether there is one."""
        shown, x = curves(self.view, finding), self.sight
        if shown:
            self.pinned = [*self.names(), *(name for name in shown[:1] if name not in self.names())]
            self.focus_on = shown[0]
            x.cursor = finding.time - self.view.origin if x.unit == "time" else float(finding.since)
            x.show(self.view.extent, x.cursor)
        return bool(shown)

    def as_left(self, known: Remembered) -> None:
        """Show them as the user left them."""
        x = self.sight
        self.pinned, self.kinds, self.grid, self.bounds = known.pinned, known.kinds, known.grid, known.bounds
        self.focus_on, self.part = known.focus, known.part
        x.unit, x.log = known.unit, known.log_x
        self.view.decay = known.decay if known.decay in DECAYS else DECAYS[0]

    def left(self, chosen: str, maximised: bool) -> Remembered:
        """How the user leaves them, and the panel that is chosen."""
        return Remembered(
            pinned=list(self.pinned),
            kinds=dict(self.kinds),
            bounds=dict(self.bounds),
            grid=self.grid,
            focus=self.focus_on,
            part=self.part,
            unit=self.sight.unit,
            log_x=self.sight.log,
            decay=self.view.decay,
            chosen=chosen,
            maximised=maximised,
        )

    def said(self) -> str:
        """Step and values of the chart that the keys are about: under the cursor, else the newest."""
        curves = curves_of(self.focused(), curve_names(self.view.state))
        lines = [self._line(curve.name) for curve in curves]
        at = self._bin()
        if at is None:
            step, values = self.view.step, [self._value(c.name, line) for c, line in zip(curves, lines, strict=True)]
        else:
            step, values = self._step(at), [float(self._shown(line, at).smooth[at]) for line in lines]
        told = ", ".join(f"{c.label} {number(v)}" for c, v in zip(curves, values, strict=True))
        return f"step {step}{', planned' if at is not None and self._coming(at) else ''}: {told}"

    # Where one looks

    @property
    def sight(self) -> XView:
        """That of the run."""
        return self.view.x

    def axis(self) -> XAxis:
        """That of the curves."""
        return self.view.curves.wanted.axis

    def positions(self) -> np.ndarray:
        """Of the last record of each bin that holds any."""
        curves = self.view.curves
        x = curves.times - self.view.origin if curves.wanted.axis.unit == "time" else curves.steps.astype(float)
        return np.asarray(x[curves.steps > 0])

    def ahead(self) -> np.ndarray:
        """Of the last step of each bin for which a shown chart has something planned."""
        steps = self._planned_steps()
        return np.asarray(steps[(steps > 0) & (self.view.curves.steps == 0)], float)

    def _planned_steps(self) -> np.ndarray:
        """The last step of each bin that is planned, of all curves that are shown; 0 where there is none."""
        plans = filter(None, (planned(self.view, name) for name in self._curves()))
        return np.asarray(np.max([np.zeros(BINS, np.int64), *(plan.steps for plan in plans)], axis=0))

    def marks(self) -> list[Marker]:
        """What was done to the run, and where something began to go wrong."""
        return self.view.marks

    # How it looks

    def picture(self, height: int, width: int) -> Cells:
        """One chart, or a grid of them that holds the one the keys are about."""
        names = self.names()
        if not self.grid or len(names) == 1:
            self.plots = [Plot(self.focused(), 1, 0, height - 1, width - self._legend(self.focused(), width))]
            return self._chart(self.focused(), height, width, alone=True)
        down, across = arrangement(len(names), height, width)
        page = names.index(self.focused()) // (down * across) * down * across
        cells = Cells(height, width)
        self.plots = plots = []
        for i, chart in enumerate(names[page : page + down * across]):
            row, column = divmod(i, across)
            y, x = row * height // down, column * width // across
            high, wide = (row + 1) * height // down - y, (column + 1) * width // across - x - 1
            plots.append(Plot(chart, y + 1, x, high - 1, wide))
            cells.paste(y, x, self._chart(chart, high, wide, False))
        if len(names) > down * across:
            pages = -(-len(names) // (down * across))
            cells.right(height - 1, width - 1, f" {page // (down * across) + 1}/{pages} ", Ink.KEY)
        return cells

    def _legend(self, chart: str, width: int) -> int:
        """Columns of the legend beside a chart that stands alone."""
        several = len(curves_of(chart, curve_names(self.view.state))) > 1
        return LEGEND if several and width >= 2 * LEGEND + 10 else 0

    def _kind(self, chart: str) -> Kind:
        return self.kinds.get(chart) or usual_kind(chart, self.view.state)

    def _chart(self, chart: str, height: int, width: int, alone: bool) -> Cells:
        view = self.view
        axis = view.curves.wanted.axis
        curves = curves_of(chart, curve_names(view.state))
        lines = [self._line(curve.name) for curve in curves]
        kind, bounds = self._kind(chart), self.bounds.get(chart)
        look = Look(kind, self.part, self.ascii_only, self.colourless, view.x.under, bounds)
        chosen = (alone or chart == self.focused()) and self.chosen
        title = title_of(chart, curves) + self._measured(curves)
        aside = self._readings(curves, lines) if view.x.under is not None else ""
        if not aside and alone:
            aside = self._how(lines, look, width - len(title) - 8)
        elif not aside:
            aside = " · ".join([self._newest(curves, lines), *self._left_out(lines, look)])
        lit = any(curve.name in view.lit for curve in curves)
        cells = titled(height, width, fit(title, max(width - len(aside) - 10, width // 3)), aside, chosen, lit)
        legend = self._legend(chart, width) if alone else 0
        marks = view.marks if alone else [mark._replace(label="") for mark in view.marks]
        cells.paste(1, 0, draw_chart(height - 1, width - legend, lines, axis, look, marks))
        if legend:
            for i, (curve, line) in enumerate(zip(curves, lines, strict=True)):
                if i + 2 < height:
                    x = cells.put(1 + i, width - legend + 1, letter(i), INKS[i % len(INKS)]) + 1
                    cells.put(1 + i, x, fit(curve.label, legend - 12))
                    cells.right(1 + i, width - 1, number(self._value(curve.name, line)), Ink.DIM)
        if alone and len(curves) == 1 and curves[0].unit and height >= 8 and not marks:
            cells.right(1, width - 1, f" {fit(curves[0].unit, width - GUTTER - 4)}", Ink.DIM)
        put_reading(cells, self._where(max(width - legend - GUTTER, 1)))
        return cells

    def _line(self, name: str) -> Line:
        view = self.view
        if name.startswith(EVALUATED):
            return Line(evaluated(name, view.state, view.curves.wanted.axis, view.origin))
        plan = planned(view, name)
        return Line(view.curves.of(name), view.curves.thrown_away(name), plan.binned if plan else None)

    def _how(self, lines: list[Line], look: Look, room: int) -> str:
        """How it is drawn, as far as there is room: what is left out, the axes, the part of the run, the smoothing."""
        axis, decay = self.view.curves.wanted.axis, self.view.curves.wanted.decay
        every = ["dots: planned"] if any(line.planned is not None for line in lines) else []
        every += self._left_out(lines, look)
        every += [kind_in_words(lines, look)]
        every += {"step": [], "epoch": ["epochs"], "time": ["wall time"]}[axis.unit]
        every += ["log x"] if axis.log else []
        every += [{"end": "following the end", "stretch": "zoomed"}[self.view.x.shown]] if self._zoomed() else []
        every += [f"EMA {decay:g}", "over raw range"] if decay else ["raw, not smoothed"]
        words = ""
        for word in every:
            longer = f"{words} {word}" if word == "over raw range" else f"{words} · {word}" if words else word
            if len(longer) > room:
                break
            words = longer
        return words

    def _left_out(self, lines: list[Line], look: Look) -> list[str]:
        """What the y axis leaves out, in words; none where it leaves out nothing."""
        words = left_out_in_words(lines, [self.view.curves.steps] * len(lines), look)
        return [words] if words else []

    def _measured(self, curves: list[CurveName]) -> str:
        """Of one evaluated number: its newest value, and the step at which it was measured."""
        key = curves[0].name.removeprefix(EVALUATED) if len(curves) == 1 else ""
        found = [event for event in self.view.state.evaluations if key in event.values]
        if not found or not curves[0].name.startswith(EVALUATED):
            return ""
        return f" {number(found[-1].values[key].value)} at {thousands(found[-1].step)}"

    def _zoomed(self) -> bool:
        return self.view.x.shown != "whole"

    def _newest(self, curves: list[CurveName], lines: list[Line]) -> str:
        """The newest value of each curve."""
        values = [number(self._value(c.name, line)) for c, line in zip(curves, lines, strict=True)]
        return values[0] if len(values) == 1 else " ".join(f"{letter(i)} {v}" for i, v in enumerate(values[:4]))

    def _value(self, name: str, line: Line) -> float:
        """The newest value of a curve, smoothed."""
        if name in self.view.smoothed:
            return self.view.value(name) if name in self.view.latest else self.view.smoothed[name]
        found = line.binned.smooth[np.isfinite(line.binned.smooth)]
        return float(found[-1]) if len(found) else float("nan")

    def _bin(self) -> int | None:
        """The bin that is looked at."""
        if self.sight.under is None:
            return None
        at = int(self.axis().bins(np.array([self.sight.under]))[0])
        return at if at >= 0 else None

    def _coming(self, at: int) -> bool:
        """Whether the steps of a bin are still to come."""
        return bool(self.view.curves.steps[at] == 0)

    def _step(self, at: int) -> int:
        """The last step of a bin that was recorded, or else is planned."""
        return int((self._planned_steps() if self._coming(at) else self.view.curves.steps)[at])

    def _shown(self, line: Line, at: int) -> Binned:
        """What is read out of a line in a bin: what was recorded there, or else is planned."""
        return line.planned if self._coming(at) and line.planned is not None else line.binned

    def _readings(self, curves: list[CurveName], lines: list[Line]) -> str:
        """The values under the cursor: raw, as a range where a bin holds several steps, and smoothed."""
        under = self._bin()
        if under is None:
            return ""
        parts = []
        for i, (curve, line) in enumerate(zip(curves, lines, strict=True)):
            at = under
            if curve.name.startswith(EVALUATED):  # the newest one up to the cursor
                before = np.flatnonzero(line.binned.filled[: at + 1])
                at = int(before[-1]) if len(before) else at
            shown = self._shown(line, at)
            if words := reading(shown, at):
                coming = shown is line.planned
                words = number(float(shown.smooth[at])) if coming or len(lines) > 1 else words
                parts.append(" ".join([letter(i)] * (len(lines) > 1) + ["planned"] * coming + [words]))
        return "  ".join(parts)

    def _where(self, columns: int) -> list[str]:
        """Step and time of what is looked at, and what is marked in its column, what matters most first."""
        at, axis = self._bin(), self.axis()
        if at is None or self.sight.under is None:
            return []
        when = float(self.view.curves.times[at])
        told = [f"step {thousands(self._step(at))}"]
        told += told_at(self.sight.under, columns, axis, self.view.marks)
        if when:
            day = time.strftime("%H:%M:%S", time.localtime(when))
            told.append(f"{clock(when - self.view.origin)} after the start, {day}")
        return told


def arrangement(charts: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of a grid that holds as many charts as fit, in cells about three times as wide as high."""
    most_across, most_down = max(width // LEAST[0], 1), max(height // LEAST[1], 1)
    charts = min(charts, most_across * most_down)
    fitting = [(-(-charts // across), across) for across in range(1, most_across + 1)]
    fitting = [(down, across) for down, across in fitting if down <= most_down]
    return min(fitting, key=lambda grid: abs(math.log(max(width, 1) * grid[0] / (max(height, 1) * grid[1] * 3.2))))
