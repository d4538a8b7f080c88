"""Choosing charts: a filter over all curves of a run, and which of them are pinned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.draw.text import fit, harmless
from laddertop.tui.watch.chart_choice import CurveName, curve_names, curves_of, matching, title_of
from laddertop.tui.watch.run_view import RunView


@dataclass(frozen=True)
class Chosen:
    """What the user chose."""

    pinned: list[str]
    focus: str


class ChartChooser(Box[Chosen]):
    """The pinned charts first, then every other curve; a filter finds them."""

    DEFAULT_CSS = "ChartChooser OptionList { min-height: 3; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "next", priority=True),
        Binding("up", "move(-1)", "previous", priority=True),
        Binding("ctrl+t", "pin", "pin or unpin", priority=True),
        Binding("ctrl+o", "together", "what the filter finds in one chart", priority=True),
        Binding("enter", "take", "go to the chart", priority=True),
    ]

    def __init__(self, view: RunView, pinned: list[str]) -> None:
        super().__init__("Charts", ("enter", "show it"), ("ctrl+t", "pin"), ("ctrl+o", "all in one"))
        self._curves = curve_names(view.state)
        self._pinned = list(pinned)
        self._shown: list[str] = []

    def content(self) -> Iterable[Widget]:
        """What the filter takes, the filter, the list."""
        yield Static("a part of a name, pattern (kl.*) or /regular expression/", markup=False)
        yield Input(placeholder="filter", compact=True)
        yield OptionList(markup=False)

    def on_mount(self) -> None:
        """Show everything."""
        self._fill()

    @on(Input.Changed)
    def filter(self) -> None:
        """Show what the filter finds."""
        self._fill()

    def _found(self) -> list[CurveName]:
        return matching(self.query_one(Input).value, self._curves)

    def _fill(self, at: int = 0) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        try:
            found = {curve.name for curve in self._found()}
        except ValueError as error:
            self._shown = []
            options.add_option(Option(harmless(str(error)), disabled=True))
            return
        pinned = [c for c in self._pinned if any(curve.name in found for curve in curves_of(c, self._curves))]
        self._shown = pinned + [c.name for c in self._curves if c.name in found and c.name not in self._pinned]
        units = {curve.name: curve.unit for curve in self._curves}
        for chart in self._shown:
            sign = "●" if chart in self._pinned else "○"
            words = f"{sign} {fit(chart, 24):<24} {fit(title_of(chart, self._curves), 22):<22} {units.get(chart, '')}"
            options.add_option(Option(fit(harmless(words), 70)))
        if self._shown:
            options.highlighted = min(at, len(self._shown) - 1)

    def _at(self) -> int | None:
        at = self.query_one(OptionList).highlighted
        return at if at is not None and at < len(self._shown) else None

    def action_move(self, by: int) -> None:
        """The next or the previous one."""
        options = self.query_one(OptionList)
        if by > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_pin(self) -> None:
        """Pin or unpin the one under the cursor; the last one stays."""
        at = self._at()
        if at is None:
            return
        chart = self._shown[at]
        if chart not in self._pinned:
            self._pinned.append(chart)
        elif len(self._pinned) > 1:
            self._pinned.remove(chart)
        self._fill(at)

    def action_together(self) -> None:
        """Pin one chart with all curves that the filter finds."""
        try:
            names = [curve.name for curve in self._found()]
        except ValueError:
            return
        if names:
            chart = " ".join(names)
            self._pinned += [] if chart in self._pinned else [chart]
            self.dismiss(Chosen(self._pinned, chart))

    @on(OptionList.OptionSelected)
    def clicked(self) -> None:
        """Go to the one that was clicked at; the key does the same."""
        self.action_take()

    def action_take(self) -> None:
        """Go to the one under the cursor."""
        at = self._at()
        if at is None:
            return
        chart = self._shown[at]
        self._pinned += [] if chart in self._pinned else [chart]
        self.dismiss(Chosen(self._pinned, chart))
