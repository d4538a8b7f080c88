"""The second run of a lesson, which differs from the first in what the lesson is about: made, read, compared."""

from __future__ import annotations

import math

from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.tui.learn.lesson import Lesson, Other
from laddertop.tui.learn.numbers import WINDOW


def wants_engine(run: RunFolder, state: RunState) -> bool:
    """Whether a run of a lesson, which stands so, is to be begun or gone on with."""
    return not run.engine_alive() and (state.ended is None or state.ended.reason != "finished")


class Beside:
    """The second run of a lesson whose first one is `run`; it is there once the guide has come to it."""

    def __init__(self, run: RunFolder, lesson: Lesson, other: Other) -> None:
        self.run = RunFolder(run.path.with_name(f"{run.name}-{other.name}"))
        """Its folder."""
        self._lesson, self._other = lesson, other
        self._readers = MetricsReader(run.path), MetricsReader(self.run.path)
        self.step = 0
        """Steps that both runs have completed, at the last look."""

    def made(self) -> bool:
        """Makes it unless it is there; whether an engine is wanted for it. Raises ValueError when it can't be made."""
        if not (self.run.path / "spec.json").is_file():
            settings = [*self._lesson.settings, *self._other.settings]
            create_run(self.run.path.parent, override(load_recipe(self._lesson.recipe), settings), self.run.name)
        return wants_engine(self.run, RunState().apply_all(EventReader(self.run.events_path).read_all()))

    def look(self) -> None:
        """Takes up what is new in both. Raises OSError or ValueError when it can't be read."""
        for reader in self._readers:
            reader.poll()
        self.step = min(reader.last_step() for reader in self._readers)

    def pair(self, name: str) -> tuple[float, float]:
        """A column of both runs up to the same step, its mean over the newest records; NaN where it is not known."""
        first, second = (self._mean(reader, name) for reader in self._readers)
        return first, second

    def _mean(self, reader: MetricsReader, name: str) -> float:
        steps = reader.steps
        there = (steps > self.step - WINDOW) & (steps <= self.step)
        return float(reader.values(name)[there].astype(float).mean()) if there.any() else math.nan
