"""A training that dies in the middle of any of its writes, as by a kill, comes out as one that did not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from laddertop.engine.training import recorder
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal import inside
from laddertop.journal.checkpoints import best_of
from laddertop.journal.commands import send
from laddertop.journal.events import Checkpointed, EventReader, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import Spec
from laddertop.journal.state import RunState
from tests.conftest import Tally
from tests.engine.training import last_weights
from tests.kinds import small_spec

SPEC = small_spec("dae", "steps=60", "checkpoint.every=20", "evaluate.every=30", "samples.every=30")
POLICIES = small_spec(
    "dae",
    *("steps=60", "checkpoint.every=25", "evaluate.every=10", "samples.every=30"),
    *("model.loss=squared", "model.activation=relu", "model.hidden=[32, 16]"),
    *("policy.keep_best=reconstruction", "policy.on_divergence=rollback"),
)
"""With policies, which save what is best and go back where the cost diverges."""
EVERY = [
    pytest.param(SPEC, 5, id="plain"),
    pytest.param(POLICIES, 8, id="policies"),
    pytest.param(SPEC, 1, id="plain-everywhere", marks=pytest.mark.stress),
    pytest.param(POLICIES, 1, id="policies-everywhere", marks=pytest.mark.stress),
]
"""What is trained, and of how many writes one is died in."""


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
    """Those of trainings that are sent back to a checkpoint once, by somebody or by a policy as they diverge, and that
    write when they have to alone."""
    obey = Training.obey

    def obeying(training: Training, told: Stop) -> None:
        wild, state = training.spec.policy.on_divergence == "rollback", training.state
        sent = any(c.by.startswith("policy") for c in state.commands) or any(
            start.rolled_back and start.step for start in state.starts
        )
        if training.step == (35 if wild else 50) and not sent:
            training._looked = 0.0
            if wild:
                send(training.run.path, training.begins.segment, "set", {"lr": 10}, by="ann")
            else:
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


@pytest.mark.parametrize(("spec", "every"), EVERY)
def test_a_training_that_dies_in_any_write_comes_out_as_one_that_did_not(
    tmp_path: Path, stop: Stop, writes: Writes, tally: Tally, spec: Spec, every: int
) -> None:
    whole = create_run(tmp_path, spec, "whole")
    writes.count = 0
    trained(whole, stop)
    best = best_of(whole, RunState().apply_all(EventReader(whole.events_path).read_all()))[1]
    expected, together = last_weights(whole, 60), writes.count
    assert together > 20
    died, lost = range(2, together + 1, every), []
    for at in died:
        run = create_run(tmp_path, spec, f"dies-{at}")
        writes.count, writes.at = 0, at
        with pytest.raises(Killed):
            trained(run, stop)
        trained(run, stop)
        found, metrics = last_weights(run, 60), MetricsReader(run.path)
        metrics.poll()
        state = RunState().apply_all(EventReader(run.events_path).read_all())
        if (
            metrics.steps.tolist() != list(range(1, 61))
            or any(not expected[p].equal(found[p]) for p in expected)
            or (spec is POLICIES and best_of(run, state)[1].values != best.values)
        ):
            lost.append(at)
    tally("training died in a write", len(died), len(lost))
    assert lost == []
