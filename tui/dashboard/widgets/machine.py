"""One line about the machine: what processors, memory and GPUs do, and how fast the training is."""

from __future__ import annotations

import asyncio
import math
import socket

from textual import work

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.views.machine import Machine, Sensors, balance
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import estimate, number, rate
from laddertop.tui.watch.run_view import RunView

INTERVAL = 2.0
"""Seconds between two looks at the machine, while the line is shown."""


class MachineLine(Panel):
    """The machine that this dashboard runs on, and the training's speed and time left."""

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._sensors = Sensors()
        self._machine: Machine | None = None
        self._shown = asyncio.Event()

    def on_mount(self) -> None:
        """Begin to look, as soon as it is shown."""
        self._look()

    def on_show(self) -> None:
        """Look from now on."""
        self._shown.set()

    def on_hide(self) -> None:
        """Look no longer."""
        self._shown.clear()

    @work
    async def _look(self) -> None:
        # The only one that looks: what sensors tell is about the time since they were asked last.
        while await self._shown.wait():
            started = self.view.state.started
            here = started is not None and started.host == socket.gethostname() and self.view.alive
            self._machine = await asyncio.to_thread(self._sensors.look, started.pid if here and started else None)
            if self.display:
                self.update()
            await asyncio.sleep(INTERVAL)

    def picture(self, height: int, width: int) -> Cells:
        """One row; what does not fit is left out, the speed first: the status bar has it, too."""
        view = self.view
        words = self._machine.words() if self._machine is not None else ["looking"]
        started = view.state.started
        if started is not None and started.host != socket.gethostname():
            words.insert(0, f"engine on {started.host}; here")
        if len(view.state.rank_seconds) > 1:
            words.insert(0, balance(view.state.rank_seconds))
        per_second = view.rate()
        if view.status() == "training" and math.isfinite(per_second):
            words += [rate(per_second), f"{number(per_second * view.spec.data.batch)} items/s"]
            words += [f"ETA {estimate(view.seconds_left())}"]
        cells = Cells(height, width)
        x = cells.put(0, 1, "machine", Ink.STRONG) + 2
        for word in words:
            if x + len(word) <= width:
                x = cells.put(0, x, word, Ink.TEXT) + 3
        return cells
