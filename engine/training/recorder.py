"""Takes the numbers of every step to the journal, without making the device wait.

Shape letters: N buffered steps, K columns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from laddertop.journal.events import Column, Knob, Term
from laddertop.journal.metrics import MetricsWriter, columns_of

BUFFERED = 4096
"""Steps the buffer on the device holds."""
INTERVAL = 0.2
"""Seconds between two copies out of it."""

Takes = Callable[[Callable[[], None], Callable[[], None]], None]
"""Writes something, and the rest of it where the disk refuses that: `Disk.takes`."""

Look = Callable[[list[int], npt.NDArray[np.float32]], None]
"""Takes up what N steps recorded: their numbers and their values [N, K]."""


def columns(terms: list[Term], knobs: list[Knob]) -> list[Column]:
    """The columns of a run that an engine trains: those of every run, and the gradient's norm."""
    norm = Column(name="grad_norm", label="gradient norm", unit="over all parameters, before clipping")
    return [*columns_of(terms, knobs), norm]


class Recorder:
    """A buffer on the device that is written out a few times a second."""

    def __init__(
        self,
        folder: Path,
        segment: int,
        width: int,
        device: torch.device,
        look: Look = lambda steps, values: None,
        takes: Takes = lambda write, rest: write(),
    ) -> None:
        """Begins the metrics file of `segment` with K = `width` columns; `look` is shown all that is written, and
        `takes` says what happens where the disk refuses it."""
        self._writer = MetricsWriter(folder, segment, width)
        self._buffer = torch.empty(BUFFERED, width, device=device)
        self._steps: list[int] = []
        self._times: list[float] = []
        self._flushed = time.monotonic()
        self._look, self._takes = look, takes

    def row(self) -> Tensor:
        """Where the next step puts its values, float32 [K] on the device."""
        return self._buffer[len(self._steps)]

    def report(self, step: int) -> None:
        """The step that completes `step` has put its values into `row()`."""
        self._steps.append(step)
        self._times.append(time.time())
        if len(self._steps) == BUFFERED or (time.monotonic() - self._flushed > INTERVAL):
            self.flush()

    def flush(self) -> None:
        """Writes what is buffered. Raises OSError when the disk does not take it; the next flush writes the rest."""
        self._flushed = time.monotonic()
        steps, times = self._steps, self._times
        values = self._buffer[: len(steps)].cpu().numpy()
        # The writer keeps what the disk does not take.
        self._steps, self._times = [], []
        if steps:
            self._look(steps, values)
        self._takes(lambda: self._writer.append(steps, times, values), self._writer.flush)

    @property
    def problem(self) -> str:
        """What goes wrong in the records and can be done without; empty when nothing does."""
        return self._writer.problem

    def lost(self) -> str:
        """What became of the file of the numbers behind our back, in words; empty where it is in order."""
        return self._writer.lost()

    def close(self) -> None:
        """Writes what is buffered and closes the file."""
        self.flush()
        self._takes(self._writer.finish, self._writer.flush)
        self._writer.close()
