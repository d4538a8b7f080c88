"""Checkpoints that the events of a run lost: a power cut may leave them on the disk, sound, and named by no event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from laddertop.engine.training import checkpoint
from laddertop.journal import inside
from laddertop.journal.checkpoints import step_of, unrecorded
from laddertop.journal.damage import changed
from laddertop.journal.event_lines import unreadable
from laddertop.journal.events import Checkpointed, Event, Logged
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState


def adopt(run: RunFolder, tell: Callable[[Event], None], state: RunState, damaged: int) -> None:
    """Tells what a start has to say of what it found: the checkpoints of the newest start that are further than all
    that is recorded, `damaged` lines of the events, and files that are not as they were."""
    told = [unreadable(damaged)] if damaged else []
    told += changed(run, state)
    warnings = [Logged(step=state.step, level="warning", text=text) for text in told]
    for event in (*found_again(run, state), *warnings):
        tell(event)


def found_again(run: RunFolder, state: RunState) -> list[Event]:
    """The checkpoints of the newest start that are further than all that is recorded, and a sentence naming them."""
    found = _lost(run, state)
    if not found:
        return []
    steps = ", ".join(str(saved.step) for saved in found)
    text = f"events.jsonl had lost what happened last; found again by what they say of themselves: checkpoints {steps}"
    return [*found, Logged(step=found[-1].step, level="warning", text=text)]


def _lost(run: RunFolder, state: RunState) -> list[Checkpointed]:
    of_start: dict[int, list[Checkpointed]] = {}
    for name in unrecorded(run, state):
        segment, saved = _as_it_says(run, name)
        # What an older start left was thrown away with its steps, or the newest start has begun without it.
        if saved and segment >= state.segment:
            of_start.setdefault(segment, []).append(saved)
    return of_start[max(of_start)] if of_start else []


def _as_it_says(run: RunFolder, name: str) -> tuple[int, Checkpointed | None]:
    """The start that a checkpoint is of, and the event that it lacks; none where it is not sound or does not say."""
    try:
        with inside.reading(run.path, name) as file:
            data = file.read()
        checksum, step = hashlib.sha256(data).hexdigest(), step_of(name)
        saved = Checkpointed(step=step, file=name, sha256=checksum, bytes=len(data), reason="")
        header = checkpoint.load(run.path, saved)["saved"]
        told = {key: header[key] for key in ("reason", "diverged")}
        whole = name.endswith(f"-{checksum[:8]}.ckpt")
        return header["segment"], Checkpointed.model_validate(saved.model_dump() | told) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return 0, None
