"""A sweep as its folder tells it to whoever looks: its trials with their states, what they came to, what was asked.

Without Optuna, and cheap where nothing is new.
"""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from laddertop.journal import inside
from laddertop.journal.files import held
from laddertop.journal.folder import ARCHIVED
from laddertop.journal.value import Value
from laddertop.tui.sweep.asked import PINNED, Asked, Inbox, trials_of
from laddertop.tui.sweep.plan import PLAN, Plan, claim, read_plan, run_name
from laddertop.tui.sweep.study import LEFT, OVER, TOLD, StudyReader, Trial


class Best(NamedTuple):
    """The best that a run of a sweep came to so far."""

    trial: Trial
    name: str
    """What it is measured by."""
    value: Value


class Group:
    """The sweep in a folder, looked at again and again."""

    def __init__(self, folder: Path) -> None:
        """Reads nothing yet."""
        self.folder = folder
        """That of the sweep."""
        self.plan: Plan | None = None
        """What it varies; None before the first look, or where that can't be read."""
        self.problem = ""
        """Why it can't be read."""
        self.trials: list[Trial] = []
        """All of them, those that were added and that no worker has taken up yet with them."""
        self.states: list[str] = []
        """Where each of them stands: one of TOLD."""
        self.asked: list[Asked] = []
        """What was asked of it."""
        self.pinned = self.archived = False
        """Whether it stands on top of the list of runs; whether it was put away."""
        self._file = (0, 0)
        self._inbox = Inbox(folder)
        self._study: StudyReader | None = None

    @property
    def more(self) -> bool:
        """Whether the next look has more to read of what is there already."""
        return self._study is not None and self._study.more

    def look(self) -> None:
        """Takes up what is new. Reads files only; called in a thread."""
        try:
            self._look()
            self.problem = ""
        except (ValueError, OSError) as error:
            self.problem = str(error)

    def _look(self) -> None:
        found = inside.look(self.folder, PLAN)
        if self.plan is None or found is None or self._file != (found.st_ino, found.st_mtime_ns):
            self.plan = read_plan(self.folder)
            self._file = (found.st_ino, found.st_mtime_ns) if found else (0, 0)
            self._study = StudyReader(self.folder, self.plan.name)
        assert self._study is not None
        self.pinned = inside.look(self.folder, PINNED) is not None
        self.archived = inside.look(self.folder, ARCHIVED) is not None
        self.asked = self._inbox.look()
        self._study.look()
        queued = self._study.trials
        wanted = trials_of(self.plan, self.asked)
        if len(wanted) > len(queued):
            there = {(one.setting, one.seed) for one in queued}
            missing = [one for one in wanted if one not in there]
            queued = queued + [Trial(len(queued) + i, *one) for i, one in enumerate(missing)]
        self.trials = queued
        self.states = [self._state(one) for one in queued]

    def _state(self, trial: Trial) -> str:
        if trial.state != "running" or held(claim(self.folder, trial.number)):
            return trial.state
        return LEFT

    def run_of(self, trial: Trial) -> Path:
        """The folder of the run of a trial, which may not be there yet."""
        assert self.plan is not None
        return self.folder.parent / run_name(self.plan.name, trial.number, trial.seed)

    def counts(self) -> dict[str, int]:
        """How many trials stand where, in the order of TOLD."""
        counted = Counter(self.states)
        return {word: counted[word] for word in TOLD if counted[word]}

    def over(self) -> int:
        """How many trials nobody has to work at any more."""
        return sum(state in OVER for state in self.states)

    def status(self) -> str:
        """The state of all of it, in a word that runs know, too."""
        if self.problem:
            return "damaged"
        if "running" in self.states:
            return "training"
        return "finished" if self.over() == len(self.states) else "stopped"

    def stopped_by(self) -> str:
        """Who asked the workers to stop, where nobody is at work and something is left."""
        stops = [one.by for one in self.asked if one.action == "stop"]
        return stops[-1] if stops and self.status() == "stopped" else ""

    def best(self) -> Best | None:
        """The best among the finished runs; None before the first."""
        best: Best | None = None
        for trial in self.trials:
            value = trial.value
            if trial.state != "finished" or value is None or math.isnan(value.value):
                continue
            if best is None or (trial.name == best.name and value.beats(best.value)):
                best = Best(trial, trial.name, value)
        return best
