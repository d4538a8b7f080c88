"""The dashboard over a folder of runs: which screen is shown, and what all screens share.

A screen is imported when it is gone to, so that the first one is there sooner. Whatever needs a disk is done in a
thread, so that no key waits for it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from rich.console import RenderableType
from textual import work
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import CursorPosition, Event, Key, Paste, Resize
from textual.filter import LineFilter, NoColor
from textual.geometry import Size
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard import aside
from laddertop.tui.dashboard.background import Paper
from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.in_turn import InTurn
from laddertop.tui.dashboard.layout import too_small
from laddertop.tui.dashboard.leaving import (
    Driver,
    can_be_taken_up_again,
    end_if_stuck,
    leave_on_signals,
    leave_without_terminal,
)
from laddertop.tui.dashboard.manners import Alerts, Kept
from laddertop.tui.dashboard.messages import (
    Acknowledging,
    CompareRuns,
    Copying,
    Ending,
    ForkRun,
    Leaving,
    Looked,
    OpenRun,
    PaperTold,
    StartEngine,
    Telling,
)
from laddertop.tui.dashboard.paint import AsciiOnly, OnlyChanged
from laddertop.tui.dashboard.palette import PAPERS, THEMES
from laddertop.tui.dashboard.screens import on_demand
from laddertop.tui.dashboard.screens.too_small import TooSmall
from laddertop.tui.dashboard.starting import Starting
from laddertop.tui.draw.pixels import TERMINAL
from laddertop.tui.draw.text import harmless
from laddertop.tui.learn.guide import Guide
from laddertop.tui.steer.keymap import settled, sign
from laddertop.tui.steer.trust import ONLY_LOOKS

_TEXTUAL = {paper: replace(BUILTIN_THEMES[f"ansi-{paper}"], name=f"laddertop-{paper}") for paper in PAPERS}
"""The terminal's own colours on its own background, for what textual draws."""


OPENING = 3.0
"""Seconds after which keys are taken although the first screen does not show what it is about yet."""


class LaddertopApp(App[None]):
    """The dashboard over a folder of runs."""

    TITLE = "laddertop"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", "leave; trainings go on", show=False, priority=True),
        bind("everywhere.shell", "suspend_process", show=False),
        bind("everywhere.copy", "copy", show=False),
        bind("everywhere.colours", "next_theme", show=False),
        bind("everywhere.bell", "alerts", show=False),
    ]

    def __init__(
        self,
        runs: Path,
        run: Path | None = None,
        form: bool = False,
        plain: bool = False,
        replay: bool = False,
        slow_link: bool = False,
        read_only: bool = False,
        trust: bool = False,
        pixels: bool = False,
        paper: Paper | None = None,
        guide: Guide | None = None,
    ) -> None:
        """Opens with `run` (as a `replay` of it), with the form for a new one, or with the list of runs; `plain` draws
        in ASCII only, over a `slow_link` seldom, with `read_only` no key changes anything, with `trust` runs of
        strangers are driven, too, `pixels` draws images as laddertop.tui.draw.pixels does; `paper` is the terminal's
        background, None where it does not tell; `guide` stands beside `run`, which is that of a lesson."""
        super().__init__(driver_class=Driver)
        self.set_keymap(settled().keys)
        self.read_only = read_only
        """Whether this dashboard only looks."""
        self._trust = trust
        self._kept, self._paper = Kept(), paper
        self._alerts = Alerts()
        self._replay = replay
        self._plain = plain
        self._pixels = pixels
        self._runs, self._run, self._form, self._guide = runs, run, form, guide
        self.farewell = ""
        """What is left on the terminal once it is given back."""
        self.terminal_before: list[Any] | None = None
        """How the terminal was set before it was asked anything; None: as it is when the dashboard begins."""
        self._list: Screen[None] | None = None
        """The list of runs, once it was gone to."""
        self._starting = Starting(self, self.tell, runs, trust)
        self._turns = InTurn(self, super().on_event)
        self.slow_link = slow_link
        """Whether bytes reach the terminal slowly, so that little is drawn."""
        self._plain_filter = AsciiOnly()
        for theme in _TEXTUAL.values():
            self.register_theme(theme)
        self.theme = _TEXTUAL[self.colours[1]].name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """No colour where none is wanted, and ASCII where the terminal has no more."""
        filters: list[LineFilter] = [NoColor()] if self.no_color else list(super().get_line_filters())
        return [*filters, self._plain_filter] if self._plain else filters

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """To the terminal, without cells that are there already."""
        super()._display(screen, OnlyChanged(renderable) if isinstance(renderable, ChopsUpdate) else renderable)

    async def on_mount(self) -> None:
        """To the first screen."""
        if self._pixels and self._driver is not None:
            TERMINAL.open(self._driver.write)
        if not self.is_headless:
            self._starting.engines.step_back()
            leave_on_signals(self)
            leave_without_terminal(self)
        if self._run is not None:
            try:
                self.push_screen(await self._screen_of(RunFolder(self._run), self._replay))
            except (ValueError, OSError) as error:
                self.push_screen(self._runs_screen())
                self.tell(str(error))
        elif self._form:
            self.push_screen(on_demand.form(self._runs))
        else:
            self.push_screen(self._runs_screen())
        self._fit(self.size)
        self._look_after_engines()
        for problem in settled().problems[:1]:
            self.tell(problem)
        self.set_timer(OPENING, self.on_shown)

    async def on_event(self, event: Event) -> None:
        """Hand on what happens; what is typed in its turn."""
        if event.is_forwarded or not isinstance(event, Key | Paste) or self._turns.take(event):
            await super().on_event(event)

    def once_taken(self, call: Callable[[], None]) -> None:
        """Calls something once all that was typed so far is taken up."""
        self._turns.after(call)

    def on_shown(self) -> None:
        """Keys find something that they mean, or what they would mean takes too long to wait for."""
        if isinstance(self._driver, Driver):
            self._driver.listen()

    def on_paper_told(self, message: PaperTold) -> None:
        """The terminal tells its background when something is shown already."""
        before, self._paper = self.colours, message.paper
        if self.colours != before:
            self._repaint()

    async def on_unmount(self) -> None:
        """What keys asked for is written before the dashboard is gone."""
        await asyncio.to_thread(aside.wait)

    def on_resize(self, event: Resize) -> None:
        """Another size."""
        self._fit(event.size)

    def _fit(self, size: Size) -> None:
        """Lay a sentence over the screen while the terminal is too small for it."""
        small = too_small(*size)
        if small and not isinstance(self.screen, TooSmall):
            self.push_screen(TooSmall())
        elif not small and isinstance(self.screen, TooSmall):
            self.pop_screen()

    def _go_to(self, screen: Screen[None]) -> None:
        """A screen over the list of runs, if that was gone through, in place of all else."""
        below = 1 + (self._list in self.screen_stack)  # the lowest is textual's own
        while len(self.screen_stack) > below + 1:
            self.pop_screen()
        if len(self.screen_stack) > below:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)
        self._fit(self.size)

    @property
    def colours(self) -> tuple[str, Paper]:
        """Name of the theme, and the background that it is for; see laddertop.tui.dashboard.palette."""
        return self._kept.theme, self._paper or self._kept.paper

    def action_next_theme(self) -> None:
        """Other colours; of a terminal that does not tell its background also those for another one."""
        every = [(theme, paper) for paper in PAPERS if self._paper in (None, paper) for theme in THEMES]
        self._kept.theme, self._kept.paper = every[(every.index(self.colours) + 1) % len(every)]
        self._kept.keep()
        self._repaint()
        self.tell(f"colours: {self._kept.theme}, on a {self.colours[1]} background")

    def _repaint(self) -> None:
        self.theme = _TEXTUAL[self.colours[1]].name
        for screen in self.screen_stack:
            for widget in screen.query("*"):
                widget.refresh()

    def action_alerts(self) -> None:
        """Ring, or keep silent."""
        self._kept.alerts = not self._kept.alerts
        self._kept.keep()
        told = "rings at an end, a divergence and a new best" if self._kept.alerts else "keeps silent"
        self.tell(f"the dashboard {told}")

    def on_looked(self, message: Looked) -> None:
        """Call the user for what just happened, with the bell and, where a terminal knows it, a notification."""
        for text in self._alerts.take(message.run.name, message.news.events):
            if self._kept.alerts and self._driver is not None:
                self._driver.write(f"\x07\x1b]9;laddertop: {harmless(text)}\x1b\\")
                self._driver.flush()

    def tell(self, text: str) -> None:
        """Say something, in the line that the screen has for it."""
        screen = self.screen
        if isinstance(screen, Telling):
            screen.call_later(screen.tell, text)  # one that is gone to just now has no line yet
        else:
            self.notify(harmless(text), markup=False)

    def refused(self) -> bool:
        """Whether this dashboard only looks; then it says so."""
        if self.read_only:
            self.tell(ONLY_LOOKS)
        return self.read_only

    @work
    async def on_open_run(self, message: OpenRun) -> None:
        """Go to a run."""
        try:
            (self.push_screen if message.over else self._go_to)(await self._screen_of(message.run, message.replay))
        except (ValueError, OSError) as error:
            self.tell(str(error))

    async def _screen_of(self, run: RunFolder, as_replay: bool) -> Screen[None]:
        if as_replay:
            return await on_demand.replay(run, self._plain)
        guide = self._guide if run.path == self._run else None
        return await on_demand.live(run, self._plain, self.read_only, self._trust, guide)

    def _runs_screen(self) -> Screen[None]:
        from laddertop.tui.dashboard.screens.runs import RunsScreen

        self._list = RunsScreen(self._runs, self._plain, self.read_only, self._trust)
        return self._list

    @work
    async def on_compare_runs(self, message: CompareRuns) -> None:
        """Show runs beside each other."""
        try:
            self._go_to(await on_demand.compare(message.runs, self._plain))
        except (ValueError, OSError) as error:
            self.tell(str(error))

    @work
    async def on_fork_run(self, message: ForkRun) -> None:
        """Make a new run from a checkpoint that the user chooses, start its engine, and go to it."""
        if not self.refused():
            await self._starting.fork(message.run)

    def action_runs(self) -> None:
        """Go to the list of runs, as it was left."""
        known = self._list in self.screen_stack
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if not known:
            self.switch_screen(self._runs_screen())
        self._fit(self.size)

    async def action_back(self) -> None:
        """End what is under way on the screen, or go to the one before; behind the first lies the list of runs."""
        if isinstance(self.screen, Ending) and self.screen.end_under_way():
            return
        if len(self.screen_stack) > 2:
            self.pop_screen()
        elif self.screen is self._list:
            self.tell(f"nothing lies behind the list of runs; {sign('everywhere.close')} leaves the dashboard")
        else:
            self.action_runs()

    def action_close(self) -> None:
        """Leave the screen for the one it was opened from; from the first one, the dashboard."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        else:
            self.action_leave()

    def action_command_palette(self) -> None:
        """Every command by name; a box has none."""
        if not self.screen.is_modal:
            from laddertop.tui.dashboard.screens.command_box import CommandBox

            self.push_screen(CommandBox(self.screen), self._do)

    def _do(self, command: Callable[[], object] | None) -> None:
        if command is not None:
            self.call_later(command)

    def action_new_run(self) -> None:
        """Go to the form for a new run."""
        if self.refused():
            return
        self._go_to(on_demand.form(self._runs))

    def action_leave(self) -> None:
        """End the dashboard; trainings go on."""
        said = (screen.farewell() for screen in reversed(self.screen_stack) if isinstance(screen, Leaving))
        self.farewell = next(said, "")
        if not self.is_headless:
            end_if_stuck(self, lambda: False)
        self.exit()

    def action_copy(self) -> None:
        """Hand what is read on the screen to the clipboard of the terminal."""
        text = harmless(self.screen.copied()) if isinstance(self.screen, Copying) else ""
        if text:
            self.copy_to_clipboard(text)
        self.tell(f"copied: {text}" if text else "there is nothing to copy here")

    def action_suspend_process(self) -> None:
        """Stand aside for the shell, with all that it started together with the dashboard, until it says go on."""
        if can_be_taken_up_again():
            os.killpg(0, signal.SIGTSTP)
        else:
            self.tell(
                f"no shell waits for this dashboard that could take it up again; {sign('everywhere.leave')} leaves it"
            )

    @work
    async def on_start_engine(self, message: StartEngine) -> None:
        """Start an engine, and say so or why not."""
        if not self.refused():
            await self._starting.start(message.run, message.back_to)

    @work
    async def _look_after_engines(self) -> None:
        """Say it when an engine could not begin, wherever the user is by then."""
        await self._starting.look_after()

    def on_cursor_position(self, _: CursorPosition) -> None:
        """The terminal has shown the last frame."""
        for screen in self.screen_stack:  # also one below a box, which goes on drawing
            if isinstance(screen, Acknowledging):
                screen.acknowledge()
