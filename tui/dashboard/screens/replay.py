"""The run screen over the past of a run: play, pause, seek, at any speed. Nothing here reaches an engine."""

from __future__ import annotations

import asyncio
import time
from typing import Any, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.messages import Looked
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.run_keys import LOOKING
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import duration, setting
from laddertop.tui.draw.spark import bar
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.replay import Past, PastView, PastWatcher

_HINTS = (
    ("seek", "replay.back", "replay.on"),
    ("step", "replay.next-step", "replay.previous-step"),
    ("speed", "replay.slower", "replay.faster"),
)
"""What the bar names besides: a word, and the names of the keys."""


class ReplayBar(Panel):
    """Where the playing stands, and its keys."""

    past: Past
    watcher: PastWatcher
    _bar = range(0)
    """The columns that stand for the length of the run."""

    def share_at(self, column: int) -> float | None:
        """The share of the run that a column of the bar stands for; None beside it."""
        return self._bar.index(column) / (len(self._bar) - 1) if column in self._bar else None

    def picture(self, height: int, width: int) -> Cells:
        """One row."""
        cells = Cells(height, width)
        state = "▶" if self.watcher.playing else "‖"
        x = cells.put(0, 1, f"{state} replay ×{setting(self.watcher.speed)}", Ink.MARK) + 2
        wide = 16 if width >= 100 else 8
        self._bar = range(x, x + wide)
        filled, empty = bar(self.past.at / self.past.length, wide)
        x = cells.put(0, cells.put(0, x, filled, Ink.CURVE), empty, Ink.FAINT) + 1
        x = cells.put(0, x, f"{duration(self.past.at)} of {duration(self.past.length)}") + 2
        play = "pause" if self.watcher.playing else "play"
        for name, *keys in ((play, "replay.play"), *_HINTS):
            key = " ".join(map(sign, keys))
            if x + len(key) + 1 + len(name) > width:
                break
            x = cells.put(0, cells.put(0, x, key, Ink.KEY) + 1, name, Ink.DIM) + 2
        return cells


class ReplayScreen(RunScreen, inherit_bindings=False):
    """A run at a moment of its past."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bind("replay.play", "play"),
        bind("replay.on", "seek(0.01)"),
        bind("replay.back", "seek(-0.01)"),
        bind("replay.far-on", "seek(0.1)"),
        bind("replay.far-back", "seek(-0.1)"),
        bind("replay.next-step", "step(1)"),
        bind("replay.previous-step", "step(-1)"),
        bind("replay.faster", "faster(2)"),
        bind("replay.slower", "faster(0.5)"),
        *(Binding(str(i), f"go({i / 10})", f"to {i} tenths of the run", show=False) for i in range(10)),
        *(key.binding() for key in LOOKING),
    ]
    HELP_TITLE = "Keys of the replay"
    MOUSE = (*RunScreen.MOUSE, ("click", "on the bar: to that share of the run"))

    def __init__(self, run: RunFolder, past: Past, plain: bool = False) -> None:
        """Plays the `past` of `run`; `plain` draws in ASCII."""
        super().__init__(run, plain)
        self.panels.below = 1
        self._past = past
        self._anew = 0.0
        """When what was seen was forgotten last, in seconds of the monotonic clock."""
        self.view = PastView(run, steerable=False)
        self._watcher: PastWatcher = PastWatcher(run, self._past)

    def compose(self) -> ComposeResult:
        """The panels of the run screen, and one row below them."""
        yield from super().compose()
        bar = ReplayBar(self.view, id="replay")
        bar.past, bar.watcher = self._past, self._watcher
        yield bar

    def _arrange(self) -> None:
        super()._arrange()
        width, height = self.app.size
        bar = self.query_one(ReplayBar)
        bar.display = True
        bar.styles.offset = (0, height - 1)
        bar.styles.width, bar.styles.height = width, 1
        bar.update()

    def on_looked(self, message: Looked) -> None:
        """The past calls nobody: the dashboard does not hear of it. What a look began before the user went back is of
        no moment any more."""
        message.stop()
        if message.news.began < self._anew:
            message.prevent_default()

    def help_groups(self) -> dict[str, list[BindingType]]:
        """Those of the playing first."""
        shared = {entry.name for entry in LOOKING}
        own: list[BindingType] = [b for b in self.BINDINGS if isinstance(b, Binding) and b.id not in shared]
        return {"playing": own, **super().help_groups()}

    def on_panel_clicked(self, message: Panel.Clicked) -> None:
        """To a share of the run, by its bar."""
        if isinstance(message.panel, ReplayBar) and (share := message.panel.share_at(message.column)) is not None:
            self.action_go(share)

    def action_play(self) -> None:
        """Play, or pause."""
        if self._past.at >= self._past.length:
            self._go(0.0)
            self._watcher.playing = True
        else:
            self._watcher.playing = not self._watcher.playing
        self._moved()

    def action_seek(self, share: float) -> None:
        """Go on or back by a share of the run."""
        self._go(self._past.at + share * self._past.length)

    def action_go(self, share: float) -> None:
        """Go to a share of the run."""
        self._go(share * self._past.length)

    @work
    async def action_step(self, by: int) -> None:
        """One training step on or back, and stay there."""
        self._watcher.playing = False
        before = self._past.at
        await asyncio.to_thread(self._past.step, by)
        if not self.display:
            return
        if self._past.at < before:
            self._begin_anew()
        self._moved()

    def action_faster(self, factor: float) -> None:
        """Play faster or slower."""
        self._watcher.speed = min(max(self._watcher.speed * factor, 1 / 16), 2.0**20)
        self._moved()

    def _go(self, at: float) -> None:
        back = at < self._past.at
        self._past.go(at)
        if back:
            self._begin_anew()
        self._moved()

    def _begin_anew(self) -> None:
        """What was seen of later moments is forgotten; what the user arranged stays."""
        before, self._watcher = self._watcher, PastWatcher(self.view.run, self._past)
        self._watcher.playing, self._watcher.speed = before.playing, before.speed
        self._anew = time.monotonic()
        self.query_one(ReplayBar).watcher = self._watcher
        fresh: dict[str, Any] = vars(PastView(self.view.run, steerable=False))
        kept = {name: vars(self.view)[name] for name in ("x", "decay", "curves", "images", "images_step")}
        # The panels hold on to their view, so it becomes what it was at first.
        vars(self.view).update(fresh | kept)

    def _moved(self) -> None:
        self.query_one(ReplayBar).update()
        self.look_soon()
