"""What a training leaves behind: evaluations across a stop, and checkpoints of a diverged run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.stop import Stop
from engine.train import Training
from journal.events import Checkpointed, Evaluated, Event, EventReader, EventWriter
from journal.folder import RunFolder, create_run
from journal.state import RunState
from tests.engine.conftest import small_spec


@pytest.fixture
def stop() -> Iterator[Stop]:
    """What ends a training; the signals of the test run are given back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Stop(foreground=False)
    for number, handler in before.items():
        signal.signal(number, handler)


def history(run: RunFolder) -> list[Event]:
    return EventReader(run.events_path).read_all()


def test_a_stop_at_the_last_step_leaves_the_final_evaluation_to_the_resume(tmp_path: Path, stop: Stop):
    run = create_run(tmp_path, small_spec("dae", "steps=5", "evaluate.every=0"), "stopped")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        obey = training.obey

        def obey_and_be_told_at_the_end(told: Stop) -> None:
            obey(told)
            if training.step == training.steps:
                told.reason = "SIGTERM"

        training.obey = obey_and_be_told_at_the_end  # type: ignore[method-assign]
        assert training.loop(stop).reason == "stopped"
        assert not any(isinstance(event, Evaluated) for event in history(run))
        stop.reason = ""
        resumed = Training(run, events, RunState().apply_all(history(run)))
        assert resumed.resumed_from == 5
        assert resumed.loop(stop).reason == "finished"
    assert [event.step for event in history(run) if isinstance(event, Evaluated)] == [5]


def test_a_diverged_training_keeps_its_good_checkpoints(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=5", "checkpoint.keep=1"), "diverged")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        training.save("schedule")
        with torch.no_grad():
            training.optimizer.masters[0].fill_(float("nan"))
        training.step = 3
        training.save("schedule")
    assert [event.step for event in history(run) if isinstance(event, Checkpointed)] == [0]
    assert [path.name for path in run.path.glob("step-*")] == ["step-000000000.ckpt"]


def test_old_checkpoints_go_once_the_new_one_is_recorded(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=5", "checkpoint.keep=2"), "saved")
    (run.path / ".step-000000009.ckpt.cut-off").write_bytes(b"half of it")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        for training.step in (1, 2, 3):
            training.save("schedule")
    assert sorted(path.name for path in run.path.iterdir() if "step-" in path.name) == [
        "step-000000002.ckpt",
        "step-000000003.ckpt",
    ]
