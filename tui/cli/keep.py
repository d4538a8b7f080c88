"""`fork`, `rollback`, `rename`, `note`, `tag`, `archive`, `delete`: what is done with whole runs. With those
of strangers only with `trust`; else ValueError says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from laddertop.journal.checkpoints import gone_back_to, newest
from laddertop.journal.commands import send, sender
from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder, find_run, runs_folder
from laddertop.journal.state import RunState
from laddertop.tui.cli.print import result, say
from laddertop.tui.cli.steer import ask, parse_changes
from laddertop.tui.cli.train import train_in_background, train_in_foreground
from laddertop.tui.steer import keeping
from laddertop.tui.steer.engine_process import removed_unless_begun
from laddertop.tui.steer.trust import driven


def fork(
    runs: Path | None,
    text: str,
    *,
    step: int | None,
    knobs: list[str],
    length: list[str],
    name: str | None,
    trust: bool,
    detach: bool,
    as_json: bool,
) -> int:
    """Trains a new run from a checkpoint of another one, with some knobs set otherwise; returns the exit status.

    Raises ValueError when there is no such checkpoint or knob, or when the run can't be made.
    """
    folder = runs_folder(runs)
    run = driven(find_run(folder, text), trust)
    changes = parse_changes(knobs, _state(run).knobs)
    made = keeping.fork(run, folder, step, name, length)
    origin = made.origin
    assert origin is not None
    if changes:
        # The first engine of a run is its start 1, and finds this before its first step.
        send(made.path, 1, "set", changes, by=sender("command line"))
    say(f"{made.name} goes on from step {origin.step} of {run.name}")
    with removed_unless_begun(made):
        return (train_in_background if detach else train_in_foreground)(made, as_json)


def roll_back(
    runs: Path | None, text: str, *, step: int | None, note: str, trust: bool, timeout: float, as_json: bool
) -> int:
    """Sends a run back to the newest checkpoint from before it diverged or to that of `step`, from which it is trained
    on in the background; step 0 begins it again.

    Raises ValueError when there is no such checkpoint.
    """
    run = driven(find_run(runs_folder(runs), text), trust)
    state = _state(run)
    if step is None:
        saved = newest(run.checkpoints(state.checkpoints))
        if saved is None:
            raise ValueError(f"{run.name} has no checkpoint; `--step 0` begins it again with its first step")
        step = saved.step
    gone_back_to(run, state, step)
    if run.engine_alive():
        ask(runs, text, "rollback", step=step, note=note, trust=trust, timeout=timeout, as_json=as_json)
        return 0
    return train_in_background(run, as_json, back_to=step)


def rename(runs: Path | None, text: str, name: str, trust: bool) -> None:
    """Gives a run another name."""
    run = driven(find_run(runs_folder(runs), text), trust)
    result(f"{run.name} → {keeping.rename(run, name).name}")


def note(runs: Path | None, text: str, words: str | None, trust: bool) -> None:
    """Keeps a note about a run, or tells it when there are no `words`."""
    run = find_run(runs_folder(runs), text)
    if words is None:
        result(run.note)
    else:
        keeping.write_note(driven(run, trust), words)


def tag(runs: Path | None, text: str, words: list[str], on: bool, trust: bool) -> None:
    """Gives a run tags, takes them away, or tells those that it has when there are no `words`."""
    run = find_run(runs_folder(runs), text)
    if words:
        keeping.tag(driven(run, trust), words, on)
    else:
        result(" ".join(run.tags))


def archive(runs: Path | None, texts: list[str], away: bool, trust: bool) -> None:
    """Puts runs away, or takes them back; none where one of them can't be."""
    chosen = _all(runs, texts, trust, keeping.check_idle if away else lambda run: None)
    for run in chosen:
        keeping.archive(run, away)
        say(f"{run.name} is {'put away; `laddertop runs --all` lists it' if away else 'back in the list'}")


def delete(runs: Path | None, texts: list[str], sure: bool, trust: bool) -> None:
    """Removes runs, once the user is sure; none where one of them can't be.

    Raises ValueError when nobody can be asked, or when one is being trained.
    """
    import sys

    chosen = _all(runs, texts, trust, keeping.check_idle)
    if not sure:
        names = ", ".join(run.name for run in chosen)
        if not sys.stdin.isatty():
            raise ValueError(f"deleting {names} can't be taken back; say --yes where nobody can be asked")
        for run in chosen[:-1]:
            say(str(run.path.absolute()))
        more = "" if len(chosen) == 1 else f": all {len(chosen)}"
        say(f"delete {chosen[-1].path.absolute()} for good{more}? [y/N]")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("nothing was deleted")
            return
    for run in chosen:
        keeping.delete(run)
        say(f"{run.name} is deleted")


def _all(runs: Path | None, texts: list[str], trust: bool, check: Callable[[RunFolder], None]) -> list[RunFolder]:
    """The runs that are meant, each once, all of them checked before anything is done to one."""
    folder = runs_folder(runs)
    found = {run.path.resolve(): run for run in (driven(find_run(folder, text), trust) for text in texts)}
    for run in found.values():
        check(run)
    return list(found.values())


def _state(run: RunFolder) -> RunState:
    return RunState().apply_all(EventReader(run.events_path).read_all())
