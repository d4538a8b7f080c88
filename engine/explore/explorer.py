"""Answers questions about a model: between two steps of a training, or in a process of its own from a checkpoint."""

from __future__ import annotations

import contextlib
import time
import traceback
from pathlib import Path

import torch

from engine.answers import Arrays, Subject, answer
from engine.saved import Saved
from journal.explore import Head, Request, questions, write_answer
from journal.folder import RunFolder

LOOK = 0.05
"""Seconds between two looks of that process."""


class Explorer:
    """Answers questions about one model, for somebody who must not come to harm by a question."""

    def __init__(self, run: RunFolder, subject: Subject) -> None:
        self._run, self._subject = run, subject
        self._settled: tuple[int, str | None] | None = None
        self._not_before = 0.0

    def look(self, step: int) -> None:
        """Answers the oldest question to a training, if there is one, after `step` completed steps.

        A training spends at most half of its time on answers: after one that took long it trains as long.
        """
        if time.monotonic() < self._not_before:
            return
        for path, request in questions(self._run.path):
            if not _to_a_checkpoint(request):
                began = time.monotonic()
                self.answer(path, request, step, None)
                self._not_before = 2 * time.monotonic() - began
                break

    def answer(self, path: Path, request: Request | str, step: int, checkpoint: str | None) -> None:
        """Answers the question in `path` about the model at `step`, from a `checkpoint` or a training."""
        began = time.monotonic()
        arrays: Arrays = {}
        problem = ""
        try:
            if isinstance(request, str):
                raise ValueError(f"the question can't be read: {request}")
            if self._settled != (step, checkpoint):
                self._subject.settle()
                self._settled = step, checkpoint
            arrays = answer(self._subject, request.question)
        except (ValueError, torch.OutOfMemoryError) as error:
            problem = str(error).partition("\n")[0]
        except Exception as error:
            traceback.print_exc()
            problem = f"{type(error).__name__}: {error}; the traceback is in {self._run.console_path}"
        head = Head(
            id=path.stem,
            kind="" if isinstance(request, str) else request.question.kind,
            step=step,
            checkpoint=checkpoint,
            seconds=time.monotonic() - began,
            able=self._subject.able(),
            problem=problem,
        )
        _deliver(self._run, path, head, arrays)


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
            (path, request) for path, request in questions(run.path) if not training or _to_a_checkpoint(request)
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
        except (ValueError, OSError, RuntimeError) as error:
            saved = None  # a run that can't be opened, or a checkpoint that does not fit
            head = Head(id=path.stem, kind="", step=0, checkpoint=None, seconds=0, able=[], problem=str(error))
            _deliver(run, path, head, {})
        else:
            explorer.answer(path, request, saved.checkpoint.step, saved.checkpoint.file)
        last = time.monotonic()
    return 0


def _to_a_checkpoint(request: Request | str) -> bool:
    return isinstance(request, Request) and request.checkpoint is not None


def _deliver(run: RunFolder, path: Path, head: Head, arrays: Arrays) -> None:
    """A disk that takes no answer ends no training; whoever asked gives up by himself."""
    try:
        write_answer(run.path, head, arrays)
        path.unlink(missing_ok=True)
    except OSError as error:
        print(f"laddertop: an answer could not be written: {error}", flush=True)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
