"""Looks at a run folder a few times a second, in a thread of its own, and hands over what is new.

It polls file sizes (no inotify, which fails on network file systems), and takes up a bounded amount at each look, so
opening a long run shows its history growing instead of a frozen screen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from journal.commands import Command, pending
from journal.events import Event, EventReader, Sampled
from journal.folder import RunFolder
from journal.metrics import MetricsReader
from journal.samples import read_samples

ROWS_AT_MOST = 20_000
"""Steps taken up at one look."""


@dataclass(frozen=True)
class News:
    """What one look found. Arrays have one entry per new step."""

    began: float
    """When the look began, in seconds of the monotonic clock: commands sent later are not in `inbox`."""
    events: list[Event]
    alive: bool
    """Whether an engine holds the run."""
    inbox: list[Command]
    """Commands without an outcome so far."""
    rewound: bool = False
    """Forget the metrics so far: a resume threw a part of them away, and they follow again from the first step."""
    steps: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    times: np.ndarray = field(default_factory=lambda: np.empty(0))
    values: dict[str, np.ndarray] = field(default_factory=dict)
    """float32 by column name."""
    images: dict[str, np.ndarray] | None = None
    """The newest samples, uint8 (N, H, W) by row; None when there are no newer ones."""
    images_step: int = 0
    problem: str = ""
    """Something in the folder that can't be read."""
    console: str = ""
    """The last line that a dead engine printed."""
    more: bool = False
    """There is more to take up at once."""


class Watcher:
    """The eyes on one run."""

    def __init__(self, run: RunFolder) -> None:
        self._run = run
        self._events = EventReader(run.events_path)
        self._metrics = MetricsReader(run.path)
        self._rows = 0
        self._thrown_away: list[tuple[int, int]] = []

    def look(self) -> News:
        """What is new since the last look. Reads files only; called in a thread."""
        began = time.monotonic()
        alive = self._run.engine_alive()
        # The inbox before the events: what is gone from the inbox has its outcome among the events.
        inbox = [command for _, command in self._inbox() if isinstance(command, Command)]
        events = self._events.poll()
        images, images_step, problem = None, 0, ""
        if sampled := next((e for e in reversed(events) if isinstance(e, Sampled)), None):
            try:
                images, images_step = read_samples(self._run.path, sampled.file), sampled.step
            except ValueError as error:
                problem = str(error)
        rewound, steps, times, values, more = self._new_rows()
        return News(
            began,
            events,
            alive,
            inbox,
            rewound,
            steps,
            times,
            values,
            images,
            images_step,
            problem,
            "" if alive else self._last_console_line(),
            more,
        )

    def _inbox(self) -> list[tuple[object, Command | str]]:
        try:
            return list(pending(self._run.path))
        except FileNotFoundError:
            return []

    def _new_rows(self) -> tuple[bool, np.ndarray, np.ndarray, dict[str, np.ndarray], bool]:
        self._metrics.poll()
        rewound = self._metrics.thrown_away != self._thrown_away
        if rewound:
            self._thrown_away = self._metrics.thrown_away
            self._rows = 0
        parts, skip = [], self._rows
        for records in self._metrics.kept():
            parts.append(records[skip:])
            skip = max(skip - len(records), 0)
        left = sum(len(part) for part in parts)
        taken, room = [], ROWS_AT_MOST
        for part in parts:
            taken.append(np.array(part[:room]))
            room -= len(taken[-1])
        rows = np.concatenate(taken) if taken else None
        if rows is None or not len(rows):
            return rewound, np.empty(0, np.int64), np.empty(0), {}, False
        self._rows += len(rows)
        values = {column.name: rows["values"][:, i].copy() for i, column in enumerate(self._metrics.columns)}
        return rewound, rows["step"].copy(), rows["time"].copy(), values, left > len(rows)

    def _last_console_line(self) -> str:
        try:
            with self._run.console_path.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(file.tell() - 4096, 0))
                lines = file.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
