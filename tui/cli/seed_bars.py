"""What `train --seeds` shows while it trains: a bar per seed on a terminal, a line per seed that ended elsewhere."""

from __future__ import annotations

import time

from laddertop.tui.cli.follow import Meter, beside, rich_bar, say_above
from laddertop.tui.cli.print import say
from laddertop.tui.steer.engine_process import EngineProcess

EVERY = 0.5
"""Seconds between two looks at a seed that is trained."""


class SeedLines:
    """A line for every seed that ended, for logs."""

    def message(self, words: str) -> None:
        """Something that this command has to say."""
        say(words)

    def progress(self, seed: int, engine: EngineProcess) -> None:
        """The training of a seed went on."""

    def ended(self, seed: int, engine: EngineProcess, words: str) -> None:
        """The training of a seed is over."""
        say(f"{engine.run.name}: {words}")

    def close(self) -> None:
        """Nothing is left open."""


class SeedBars:
    """A bar per seed, in their order, from the start on."""

    def __init__(self, name: str, seeds: list[int]) -> None:
        self._bar = rich_bar()
        self._tasks = {seed: self._bar.add_task(f"seed {seed}", total=1, words="waiting") for seed in seeds}
        self._meters: dict[int, Meter] = {}
        self._next: dict[int, float] = {}
        self.message(f"{name}-s{seeds[0]} to -s{seeds[-1]}")
        self._bar.start()
        self._bar.refresh()

    def message(self, words: str) -> None:
        """Above the bars."""
        say_above(self._bar, words)

    def progress(self, seed: int, engine: EngineProcess) -> None:
        """Moves the bar of a seed."""
        now = time.monotonic()
        if now < self._next.get(seed, 0.0):
            return
        self._next[seed] = now + EVERY
        if not engine.started:
            self._show(seed, 0, 1, "starting")
            return
        if seed not in self._meters:
            self._meters[seed] = Meter(engine)
        at = self._meters[seed].read()
        self._show(seed, at.step, at.steps, at.in_words())

    def ended(self, seed: int, engine: EngineProcess, words: str) -> None:
        """The bar of a seed stands still."""
        self._show(seed, engine.state.step, max(engine.state.steps, 1), words)

    def _show(self, seed: int, step: int, steps: int, words: str) -> None:
        words = beside(self._bar, f"seed {seed}", words)
        self._bar.update(self._tasks[seed], total=steps, completed=step, words=words)
        self._bar.refresh()

    def close(self) -> None:
        """Leaves the bars as they stand and gives the cursor back."""
        self._bar.stop()
