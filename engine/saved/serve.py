"""A process of its own that answers questions about checkpoints of a run."""

from __future__ import annotations

import time

from laddertop.engine.explore.explorer import Explorer, deliver, to_a_checkpoint
from laddertop.engine.saved.model import Saved
from laddertop.journal.explore import Head, Request, questions
from laddertop.journal.folder import RunFolder

LOOK = 0.05
"""Seconds between two looks for a question."""


def serve(run: RunFolder, idle: float) -> int:
    """Answers from checkpoints until nobody has asked for `idle` seconds; what is asked of a training is left to it.

    The caller holds the run's explorer lock.
    """
    last = time.monotonic()
    saved: Saved | None = None
    explorer: Explorer | None = None
    while time.monotonic() - last < idle:
        training = run.engine_alive()
        waiting = [
            (identity, request) for identity, request in questions(run.path) if not training or to_a_checkpoint(request)
        ]
        if not waiting:
            time.sleep(LOOK)
            continue
        path, request = waiting[0]
        step = request.checkpoint if isinstance(request, Request) else None
        try:
            if saved is None or explorer is None:
                saved = Saved(run, step)
                explorer = Explorer(run, saved.subject)
            else:
                saved.restore(step)
        except Exception as error:  # whatever a run holds, whoever asks of it hears why there is no answer
            saved = None  # a run that can't be opened, or a checkpoint that does not fit
            head = Head(id=path.stem, kind="", step=0, checkpoint=None, seconds=0, able=[], problem=str(error))
            deliver(run, head, {})
        else:
            explorer.answer(path.stem, request, saved.checkpoint.step, saved.checkpoint.file)
        last = time.monotonic()
    return 0
