"""Which checkpoint a run goes on from, and which ones it keeps."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path

from laddertop.journal import inside
from laddertop.journal.events import Checkpointed, Evaluated
from laddertop.journal.folder import RunFolder
from laddertop.journal.origin import ORIGIN_CHECKPOINT
from laddertop.journal.state import RunState

CHECKPOINT_FILE = re.compile(r"step-[0-9]{1,20}(-[0-9a-f]{8})?\.ckpt|\.step-[0-9]{1,20}(-[0-9a-f]{8})?\.ckpt\.\w{8}")
"""Names of checkpoints, and of what a crash left half written of one."""

KEPT = ".keep"
"""Ends the name of the empty file beside a checkpoint that is never removed: a fork was made from it."""


def to_resume(run: RunFolder, state: RunState) -> Checkpointed | None:
    """The checkpoint that a run goes on from: the newest one from before it diverged; none where it has to begin.

    Raises ValueError when there is none and steps would be lost, or when its origin is damaged.
    """
    there = run.checkpoints(state.checkpoints)
    if (best := newest(there)) and not best.diverged:
        return best
    origin = run.origin
    if origin is not None and origin.checkpoint is not None:
        raise ValueError(
            f"{run.name} is a fork, and what it began with is gone: {run.path / ORIGIN_CHECKPOINT}; put the file back, "
            f"or fork anew: `laddertop fork {origin.run} --step {origin.step}`"
        )
    if there or any(file.lstat().st_size for file in run.path.glob("metrics-*.bin")):
        left = "only checkpoints from after it diverged" if there else "no checkpoint"
        raise ValueError(
            f"{run.name} has been trained, and has {left} to go on from; `laddertop rollback {run.name} --step 0` "
            f"begins it again with its first step, `laddertop replay {run.name} --train` trains it again as a new run"
        )
    return None


def unrecorded(run: RunFolder, state: RunState) -> list[str]:
    """Files of checkpoints that no event names and that are further than all that events name."""
    recorded = {saved.file for saved in (*state.checkpoints, *state.abandoned)}
    last = max((saved.step for saved in state.checkpoints), default=-1)
    whole = [name for name in inside.names(run.path, "", CHECKPOINT_FILE) if name[0] != "."]
    return [name for name in whole if name not in recorded and step_of(name) > last]


def step_of(name: str) -> int:
    """The step that the name of a checkpoint's file says."""
    return int(name.removesuffix(".ckpt").split("-")[1])


def newest(there: list[Checkpointed]) -> Checkpointed | None:
    """The newest of some checkpoints from before the run diverged, else of all; none when there are none."""
    return next((saved for saved in reversed(there) if not saved.diverged), there[-1] if there else None)


def gone_back_to(run: RunFolder, state: RunState, step: int) -> Checkpointed | None:
    """The checkpoint that a run goes back to; none for step 0 of one that began from nothing: it begins again.

    Raises ValueError naming the steps there are.
    """
    there, origin = run.checkpoints(state.checkpoints), run.origin
    if step == 0 and not (origin and origin.checkpoint) and not any(saved.step == 0 for saved in there):
        return None
    return of_step(run.name, there, step)


def of_step(name: str, there: list[Checkpointed], step: int) -> Checkpointed:
    """The newest of the checkpoints `there` of the run called `name` that has a step.

    Raises ValueError naming the steps there are.
    """
    fitting = [saved for saved in there if saved.step == step]
    if not fitting:
        steps = ", ".join(str(saved.step) for saved in there)
        raise ValueError(
            f"{name} has no checkpoint of step {step}; " + (f"there are {steps}" if there else "there is none")
        )
    return fitting[-1]


def content(folder: Path, recorded: Checkpointed) -> bytes:
    """The bytes of a checkpoint. Raises ValueError when it can't be read or is not what was saved."""
    path = folder / recorded.file
    try:
        with inside.reading(folder, recorded.file) as file:
            data = file.read()
    except OSError as error:
        raise ValueError(f"can't read the checkpoint {path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != recorded.sha256:
        raise ValueError(
            f"the checkpoint {path} is damaged: its checksum is not the one recorded at step {recorded.step}; "
            + way_out(folder, recorded)
        )
    return data


def way_out(folder: Path, recorded: Checkpointed) -> str:
    """What to do about a checkpoint that can't be used."""
    path = folder / recorded.file
    if recorded.file == ORIGIN_CHECKPOINT:
        return "the run began with it: fork anew, or put a sound copy in its place"
    return f"delete it to go on from the checkpoint before it: rm {path}"


def kept(state: RunState, there: list[Checkpointed], keep: int, keep_best: int, by: str = "") -> set[int]:
    """The steps of the checkpoints `there`, all of the present line, that stay: the `keep` newest sound ones, the
    `keep_best` best by a value of the evaluations, the newest diverged one, and all that was made by hand, that the run
    stands on or that it was ever sent back to.
    """
    sound = [saved.step for saved in there if not saved.diverged]
    lost = [saved.step for saved in there if saved.diverged]
    best = [saved.step for saved, _ in _best_first(state, there, by)][: max(keep_best, bool(by))]
    by_hand = {saved.step for saved in state.checkpoints if saved.reason == "command"}
    sent_back = {start.step for start in state.starts if start.rolled_back}
    stands_on = {state.started.step} if state.started else set()
    return {*sound[-keep:], *best, *lost[-1:], *by_hand, *sent_back, *stands_on}


def best_of(run: RunFolder, state: RunState) -> tuple[Checkpointed, Evaluated]:
    """The checkpoint with the best evaluation at its step, by what the run keeps the best by, and that evaluation.

    Raises ValueError when there is none.
    """
    by = run.spec.policy.keep_best
    found = _best_first(state, run.checkpoints(state.checkpoints), by)
    if not found:
        raise ValueError(
            f"{run.name} has no checkpoint of a step at which {by or 'the model'} was evaluated; --keep-best KEY of "
            "`laddertop train` saves the best, --step N takes any that is there"
        )
    return found[0]


def _best_first(state: RunState, there: list[Checkpointed], by: str) -> list[tuple[Checkpointed, Evaluated]]:
    """The sound ones of the checkpoints `there` that were evaluated, each with its evaluation."""
    measured = {e.step: e for e in state.evaluations if not math.isnan(worth(e, by))}
    found = [(saved, measured[saved.step]) for saved in there if not saved.diverged and saved.step in measured]
    return sorted(found, key=lambda one: (worth(one[1], by), one[0].step))


def worth(evaluated: Evaluated, by: str = "") -> float:
    """What an evaluation is judged by, less is better: the value of that name, else its headline; NaN where there is
    none that can be judged."""
    name = by or evaluated.headline()
    if name not in evaluated.values or evaluated.values[name].better == "none":
        return math.nan
    value = evaluated.values[name]
    return value.value if value.better == "lower" else -value.value
