"""The runs screen: every run with its state, how far it is, and how good; what is done with whole runs is done here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.widgets import Input, Static

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard import farewell, list_keys
from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.dashboard.messages import CompareRuns, ForkRun, OpenRun, Shown, StartEngine
from laddertop.tui.dashboard.screens.ask import AskLine, Confirm
from laddertop.tui.dashboard.screens.list_screen import ListScreen
from laddertop.tui.dashboard.screens.samples_preview import SamplesPreview
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.dashboard.views.runs import RunsView, at_work, listed
from laddertop.tui.dashboard.views.sweep_row import SweepRow
from laddertop.tui.dashboard.widgets.run_about import RunAbout
from laddertop.tui.dashboard.widgets.runs_table import ORDERS, RunsTable
from laddertop.tui.draw.cells import Ink
from laddertop.tui.steer import keeping
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.trust import ONLY_LOOKS, driven
from laddertop.tui.sweep.asked import keep_away, keep_pinned

COMPARED = 8
"""Runs that can be compared at once."""


class RunsScreen(ListScreen[RunRow]):
    """All runs of a folder."""

    DEFAULT_CSS = """
    RunsScreen > Input { height: 1; border: none; padding: 0 1; background: transparent; display: none; }
    RunsScreen > Input:focus { border: none; }
    """
    HEADING = "Keys of the runs screen"
    NOTES = list_keys.NOTES
    MOUSE = list_keys.MOUSE
    CHANGING = list_keys.CHANGING
    AUTO_FOCUS = "RunsTable"
    BINDINGS: ClassVar[list[BindingType]] = list_keys.KEYS

    def __init__(self, runs: Path, plain: bool = False, read_only: bool = False, trust: bool = False) -> None:
        """Lists `runs`; `plain` draws in ASCII, with `read_only` no key changes anything, with `trust` runs of
        strangers are driven, too."""
        super().__init__(ONLY_LOOKS if read_only else "")
        self._plain = plain
        self._view = RunsView(runs)
        self._trust = trust
        self._archived = False

    def compose(self) -> ComposeResult:
        """A heading, the table, a line about the chosen run, what the dashboard has to say, the keys."""
        yield Static("", id="heading", classes="line")
        yield RunsTable(id="table")
        begins = "" if self._refusal else f"; {sign('list.new')} starts one"
        yield Static(f"no runs here yet{begins}", id="none", classes="line", markup=False)
        yield SamplesPreview(self._plain)
        yield RunAbout(markup=False)
        yield Input(placeholder="search", id="search", compact=True)
        yield Static("", id="told", classes="line", markup=False)
        yield Static(key_line(self._hints(), self.app), id="keys", classes="line")

    def read(self) -> list[RunRow]:
        """The runs of the folder."""
        return self._view.look()

    def more(self) -> bool:
        """Whether some runs have not been read yet."""
        return self._view.more

    def show_rows(self, rows: list[RunRow], hurry: bool = True) -> None:
        """Take up the runs, and show them: at once, unless nobody is in a `hurry`."""
        self._rows = rows
        words = self._search.value.lower().split()
        self._table.take(listed(rows, words, self._archived))
        self.draw(hurry)
        if self._table.selected is None or self._table.selected.status != "reading":
            self.post_message(Shown())

    def put(self) -> None:
        """The heading, the table, what is said of the run under the cursor, the keys."""
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
        counted = [(f"{count} by {order}{marked}", Ink.DIM)] if rows else []
        heading = self.heading(f"runs in {self._view.runs}", *counted)
        self.query_one("#heading", Static).update(heading)
        self.query_one("#keys", Static).update(key_line(self._hints(), self.app))
        self._tell_about()

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
        if self.refused():
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

        def checked() -> None:
            driven(run, self._trust)
            deed()

        return await self.do(checked)

    def _hints(self) -> list[tuple[str, str]]:
        """Those that the last row names: no key that nothing can be done with."""
        never = ("new", "fork") if self._refusal else ()
        return [
            (sign(name), word) for word, name, alone in list_keys.HINTS if (alone or self._rows) and word not in never
        ]

    def copied(self) -> str:
        """The name of the run under the cursor."""
        return self._table.selected.name if self._table.selected else ""

    def farewell(self) -> str:
        """Which runs go on."""
        return farewell.of_list(at_work(self._rows), self._view.runs)

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
