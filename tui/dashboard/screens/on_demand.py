"""The screens that are imported when they are gone to, so that the first one is there sooner."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual.screen import Screen

from laddertop.journal.folder import RunFolder
from laddertop.tui.learn.guide import Guide
from laddertop.tui.steer.trust import stranger
from laddertop.tui.sweep.plan import is_sweep


async def live(run: RunFolder, plain: bool, read_only: bool, trust: bool, guide: Guide | None) -> Screen[None]:
    """A run as it is now, beside the guide of its lesson if it is of one; or a sweep, whose folder is none of a run.
    Raises ValueError when it can't be read."""
    strangers = "" if trust else await asyncio.to_thread(stranger, run)
    if await asyncio.to_thread(is_sweep, run.path):
        from laddertop.tui.dashboard.screens.sweep import SweepScreen

        return SweepScreen(run, read_only, strangers)
    from laddertop.tui.dashboard.screens.live import LiveScreen

    screen = LiveScreen(run, plain, read_only, strangers, guide)
    await asyncio.to_thread(screen.read)
    return screen


async def replay(run: RunFolder, plain: bool) -> Screen[None]:
    """A run as it was. Raises ValueError when it can't be read, or when there is nothing to replay."""
    from laddertop.tui.dashboard.screens.replay import ReplayScreen
    from laddertop.tui.watch.replay import Past

    past = await asyncio.to_thread(Past, run)
    screen = ReplayScreen(run, past, plain)
    await asyncio.to_thread(screen.read)
    return screen


async def compare(runs: list[RunFolder], plain: bool) -> Screen[None]:
    """Runs beside each other. Raises ValueError or OSError when one can't be read."""
    from laddertop.tui.dashboard.screens.compare import CompareScreen
    from laddertop.tui.watch.comparison import open_runs

    return CompareScreen(await asyncio.to_thread(open_runs, runs), plain)


def form(runs: Path) -> Screen[None]:
    """The form for a new run."""
    from laddertop.tui.dashboard.screens.new import NewRunScreen

    return NewRunScreen(runs)
