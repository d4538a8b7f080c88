"""The lines of many runs: read once when a run is over, and not again until its files change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from laddertop.journal.folder import RunFolder
from laddertop.journal.state import OVER
from laddertop.tui.watch.kept import WORTH_KEEPING, keep, recall

KIND, FORMAT = "summaries", 1
"""How they are kept; the format changes with the keys of a line, and with what counts as damage."""


def short_summaries(runs: Path, there: list[RunFolder]) -> list[dict[str, Any]]:
    """The lines of the runs `there` in the folder `runs`, as `short_summary` has them."""
    known = {one.get("run"): one for one in recall(runs, KIND, FORMAT)}
    told, read = [], 0
    for run in there:
        files = _files(run)
        one = known.get(run.name)
        if one is None or "line" not in one or one.get("files") != files or run.engine_alive():
            from laddertop.tui.watch.summary import short_summary  # with numpy, which known runs do without

            one = known[run.name] = {"run": run.name, "files": files, "line": short_summary(run)}
            read += one["line"]["state"] in OVER
        told.append(one["line"])
    if read >= WORTH_KEEPING:
        over = [one for one in known.values() if one["line"]["state"] in OVER]
        keep(runs, KIND, FORMAT, [one for one in over if (runs / one["run"] / "spec.json").exists()])
    return told


def _files(run: RunFolder) -> list[list[Any]]:
    """What the files of a run look like from outside: while they do, there is nothing new in them."""
    try:
        with os.scandir(run.path) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return []
    return sorted([name, at.st_ino, at.st_size, at.st_mtime_ns] for name, at in found)
