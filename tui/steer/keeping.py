"""What a user does with whole runs: fork, repeat, rename, note, archive, delete. Never with one that is being trained,
but for forking and the note, which leave the training alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from laddertop.journal import inside
from laddertop.journal.checkpoints import KEPT, content, newest, unrecorded
from laddertop.journal.events import EventReader
from laddertop.journal.folder import ARCHIVED, NOTE, RunFolder, check_name, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.origin import ORIGIN_CHECKPOINT, Origin
from laddertop.journal.ours import check_ours
from laddertop.journal.spec import override
from laddertop.journal.state import RunState
from laddertop.tui.steer.engine_process import for_an_engine

_DELETED = re.compile(r"\.deleted-[0-9a-f]{8}")


def fork(
    run: RunFolder, runs: Path, step: int | None = None, name: str | None = None, settings: Iterable[str] = ()
) -> RunFolder:
    """A new run in the folder `runs` that goes on from a checkpoint of `run`.

    It is the newest one from before it diverged, or the one of `step`, which may have been thrown away by a roll-back.

    Of the key=value `settings` only the length means anything: the knobs come from the checkpoint. Raises ValueError
    when there is no such checkpoint, when it is damaged, when nothing is left to train from there, or when the new
    folder can't be made.
    """
    spec = override(for_an_engine(run).spec, settings)
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    if step is None and not run.engine_alive() and (lost := unrecorded(run, state)):
        raise ValueError(
            f"events.jsonl of {run.name} does not name what was saved last, {', '.join(lost)}: `laddertop resume` "
            "finds it again, --step takes an older one"
        )
    saved = run.checkpoints(state.checkpoints)
    taken = newest(saved) if step is None else next((one for one in saved if one.step == step), None)
    if taken is None and step is not None:
        thrown_away = (one for one in reversed(state.abandoned) if one.step == step)
        taken = next((one for one in thrown_away if inside.look(run.path, one.file)), None)
    if taken is None:
        there = f"there are {', '.join(str(one.step) for one in saved)}" if saved else "there is none"
        raise ValueError(f"{run.name} has no checkpoint{'' if step is None else f' of step {step}'}; {there}")
    if state.started is not None:
        steps = spec.steps or round((spec.epochs or 0) * state.started.epoch_steps)
        if steps <= taken.step:
            raise ValueError(f"from step {taken.step} nothing is left to train: the run has {steps} steps")
    begin = taken.model_copy(update={"file": ORIGIN_CHECKPOINT, "diverged": False})
    origin = Origin(kind="fork", run=run.name, folder=str(run.path.absolute()), checkpoint=begin)
    made = create_run(runs, spec, name, origin, content(run.path, taken), run)
    with contextlib.suppress(ValueError, OSError):  # a run that can only be read keeps nothing for others
        inside.touch(run.path, f"{taken.file}{KEPT}")
    return made


def repeat(run: RunFolder, runs: Path, name: str | None = None) -> RunFolder:
    """A new run in the folder `runs` that trains `run` again up to where it stands, with the same interventions at the
    same steps, and in the precision, compiled or not, and with the threads that it had.

    Raises ValueError when it has not been trained, or when the new folder can't be made.
    """
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    first, before = next(iter(state.starts), None), run.origin
    metrics = MetricsReader(run.path)
    metrics.poll()
    step = metrics.last_step()
    begins = before.step if before else 0
    if first is None or step <= begins:
        raise ValueError(f"{run.name} has not been trained yet; there is nothing to repeat")
    for_an_engine(run)
    settings = [f"precision={first.precision}", f"compile={'on' if first.compiled else 'off'}"]
    spec = override(run.spec, [*settings, f"threads={first.threads}"])
    checkpoint = before.checkpoint if before else None
    commands = [*(before.commands if before else []), *state.interventions()]
    again = {c.id: c.model_copy(update={"by": f"{c.by}, in {run.name}"}) for c in commands}
    origin = Origin(
        kind="replay",
        run=run.name,
        folder=str(run.path.absolute()),
        checkpoint=checkpoint,
        commands=sorted(again.values(), key=lambda c: c.step),
        until=step if step < first.steps else None,
    )
    return create_run(runs, spec, name, origin, content(run.path, checkpoint) if checkpoint else None, run)


def rename(run: RunFolder, name: str) -> RunFolder:
    """The run under another name. Raises ValueError when it is being trained, or when the name can't be taken."""
    check_name(name)
    path = run.path.resolve()
    target = path.parent / name
    if os.path.lexists(target):
        raise ValueError(f"there is a run {name} already")
    try:
        with _idle(run):
            path.rename(target)
    except OSError as error:
        raise ValueError(f"{run.name} can't be renamed: {error.strerror}") from None
    return RunFolder(target)


def write_note(run: RunFolder, text: str) -> None:
    """Keeps the user's words about a run; empty ones take the note away. Raises OSError when it can't be written."""
    line = " ".join(text.split())
    if line:
        inside.write(run.path, NOTE, f"{line}\n".encode())
    else:
        inside.remove(run.path, NOTE)


def tag(run: RunFolder, words: Iterable[str], on: bool) -> None:
    """Gives the run tags, or takes them away; the other words of its note stay as they are.

    Raises ValueError for what can't be a tag.
    """
    words = list(dict.fromkeys(word.removeprefix("#") for word in words))
    if wrong := [word for word in words if not word or not word.isprintable() or word.split() != [word]]:
        raise ValueError(f"{wrong[0]!r} can't be a tag: take one word")
    known = run.tags
    if on:
        write_note(run, " ".join([run.note, *(f"#{word}" for word in words if word not in known)]))
    else:
        write_note(
            run, " ".join(one for one in run.note.split() if one.removeprefix("#") not in words or one[0] != "#")
        )


def archive(run: RunFolder, away: bool) -> None:
    """Puts a run away, out of the list of runs, or takes it back. Raises ValueError when it is being trained."""
    if away:
        with _idle(run):
            inside.touch(run.path, ARCHIVED)
    else:
        inside.remove(run.path, ARCHIVED)


def delete(run: RunFolder) -> None:
    """Removes a run and all that it holds. Raises ValueError when it is being trained, OSError when it can't be."""
    path = run.path.resolve()
    going = path.parent / f".deleted-{secrets.token_hex(4)}"
    # It is gone at once, however long the files take; what a deletion before left behind goes too.
    with _idle(run):
        path.rename(going)
    for left in path.parent.glob(".deleted-*"):
        if left != going and _DELETED.fullmatch(left.name):
            shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(going)


def check_idle(run: RunFolder) -> None:
    """Raises ValueError when the run is being trained, or its folder is none of ours or holds anything else."""
    check_ours(run)
    if run.engine_alive():
        raise ValueError(f"an engine is training {run.name}; stop it first")


@contextlib.contextmanager
def _idle(run: RunFolder) -> Iterator[None]:
    """Nobody trains the run, and nobody begins to; and it is a run, with nothing else in its folder."""
    check_idle(run)
    with run.engine_lock():
        yield
