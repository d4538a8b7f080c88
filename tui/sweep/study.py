"""What the queue of a sweep says, read from its file line after line and without Optuna: a dashboard looks every
second, also where Optuna is not installed.

The file is that of Optuna's journal-file storage: a JSON object per line, each an operation on a study or a trial. What
Optuna makes of it, this makes of it (`tests/cli/test_sweep_study.py`).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from laddertop.journal import inside
from laddertop.journal.value import Value
from laddertop.tui.sweep.plan import MOST

STUDY = "optuna.log"
"""The file of the study, which `optuna-dashboard` opens, too."""
MEASURED = "headline"
"""The attribute of a trial that holds what its run came to: a Value, and its name as `name`."""
STATES = ("running", "finished", "pruned", "failed", "waiting")
"""Optuna's states of trials in words, in the order of its numbers."""
OVER = ("finished", "pruned", "failed")
"""Those of a trial that nobody works at any more."""
LEFT = "left"
"""Running by the study, and its worker is gone: the next one goes on with it."""
TOLD = (*OVER, "running", "waiting", LEFT)
"""The states of runs in the order in which they are told."""
AT_ONCE = 1 << 22
"""Bytes that one look reads at most; the next one goes on."""
_CREATE_STUDY, _DELETE_STUDY, _CREATE, _PARAM, _STATE, _ATTRIBUTE = 0, 1, 4, 5, 6, 8


@dataclass
class Trial:
    """One trial of the queue."""

    number: int
    """Counted from 0."""
    setting: int
    """The number of its setting."""
    seed: int
    """The seed of its run."""
    state: str = "waiting"
    """One of STATES."""
    values: dict[str, str] = field(default_factory=dict)
    """What its setting takes by key, as far as that is drawn: the words of the grid, the numbers of the search."""
    name: str = ""
    """The name of what its run was measured by."""
    value: Value | None = None
    """What its run came to; None: nothing yet."""
    why: str = ""
    """Why it failed, or was stopped."""


class StudyReader:
    """The trials of the study `name` in a folder, read on at every look."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._damage = ((0, 0), "")
        """What was wrong, and the size and the time of the file that it was wrong with."""
        self._begin()

    def _begin(self) -> None:
        self.trials: list[Trial] = []
        """Those that the queue has, by number."""
        self.more = False
        """Whether the last look left something for the next."""
        self._at, self._lines, self._file = 0, 0, (0, 0)
        self._studies: dict[int, str] = {}
        self._every: list[Trial | None] = []
        """All trials of the file by Optuna's number; None: that of another study."""

    def look(self) -> bool:
        """Reads what is new, and says whether there was anything. Raises ValueError when it can't be read."""
        try:
            with inside.reading(self._folder, STUDY) as file:
                found = os.fstat(file.fileno())
                if self._damage[0] == (found.st_size, found.st_mtime_ns):
                    raise ValueError(self._damage[1])
                if self._file != (found.st_dev, found.st_ino) or found.st_size < self._at:
                    self._begin()
                    self._file = found.st_dev, found.st_ino
                if found.st_size == self._at:
                    self.more = False
                    return False
                file.seek(self._at)
                data = file.read(AT_ONCE)
        except OSError as error:
            raise ValueError(f"{self._folder / STUDY} can't be read: {error.strerror}") from None
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == AT_ONCE:
            raise ValueError(f"{self._folder / STUDY} is damaged: a line of more than {AT_ONCE >> 20} MiB")
        for line in data[:whole].splitlines():
            self._lines += 1
            try:
                self._take(json.loads(line))
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
                words = f"{self._folder / STUDY} is damaged in line {self._lines}"
                self._damage = ((found.st_size, found.st_mtime_ns), words)
                self._begin()  # a line before it must not be taken twice
                raise ValueError(words) from None
        self._at += whole
        self.more = self._at < found.st_size and len(data) == AT_ONCE
        return bool(whole)

    def _take(self, line: dict[str, Any]) -> None:
        operation = line["op_code"]
        if operation == _CREATE_STUDY:
            if line["study_name"] not in self._studies.values():
                self._studies[len(self._studies)] = str(line["study_name"])
        elif operation == _DELETE_STUDY:
            if self._studies.get(line["study_id"]) == self._name:
                self.trials.clear()
            self._studies[line["study_id"]] = ""
        elif operation == _CREATE and self._studies.get(line["study_id"]):
            self._create(line)
        elif operation in (_PARAM, _STATE, _ATTRIBUTE):
            trial = self._every[line["trial_id"]]
            if trial is not None and trial.state not in OVER:
                self._change(trial, line)

    def _create(self, line: dict[str, Any]) -> None:
        trial = None
        if self._studies[line["study_id"]] == self._name:
            given = line["user_attrs"]
            trial = Trial(len(self.trials), int(given["setting"]), int(given["seed"]), STATES[line["state"]])
            trial.values = {str(key): str(word) for key, word in line["system_attrs"]["fixed_params"].items()}
            self.trials.append(trial)
        self._every.append(trial)
        if len(self._every) > 2 * MOST:
            raise ValueError("more trials than anybody may ask for")

    @staticmethod
    def _change(trial: Trial, line: dict[str, Any]) -> None:
        operation = line["op_code"]
        if operation == _STATE:
            trial.state = STATES[line["state"]]
        elif operation == _PARAM:
            about, drawn = json.loads(line["distribution"]), float(line["param_value_internal"])
            kind = about["name"]
            trial.values[str(line["param_name"])] = (
                str(about["attributes"]["choices"][int(drawn)])
                if kind == "CategoricalDistribution"
                else str(int(drawn)) if kind == "IntDistribution" else repr(drawn)
            )  # fmt: skip
        else:
            for key, said in line["user_attr"].items():
                if key == MEASURED:
                    trial.name, trial.value = str(said["name"]), Value.model_validate(said)
                elif key == "why":
                    trial.why = str(said)
