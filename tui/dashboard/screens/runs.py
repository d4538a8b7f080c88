"""The runs screen: every run with its state, how far it is, and how good; what is done with whole runs is done here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize, ScreenResume
from textual.screen import Screen
from textual.widgets import Input, Static

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard import farewell
from laddertop.tui.dashboard.grammar import mouse_rows
from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.dashboard.list_keys import CHANGING, HINTS, KEYS, MOUSE, NOTES
from laddertop.tui.dashboard.messages import CompareRuns, ForkRun, OpenRun, Shown, StartEngine
from laddertop.tui.dashboard.pace import Pace, in_sight
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.ask import AskLine, Confirm
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.samples_preview import SamplesPreview
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.dashboard.views.runs import RunsView, at_work, listed
from laddertop.tui.dashboard.views.sweep_row import SweepRow
from laddertop.tui.dashboard.widgets.run_about import RunAbout
from laddertop.tui.dashboard.widgets.runs_table import ORDERS, RunsTable
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless
from laddertop.tui.steer import keeping
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.trust import ONLY_LOOKS, driven
from laddertop.tui.sweep.asked import keep_away, keep_pinned

INTERVAL = 1.0
"""Seconds between two looks at the folder."""
COMPARED = 8
"""Runs that can be compared at once."""


class RunsScreen(Screen[None]):
    """All runs of a folder."""

    DEFAULT_CSS = """
    RunsScreen { background: transparent; }
    RunsScreen > .line { height: 1; padding: 0 1; width: 100%; }
    RunsScreen > Input { height: 1; border: none; padding: 0 1; background: transparent; display: none; }
    RunsScreen > Input:focus { border: none; }
    """
    AUTO_FOCUS = "RunsTable"
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(self, runs: Path, plain: bool = False, read_only: bool = False, trust: bool = False) -> None:
        """Lists `runs`; `plain` draws in ASCII, with `read_only` no key changes anything, with `trust` runs of
        strangers are driven, too."""
        super().__init__()
        self._plain = plain
        self._view = RunsView(runs)
        self._read_only, self._trust = read_only, trust
        self._rows: list[RunRow] = []
        self._archived = False
        self._wake = asyncio.Event()
        self._pace = Pace(self.app)

    def compose(self) -> ComposeResult:
        """A heading, the table, a line about the chosen run, what the dashboard has to say, the keys."""
        yield Static("", id="heading", classes="line")
        yield RunsTable(id="table")
        begins = "" if self._read_only else f"; {sign('list.new')} starts one"
        yield Static(f"no runs here yet{begins}", id="none", classes="line", markup=False)
        yield SamplesPreview(self._plain)
        yield RunAbout(markup=False)
        yield Input(placeholder="search", id="search", compact=True)
        yield Static("", id="told", classes="line", markup=False)
        yield Static(key_line(self._hints(), self.app), id="keys", classes="line")

    def on_mount(self) -> None:
        """Begin to look."""
        self._look()

    @work
    async def _look(self) -> None:
        # The only one that looks: a view is not made for two at once.
        while True:
            self._wake.clear()
            if not in_sight(self):
                await self._wake.wait()
                continue
            try:
                rows = await asyncio.to_thread(self._view.look)
            except OSError as error:
                rows, problem = self._rows, f"the folder can't be read: {error}"
            else:
                problem = ""
            # A screen on its way out has no table any more; one that comes while the app leaves never had any.
            if not (self.display and self.children):
                return
            self.show_rows(rows, hurry=False)
            if problem:
                self.tell(problem)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 0.01 if self._view.more else INTERVAL)

    def on_screen_resume(self, _: ScreenResume) -> None:
        """Look again, as what lay on top has gone."""
        self._wake.set()

    def show_rows(self, rows: list[RunRow], hurry: bool = True) -> None:
        """Take up the runs, and show them: at once, unless nobody is in a `hurry`."""
        self._rows = rows
        words = self._search.value.lower().split()
        self._table.take(listed(rows, words, self._archived))
        self._draw(hurry)
        if self._table.selected is None or self._table.selected.status != "reading":
            self.post_message(Shown())

    def _draw(self, hurry: bool = True) -> None:
        """Bring the screen up to date, if the terminal has shown what was drawn before."""
        if not in_sight(self) or not self._pace.free(hurry):
            return
        table, rows = self._table, self._rows
        table.update()
        none = self.query_one("#none", Static)
        none.display = table.selected is None
        if rows:
            none.update("no run fits" if self._search.value.split() else "every run here is archived; A shows them")
        order = f"{table.order}{', reversed' if table.reversed else ''}"
        every = len(rows) if self._search.value.split() else len(listed(rows, [], True))
        count = f"{table.count}" if table.count == every else f"{table.count} of {every}"
        marked = f", {len(table.marked)} marked" if table.marked else ""
        heading = Text(f"runs in {harmless(str(self._view.runs))}", "bold", no_wrap=True, overflow="ellipsis")
        if self._read_only:
            heading.append("   read-only", style(Ink.WARN, colours_of(self.app)))
        if rows:
            heading.append(f"   {count} by {order}{marked}", style(Ink.DIM, colours_of(self.app)))
        self.query_one("#heading", Static).update(heading)
        self.query_one("#keys", Static).update(key_line(self._hints(), self.app))
        self._tell_about()
        self._pace.drawn()

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        if self._pace.acknowledged():
            self._draw()

    def tell(self, text: str) -> None:
        """One line of the dashboard's own."""
        self.query_one("#told", Static).update(Text(harmless(text), style(Ink.WARN, colours_of(self.app))))

    @on(RunsTable.Moved)
    def on_moved(self) -> None:
        """The cursor stands on another run."""
        self._draw()

    def on_resize(self, _: Resize) -> None:
        """Another size may have room for samples."""
        self._tell_about()

    def _tell_about(self) -> None:
        row = self._table.selected
        self.query_one(SamplesPreview).want(row.run if row else None, row.sampled if row else "")
        self.query_one(RunAbout).show(row)

    # Going elsewhere

    @on(RunsTable.Opened)
    def action_open(self) -> None:
        """To the run under the cursor, or into the sweep."""
        if (run := self._readable(sweeps=True)) is not None:
            self.post_message(OpenRun(run))

    def action_resume(self) -> None:
        """Start an engine for the run under the cursor."""
        if (row := self._run_row()) is not None:
            self.post_message(StartEngine(row.run))

    def action_fork(self) -> None:
        """A new run from a checkpoint of the one under the cursor."""
        if (run := self._readable()) is not None:
            self.post_message(ForkRun(run))

    def action_replay(self) -> None:
        """Play the run under the cursor again."""
        if (run := self._readable()) is not None:
            self.post_message(OpenRun(run, replay=True))

    def action_mark(self) -> None:
        """Mark the run under the cursor, and go on to the next."""
        if self._run_row() is not None:
            self._table.mark()
        self.show_rows(self._rows)
        self._table.action_move(1)

    def action_compare(self) -> None:
        """To the comparison of the marked runs."""
        runs = [row.run for row in self._rows if row.run.path in self._table.marked and row.recipe is not None]
        if len(runs) < 2:
            self.tell(f"mark two runs or more with {sign('list.mark')}, then compare them")
        elif len(runs) > COMPARED:
            self.tell(f"at most {COMPARED} runs can be compared; {len(runs)} are marked")
        else:
            self.post_message(CompareRuns(sorted(runs, key=lambda run: self._table.marked.index(run.path))))

    # Which runs, in which order

    def action_search(self) -> None:
        """Type what to look for."""
        self._search.display = True
        self._search.focus()

    @on(Input.Changed, "#search")
    def _searched(self) -> None:
        self.show_rows(self._rows)

    @on(Input.Submitted, "#search")
    def _end_search(self) -> None:
        self._search.display = bool(self._search.value)
        self._table.focus()

    def end_under_way(self) -> bool:
        """End the search; whether there was one."""
        searched = self._search.display
        if searched:
            self._search.value = ""
            self._search.display = False
            self._table.focus()
        return searched

    def action_order(self, by: int) -> None:
        """Order by another thing."""
        names = list(ORDERS)
        self._table.order = names[(names.index(self._table.order) + by) % len(names)]
        self.show_rows(self._rows)

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._table.reversed = not self._table.reversed
        self.show_rows(self._rows)

    def action_show_archived(self) -> None:
        """Show archived runs, or hide them."""
        self._archived = not self._archived
        self.show_rows(self._rows)

    # What is done with a whole run

    @work
    async def action_rename(self) -> None:
        """Ask for another name."""
        if (row := self._to_change()) is not None:
            name = await self.app.push_screen_wait(AskLine(f"another name for {row.name}", row.name))
            if name is not None and name.strip() != row.name:
                new = name.strip()
                if await self._do(row.run, f"renaming {row.name}", lambda: keeping.rename(row.run, new)):
                    # The row becomes that of the new name, until the look that is due; one may have missed both names.
                    row.run, row.name = RunFolder(row.run.path.parent / new), new
                    self._table.choose(row.run.path)

    @work
    async def action_note(self) -> None:
        """Ask for a line about the run."""
        if (row := self._to_change()) is not None:
            text = await self.app.push_screen_wait(AskLine(f"a note about {row.name}", row.note))
            if text is not None:
                await self._do(row.run, f"keeping the note about {row.name}", lambda: keeping.write_note(row.run, text))

    @work
    async def action_archive(self) -> None:
        """Put the run or the sweep away, or take it back."""
        if (row := self._to_change(sweeps=True)) is not None:
            away, of_sweep = not row.archived, isinstance(row, SweepRow)
            deed = partial(keep_away, row.path, away) if of_sweep else partial(keeping.archive, row.run, away)
            done = await self._do(row.run, f"archiving {row.name}", deed)
            if done and away and not self._archived:
                self.tell(f"archived {row.name}; {sign('list.archived')} shows it, {sign('list.archive')} restores it")

    @work
    async def action_pin(self) -> None:
        """Keep the sweep on top, or no longer."""
        row = self._to_change(sweeps=True)
        if isinstance(row, SweepRow):
            on = not row.pinned
            await self._do(row.run, f"pinning {row.name}", lambda: keep_pinned(row.path, on))
        elif row is not None:
            self.tell(f"{row.name} is a run; {sign('list.pin')} keeps a sweep on top")

    @work
    async def action_delete(self) -> None:
        """Ask, then remove the run for good."""
        if (row := self._to_change()) is None:
            return
        about = "All that was recorded of it goes; that can't be taken back."
        question = Confirm(f"delete {row.name}?", "delete it", about)
        if await self.app.push_screen_wait(question):
            await self._do(row.run, f"deleting {row.name}", lambda: keeping.delete(row.run))

    def _to_change(self, sweeps: bool = False) -> RunRow | None:
        """The run under the cursor, unless this dashboard only looks, which is then told; with `sweeps` those, too."""
        if self._read_only:
            self.tell(ONLY_LOOKS)
            return None
        return self._table.selected if sweeps else self._run_row()

    def _run_row(self) -> RunRow | None:
        """The run under the cursor; that it is a sweep is told."""
        row = self._table.selected
        if isinstance(row, SweepRow):
            self.tell(f"{row.name} is a sweep: {sign('list.open')} opens it, and there each of its runs")
            return None
        return row

    async def _do(self, run: RunFolder, what: str, deed: Callable[[], object]) -> bool:
        """Does something to a run's folder, and looks at once; says what, and why where it can't be done."""
        self.tell(what)
        problem = ""
        try:
            await asyncio.to_thread(driven, run, self._trust)
            await asyncio.to_thread(deed)
        except (ValueError, OSError) as error:
            problem = str(error)
        if self.display:
            self.tell(problem)
        self._wake.set()
        return self.display and not problem

    def at_hand(self) -> list[Binding]:
        """The keys that do something in this dashboard."""
        keys = [b for b in self.BINDINGS if isinstance(b, Binding)]
        return [b for b in keys if not (self._read_only and b.action in CHANGING)]

    def _hints(self) -> list[tuple[str, str]]:
        """Those that the last row names: no key that nothing can be done with."""
        never = ("new", "fork") if self._read_only else ()
        return [(sign(name), word) for word, name, alone in HINTS if (alone or self._rows) and word not in never]

    def copied(self) -> str:
        """The name of the run under the cursor."""
        return self._table.selected.name if self._table.selected else ""

    def farewell(self) -> str:
        """Which runs go on."""
        return farewell.of_list(at_work(self._rows), self._view.runs)

    def action_help(self) -> None:
        """The keys."""
        groups: dict[str, Iterable[BindingType]] = {"": self.at_hand(), "the mouse": mouse_rows(MOUSE)}
        self.app.push_screen(Help("Keys of the runs screen", groups, NOTES))

    @property
    def _table(self) -> RunsTable:
        return self.query_one(RunsTable)

    @property
    def _search(self) -> Input:
        return self.query_one("#search", Input)

    def _readable(self, sweeps: bool = False) -> RunFolder | None:
        """The run under the cursor, unless it is damaged, which is then told; with `sweeps` those, too."""
        row = self._table.selected if sweeps else self._run_row()
        if row is None or row.status == "reading":
            return None
        if row.recipe is None:
            self.tell(row.problem)
            return None
        return row.run
