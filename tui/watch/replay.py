"""A run played again: what an attached dashboard saw at any moment between its first start and its end.

Everything the journal holds bears its time, so a moment of the past is what was written up to then: a step that a later
resume threw away is there until that resume. Pauses, and the time between two starts, are cut short.
"""

from __future__ import annotations

import sys
import time
from bisect import bisect_right
from dataclasses import replace

import numpy as np

from laddertop.journal.events import Event, EventReader, RunEnded
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.watch.history import Wanted
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import News, Watcher

GAP = 2.0
"""Seconds of silence that are played; longer ones are cut to this."""
PLAYED_IN = 60.0
"""Seconds that a run takes at first."""
POINTS = 50_000
"""Times of a start that the timeline is built from at most."""


class Past:
    """Everything that was recorded of a run, and the moment up to which it is shown."""

    def __init__(self, run: RunFolder) -> None:
        """Reads all events of `run`. Raises ValueError when there is nothing to play."""
        self.events: list[Event] = EventReader(run.events_path).read_all()
        self.metrics = MetricsReader(run.path)
        self.metrics.poll()
        times = [np.array([event.time for event in self.events])]
        for records in self.metrics.records():
            times.append(np.append(records["time"][:: max(len(records) // POINTS, 1)], records["time"][-1:]))
        wall = np.unique(np.concatenate(times))
        if len(wall) < 2:
            raise ValueError(f"{run.name} has nothing to play again: no engine has recorded anything")
        self._wall = wall
        self._played = np.concatenate([[0.0], np.cumsum(np.minimum(np.diff(wall), GAP))])
        self.at = 0.0
        """Where the playing stands, in seconds of the timeline without its silences."""
        self.length = float(self._played[-1])
        """Of the timeline, in seconds."""

    @property
    def moment(self) -> float:
        """The moment that is shown, in seconds since 1970."""
        return float(np.interp(self.at, self._played, self._wall))

    def go(self, at: float) -> None:
        """Go to a place of the timeline."""
        self.at = min(max(at, 0.0), self.length)

    def step(self, by: int) -> None:
        """Go some training steps on or back, from start to start."""
        now, counted = self.moment, 0
        parts = [records for records in self.metrics.records() if len(records)]
        before = [len(_until(records, now)) for records in parts]
        wanted = min(max(sum(before) + by, 1), sum(map(len, parts))) - 1
        for records in parts:
            if wanted < counted + len(records):
                # Just after it, as times are floats.
                self.go(float(np.interp(records["time"][wanted - counted], self._wall, self._played)) + 1e-6)
                return
            counted += len(records)


class _PastEvents(EventReader):
    def __init__(self, run: RunFolder, past: Past) -> None:
        super().__init__(run.events_path)
        self._past, self._handed = past, 0

    def poll(self) -> list[Event]:
        """The events up to the moment that were not handed over yet."""
        begin, events, moment = self._handed, self._past.events, self._past.moment
        while self._handed < len(events) and events[self._handed].time <= moment:
            self._handed += 1
        return events[begin : self._handed]


class _PastMetrics(MetricsReader):
    def __init__(self, run: RunFolder, past: Past) -> None:
        super().__init__(run.path)
        self._past = past

    def poll(self) -> bool:
        """Takes up what was recorded up to the moment."""
        before, moment = self.end(), self._past.moment
        self.take(self._past.metrics, lambda records: _until(records, moment))
        return self.end() != before


class PastWatcher(Watcher):
    """Looks at the past of a run as `Watcher` looks at its present; plays on by itself."""

    def __init__(self, run: RunFolder, past: Past) -> None:
        super().__init__(run, _PastEvents(run, past), _PastMetrics(run, past))
        self._past = past
        self.playing = True
        self.speed = max(past.length / PLAYED_IN, 1.0)
        """Seconds of the run in one second."""
        self._looked = time.monotonic()

    def look(self, wanted: Wanted | None = None) -> News:
        """What is new at the moment."""
        now = time.monotonic()
        if self.playing:
            self._past.go(self._past.at + (now - self._looked) * self.speed)
            self.playing = self._past.at < self._past.length
        self._looked = now
        return replace(super().look(wanted), inbox=[], console=[], babysat=False, room=sys.maxsize)

    def alive(self) -> bool:
        """Whether an engine was at work at the moment: from a start to its end, or to its last sign of life."""
        past = self._past
        shown = [event for event in past.events if event.time <= past.moment]
        return past.at < past.length and not (shown and isinstance(shown[-1], RunEnded))


class PastView(RunView):
    """A run at a moment of its past, at which nothing is ever late."""

    looking = "replay"

    def silence(self) -> float:
        """No time passes but that of the run."""
        return 0.0


def _until(records: np.ndarray, moment: float) -> np.ndarray:
    # Looks at few records, however many there are.
    return records[: bisect_right(range(len(records)), moment, key=lambda i: float(records["time"][i]))]
