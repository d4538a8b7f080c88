"""One frame of the dashboard as text, for what is no terminal: a log, a mail, a watch in a shell."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.messages import Looked
from laddertop.tui.dashboard.screens.run import RunScreen

LONGEST = 20.0
"""Seconds after which the frame is taken as it is."""
STILL = 0.4
"""Seconds for which a screen is looked at to see whether all of it is drawn; one of a training never rests for long."""


class _Once(LaddertopApp):
    """A dashboard that knows when all of a run was read."""

    def __init__(self, runs: Path, run: Path) -> None:
        super().__init__(runs, run, read_only=True)
        self.no_color = True
        """Curves and images that are told by their colours elsewhere are told by their signs."""
        self.read = asyncio.Event()

    def on_looked(self, message: Looked) -> None:
        """A look that finds no event has found them all."""
        if not message.news.events and not message.news.more:
            self.read.set()
        elif isinstance(self.screen, RunScreen):
            self.screen.look_soon()


def frame(runs: Path, run: Path, columns: int, rows: int) -> str:
    """What the screen of a run shows once all of it was read, in so many columns and rows, without blanks at the ends
    of lines. Sends no command and writes nothing into the run."""
    return asyncio.run(_frame(_Once(runs, run), columns, rows))


async def _frame(app: _Once, columns: int, rows: int) -> str:
    until = time.monotonic() + LONGEST
    async with app.run_test(size=(columns, rows)):
        while not app.read.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.02)
        text = ""
        for _ in range(int(LONGEST)):
            before, text = text, _text(app)
            if text == before or time.monotonic() > until:
                break
            await asyncio.sleep(STILL)
        return text


def _text(app: _Once) -> str:
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())
