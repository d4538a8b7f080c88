"""Saving a training so that nothing is lost, and taking it up again so that nobody can tell."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from laddertop.engine.training.controls import Controls
from laddertop.engine.training.optim import Adam
from laddertop.journal.events import Checkpointed
from laddertop.journal.files import write_atomically

FORMAT = 1
"""Number of the layout of a checkpoint file."""


def save(folder: Path, step: int, optimizer: Adam, controls: Controls, reason: str) -> Checkpointed:
    """Writes the checkpoint of `step` and returns the event to record.

    A part of the checksum is in its name, so that it never takes the place of another one that is recorded already:
    who is killed before the event is recorded leaves a file that nobody knows, and all others as they were.

    Raises OSError when the disk does not take it; the older checkpoints are then still there.
    """
    buffer = io.BytesIO()
    torch.save(
        {"format": FORMAT, "step": step, **optimizer.state(), "controls": dataclasses.asdict(controls.state)}, buffer
    )
    data = buffer.getvalue()
    checksum = hashlib.sha256(data).hexdigest()
    name = f"step-{step:09d}-{checksum[:8]}.ckpt"
    write_atomically(folder / name, data, durable=True)
    return Checkpointed(step=step, file=name, sha256=checksum, bytes=len(data), reason=reason)


def prune(folder: Path, recorded: list[Checkpointed], keep: int) -> None:
    """Removes checkpoint files, and what a crash left of one, but for those of the `keep` newest steps recorded; of
    several of one step the newest stays."""
    kept = list({saved.step: saved.file for saved in recorded}.values())[-keep:]
    for path in [*folder.glob("step-*.ckpt"), *folder.glob(".step-*")]:
        if path.name not in kept:
            path.unlink()


def of_step(saved: list[Checkpointed], step: int) -> Checkpointed:
    """The newest of the checkpoints `saved` that has a step. Raises ValueError naming the steps there are."""
    fitting = [one for one in saved if one.step == step]
    if not fitting:
        there = ", ".join(str(one.step) for one in saved)
        raise ValueError(
            f"there is no checkpoint of step {step}; " + (f"there are {there}" if there else "there is none")
        )
    return fitting[-1]


def load(folder: Path, recorded: Checkpointed) -> dict[str, Any]:
    """The content of a checkpoint. Raises ValueError when the file is damaged or from another laddertop."""
    path = folder / recorded.file
    data = path.read_bytes()
    way_out = f"delete it to go on from the checkpoint before it: rm {path}"
    if hashlib.sha256(data).hexdigest() != recorded.sha256:
        raise ValueError(
            f"the checkpoint {path} is damaged: its checksum is not the one recorded at step {recorded.step}; {way_out}"
        )
    content: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    if content.get("format") != FORMAT:
        raise ValueError(
            f"the checkpoint {path} has format {content.get('format')}, this laddertop reads {FORMAT}; {way_out}"
        )
    return content


def restore(content: dict[str, Any], optimizer: Adam, controls: Controls) -> int:
    """Puts a checkpoint's content into place and returns its step."""
    optimizer.load(content)
    controls.load(content["controls"])
    return int(content["step"])
