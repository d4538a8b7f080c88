"""`replay --train`: a run trained again with the same interventions, and whether its numbers are the same."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from laddertop.journal.folder import find_run, runs_folder
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.cli.follow import json_line
from laddertop.tui.cli.print import number, result, say
from laddertop.tui.cli.train import train_in_foreground
from laddertop.tui.steer.engine_process import removed_unless_begun
from laddertop.tui.steer.keeping import repeat
from laddertop.tui.steer.trust import driven


def train_again(runs: Path | None, text: str, name: str | None, *, trust: bool, as_json: bool) -> int:
    """Trains a run again as a new one, and compares their metrics; returns 0 when they are equal bit for bit, else 1,
    or the exit status of a training that was interrupted.

    Raises ValueError when there is nothing to repeat, or of a stranger's run without `trust`, EngineError when the
    training fails.
    """
    folder = runs_folder(runs)
    run = driven(find_run(folder, text), trust)
    made = repeat(run, folder, name)
    origin = made.origin
    assert origin is not None
    deeds = len(origin.commands)
    say(f"{made.name} repeats {run.name} with {deeds} intervention{'' if deeds == 1 else 's'}")
    with removed_unless_begun(made):
        status = train_in_foreground(made, as_json)
    if status:
        return status
    told = deviation(run.path, made.path)
    if as_json:
        json_line("compared", {"run": made.name, "time": time.time(), "of": run.name, **told})
    else:
        result(in_words(told))
    return 0 if told["equal"] else 1


def deviation(one: Path, other: Path) -> dict[str, Any]:
    """How far the metrics of two runs differ, over the steps that both have, times left out.

    `steps` is how many those are, `first` the first step at which they differ, `column` and `at` where the largest
    difference lies, relative to the larger of the two values, and `relative` how large it is.
    """
    readers = [MetricsReader(folder) for folder in (one, other)]
    for reader in readers:
        reader.poll()
    steps = np.intersect1d(readers[0].steps, readers[1].steps)
    told: dict[str, Any] = {"steps": len(steps), "columns": len(readers[0].columns), "equal": True, "first": None}
    told |= {"column": None, "at": None, "relative": 0.0}
    for column in readers[0].columns:
        a, b = (r.values(column.name)[np.isin(r.steps, steps)] for r in readers)
        differ = a.view(np.uint32) != b.view(np.uint32)
        if not differ.any():
            continue
        told["equal"] = False
        first = int(steps[differ][0])
        told["first"] = first if told["first"] is None else min(first, told["first"])
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.abs(a - b, dtype=np.float64) / np.maximum(np.abs(a), np.abs(b))
        # A number here and none there is as far apart as can be.
        relative = np.where(differ, np.nan_to_num(relative, nan=np.inf), 0.0)
        if relative.max() >= told["relative"]:
            told |= {"column": column.name, "at": int(steps[relative.argmax()]), "relative": float(relative.max())}
    return told


def in_words(told: dict[str, Any]) -> str:
    """A deviation in a sentence."""
    if told["equal"]:
        return f"equal bit for bit: {told['columns']} numbers at each of {told['steps']} steps"
    return (
        f"different from step {told['first']} on: {told['column']} differs most, by {number(100 * told['relative'])} % "
        f"at step {told['at']}, over {told['steps']} steps; another machine, another number of threads or another "
        "version of torch rounds differently"
    )
