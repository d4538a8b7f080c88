"""Opening the dashboard: a first frame at once, then everything that it is made of."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from laddertop.tui.dashboard.background import QUICKLY, SLOWLY, asked
from laddertop.tui.dashboard.terminal import first_frame

if TYPE_CHECKING:
    from laddertop.tui.learn.guide import Guide


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
    guide: Guide | None = None,
) -> None:
    """Opens with a run (as a replay of it, or beside the `guide` of its lesson), the form for a new one or the list of
    runs; ends with typer.Exit.

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
        status = open_app(folder, path, form, replay, slow_link, read_only, trust, pixels, question, guide)
    raise typer.Exit(status)


def print_frame(runs: Path | None, run: str) -> None:
    """Prints what the dashboard shows of a run: in the size of the terminal that standard output is, else in that of
    $COLUMNS and $LINES, else in 120 × 40.

    Raises ValueError when there is no such run, or it can't be read.
    """
    import shutil
    import sys

    from laddertop.journal.folder import find_run, runs_folder
    from laddertop.tui.cli.print import result
    from laddertop.tui.dashboard.once import frame
    from laddertop.tui.draw.text import ascii_only

    folder = runs_folder(runs)
    found = find_run(folder, run)
    found.spec  # noqa: B018
    text = frame(folder, found.path, *shutil.get_terminal_size((120, 40)))
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    result(text if unicode else ascii_only(text))
