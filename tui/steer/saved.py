"""Asking an engine of its own something about a checkpoint of a run, once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from laddertop.journal.folder import RunFolder
from laddertop.tui.steer.engine_process import EngineError, command, environment, for_an_engine


def ask_saved(run: RunFolder, question: str, words: list[str], say: Callable[[str], None]) -> Any:
    """What an engine prints as JSON to a `question`, one of its commands, with some more words; `say` is told what it
    has to say besides.

    Raises ValueError with the engine's words where it was asked for something that can't be, else EngineError.
    """
    done = subprocess.run(
        command(question, str(for_an_engine(run).path.absolute()), *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
    )
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        why = said.strip().split("\n")[-1].removeprefix("laddertop: ")
        if done.returncode == 2:
            raise ValueError(why)
        raise EngineError(why or f"the engine died without a word (exit status {done.returncode})")
    for line in said.splitlines():
        if line.startswith("laddertop: "):
            say(line.removeprefix("laddertop: "))
    # A model of the user's own may print, too.
    return json.loads(done.stdout.strip().rpartition(b"\n")[2])
