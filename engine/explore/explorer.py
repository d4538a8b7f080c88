"""Answers questions about one model: that of a training, between two steps, or one that was saved."""

from __future__ import annotations

import contextlib
import time
import traceback

import torch

from laddertop.engine.explore.answers import Arrays, Subject, answer
from laddertop.journal.explore import Head, Request, answered, questions, write_answer
from laddertop.journal.folder import RunFolder


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
            if not to_a_checkpoint(request):
                began = time.monotonic()
                self.answer(path.stem, request, step, None)
                self._not_before = 2 * time.monotonic() - began
                break

    def answer(self, identity: str, request: Request | str, step: int, checkpoint: str | None) -> None:
        """Answers the question `identity` about the model at `step`, from a `checkpoint` or a training."""
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
            id=identity,
            kind="" if isinstance(request, str) else request.question.kind,
            step=step,
            checkpoint=checkpoint,
            seconds=time.monotonic() - began,
            able=self._subject.able(),
            problem=problem,
        )
        deliver(self._run, head, arrays)


def to_a_checkpoint(request: Request | str) -> bool:
    """Whether a question is asked of a checkpoint and not of a training."""
    return isinstance(request, Request) and request.checkpoint is not None


def deliver(run: RunFolder, head: Head, arrays: Arrays) -> None:
    """Writes an answer. A disk that takes none ends no training; whoever asked gives up by himself."""
    try:
        write_answer(run.path, head, arrays)
    except (ValueError, OSError) as error:
        print(f"laddertop: an answer could not be written: {error}", flush=True)
    with contextlib.suppress(ValueError, OSError):
        answered(run.path, head.id)
