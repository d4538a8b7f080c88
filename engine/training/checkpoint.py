"""Saving a training so that nothing is lost, and taking it up again so that nobody can tell."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from laddertop.engine.training.controls import Controls
from laddertop.engine.training.optim import Adam
from laddertop.journal import inside
from laddertop.journal.checkpoints import CHECKPOINT_FILE, KEPT, content, way_out
from laddertop.journal.events import Checkpointed
from laddertop.journal.state import RunState

FORMAT = 1
"""Number of the layout of a checkpoint file."""

PARTS = "model", "first", "second", "controls"
"""What is in it, each by names."""


def save(
    folder: Path,
    step: int,
    optimizer: Adam,
    controls: Controls,
    reason: str,
    *,
    segment: int = 1,
    diverged: bool = False,
) -> Checkpointed:
    """Writes the checkpoint of `step`, of the start `segment`, and returns the event to record.

    It says itself what the event says, so that it can be found again where the events are lost.

    A part of the checksum is in its name, so that it never takes the place of another one that is recorded already:
    who is killed before the event is recorded leaves a file that nobody knows, and all others as they were.

    Raises OSError when the disk does not take it; the older checkpoints are then still there.
    """
    buffer = io.BytesIO()
    told = {"run": folder.resolve().name, "segment": segment, "reason": reason, "diverged": diverged}
    state = {**optimizer.state(), "controls": dataclasses.asdict(controls.state)}
    torch.save({"format": FORMAT, "step": step, "saved": told, **state}, buffer)
    data = buffer.getvalue()
    checksum = hashlib.sha256(data).hexdigest()
    name = f"step-{step:09d}-{checksum[:8]}.ckpt"
    inside.write(folder, name, data, durable=True)
    return Checkpointed(step=step, file=name, sha256=checksum, bytes=len(data), reason=reason, diverged=diverged)


def prune(folder: Path, state: RunState, steps: set[int]) -> None:
    """Removes what is not kept of the present line of a run, all checkpoints but the newest one of each of `steps`.

    Of what was thrown away with its steps only checkpoints of a diverged training go, and never those made by hand or
    those that a fork was made from. What a crash left of a checkpoint goes, and what it had no time to record.
    """
    newest = {saved.step: saved.file for saved in state.checkpoints}
    present = {file for step, file in newest.items() if step in steps}
    thrown_away = {saved.file for saved in state.abandoned if not saved.diverged or saved.reason == "command"}
    for name in inside.names(folder, "", CHECKPOINT_FILE):
        if name not in present | thrown_away and not inside.look(folder, name + KEPT):
            inside.remove(folder, name)


def load(folder: Path, recorded: Checkpointed) -> dict[str, Any]:
    """The content of a checkpoint. Raises ValueError when the file is damaged, no checkpoint, or from another
    laddertop."""
    data = content(folder, recorded)
    try:
        found: Any = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:
        # zipfile, pickle and torch each raise their own kinds; what torch advises, to trust the file, is no advice.
        raise _useless(folder, recorded, "it is no checkpoint of laddertop") from None
    if not isinstance(found, dict):
        raise _useless(folder, recorded, f"it holds a {type(found).__name__}, which is no checkpoint of laddertop")
    if found.get("format") != FORMAT:
        raise _useless(folder, recorded, f"it has format {found.get('format')}, this laddertop reads {FORMAT}")
    if missing := [part for part in PARTS if not isinstance(found.get(part), dict)]:
        raise _useless(folder, recorded, f"it has no {' and no '.join(missing)}")
    if found.get("step") != recorded.step:
        raise _useless(folder, recorded, f"it is of step {found.get('step')}, recorded is step {recorded.step}")
    return found


@contextlib.contextmanager
def fitting(folder: Path, recorded: Checkpointed) -> Iterator[None]:
    """Around what puts a checkpoint into place: raises ValueError when it is none of this model."""
    try:
        yield
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise _useless(folder, recorded, f"it is none of this run's model ({reason})") from None


def _useless(folder: Path, recorded: Checkpointed, why: str) -> ValueError:
    return ValueError(f"the checkpoint {folder / recorded.file} can't be used: {why}; {way_out(folder, recorded)}")


def restore(saved: dict[str, Any], optimizer: Adam, controls: Controls) -> int:
    """Puts a checkpoint's content into place and returns its step."""
    optimizer.load(saved)
    controls.load(saved["controls"])
    return int(saved["step"])
