"""Opening the dashboard: a first frame at once, then everything that it is made of."""

from __future__ import annotations

import gc
from pathlib import Path

import typer

from laddertop.tui.dashboard.background import QUICKLY, SLOWLY, asked
from laddertop.tui.dashboard.terminal import first_frame


def show_dashboard(
    runs: Path | None,
    run: str | None = None,
    *,
    form: bool = False,
    replay: bool = False,
    slow_link: bool = False,
    read_only: bool = False,
    trust: bool = False,
    pixels: bool = False,
) -> None:
    """Opens with a run (as a replay of it), the form for a new one or the list of runs; ends with typer.Exit.

    Raises ValueError when there is no such run, it can't be read, or there is nothing to replay.
    """
    words = f"opening {run}" if run is not None else "new run" if form else "reading runs"
    with first_frame(words), asked(SLOWLY if slow_link else QUICKLY) as question:
        # Importing makes hundreds of thousands of objects and no garbage: looking for some takes a fifth of the time.
        gc.disable()
        from laddertop.journal.folder import find_run, runs_folder
        from laddertop.tui.dashboard.program import load, open_app

        load()
        gc.freeze()
        gc.enable()
        folder = runs_folder(runs)
        path = find_run(folder, run).path if run is not None else None
        status = open_app(folder, path, form, replay, slow_link, read_only, trust, pixels, question)
    raise typer.Exit(status)
