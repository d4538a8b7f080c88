"""The screen of a sweep: a table of its runs, by each key what its values came to, and keys to stop it, to add to it
and to pin it. They ask what the command line asks, by files in the sweep's folder that its workers obey."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize, ScreenResume
from textual.screen import Screen
from textual.widgets import Static

from laddertop.journal.commands import sender
from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.grammar import EVERYWHERE, bind, mouse_rows
from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.dashboard.messages import OpenRun, Shown
from laddertop.tui.dashboard.pace import Pace, in_sight
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.ask import AskLine, Confirm
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.views.sweep import ORDERS, SweepView, ordered
from laddertop.tui.dashboard.widgets.slices import Slices
from laddertop.tui.dashboard.widgets.trials_table import TrialsTable
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.trust import ONLY_LOOKS
from laddertop.tui.sweep.asked import ask_to_add, ask_to_stop, keep_pinned

INTERVAL = 1.0
"""Seconds between two looks at the folder."""
CHANGING = ("stop", "add", "pin")
"""Actions that change something, which a dashboard that only looks does not."""

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
_NOTES = (
    "A plot shows by its height what each value of a key came to, all on one axis: • a finished run, ● the best of "
    "them, ◆ the one under the cursor, ○ one that is at work, with its newest evaluation, · one that was pruned or "
    "failed. A stop is asked of the workers that are at work now: they take no further run, the engines finish "
    "their step and save, and `laddertop sweep --join` goes on with all of it. ‖ left is a run whose worker is gone."
)
_MOUSE = (
    ("click", "on a run: chooses it; once more: opens it"),
    ("wheel", "on the table: up and down"),
)


class SweepScreen(Screen[None]):
    """One sweep."""

    DEFAULT_CSS = """
    SweepScreen { background: transparent; }
    SweepScreen > .line { height: 1; padding: 0 1; width: 100%; }
    SweepScreen > #stand { height: auto; max-height: 2; }
    """
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

    def __init__(self, run: RunFolder, plain: bool = False, read_only: bool = False, strangers: str = "") -> None:
        """Shows the sweep in the folder of `run`; `plain` draws in ASCII, with `read_only` no key changes anything, and
        `strangers` says why it is only looked at, where it is."""
        super().__init__()
        self._plain = plain
        self._folder = run.path
        self._view = SweepView(run.path)
        self._refusal = ONLY_LOOKS if read_only else strangers
        self._strangers = strangers
        self._order = ORDERS[0]
        self._wake = asyncio.Event()
        self._pace = Pace(self.app)

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
        """Begin to look."""
        self.query_one("#keys", Static).update(key_line(self._hints(), self.app))
        if self._strangers:
            self.tell(self._strangers)
        self._look()

    def on_resize(self, event: Resize) -> None:
        """The plots take a third of the rows, where there are enough for a table as well."""
        rows = event.size.height // 3
        self.query_one(Slices).styles.height = rows if rows >= 7 else 0

    @work
    async def _look(self) -> None:
        while True:
            self._wake.clear()
            if not in_sight(self):
                await self._wake.wait()
                continue
            rows = await asyncio.to_thread(self._view.look)
            if not (self.display and self.children):
                return
            self._view.rows = rows
            self._draw(hurry=False)
            self.post_message(Shown())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 0.01 if self._view.group.more else INTERVAL)

    def on_screen_resume(self, _: ScreenResume) -> None:
        """Look again, as what lay on top has gone."""
        self._wake.set()

    def _draw(self, hurry: bool = True) -> None:
        """Bring the screen up to date, if the terminal has shown what was drawn before."""
        if not in_sight(self) or not self._pace.free(hurry):
            return
        view, table = self._view, self._table
        rows = ordered(view.rows, self._order, view.higher())
        table.take(rows, view.keys(), view.measure())
        table.update()
        self.query_one(Slices).show(view.slices(table.selected), view.measure())
        group, colours = view.group, colours_of(self.app)
        recipe = f" of {group.plan.spec.recipe}" if group.plan else ""
        heading = Text(harmless(f"sweep {self._folder.name}{recipe}"), "bold", no_wrap=True, overflow="ellipsis")
        if group.pinned:
            heading.append("   ▲ pinned", style(Ink.MARK, colours))
        if self._refusal:
            heading.append("   read-only", style(Ink.WARN, colours))
        heading.append(f"   {table.count} runs by {self._order}", style(Ink.DIM, colours))
        stand, about = view.about()
        self._line("heading", heading)
        self._line(
            "stand", Text(harmless(group.problem or stand), style(Ink.BAD if group.problem else Ink.TEXT, colours))
        )
        self._line("about", Text(harmless(about), style(Ink.DIM, colours), no_wrap=True, overflow="ellipsis"))
        self._pace.drawn()

    def _line(self, name: str, text: Text) -> None:
        line = self.query_one(f"#{name}", Static)
        if line.content != text:
            line.update(text)

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        if self._pace.acknowledged():
            self._draw()

    def tell(self, text: str) -> None:
        """One line of the dashboard's own."""
        self.query_one("#told", Static).update(Text(harmless(text), style(Ink.WARN, colours_of(self.app))))

    @on(TrialsTable.Moved)
    def on_moved(self) -> None:
        """The cursor stands on another run."""
        self._draw()

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
        self._draw()

    def action_plots(self) -> None:
        """The plots of the next keys."""
        if not self.query_one(Slices).turn():
            self.tell("all keys that vary are there")

    # What is asked of the sweep

    @work
    async def action_stop(self) -> None:
        """Ask, then ask its workers to stop."""
        if self._refused():
            return
        group = self._view.group
        if group.status() != "training":
            self.tell("nobody is at work at this sweep; there is nothing to stop")
            return
        running = group.counts()["running"]
        about = (
            f"Its runs at work, {running}, finish their step and save; the workers end and take no other run. Whoever "
            "joins the sweep goes on with all of it."
        )
        if await self.app.push_screen_wait(Confirm(f"stop the sweep {self._folder.name}?", "stop it", about)):
            await self._ask("the workers stop in good order", lambda: ask_to_stop(self._folder, sender("dashboard")))

    @work
    async def action_add(self) -> None:
        """Ask how many, and add them."""
        plan = self._view.group.plan
        if self._refused() or plan is None:
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
        await self._ask("added", lambda: ask_to_add(self._folder, count, sender("dashboard")))

    @work
    async def action_pin(self) -> None:
        """Keep it on top of the list of runs, or no longer."""
        if not self._refused():
            pinned = not self._view.group.pinned
            words = "it stands on top of the list of runs" if pinned else "it is pinned no longer"
            await self._ask(words, lambda: keep_pinned(self._folder, pinned))

    def _refused(self) -> bool:
        """Whether the sweep is only looked at, which is then told."""
        if self._refusal:
            self.tell(self._refusal)
        return bool(self._refusal)

    async def _ask(self, done: str, deed: Callable[[], object]) -> None:
        """Does something in the folder of the sweep, says it, or why it can't be done, and looks at once."""
        try:
            await asyncio.to_thread(deed)
        except (ValueError, OSError) as error:
            done = str(error)
        if self.display:
            self.tell(done)
        self._wake.set()

    def at_hand(self) -> list[Binding]:
        """The keys that do something now."""
        keys = [b for b in self.BINDINGS if isinstance(b, Binding)]
        return [b for b in keys if not (self._refusal and b.action in CHANGING)]

    def _hints(self) -> list[tuple[str, str]]:
        there = {binding.id for binding in self.at_hand()}
        return [(sign(name), word) for word, name in _HINTS if name in there]

    def copied(self) -> str:
        """The name of the run under the cursor."""
        return self._table.selected.path.name if self._table.selected else ""

    def action_help(self) -> None:
        """The keys."""
        groups: dict[str, Iterable[BindingType]] = {"": self.at_hand(), "the mouse": mouse_rows(_MOUSE)}
        self.app.push_screen(Help("Keys of the sweep screen", groups, _NOTES))

    @property
    def _table(self) -> TrialsTable:
        return self.query_one(TrialsTable)
