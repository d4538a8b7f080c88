"""The run screen: where it is, why the cost moves, whether it looks right, what was done to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.events import Resize, ScreenResume
from textual.screen import Screen

from journal.commands import Action, send
from journal.folder import RunFolder
from tui import steering
from tui.draw.image import MODES
from tui.layout import PANELS, arrange, too_small
from tui.messages import Failed, Looked, StartEngine
from tui.pace import Pace
from tui.panel import Panel
from tui.run_view import ME, RunView
from tui.screens.commands import KeyCommands, KnobCommands
from tui.screens.confirm import Confirm
from tui.screens.help import Help
from tui.watcher import Watcher
from tui.widgets.cost import CostChart
from tui.widgets.history import History
from tui.widgets.knobs import Knobs
from tui.widgets.layers import Layers
from tui.widgets.samples import Samples
from tui.widgets.status import StatusBar
from tui.widgets.terms import Terms
from tui.widgets.too_small import TooSmall

INTERVAL = 0.35
"""Seconds between two looks at the run folder: under three frames a second."""
IMAGE_INTERVAL = 1.0
"""Seconds between two drawings of the samples at least."""

_NOTES = (
    "The curve is a moving average over the raw values; behind it lies their range, so that a spike of one step stays "
    "visible. × on the axis marks steps whose value was not a number, ▼ what was done to the run. A knob shows what "
    "the engine records; what a key asked for stands behind an arrow with a question mark until the engine has applied "
    "or refused it. What a schedule makes of a knob stands in brackets."
)


class RunScreen(Screen[None]):
    """One run, live or not."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {KeyCommands, KnobCommands}
    DEFAULT_CSS = "RunScreen { overflow: hidden; background: transparent; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "flip('noise')", "noise on or off"),
        Binding("minus", "turn_noise(False)", "less noise: every σ by its factor, in one command"),
        Binding("plus,equals_sign", "turn_noise(True)", "more noise"),
        Binding("w", "flip('warmup')", "warm-up on (from 0 again) or off"),
        Binding("h", "flip('warmup.hold')", "hold the warm-up where it is, or let it go on"),
        Binding("left_square_bracket", "turn('lr', False)", "lower learning rate"),
        Binding("right_square_bracket", "turn('lr', True)", "higher learning rate"),
        Binding("b", "turn('beta', False)", "lower KL weight β"),
        Binding("B", "turn('beta', True)", "higher KL weight β"),
        Binding("space", "pause", "pause or continue the training"),
        Binding("c", "ask('checkpoint')", "checkpoint now"),
        Binding("e", "ask('evaluate')", "evaluate now"),
        Binding("s", "ask('sample')", "sample now"),
        Binding("S,ctrl+x", "stop", "stop the training (asks first)"),
        Binding("R", "resume", "resume a run whose engine is gone"),
        Binding("t", "next_curve", "next curve in the chart: total, each term, gradient norm"),
        Binding("l", "toggle_log", "logarithmic or linear axis"),
        Binding("v", "next_mode", "next way to draw the samples"),
        Binding("tab", "choose(1)", "next panel", priority=True),
        Binding("shift+tab", "choose(-1)", "previous panel", priority=True),
        Binding("m", "maximise", "give the chosen panel the whole screen, or take it back"),
        Binding("r", "app.runs", "all runs"),
        Binding("d,q", "app.leave", "detach: the dashboard ends, the training goes on"),
        Binding("ctrl+p", "app.command_palette", "every command by name; sets any knob to any value", show=False),
        Binding("question_mark", "help", "this help"),
    ]

    def __init__(self, run: RunFolder, plain: bool = False) -> None:
        """Shows `run`; `plain` draws in ASCII."""
        super().__init__()
        self._plain = plain
        self.view = RunView(run)
        self._watcher = Watcher(run)
        self._pace = Pace(self.app)
        self._chosen = "cost"
        self._maximised = False
        self._drawn = self._images_drawn = 0.0
        self._shape: tuple[int, int] = (0, 0)

    def compose(self) -> ComposeResult:
        """One widget per panel; where they lie is decided when the size is known."""
        view = self.view
        yield StatusBar(view, id="status")
        yield CostChart(view, id="cost")
        yield Terms(view, id="terms")
        yield Layers(view, id="layers")
        yield Samples(view, id="samples")
        yield Knobs(view, id="knobs")
        yield History(view, id="history")
        yield TooSmall(view, id="too-small")

    def on_mount(self) -> None:
        """Begin to look."""
        for panel in self.query(Panel):
            panel.ascii_only = self._plain
        self._samples.mode = self._modes()[0]
        self._arrange()
        self._look()

    # What happens in the run folder

    @work(exclusive=True)
    async def _look(self) -> None:
        while True:
            try:
                news = await asyncio.to_thread(self._watcher.look)
            except (OSError, ValueError) as error:
                self.post_message(Failed(str(error)))
                await asyncio.sleep(2)
                continue
            self.post_message(Looked(news))
            await asyncio.sleep(0.01 if news.more else INTERVAL)

    def on_looked(self, message: Looked) -> None:
        """Take up what is new, and draw it if the terminal has shown what was drawn before."""
        news = message.news
        self.view.apply(news)
        # A screen on its way out has no panels any more.
        if not self.display:
            return
        shape = Terms.rows_needed(self.view), len(self.view.state.knobs)
        if shape != self._shape:
            self._shape = shape
            self._arrange()
        hurried = news.more and time.monotonic() - self._drawn < INTERVAL
        if hurried or not self.is_current or not self._pace.free():
            return
        self._drawn = time.monotonic()
        for panel in self.query(Panel):
            if panel.id == "samples":
                if time.monotonic() - self._images_drawn < IMAGE_INTERVAL:
                    continue
                self._images_drawn = time.monotonic()
            if panel.display:
                panel.update()
        self._pace.drawn()

    def on_failed(self, message: Failed) -> None:
        """Say that the folder can't be read; the next look may go better."""
        if self.display:
            self._history.say(f"the run folder can't be read: {message.problem}")

    # Where the panels lie

    def on_resize(self, _: Resize) -> None:
        """A new size may mean another arrangement."""
        self._arrange()

    def on_screen_resume(self, _: ScreenResume) -> None:
        """Show what happened while another screen was on top."""
        for panel in self.query(Panel):
            panel.update()

    def _arrange(self) -> None:
        width, height = self.app.size
        small = too_small(width, height)
        knobs = self.query_one(Knobs)
        knobs.ruled = height >= 30
        places = (
            {}
            if small
            else arrange(
                width,
                height,
                Knobs.rows_needed(self.view, width, knobs.ruled),
                Terms.rows_needed(self.view),
                self._chosen,
                self._maximised,
            )
        )
        for panel in self.query(Panel):
            place = places.get(panel.id or "")
            if panel.id == "too-small":
                panel.display = small
                panel.styles.width, panel.styles.height = width, height
            elif place is None:
                panel.display = False
            else:
                panel.display = True
                panel.styles.offset = (place.x, place.y)
                panel.styles.width, panel.styles.height = place.width, place.height
        for name in PANELS:
            panel = self.query_one(f"#{name}", Panel)
            panel.chosen = name == self._chosen
            panel.update()

    def action_choose(self, by: int) -> None:
        """Go to the next panel."""
        self._chosen = PANELS[(PANELS.index(self._chosen) + by) % len(PANELS)]
        self._arrange()

    def action_maximise(self) -> None:
        """The chosen panel alone, or all of them."""
        self._maximised = not self._maximised
        self._arrange()

    # Steering

    def _still_starting(self) -> bool:
        starting = self.view.status() == "starting"
        if starting:
            self._history.say("the engine is still starting; try again in a moment")
        return starting

    def ask(self, action: Action, changes: dict[str, float] | None = None, note: str = "") -> None:
        """Send a command to the engine, or say why not."""
        if self._still_starting():
            return
        if not self.view.alive:
            status = self.view.status()
            more = "" if status == "finished" else "; R resumes it"
            self._history.say(f"no engine is at work in this run ({status}): the key changes nothing{more}")
            return
        try:
            command = send(self.view.run.path, self.view.state.segment, action, changes, by=ME, note=note)
        except OSError as error:
            self._history.say(f"the command could not be written: {error.strerror}")
            return
        self.view.sent(command)
        self._knobs.update()
        self._history.update()

    def action_flip(self, name: str) -> None:
        """Turn a switch."""
        try:
            request = steering.flip(self.view, name)
        except ValueError as error:
            if not self._still_starting():
                self._history.say(str(error))
        else:
            self.ask(*request)

    def action_turn(self, name: str, up: bool) -> None:
        """Turn a knob by its factor."""
        self._turn([name], up)

    def action_turn_noise(self, up: bool) -> None:
        """Turn every noise level at once."""
        self._turn([knob.name for knob in self.view.noise_knobs()], up)

    def _turn(self, names: list[str], up: bool) -> None:
        try:
            request = steering.turn(self.view, names, up)
        except ValueError as error:
            if not self._still_starting():
                self._history.say(str(error))
        else:
            self.ask(*request)

    def action_ask(self, action: str) -> None:
        """Send a command without values."""
        self.ask(cast(Action, action))

    def action_pause(self) -> None:
        """Pause, or continue."""
        # A second press before the engine answered takes the first one back.
        asked = [c.action for c in self.view.pending() if c.action in ("pause", "continue")]
        paused = asked[-1] == "pause" if asked else self.view.state.paused
        self.ask("continue" if paused else "pause")

    @work
    async def action_stop(self) -> None:
        """Ask, then stop."""
        if not self.view.alive or await self.app.push_screen_wait(
            Confirm(f"Stop training {self.view.run.name}?\nIt saves a checkpoint first and can be resumed.")
        ):
            self.ask("stop")

    def action_resume(self) -> None:
        """Start an engine that goes on from the newest checkpoint."""
        if not self._still_starting():
            self.post_message(StartEngine(self.view.run, self._history.say))

    # Looking

    def hint(self, text: str) -> None:
        """Show a hint in the event line."""
        self._history.say(text)

    def action_toggle_log(self) -> None:
        """Logarithmic or linear chart."""
        self.query_one(CostChart).toggle_log()

    def action_next_curve(self) -> None:
        """Another curve in the chart."""
        self.query_one(CostChart).next_column()

    def action_next_mode(self) -> None:
        """Another way to draw images."""
        self._samples.next_mode(self._modes())

    def action_help(self) -> None:
        """The keys."""
        bindings = [b for b in self.BINDINGS if isinstance(b, Binding)]
        self.app.push_screen(Help("Keys of the run screen", bindings, _NOTES))

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        self._pace.acknowledged()

    def _modes(self) -> tuple[str, ...]:
        if self._plain:
            return MODES[3:]
        return MODES[2:] if self.app.no_color else MODES

    @property
    def _history(self) -> History:
        return self.query_one(History)

    @property
    def _knobs(self) -> Knobs:
        return self.query_one(Knobs)

    @property
    def _samples(self) -> Samples:
        return self.query_one(Samples)
