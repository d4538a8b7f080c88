"""Runs beside each other: their curves in one chart, what they were evaluated to, what their specs differ in."""

from __future__ import annotations

import asyncio
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from laddertop.tui.dashboard.grammar import EVERYWHERE, MOUSE_ON_CHARTS, ON_CHARTS, bind, mouse_rows
from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.dashboard.pace import Pace
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.ask import Choose
from laddertop.tui.dashboard.screens.chart_screen import ChartScreen
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.widgets.overlay import Overlay
from laddertop.tui.draw.axis import UNITS, Unit, XAxis
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.chart import INKS, Look, letter
from laddertop.tui.draw.markers import Marker
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.draw.scale import KINDS, PARTS, Bounds, Kind
from laddertop.tui.draw.text import fit, harmless, pad
from laddertop.tui.draw.x_view import Extent, XView
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.chart_choice import CurveName, usual_kind
from laddertop.tui.watch.comparison import (
    Compared,
    Curve,
    Row,
    curves,
    difference,
    evaluations,
    look,
    marks,
    names,
    read_out,
    widest,
    wrong,
)
from laddertop.tui.watch.trouble import Trouble
from laddertop.tui.watch.wording import measured

INTERVAL = 2.0
"""Seconds between two looks at the runs."""

_NOTES = (
    "Every run has a letter and a colour. In steps and epochs the runs lie on each other from the first step on, in "
    "time from their first start on. What was done to a run bears its letter: ▼ an intervention, ↻ a resume, ↶ a "
    "rollback, ↱ where a fork begins, ▷ a new stage. Below the cursor the tables show every run's step and value "
    "there, raw and ~ smoothed. Runs whose specs differ in nothing but the seed, and to which the same was done "
    "at the same steps, are also told together once their evaluations are of the same step: mean ± standard deviation."
)
_HINTS = (
    ("back", "everywhere.back"),
    ("curve", "compare.next-curve", "compare.choose"),
    ("axes", "charts.unit", "compare.axis", "compare.range"),
    ("zoom", "charts.zoom-in", "charts.zoom-out"),
    ("cursor", "charts.left", "charts.right"),
    ("tables", "compare.up", "compare.down"),
    ("help", "everywhere.help"),
)
"""What the last row names: a word, and the names of the keys."""


class _Seen(NamedTuple):
    """What a look at the runs found."""

    axis: XAxis
    found: list[Curve]
    """The chosen curve of each run."""
    names: list[CurveName]
    """All curves that any run has."""
    extents: dict[Unit, Extent]
    """How far the runs have come, by unit; empty before the first look."""
    evaluations: list[Row]
    differing: list[tuple[str, list[str]]]
    """Keys in which the specs differ, with the values of the runs."""
    marks: list[Marker]
    wrong: list[tuple[int, Trouble]]
    """The runs with which something is wrong."""


class CompareScreen(ChartScreen):
    """Up to eight runs."""

    DEFAULT_CSS = """
    CompareScreen { background: transparent; }
    CompareScreen > Static { height: 1; padding: 0 1; width: 100%; }
    CompareScreen > #wrong { height: auto; max-height: 4; }
    CompareScreen > VerticalScroll { height: auto; max-height: 50%; padding: 0 1; scrollbar-size-vertical: 1; }
    CompareScreen VerticalScroll > Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("compare.next-curve", "next_curve(1)"),
        bind("compare.previous-curve", "next_curve(-1)"),
        bind("compare.choose", "choose_curve"),
        bind("compare.axis", "next_kind"),
        bind("compare.range", "next_part"),
        *ON_CHARTS,
        bind("compare.up", "scroll(-1)"),
        bind("compare.down", "scroll(1)"),
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
        self._part = PARTS[0]
        self._bounds: dict[str, Bounds] = {}
        """Those of the y axis by curve, where they are set."""
        self._sight = XView()
        self._seen = _Seen(XAxis(0, 8), [], [CurveName("", "total", "")], {}, [], [], [], [])
        self._wake = asyncio.Event()
        self._pace = Pace(self.app)

    def compose(self) -> ComposeResult:
        """What is shown, what is wrong, the chart, the tables, the keys."""
        yield Static("", id="heading")
        yield Static("", id="wrong")
        yield Overlay(self._sight, id="overlay")
        with VerticalScroll(can_focus=False):
            yield Static("", id="tables")
        yield Static(key_line([(sign(*keys), word) for word, *keys in _HINTS], self.app), id="keys")

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
                self._show()
            try:
                await asyncio.wait_for(self._wake.wait(), INTERVAL)
            except TimeoutError:
                continue
            self._wake.clear()

    def _gather(self) -> _Seen:
        look(self._runs)
        axis, found = curves(self._runs, self._curve, self._sight)
        return _Seen(
            axis,
            found,
            names(self._runs),
            {unit: widest(self._runs, unit) for unit in UNITS},
            evaluations(self._runs),
            difference(self._runs),
            marks(self._runs, axis.unit),
            wrong(self._runs),
        )

    def _show(self) -> None:
        """Bring the screen up to date with what was seen last."""
        look = Look(self._kind(), self._part, self._plain, self.app.no_color, bounds=self.bounds())
        self.charts.show(self._seen.axis, self._seen.found, self._seen.marks, look)
        self._head(self._title())
        wrong = self.query_one("#wrong", Static)
        wrong.display = bool(self._seen.wrong)
        wrong.update(self._troubles())
        self.query_one("#tables", Static).update(self._tables())

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
        kind, left_out = self.charts.how()
        how = [f"by {self._sight.unit}, {kind}", "log x" if self._sight.log else "", left_out]
        heading.append(f"   {' · '.join(word for word in how if word)}", style(Ink.DIM, colours))
        self.query_one("#heading", Static).update(heading)

    def _troubles(self) -> Text:
        """A line for each run with which something is wrong: the worst of it, and since when."""
        colours = colours_of(self.app)
        text = Text(no_wrap=True, overflow="ellipsis")
        for run, trouble in self._seen.wrong:
            text.append("\n" if text else "").append(f"{letter(run)} ", style(INKS[run % len(INKS)], colours))
            text.append(f"{trouble.sign} {trouble.name}  ", style(trouble.ink, colours))
            room = self.size.width - 2 - 6 - len(trouble.name) - 3 - len(trouble.since_when)
            text.append(fit(harmless(trouble.what), max(room, 0)))
            text.append(f"   {trouble.since_when}", style(Ink.DIM, colours))
        return text

    def _tables(self) -> Text:
        """Evaluations, or the values under the cursor, then what the specs differ in."""
        colours = colours_of(self.app)
        dim, text = style(Ink.DIM, colours), Text(no_wrap=True, overflow="ellipsis")
        # Blanks at both sides, and the scrollbar.
        room = max(self.size.width - 3, 20)
        under = self._sight.under
        mark = 5 if under is None and any(row.best for row in self._seen.evaluations) else 0
        for row in self._seen.evaluations:
            step: int | None = row.step
            told = ", ".join(
                measured(row.about[name].called(name), f"{number(value)}{row.about[name].sign}{_spread(sd)}")
                for name, (value, sd) in row.values.items()
            )
            if under is not None:
                if len(row.runs) > 1:
                    continue
                step, told = read_out(self._seen.axis, self._seen.found[row.runs[0]], under)
            for run in row.runs:
                text.append(letter(run), style(INKS[run % len(INKS)], colours))
            wide = max(room // 3, 12) - len(row.runs)
            text.append(f" {pad(fit(harmless(row.name), wide), wide)} ")
            text.append(f"step {'–' if step is None else thousands(step):>9}  ", dim)
            text.append(f"{'best':<{mark}}" if mark and row.best else " " * mark, style(Ink.GOOD, colours))
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

    # Where one looks on the chart

    @property
    def charts(self) -> Overlay:
        """The chart."""
        return self.query_one(Overlay)

    @property
    def sight(self) -> XView:
        """That of all runs together."""
        return self._sight

    @property
    def extent(self) -> Extent:
        """How far the runs have come together."""
        return self._seen.extents.get(self._sight.unit, Extent())

    def bounds(self) -> Bounds | None:
        """Those of the curve."""
        return self._bounds.get(self._curve)

    def bound(self, bounds: Bounds | None) -> None:
        """Those of the curve."""
        self._bounds.pop(self._curve, None)
        self._bounds |= {self._curve: bounds} if bounds else {}
        self._show()

    def read_out(self) -> None:
        """Every run's value in the tables, once the terminal has shown what was drawn before: a mouse moves fast."""
        if self._pace.free(hurry=True):
            self.charts.update()
            self.query_one("#tables", Static).update(self._tables())
            self._pace.drawn()

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        if self._pace.acknowledged():
            self.read_out()

    def looked_elsewhere(self) -> None:
        """At once as far as it is known, and soon the rest."""
        self.read_out()
        self._wake.set()

    def looked_otherwise(self) -> None:
        """The same: nothing of it is kept."""
        self.looked_elsewhere()

    def copied(self) -> str:
        """Of every run its step and value of the curve under the cursor; without one its newest evaluation."""
        what = "" if self._sight.under is None else f"{self._title()}: "
        rows = self._tables().plain.partition("\n\n")[0].splitlines()
        return what + ", ".join(" ".join(row.split()) for row in rows)

    # Which curve, on which axis

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

    def action_next_kind(self) -> None:
        """Logarithmic, linear, symlog."""
        self._kinds[self._curve] = KINDS[(KINDS.index(self._kind()) + 1) % len(KINDS)]
        self._show()

    def action_next_part(self) -> None:
        """A y axis for all but the first steps, for all values, for all but outliers."""
        self._part = PARTS[(PARTS.index(self._part) + 1) % len(PARTS)]
        self.bound(None)

    def action_scroll(self, by: int) -> None:
        """Move the tables."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_help(self) -> None:
        """The keys."""
        mouse = mouse_rows([*MOUSE_ON_CHARTS, ("wheel", "on the tables: up and down")])
        self.app.push_screen(Help("Keys of the comparison", {"": self.BINDINGS, "the mouse": mouse}, _NOTES))


def _spread(sd: float | None) -> str:
    return "" if sd is None else f" ± {number(sd)}"
