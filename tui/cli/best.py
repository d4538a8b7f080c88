"""`--best`: the checkpoint of a run that its evaluations say is the best."""

from __future__ import annotations

from pathlib import Path

from laddertop.journal.checkpoints import best_of
from laddertop.journal.events import EventReader
from laddertop.journal.folder import find_run, runs_folder
from laddertop.journal.state import RunState
from laddertop.tui.cli.print import say
from laddertop.tui.watch.wording import measure


def chosen_step(runs: Path | None, text: str, step: int | None, best: bool) -> int | None:
    """The step of the checkpoint that is meant by --step or --best; none: neither was typed. Tells which one is the
    best, by what, and on which images.

    Raises ValueError where both were typed, or no checkpoint was evaluated.
    """
    if not best:
        return step
    if step is not None:
        raise ValueError("give either --step or --best")
    run = find_run(runs_folder(runs), text)
    saved, evaluated = best_of(run, RunState().apply_all(EventReader(run.events_path).read_all()))
    name = run.spec.policy.keep_best or evaluated.headline()
    assert name is not None
    told = measure(name, evaluated.values[name])
    say(f"the best checkpoint is that of step {saved.step}: {told} on the {evaluated.split} images")
    return saved.step
