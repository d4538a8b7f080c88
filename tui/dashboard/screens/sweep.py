"""The screen of a sweep: a table of its runs, by each key what its values came to, and keys to stop it, to add to it
and to pin it. They ask what the command line asks, by files in the sweep's folder that its workers obey."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.widgets import Static

from laddertop.journal.commands import sender
from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.grammar import EVERYWHERE, bind
from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.dashboard.messages import OpenRun, Shown
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.ask import AskLine, Confirm
from laddertop.tui.dashboard.screens.list_screen import ListScreen
from laddertop.tui.dashboard.views.sweep import ORDERS, SweepView, TrialRow, ordered
from laddertop.tui.dashboard.widgets.slices import Slices
from laddertop.tui.dashboard.widgets.trials_table import TrialsTable
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.trust import ONLY_LOOKS
from laddertop.tui.sweep.asked import ask_to_add, ask_to_stop, keep_pinned

_HINTS = (
    ("back", "everywhere.back"),
    ("open", "list.open"),
    ("order", "list.order"),
    ("plots", "sweep.plots"),
    ("stop", "sweep.stop"),
    ("add", "sweep.add"),
    ("pin", "list.pin"),
    ("help", "everywhere.help"),
)


class SweepScreen(ListScreen[TrialRow]):
    """One sweep."""

    DEFAULT_CSS = "SweepScreen > #stand { height: auto; max-height: 2; }"
    HEADING = "Keys of the sweep screen"
    NOTES = (
        "A plot shows by its height what each value of a key came to, all on one axis: • a finished run, ● the best "
        "of them, ◆ the one under the cursor, ○ one that is at work, with its newest evaluation, · one that was "
        "pruned or failed. A stop is asked of the workers that are at work now: they take no further run, the engines"
        " finish their step and save, and `laddertop sweep --join` goes on with all of it. ‖ left is a run whose "
        "worker is gone."
    )
    MOUSE = (
        ("click", "on a run: chooses it; once more: opens it"),
        ("wheel", "on the table: up and down"),
    )
    CHANGING = ("stop", "add", "pin")
    AUTO_FOCUS = "TrialsTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("list.open", "open"),
        bind("list.order", "order(1)"),
        bind("sweep.plots", "plots"),
        bind("sweep.stop", "stop"),
        bind("sweep.add", "add"),
        bind("list.pin", "pin"),
        *EVERYWHERE,
    ]

    def __init__(self, run: RunFolder, read_only: bool, strangers: str) -> None:
        """Shows the sweep in the folder of `run`; with `read_only` no key changes anything, and `strangers` says why it
        is only looked at, where it is."""
        super().__init__(ONLY_LOOKS if read_only else strangers)
        self._folder = run.path
        self._view = SweepView(run.path)
        self._strangers = strangers
        self._order = ORDERS[0]

    def compose(self) -> ComposeResult:
        """A heading, where the runs stand, the table, the plots, what the dashboard has to say, the keys."""
        yield Static("", id="heading", classes="line", markup=False)
        yield Static("", id="stand", classes="line", markup=False)
        yield Static("", id="about", classes="line", markup=False)
        yield TrialsTable(id="table")
        yield Slices(id="slices")
        yield Static("", id="told", classes="line", markup=False)
        yield Static("", id="keys", classes="line")

    def on_mount(self) -> None:
        """The keys, and why it is only looked at."""
        self.query_one("#keys", Static).update(key_line(self._hints(), self.app))
        if self._strangers:
            self.tell(self._strangers)

    def on_resize(self, event: Resize) -> None:
        """The plots take a third of the rows, where there are enough for a table as well."""
        rows = event.size.height // 3
        self.query_one(Slices).styles.height = rows if rows >= 7 else 0

    def read(self) -> list[TrialRow]:
        """The runs of the sweep."""
        return self._view.look()

    def more(self) -> bool:
        """Whether the sweep has more to be read."""
        return self._view.group.more

    def show_rows(self, rows: list[TrialRow], hurry: bool = True) -> None:
        """Take up the runs, and show them: at once, unless nobody is in a `hurry`."""
        self._rows = self._view.rows = rows
        self.draw(hurry)
        self.post_message(Shown())

    def put(self) -> None:
        """The heading, where the runs stand, the table, the plots."""
        view, table = self._view, self._table
        rows = ordered(self._rows, self._order, view.higher())
        table.take(rows, view.keys(), view.measure())
        table.update()
        self.query_one(Slices).show(view.slices(table.selected), view.measure())
        group, colours = view.group, colours_of(self.app)
        recipe = f" of {group.plan.spec.recipe}" if group.plan else ""
        heading = self.heading(
            f"sweep {self._folder.name}{recipe}",
            *([("▲ pinned", Ink.MARK)] if group.pinned else []),
            (f"{table.count} runs by {self._order}", Ink.DIM),
        )
        stand, about = view.about()
        self._line("heading", heading)
        self._line(
            "stand", Text(harmless(group.problem or stand), style(Ink.BAD if group.problem else Ink.TEXT, colours))
        )
        self._line("about", Text(harmless(about), style(Ink.DIM, colours), no_wrap=True, overflow="ellipsis"))

    def _line(self, name: str, text: Text) -> None:
        line = self.query_one(f"#{name}", Static)
        if line.content != text:
            line.update(text)

    @on(TrialsTable.Opened)
    def action_open(self) -> None:
        """To the run under the cursor, with the sweep below it."""
        row = self._table.selected
        if row is not None and row.state == "waiting":
            self.tell(f"run {row.trial.number} waits for a worker; there is nothing of it to see yet")
        elif row is not None:
            self.post_message(OpenRun(RunFolder(row.path), over=True))

    def action_order(self, by: int) -> None:
        """Order by another thing."""
        self._order = ORDERS[(ORDERS.index(self._order) + by) % len(ORDERS)]
        self.draw()

    def action_plots(self) -> None:
        """The plots of the next keys."""
        if not self.query_one(Slices).turn():
            self.tell("all keys that vary are there")

    # What is asked of the sweep

    @work
    async def action_stop(self) -> None:
        """Ask, then ask its workers to stop."""
        if self.refused():
            return
        group = self._view.group
        if group.status() != "training":
            self.tell("nobody is at work at this sweep; there is nothing to stop")
            return
        running = group.counts()["running"]
        which = "The run at work ends" if running == 1 else f"The {running} runs at work end"
        about = (
            f"{which} with this step, and can be gone on with; the workers take no other run. Whoever joins the sweep "
            "goes on with all of it."
        )
        if await self.app.push_screen_wait(Confirm(f"stop the sweep {self._folder.name}?", "stop it", about)):
            await self.do(lambda: ask_to_stop(self._folder, sender("dashboard")), "the workers stop in good order")

    @work
    async def action_add(self) -> None:
        """Ask how many, and add them."""
        plan = self._view.group.plan
        if self.refused() or plan is None:
            return
        seeds = f", each with {len(plan.seeds)} seeds" if len(plan.seeds) > 1 else ""
        what = f"how many settings more{seeds}?" if plan.search else "how many seeds more of every setting?"
        words = await self.app.push_screen_wait(AskLine(what, "1"))
        if words is None:
            return
        if not words.strip().isdecimal() or int(words) < 1:
            self.tell(f"{words.strip()!r} is no whole number above 0")
            return
        count = int(words)
        await self.do(lambda: ask_to_add(self._folder, count, sender("dashboard")), "added")

    @work
    async def action_pin(self) -> None:
        """Keep it on top of the list of runs, or no longer."""
        if not self.refused():
            pinned = not self._view.group.pinned
            words = "it stands on top of the list of runs" if pinned else "it is pinned no longer"
            await self.do(lambda: keep_pinned(self._folder, pinned), words)

    def _hints(self) -> list[tuple[str, str]]:
        there = {binding.id for binding in self.at_hand()}
        return [(sign(name), word) for word, name in _HINTS if name in there]

    def copied(self) -> str:
        """The name of the run under the cursor."""
        return self._table.selected.path.name if self._table.selected else ""

    @property
    def _table(self) -> TrialsTable:
        return self.query_one(TrialsTable)
