"""The engines that a dashboard starts: for a run, for a fork of one, and what is said where one could not begin."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from textual.app import App

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.messages import OpenRun, StartEngine
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.steer.engines import Engines
from laddertop.tui.steer.keeping import fork
from laddertop.tui.steer.trust import driven


class Starting:
    """Starts engines for a dashboard, and looks after them."""

    def __init__(self, app: App[None], tell: Callable[[str], None], runs: Path, trust: bool) -> None:
        """Forks go into the folder `runs`, what is to be said through `tell`; with `trust` runs of strangers are
        driven, too."""
        self.engines = Engines()
        """Those that were started."""
        self._app, self._tell, self._runs, self._trust = app, tell, runs, trust

    async def start(self, run: RunFolder, back_to: int | None) -> None:
        """Start an engine, from the checkpoint of step `back_to` if that is given, and say so or why not."""
        try:
            await asyncio.to_thread(driven, run, self._trust)
            await asyncio.to_thread(self.engines.start, run, back_to)
        except (ValueError, OSError) as error:
            self._tell(str(error))
        else:
            where = "" if back_to is None else f" from step {thousands(back_to)} on"
            self._tell(f"an engine is starting for {run.name}{where}")

    async def fork(self, run: RunFolder) -> None:
        """Make a new run from a checkpoint that the user chooses, start its engine, and go to it."""
        from laddertop.tui.dashboard.screens.ask import choose_checkpoint

        screen = self._app.screen
        try:
            await asyncio.to_thread(driven, run, self._trust)
            step = await choose_checkpoint(self._app, run, f"fork {run.name} from")
            if step is None:
                return
            self._tell(f"copying the checkpoint of step {thousands(step)} of {run.name}")
            made = await asyncio.to_thread(fork, run, self._runs, step)
        except (ValueError, OSError) as error:
            self._tell(str(error))
            return
        self._app.post_message(StartEngine(made))
        if self._app.screen is screen:
            self._app.post_message(OpenRun(made))

    async def look_after(self) -> None:
        """Say it when an engine could not begin, wherever the user is by then."""
        while True:
            for why in await asyncio.to_thread(self.engines.reap):
                self._tell(why)
            await asyncio.sleep(1.0)
