"""The dashboard as a program: which terminal it can use, how it starts and how it ends.

It draws on stderr, as textual does, never imports torch, and outlives neither its terminal nor a SIGTERM. A screen is
imported when it is gone to, so that the first one is there sooner.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

# One product of a chart is too small for more than one thread; engines started from here are not meant.
_threads = os.environ.get("OPENBLAS_NUM_THREADS")
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy  # noqa: E402, F401

if _threads is None:
    del os.environ["OPENBLAS_NUM_THREADS"]
else:
    os.environ["OPENBLAS_NUM_THREADS"] = _threads

from rich.console import RenderableType  # noqa: E402
from rich.segment import Segment  # noqa: E402
from textual import work  # noqa: E402
from textual._compositor import ChopsUpdate  # noqa: E402
from textual.app import App  # noqa: E402
from textual.binding import Binding, BindingType  # noqa: E402
from textual.color import Color  # noqa: E402
from textual.command import Provider  # noqa: E402
from textual.events import CursorPosition, Resize  # noqa: E402
from textual.filter import LineFilter, NoColor  # noqa: E402
from textual.geometry import Size  # noqa: E402
from textual.screen import Screen  # noqa: E402
from textual.theme import BUILTIN_THEMES  # noqa: E402

from laddertop.journal.commands import send, sender  # noqa: E402
from laddertop.journal.events import EventReader  # noqa: E402
from laddertop.journal.folder import RunFolder  # noqa: E402
from laddertop.journal.state import RunState  # noqa: E402
from laddertop.tui.dashboard.layout import too_small  # noqa: E402
from laddertop.tui.dashboard.manners import Alerts, Kept  # noqa: E402
from laddertop.tui.dashboard.messages import (  # noqa: E402
    ONLY_LOOKS,
    Acknowledging,
    CompareRuns,
    ForkRun,
    Looked,
    OpenRun,
    RollBack,
    StartEngine,
    Telling,
)
from laddertop.tui.dashboard.paint import OnlyChanged  # noqa: E402
from laddertop.tui.dashboard.palette import THEMES  # noqa: E402
from laddertop.tui.dashboard.priority import FullPriority  # noqa: E402
from laddertop.tui.dashboard.screens.too_small import TooSmall  # noqa: E402
from laddertop.tui.dashboard.terminal import pixels_problem, speaks_unicode, terminal_problem  # noqa: E402
from laddertop.tui.draw.numbers import thousands  # noqa: E402
from laddertop.tui.draw.pixels import TERMINAL  # noqa: E402
from laddertop.tui.draw.text import ascii_only, harmless  # noqa: E402
from laddertop.tui.steer.engine_process import EngineProcess  # noqa: E402
from laddertop.tui.steer.keeping import fork  # noqa: E402

PATIENCE = 3.0
"""Seconds that the dashboard has for leaving cleanly once it was told to."""

_THEME = replace(BUILTIN_THEMES["ansi-dark"], name="laddertop")
"""The terminal's own colours on its own background."""


class AsciiOnly(LineFilter):
    """Whatever any widget draws, in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, character for character in ASCII."""
        return [Segment(ascii_only(text), style, control) for text, style, control in segments]


class LaddertopApp(App[None]):
    """The dashboard over a folder of runs."""

    TITLE = "laddertop"
    CSS = "CommandPalette SearchIcon { display: none; }"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = set()
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", "leave; trainings go on", show=False, priority=True),
        Binding("ctrl+t", "next_theme", "colours: dark, light, colour-blind, contrast", show=False),
        Binding("ctrl+n", "alerts", "ring at an end, a divergence and a new best, or keep silent", show=False),
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
        pixels: bool = False,
    ) -> None:
        """Opens with `run` (as a `replay` of it), with the form for a new one, or with the list of runs; `plain` draws
        in ASCII only, over a `slow_link` seldom, with `read_only` no key changes anything, `pixels` draws images as
        laddertop.tui.draw.pixels does."""
        super().__init__()
        self.read_only = read_only
        """Whether this dashboard only looks."""
        self._kept = Kept()
        self._alerts = Alerts()
        self._replay = replay
        self._plain = plain
        self._pixels = pixels
        self._runs, self._run, self._form = runs, run, form
        self._engines: dict[Path, subprocess.Popen[bytes]] = {}
        self._at_full_priority = FullPriority()
        self.slow_link = slow_link
        """Whether bytes reach the terminal slowly, so that little is drawn."""
        self._plain_filter = AsciiOnly()
        self.register_theme(_THEME)
        self.theme = _THEME.name

    def get_line_filters(self) -> Sequence[LineFilter]:
        """No colour where none is wanted, and ASCII where the terminal has no more."""
        filters: list[LineFilter] = [NoColor()] if self.no_color else list(super().get_line_filters())
        return [*filters, self._plain_filter] if self._plain else filters

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """To the terminal, without cells that are there already."""
        super()._display(screen, OnlyChanged(renderable) if isinstance(renderable, ChopsUpdate) else renderable)

    def on_mount(self) -> None:
        """To the first screen."""
        if self._pixels and self._driver is not None:
            TERMINAL.open(self._driver.write)
        self.set_interval(1.0, self._reap)
        if not self.is_headless:
            self._at_full_priority.step_back()
            _leave_on_signals(self)
            self.set_interval(1.0, self._watch_terminal)
        if self._run is not None:
            run = RunFolder(self._run)
            self.push_screen(self._replay_screen(run) if self._replay else self._run_screen(run))
        elif self._form:
            self.push_screen(self._form_screen())
        else:
            self.push_screen(self._runs_screen())
        self._fit(self.size)

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
        """Another screen in place of the one that is shown."""
        if isinstance(self.screen, TooSmall):
            self.pop_screen()
        self.switch_screen(screen)
        self._fit(self.size)

    @property
    def colour_theme(self) -> str:
        """Name of the theme; see laddertop.tui.dashboard.palette."""
        return self._kept.theme

    def action_next_theme(self) -> None:
        """Other colours."""
        self._kept.theme = THEMES[(THEMES.index(self._kept.theme) + 1) % len(THEMES)]
        self._kept.keep()
        for widget in self.screen.query("*"):
            widget.refresh()
        self.tell(f"colours: {self._kept.theme}")

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
            screen.tell(text)
        else:
            self.notify(text, markup=False)

    def refused(self, tell: Callable[[str], None]) -> bool:
        """Whether this dashboard only looks; then it says so."""
        if self.read_only:
            tell(ONLY_LOOKS)
        return self.read_only

    def on_open_run(self, message: OpenRun) -> None:
        """Go to a run."""
        if not message.replay:
            self._go_to(self._run_screen(message.run))
            return
        try:
            self._go_to(self._replay_screen(message.run))
        except ValueError as error:
            self.tell(str(error))

    def _runs_screen(self) -> Screen[None]:
        from laddertop.tui.dashboard.screens.runs import RunsScreen

        return RunsScreen(self._runs, self.read_only)

    def _form_screen(self) -> Screen[None]:
        from laddertop.tui.dashboard.screens.new import NewRunScreen

        return NewRunScreen(self._runs)

    def _replay_screen(self, run: RunFolder) -> Screen[None]:
        from laddertop.tui.dashboard.screens.replay import ReplayScreen

        return ReplayScreen(run, self._plain)

    def _run_screen(self, run: RunFolder) -> Screen[None]:
        from laddertop.tui.dashboard.screens.run import RunScreen

        screen = RunScreen(run, self._plain)
        screen.view.steerable = screen.asking.allowed = not self.read_only
        return screen

    def on_compare_runs(self, message: CompareRuns) -> None:
        """Show runs beside each other."""
        from laddertop.tui.dashboard.screens.compare import CompareScreen

        self._go_to(CompareScreen(message.runs, self._plain))

    @work
    async def on_fork_run(self, message: ForkRun) -> None:
        """Make a new run from a checkpoint that the user chooses, start its engine, and go to it."""
        if self.refused(message.tell):
            return
        try:
            step = await self._choose_checkpoint(message.run, f"fork {message.run.name} from")
            if step is None:
                return
            made = fork(message.run, self._runs, step)
        except (ValueError, OSError) as error:
            message.tell(str(error))
            return
        self.post_message(StartEngine(made, lambda _: None))
        self.post_message(OpenRun(made))

    @work
    async def on_roll_back(self, message: RollBack) -> None:
        """Send a run back to a checkpoint that the user chooses."""
        run = message.run
        if self.refused(message.tell):
            return
        try:
            step = await self._choose_checkpoint(run, f"send {run.name} back to")
            if step is None:
                return
            if run.engine_alive():
                segment = RunState().apply_all(EventReader(run.events_path).read_all()).segment
                send(run.path, segment, "rollback", {"step": step}, by=sender("dashboard"))
            else:
                self._engines[run.path] = self._at_full_priority(EngineProcess, run, back_to=step).process
        except (ValueError, OSError) as error:
            message.tell(str(error))
        else:
            message.tell(f"{run.name} goes back to step {thousands(step)}")

    async def _choose_checkpoint(self, run: RunFolder, question: str) -> int | None:
        """The step of the checkpoint that the user takes. Raises ValueError when there is none to take."""
        from laddertop.tui.dashboard.screens.ask import Choose, in_a_line

        state = RunState().apply_all(EventReader(run.events_path).read_all())
        saved = run.checkpoints(state.checkpoints)[::-1]
        if not saved:
            raise ValueError(f"{run.name} has no checkpoint yet")
        number = await self.push_screen_wait(Choose(f"{question} a checkpoint:", [in_a_line(c, state) for c in saved]))
        return None if number is None else saved[number].step

    def action_runs(self) -> None:
        """Go to the list of runs."""
        self._go_to(self._runs_screen())

    def action_new_run(self) -> None:
        """Go to the form for a new run."""
        if self.refused(self.tell):
            return
        self._go_to(self._form_screen())

    def action_leave(self) -> None:
        """End the dashboard; trainings go on."""
        self.exit()

    def on_start_engine(self, message: StartEngine) -> None:
        """Start an engine, and say so or why not."""
        if self.refused(message.tell):
            return
        run = message.run
        self._reap()
        try:
            if not run.engine_alive():
                if run.path in self._engines:
                    raise ValueError(f"the engine of {run.name} is still starting; try again in a moment")
                state = RunState().apply_all(EventReader(run.events_path).read_all())
                if state.ended is not None and state.ended.reason == "finished":
                    raise ValueError(f"{run.name} finished its {state.steps} steps; there is nothing to resume")
            self._engines[run.path] = self._at_full_priority(EngineProcess, run).process
        except (ValueError, OSError) as error:
            message.tell(str(error))
        else:
            message.tell(f"an engine is starting for {run.name}")

    def _reap(self) -> None:
        """Forgets the engines that ended."""
        self._engines = {path: process for path, process in self._engines.items() if process.poll() is None}

    def on_cursor_position(self, _: CursorPosition) -> None:
        """The terminal has shown the last frame."""
        for screen in self.screen_stack:  # also one below a box, which goes on drawing
            if isinstance(screen, Acknowledging):
                screen.acknowledge()

    def _watch_terminal(self) -> None:
        """Ends the dashboard when its terminal is gone, which textual does not notice."""
        watched = select.poll()
        watched.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]
        if watched.poll(0):
            _insist(signal.SIGHUP)
            self.exit(return_code=128 + signal.SIGHUP)


def open_app(
    runs: Path,
    run: Path | None = None,
    form: bool = False,
    replay: bool = False,
    slow_link: bool = False,
    read_only: bool = False,
    pixels: bool = False,
) -> int:
    """Runs the dashboard until the user leaves; returns the exit status.

    Raises ValueError when `run` is no run, its spec is damaged, or there is nothing to replay.
    """
    if (problem := terminal_problem() or (pixels_problem() if pixels else None)) is not None:
        print(f"laddertop: {problem}", file=sys.stderr)
        return 2
    if run is not None:
        # A run that can't be read is told before the screen is taken.
        RunFolder(run).spec  # noqa: B018
        if replay:
            from laddertop.tui.watch.replay import Past

            Past(RunFolder(run))
    plain = not speaks_unicode()
    app = LaddertopApp(runs, run, form, plain, replay, slow_link, read_only, pixels)
    app.run()
    if forget := TERMINAL.close():
        # Where textual draws, too; a terminal that is gone has forgotten already.
        with contextlib.suppress(OSError):
            print(forget, end="", file=sys.__stderr__, flush=True)
    return app.return_code or 0


def _leave_on_signals(app: LaddertopApp) -> None:
    """SIGHUP and SIGTERM end the dashboard cleanly, even while its loop waits for a terminal that nobody reads."""
    loop = asyncio.get_running_loop()

    def leave(number: int, _: object) -> None:
        _insist(number)
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)


def _insist(number: int) -> None:
    """Ends the process for certain, some seconds from now: a terminal that is gone or stuck can hold up the clean way
    for ever."""
    timer = threading.Timer(PATIENCE, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()
