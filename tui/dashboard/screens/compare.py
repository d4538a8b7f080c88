"""Runs beside each other: their curves in one chart, what they were evaluated to, what their specs differ in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from laddertop.tui.dashboard.grammar import EVERYWHERE
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.ask import Choose
from laddertop.tui.dashboard.screens.commands import KeyCommands
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.draw.axis import UNITS, Unit, XAxis
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.chart import INKS, Line, Look, draw_chart, letter
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.draw.scale import KINDS, Kind
from laddertop.tui.draw.text import fit, harmless, pad
from laddertop.tui.draw.x_view import Extent, XView
from laddertop.tui.watch.chart_choice import CurveName, usual_kind
from laddertop.tui.watch.comparison import Compared, Row, curves, difference, evaluations, look, names, widest
from laddertop.tui.watch.wording import measure

INTERVAL = 2.0
"""Seconds between two looks at the runs."""

_NOTES = (
    "Every run has a letter and a colour. In steps and epochs the runs lie on each other from the first step on, in "
    "time from their first start on. Runs whose specs differ in nothing but the seed, and to which the same was done "
    "at the same steps, are also told together once their evaluations are of the same step: mean ± standard deviation."
)


class _Seen(NamedTuple):
    """What a look at the runs found."""

    axis: XAxis
    found: list[Binned]
    """The chosen curve of each run."""
    names: list[CurveName]
    """All curves that any run has."""
    extents: dict[Unit, Extent]
    """How far the runs have come, by unit; empty before the first look."""
    evaluations: list[Row]
    differing: list[tuple[str, list[str]]]
    """Keys in which the specs differ, with the values of the runs."""


class Overlay(Widget):
    """One curve of every run in one chart."""

    DEFAULT_CSS = "Overlay { height: 1fr; background: transparent; }"

    def __init__(self, ascii_only: bool) -> None:
        super().__init__()
        self.kind: Kind = "log"
        self._ascii_only = ascii_only
        self._shown: tuple[XAxis, list[Binned]] | None = None
        self._cells = Cells(0, 0)

    def show(self, axis: XAxis, found: list[Binned], kind: Kind) -> None:
        """Show these curves over an axis of this kind."""
        self._shown, self.kind = (axis, found), kind
        self.update()

    def update(self) -> None:
        """Draw again, and ask for the cells that look different now."""
        if self._shown is None:
            return
        axis, found = self._shown
        look = Look(self.kind, "whole", ascii_only=self._ascii_only, colourless=self.app.no_color)
        cells = draw_chart(self.size.height, self.size.width, [Line(one) for one in found], axis, look)
        before, self._cells = self._cells, cells
        for y, x, end in cells.changed_spans(before):
            self.refresh(Region(x, y, end - x, 1))

    def on_resize(self, _: Resize) -> None:
        """A new size means a new picture."""
        self.update()

    def render_line(self, y: int) -> Strip:
        """Row y of the picture."""
        if y >= self._cells.height:
            return Strip.blank(self.size.width)
        colours = colours_of(self.app)
        segments = [Segment(text, style(ink, colours)) for text, ink in self._cells.runs(y)]
        return Strip(segments, self._cells.width).adjust_cell_length(self.size.width)


class CompareScreen(Screen[None]):
    """Up to eight runs."""

    DEFAULT_CSS = """
    CompareScreen { background: transparent; }
    CompareScreen > Static { height: 1; padding: 0 1; width: 100%; }
    CompareScreen > VerticalScroll { height: auto; max-height: 50%; padding: 0 1; scrollbar-size-vertical: 1; }
    CompareScreen VerticalScroll > Static { height: auto; }
    """
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "next_curve(1)", "next curve: total, terms, gradient norm, throughput, evaluations, knobs"),
        Binding("T", "next_curve(-1)", "previous curve"),
        Binding("slash", "choose_curve", "choose a curve from all that the runs have"),
        Binding("x", "unit", "x axis: steps, epochs, wall time since the first start"),
        Binding("l", "next_kind", "y axis: logarithmic, linear, symlog"),
        Binding("plus,equals_sign", "zoom(0.5)", "zoom in"),
        Binding("minus", "zoom(2)", "zoom out"),
        Binding("comma", "pan(-0.5)", "pan to earlier steps"),
        Binding("full_stop", "pan(0.5)", "pan to later steps"),
        Binding("up", "scroll(-1)", "the tables up"),
        Binding("down", "scroll(1)", "the tables down"),
        *EVERYWHERE,
    ]

    def __init__(self, runs: list[Compared], plain: bool = False) -> None:
        """Shows `runs`; `plain` draws in ASCII."""
        super().__init__()
        self._runs = runs
        self._plain = plain
        self._curve = "total"
        self._kinds: dict[str, Kind] = {}
        """Kind of the y axis by curve, where it is not the usual one."""
        self._x = XView()
        self._seen = _Seen(XAxis(0, 8), [], [CurveName("", "total", "")], {}, [], [])
        self._wake = asyncio.Event()

    def compose(self) -> ComposeResult:
        """The chart, the tables, the keys."""
        yield Static("", id="heading")
        yield Overlay(self._plain)
        with VerticalScroll(can_focus=False):
            yield Static("", id="tables")
        keys = Text(no_wrap=True, overflow="ellipsis")
        for key, name in (
            ("t /", "curve"),
            ("x", "axis"),
            ("l", "log"),
            ("+ -", "zoom"),
            ("esc", "back"),
            ("?", "help"),
        ):
            keys.append(key, style(Ink.KEY, colours_of(self.app)))
            keys.append(f" {name}   ", style(Ink.DIM, colours_of(self.app)))
        yield Static(keys, id="keys")

    def on_mount(self) -> None:
        """Begin to look."""
        self._look()

    @work(exclusive=True)
    async def _look(self) -> None:
        while True:
            try:
                seen = await asyncio.to_thread(self._gather)
            except (OSError, ValueError) as error:
                if not self.display:
                    return
                self._head(f"can't be read: {error}")
            else:
                if not self.display:
                    return
                self._seen = seen
                self.query_one(Overlay).show(seen.axis, seen.found, self._kind())
                self._head(self._title())
                self.query_one("#tables", Static).update(self._tables())
            try:
                await asyncio.wait_for(self._wake.wait(), INTERVAL)
            except TimeoutError:
                continue
            self._wake.clear()

    def _gather(self) -> _Seen:
        look(self._runs)
        axis, found = curves(self._runs, self._curve, self._x)
        extents = {unit: widest(self._runs, unit) for unit in UNITS}
        return _Seen(axis, found, names(self._runs), extents, evaluations(self._runs), difference(self._runs))

    def _kind(self) -> Kind:
        """The kind of the y axis."""
        kinds = [usual_kind(self._curve, one.state) for one in self._runs]
        return self._kinds.get(self._curve) or ("linear" if "linear" in kinds else "log")

    def _title(self) -> str:
        """What the curve is called, with its unit."""
        found = next((curve for curve in self._seen.names if curve.name == self._curve), CurveName("", self._curve, ""))
        return f"{found.label}, {found.unit}" if found.unit else found.label

    def _head(self, curve: str) -> None:
        colours = colours_of(self.app)
        heading = Text(f"{len(self._runs)} runs: {harmless(curve)}", "bold", no_wrap=True, overflow="ellipsis")
        heading.append(f"   by {self._x.unit}, {self._kind()}", style(Ink.DIM, colours))
        self.query_one("#heading", Static).update(heading)

    def _tables(self) -> Text:
        """Evaluations, then what the specs differ in."""
        colours = colours_of(self.app)
        dim, text = style(Ink.DIM, colours), Text(no_wrap=True, overflow="ellipsis")
        # Blanks at both sides, and the scrollbar.
        room = max(self.size.width - 3, 20)
        mark = 5 if any(row.best for row in self._seen.evaluations) else 0
        for row in self._seen.evaluations:
            for run in row.runs:
                text.append(letter(run), style(INKS[run % len(INKS)], colours))
            wide = max(room // 3, 12) - len(row.runs)
            text.append(f" {pad(fit(harmless(row.name), wide), wide)} ").append(f"step {thousands(row.step):>9}  ", dim)
            told = ", ".join(_told(measure_name, *value) for measure_name, value in row.values.items())
            text.append(f"{'best':<{mark}}" if row.best else " " * mark, style(Ink.GOOD, colours))
            text.append(fit(told or "not evaluated", room - max(room // 3, 12) - 18 - mark)).append("\n")
        differing = self._seen.differing
        text.append("\nthe specs differ in\n" if differing else "\nthe specs do not differ\n", "bold")
        width = max((room - 24) // len(self._runs) - 1, 5)
        if differing:
            text.append(" " * 24)
            for run in range(len(self._runs)):
                text.append(f"{letter(run):<{width}} ", style(INKS[run % len(INKS)], colours))
            text.append("\n")
        for key, values in differing:
            text.append(f"{fit(key, 23):<24}", dim)
            for number_, value in enumerate(values):
                word = fit(harmless(value), width)
                text.append(f"{word:<{width}} ", style(INKS[number_ % len(INKS)], colours))
            text.append("\n")
        return text

    def action_next_curve(self, by: int) -> None:
        """Another curve."""
        known = [curve.name for curve in self._seen.names]
        self._curve = known[(known.index(self._curve) + by) % len(known)]
        self._wake.set()

    @work
    async def action_choose_curve(self) -> None:
        """A curve by its name."""
        known = self._seen.names
        told = [fit(f"{fit(curve.label, 28):<28}  {curve.unit}", 70) for curve in known]
        number_ = await self.app.push_screen_wait(Choose("the curve of every run:", told))
        if number_ is not None:
            self._curve = known[number_].name
            self._wake.set()

    def action_unit(self) -> None:
        """Steps, epochs, wall time."""
        self._x.next_unit()
        self._wake.set()

    def action_next_kind(self) -> None:
        """Logarithmic, linear, symlog."""
        overlay = self.query_one(Overlay)
        overlay.kind = self._kinds[self._curve] = KINDS[(KINDS.index(self._kind()) + 1) % len(KINDS)]
        overlay.update()
        self._head(self._title())

    def action_zoom(self, factor: float) -> None:
        """Show less or more."""
        if self._seen.extents:
            self._x.zoom(self._seen.extents[self._x.unit], factor)
            self._wake.set()

    def action_pan(self, share: float) -> None:
        """Show earlier or later steps."""
        if self._seen.extents:
            self._x.pan(self._seen.extents[self._x.unit], share)
            self._wake.set()

    def action_scroll(self, by: int) -> None:
        """Move the tables."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(Help("Keys of the comparison", {"": self.BINDINGS}, _NOTES))


def _told(name: str, value: float, sd: float | None) -> str:
    return measure(name, value) + (f" ± {number(sd)}" if sd is not None else "")
