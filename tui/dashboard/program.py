"""The dashboard as a program: which terminal it can use, what it loads, how it starts and how it ends.

It draws on stderr, as textual does, and never imports torch.
"""

from __future__ import annotations

import contextlib
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.background import Question
from laddertop.tui.dashboard.terminal import pixels_problem, speaks_unicode, terminal_problem
from laddertop.tui.steer.keymap import settled

if TYPE_CHECKING:
    from laddertop.tui.dashboard.app import LaddertopApp
    from laddertop.tui.learn.guide import Guide


def load() -> type[LaddertopApp]:
    """The app, with all that its first screen is made of."""
    # numpy asks once, when it is loaded. One product of a chart is too small for more than one thread; engines started
    # from here are not meant.
    threads = os.environ.get("OPENBLAS_NUM_THREADS")
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import numpy  # noqa: F401

    if threads is None:
        del os.environ["OPENBLAS_NUM_THREADS"]
    else:
        os.environ["OPENBLAS_NUM_THREADS"] = threads
    from laddertop.tui.dashboard.app import LaddertopApp

    return LaddertopApp


def open_app(
    runs: Path,
    run: Path | None = None,
    form: bool = False,
    replay: bool = False,
    slow_link: bool = False,
    read_only: bool = False,
    trust: bool = False,
    pixels: bool = False,
    question: Question | None = None,
    guide: Guide | None = None,
) -> int:
    """Runs the dashboard until the user leaves; returns the exit status. What the terminal was asked, and what was
    typed since, is in `question`; beside the run of a lesson stands its `guide`.

    Raises ValueError when `run` is no run, its spec is damaged, or there is nothing to replay.
    """
    if (problem := terminal_problem() or (pixels_problem() if pixels else None)) is not None:
        print(f"laddertop: {problem}", file=sys.stderr)
        return 2
    for problem in settled().problems:
        print(f"laddertop: {problem}", file=sys.stderr)
    app_class = load()
    if run is not None:
        # A run that can't be read is told before the screen is taken.
        RunFolder(run).spec  # noqa: B018
        if replay:
            from laddertop.tui.watch.replay import Past

            Past(RunFolder(run))
    from textual.drivers import linux_driver

    from laddertop.tui.dashboard.hearing import Listener
    from laddertop.tui.draw.pixels import TERMINAL
    from laddertop.tui.draw.text import ascii_only

    question = question or Question()
    linux_driver.XTermParser = partial(Listener, question)  # type: ignore[attr-defined, assignment]
    plain = not speaks_unicode()
    app = app_class(runs, run, form, plain, replay, slow_link, read_only, trust, pixels, question.paper(), guide)
    app.terminal_before = question.before
    app.run()
    if forget := TERMINAL.close():
        # Where textual draws, too; a terminal that is gone has forgotten already.
        with contextlib.suppress(OSError):
            print(forget, end="", file=sys.__stderr__, flush=True)
    if app.farewell:
        with contextlib.suppress(OSError):
            print(ascii_only(app.farewell) if plain else app.farewell, file=sys.__stderr__, flush=True)
    return app.return_code or 0
