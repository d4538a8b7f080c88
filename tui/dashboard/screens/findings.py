"""What was found in a run, one chosen and told whole; enter sends its remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, NamedTuple

from rich.table import Table
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.dashboard.views.findings import in_a_line, in_full, listed, why_not_sent
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.run_view import RunView

EVERY = 0.5
"""Seconds between two looks at what is known by now."""


class Wish(NamedTuple):
    """What the user wants of a finding."""

    finding: Finding
    evidence: bool
    """To see the curve that shows it; else its remedy is to be sent."""


class Findings(Box[Wish]):
    """The list, and below it all that is known of the chosen one."""

    DEFAULT_CSS = "Findings Static { margin: 1 0 0 0; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "evidence", "to the curve that shows the chosen finding"),
        Binding("exclamation_mark", "dismiss(None)", "back"),
        Binding("pagedown", "scroll(1)", "further down", priority=True),
        Binding("pageup", "scroll(-1)", "further up", priority=True),
    ]

    def __init__(self, view: RunView) -> None:
        """Shows the findings of a run, and follows them."""
        super().__init__("What was found", ("↑↓", "choose"), ("enter", "send the remedy"), ("c", "chart"))
        self._view = view
        self._listed: list[Finding] = []
        self._lines: list[str] = []
        self._rows: list[tuple[str, str]] = []

    def content(self) -> Iterable[Widget]:
        """The list, and the chosen one."""
        yield OptionList(markup=False)
        yield Static()

    def on_mount(self) -> None:
        """Show what is known, and go on to look."""
        self._follow()
        self.set_interval(EVERY, self._follow)

    def on_resize(self, event: Resize) -> None:
        """The list leaves most of the rows to the chosen one."""
        event.prevent_default()
        self.query_one(OptionList).styles.max_height = min(max(event.size.height // 6, 3), 8)

    def _follow(self) -> None:
        """What changed since is written anew, and nothing else."""
        options, chosen = self.query_one(OptionList), self._chosen()
        self._listed = listed(self._view)
        lines = [in_a_line(self._view, one) for one in self._listed]
        if lines != self._lines:
            self._lines = lines
            keys = [(one.key, one.since) for one in self._listed]
            at = keys.index((chosen.key, chosen.since)) if chosen and (chosen.key, chosen.since) in keys else 0
            options.set_options([Option(harmless(line)) for line in lines])
            options.highlighted = at if lines else None
        self._tell()

    @on(OptionList.OptionHighlighted)
    def _tell(self) -> None:
        chosen = self._chosen()
        rows = in_full(self._view, chosen) if chosen else [("", "nothing that goes wrong was found so far")]
        if rows == self._rows:
            return
        self._rows = rows
        colours, table = colours_of(self.app), Table.grid(padding=(0, 1))
        for name, words in rows:
            ink = Ink.STRONG if name in ("seen", "enter") else Ink.TEXT
            table.add_row(Text(name, style(Ink.DIM, colours)), Text(harmless(words), style(ink, colours)))
        self.query_one(Static).update(table)

    def _chosen(self) -> Finding | None:
        at = self.query_one(OptionList).highlighted
        return self._listed[at] if at is not None and at < len(self._listed) else None

    @on(OptionList.OptionSelected)
    def take(self) -> None:
        """Close, to send its remedy; where that can't be, its row says why."""
        chosen = self._chosen()
        if chosen is not None and not why_not_sent(self._view, chosen):
            self.dismiss(Wish(chosen, evidence=False))

    def action_evidence(self) -> None:
        """Close, to see the curve that shows it."""
        if (chosen := self._chosen()) is not None:
            self.dismiss(Wish(chosen, evidence=True))

    def action_scroll(self, by: int) -> None:
        """What has no room."""
        self.query_one(VerticalScroll).scroll_relative(y=5 * by, animate=False)
