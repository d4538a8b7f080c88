"""Answers questions about a model: between two steps of a training, or in a process of its own from a checkpoint."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import torch

from engine.answers import Subject, answer
from engine.saved import Saved
from journal.explore import Head, Request, questions, write_answer
from journal.folder import RunFolder

LOOK = 0.05
"""Seconds between two looks of that process."""


class Explorer:
    """Answers the questions in a run's folder, one at a time."""

    def __init__(self, run: RunFolder, subject: Subject) -> None:
        self._run, self._subject = run, subject
        self._settled = -1
        self._not_before = 0.0

    def look(self, step: int, checkpoint: str | None = None) -> bool:
        """Answers the oldest question, if there is one; returns whether there was.

        `step` is that of the model, which came from a `checkpoint` or is being trained. A training spends at most half
        of its time on answers: the next may take as long as it likes after as long a pause. Nothing that a question
        brings about is let through to the caller.
        """
        if checkpoint is None and time.monotonic() < self._not_before:
            return False
        waiting = questions(self._run.path)
        if not waiting:
            return False
        began = time.monotonic()
        path, request = waiting[0]
        kind = request.question.kind if isinstance(request, Request) else ""
        arrays, problem = {}, ""
        try:
            if isinstance(request, str):
                raise ValueError(f"the question can't be read: {request}")
            if self._settled != step:
                self._subject.settle()
                self._settled = step
            arrays = answer(self._subject, request.question)
        except (ValueError, torch.OutOfMemoryError) as error:
            problem = str(error).partition("\n")[0]
        except Exception as error:
            traceback.print_exc()
            problem = f"{type(error).__name__}: {error}; the traceback is in {self._run.console_path}"
        seconds = time.monotonic() - began
        head = Head(
            id=path.stem,
            kind=kind,
            step=step,
            checkpoint=checkpoint,
            seconds=seconds,
            able=self._subject.able(),
            problem=problem,
        )
        _deliver(lambda: write_answer(self._run.path, head, arrays))
        _deliver(lambda: path.unlink(missing_ok=True))
        self._not_before = time.monotonic() + seconds
        return True


def serve(run: RunFolder, idle: float) -> int:
    """Answers from the newest checkpoint until nobody has asked for `idle` seconds, or an engine trains the run.

    The caller holds the run's explorer lock. A run that can't be opened answers every question with the reason.
    """
    last = time.monotonic()
    saved: Saved | None = None
    explorer: Explorer | None = None
    while time.monotonic() - last < idle and not run.engine_alive():
        waiting = questions(run.path)
        if not waiting:
            time.sleep(LOOK)
            continue
        last = time.monotonic()
        try:
            if saved is None or explorer is None:
                saved = Saved(run)
                explorer = Explorer(run, saved.subject)
            elif saved.refresh():
                explorer = Explorer(run, saved.subject)
        except (ValueError, OSError, RuntimeError) as error:
            _refuse(run, str(error))
            return 1
        explorer.look(saved.checkpoint.step, saved.checkpoint.file)
    return 0


def _refuse(run: RunFolder, problem: str) -> None:
    for path, _ in questions(run.path):
        head = Head(id=path.stem, kind="", step=0, checkpoint=None, seconds=0, able=[], problem=problem)
        _deliver(lambda head=head: write_answer(run.path, head, {}))  # type: ignore[misc]
        path.unlink(missing_ok=True)


def _deliver(write: Callable[[], None]) -> None:
    """A disk that takes no answer ends no training; whoever asked gives up by himself."""
    try:
        write()
    except OSError as error:
        print(f"laddertop: an answer could not be written: {error}", flush=True)
