"""A training that dies in the middle of any of its writes, as by a kill, comes out as one that did not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from laddertop.engine.training import recorder
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal import inside
from laddertop.journal.commands import send
from laddertop.journal.events import Checkpointed, EventReader, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from tests.conftest import Tally
from tests.engine.training import last_weights
from tests.kinds import small_spec

SPEC = small_spec("dae", "steps=60", "checkpoint.every=20", "evaluate.every=30", "samples.every=30")
EVERY = [5, pytest.param(1, marks=pytest.mark.stress)]
"""Of how many writes one is died in."""


class Killed(BaseException):
    """Nothing of the program goes on after it."""


class Writes:
    """Counts what is written to runs; dies half-way through the write `at`, with what a kill there leaves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.at = 0, -1
        flush, write = inside.Appender.flush, inside.write

        def flushing(file: Any) -> None:
            if file._left and self._dies():
                file._file.write(file._left[: len(file._left) // 2])
                raise Killed
            flush(file)

        def writing(folder: Path, name: str, data: bytes, **more: Any) -> None:
            if self._dies():
                above, _, last = name.rpartition("/")
                (folder / above / f".{last}.0123abcd").write_bytes(data[: len(data) // 2])
                raise Killed
            write(folder, name, data, **more)

        monkeypatch.setattr(inside.Appender, "flush", flushing)
        monkeypatch.setattr(inside, "write", writing)

    def _dies(self) -> bool:
        self.count += 1
        return self.count == self.at


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Writes:
    """Those of trainings that are sent back to their first checkpoint once, and write when they have to alone."""
    obey = Training.obey

    def obeying(training: Training, told: Stop) -> None:
        if training.step == 50 and not any(start.rolled_back for start in training.state.starts):
            training._looked = 0.0
            send(training.run.path, training.begins.segment, "rollback", {"step": 20}, by="ann")
        obey(training, told)

    monkeypatch.setattr(Training, "obey", obeying)
    monkeypatch.setattr(recorder, "INTERVAL", 1e9)
    return Writes(monkeypatch)


def trained(run: RunFolder, stop: Stop) -> None:
    """Trains it to its end; one that died before its first checkpoint is begun again by somebody who says so."""
    events = EventReader(run.events_path).read_all()
    begun = any(isinstance(event, RunStarted) for event in events)
    saved = any(isinstance(event, Checkpointed) for event in events)
    assert train(run, stop, back_to=0 if begun and not saved else None) == 0


@pytest.mark.parametrize("every", EVERY)
def test_a_training_that_dies_in_any_write_comes_out_as_one_that_did_not(
    tmp_path: Path, stop: Stop, writes: Writes, tally: Tally, every: int
) -> None:
    whole = create_run(tmp_path, SPEC, "whole")
    writes.count = 0
    trained(whole, stop)
    expected, together = last_weights(whole, 60), writes.count
    assert together > 20
    died, lost = range(2, together + 1, every), []
    for at in died:
        run = create_run(tmp_path, SPEC, f"dies-{at}")
        writes.count, writes.at = 0, at
        with pytest.raises(Killed):
            trained(run, stop)
        trained(run, stop)
        found, metrics = last_weights(run, 60), MetricsReader(run.path)
        metrics.poll()
        if metrics.steps.tolist() != list(range(1, 61)) or any(not expected[p].equal(found[p]) for p in expected):
            lost.append(at)
    tally("training died in a write", len(died), len(lost))
    assert lost == []
