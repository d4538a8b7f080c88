"""The runs screen: every run with its state, how far it is, and how good; from here to one of them, or to a new one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import DataTable, Static

from tui.draw.cells import Ink
from tui.draw.numbers import ago, number, thousands
from tui.draw.spark import bar
from tui.draw.text import fit, harmless
from tui.messages import OpenRun, StartEngine
from tui.palette import colours_of, style
from tui.runs_view import RunRow, RunsView
from tui.screens.commands import KeyCommands
from tui.screens.help import Help
from tui.wording import measure

INTERVAL = 1.0
"""Seconds between two looks at the folder."""

STATUS_INKS = {
    "starting": ("◌", Ink.WARN),
    "training": ("●", Ink.GOOD),
    "paused": ("‖", Ink.WARN),
    "finished": ("✓", Ink.TEXT),
    "stopped": ("■", Ink.DIM),
    "failed": ("✗", Ink.BAD),
    "crashed": ("✗", Ink.BAD),
    "damaged": ("✗", Ink.BAD),
}
WIDE = {"run": None, "recipe": 18, "state": 10, "progress": 24, "evaluation": 28, "age": 6}
NARROW = {"run": None, "state": 10, "progress": 12, "evaluation": 13, "age": 6}
"""Columns with their widths; the name takes what its longest needs, and what the others leave at most."""


class RunsScreen(Screen[None]):
    """All runs of a folder."""

    DEFAULT_CSS = """
    RunsScreen { background: transparent; }
    RunsScreen > Static { height: 1; padding: 0 1; width: 100%; }
    RunsScreen > DataTable { height: 1fr; background: transparent; }
    RunsScreen > DataTable:ansi > .datatable--header { background: transparent; color: $foreground; text-style: bold; }
    """
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {KeyCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open the run", priority=True),
        Binding("n", "app.new_run", "new run"),
        Binding("R", "resume", "resume a run whose engine is gone"),
        Binding("d,q,escape", "app.leave", "leave; trainings go on"),
        Binding("question_mark", "help", "this help"),
    ]

    def __init__(self, runs: Path) -> None:
        super().__init__()
        self._view = RunsView(runs)
        self._rows: list[RunRow] = []
        self._columns: dict[str, int] = {}
        self._shown: dict[str, list[str]] = {}
        self._chosen = ""

    def compose(self) -> ComposeResult:
        """A heading, the table, what the dashboard has to say, the keys."""
        yield Static(Text(f"runs in {harmless(str(self._view.runs))}", "bold"), id="heading")
        yield DataTable(cursor_type="row", zebra_stripes=False, header_height=1, id="table")
        yield Static("no runs here yet; n starts one", id="none", markup=False)
        yield Static("", id="told", markup=False)
        keys = Text(no_wrap=True, overflow="ellipsis")
        for key, name in (("enter", "open"), ("n", "new run"), ("R", "resume"), ("q", "leave"), ("?", "help")):
            keys.append(key, style(Ink.KEY, colours_of(self.app)))
            keys.append(f" {name}   ", style(Ink.DIM, colours_of(self.app)))
        yield Static(keys, id="keys")

    def on_mount(self) -> None:
        """Begin to look."""
        self._table.focus()
        self._look()

    def on_resize(self, _: Resize) -> None:
        """Fewer columns where there is less room."""
        self.show_rows(self._rows)

    def _fit_columns(self) -> None:
        """Gives every column its width itself: the table measures its content only when the program is idle, and shows
        what it drew before that for as long as nothing else changes."""
        room = self.app.size.width
        chosen = WIDE if room >= 110 else NARROW
        others = sum(width + 2 for width in chosen.values() if width)
        longest = max((len(harmless(row.run.name)) for row in self._rows), default=3)
        name = max(min(longest, room - others - 2), 3)
        columns = {key: width or name for key, width in chosen.items()}
        if columns != self._columns:
            self._columns = columns
            self._shown = {}
            self._table.clear(columns=True)
            for key, width in columns.items():
                self._table.add_column(key, width=width, key=key)

    @work(exclusive=True)
    async def _look(self) -> None:
        while True:
            try:
                rows = await asyncio.to_thread(self._view.look)
            except OSError as error:
                rows, problem = self._rows, f"the folder can't be read: {error}"
            else:
                problem = ""
            # A screen on its way out has no table any more.
            if not self.display:
                return
            self.show_rows(rows)
            if problem:
                self.tell(problem)
            await asyncio.sleep(INTERVAL)

    def show_rows(self, rows: list[RunRow]) -> None:
        """Bring the table up to date, cell by cell; the cursor stays on its run."""
        if self._shown:
            self._remember()
        self._rows = rows
        table = self._table
        self._fit_columns()
        self.query_one("#none").display = not rows
        keys = [str(row.run.path) for row in rows]
        if list(self._shown) != keys:
            table.clear()
            self._shown = {}
            for key, row in zip(keys, rows, strict=True):
                cells = self._cells(row)
                table.add_row(*cells, key=key)
                self._shown[key] = [cell.plain for cell in cells]
            if self._chosen in keys:
                table.move_cursor(row=keys.index(self._chosen))
            return
        for key, row in zip(keys, rows, strict=True):
            cells = self._cells(row)
            for name, cell, before in zip(self._columns, cells, self._shown[key], strict=True):
                if cell.plain != before:
                    table.update_cell(key, name, cell)
            self._shown[key] = [cell.plain for cell in cells]

    def tell(self, text: str) -> None:
        """One line of the dashboard's own."""
        self.query_one("#told", Static).update(Text(harmless(text), style(Ink.WARN, colours_of(self.app))))

    def action_open(self) -> None:
        """To the run under the cursor."""
        if (row := self._selected()) is not None:
            if row.spec is None:
                self.tell(row.problem)
            else:
                self.post_message(OpenRun(row.run))

    def action_resume(self) -> None:
        """Start an engine for the run under the cursor."""
        if (row := self._selected()) is not None:
            self.post_message(StartEngine(row.run, self.tell))

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(Help("Keys of the runs screen", [b for b in self.BINDINGS if isinstance(b, Binding)]))

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#table", DataTable)

    def _remember(self) -> None:
        if (row := self._selected()) is not None:
            self._chosen = str(row.run.path)

    def _selected(self) -> RunRow | None:
        at = self._table.cursor_row
        return self._rows[at] if 0 <= at < len(self._rows) else None

    def _cells(self, row: RunRow) -> list[Text]:
        colours = colours_of(self.app)
        sign, ink = STATUS_INKS[row.status]
        wide = "recipe" in self._columns
        progress = Text()
        if row.state.steps:
            share = row.step / row.state.steps
            filled, empty = bar(share, 6)
            progress.append(filled, style(Ink.CURVE, colours)).append(empty, style(Ink.FAINT, colours))
            progress.append(f" {min(int(100 * share), 100):>2} %")
            if wide:
                progress.append(f" {thousands(row.step):>11}", style(Ink.DIM, colours))
        evaluation = Text()
        if row.problem:
            evaluation.append(fit(harmless(row.problem), 60), style(Ink.BAD, colours))
        elif (found := row.evaluations()) is not None:
            name, value, best = found
            evaluation.append(measure(name, value))
            if best < value and wide:
                evaluation.append(f" best {number(best)}", style(Ink.DIM, colours))
        cells = {
            "run": Text(harmless(row.run.name)),
            "recipe": Text(harmless(row.spec.recipe) if row.spec else "", style(Ink.DIM, colours)),
            "state": Text(f"{sign} {row.status}", style(ink, colours)),
            "progress": progress,
            "evaluation": evaluation,
            "age": Text(f"{ago(time.time() - row.made):>6}", style(Ink.DIM, colours)),
        }
        return [cells[name] for name in self._columns]
