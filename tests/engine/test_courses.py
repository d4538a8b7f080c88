"""Runs whose knobs are on courses: steered, stopped, resumed, undone and repeated, they are the same bit for bit."""

from __future__ import annotations

from pathlib import Path

import pytest

from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal.commands import send
from laddertop.journal.events import Commanded, EventReader
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from laddertop.tui.steer.keeping import repeat
from tests.kinds import small_spec

SETTINGS = ("knobs.lr=0.002..0:cosine:60", "steps=60", "checkpoint.every=25", "samples.every=0", "evaluate.every=0")
DEEDS = {20: {"beta": "0..4:linear:30"}, 40: {"beta": 2.0}, 45: {"beta": "0..4:linear:30@20"}}
"""What somebody does at which step; the last is what an undo of the one before asks for."""


@pytest.fixture
def steered(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """Trainings are steered as DEEDS says, each deed once, and stopped where this says it, by step."""
    stops: dict[int, str] = {}
    obey = Training.obey

    def obeying(training: Training, told: Stop) -> None:
        done = {c.step for c in training.state.commands if c.action == "set"}
        if training.step in DEEDS and training.step not in done and training.run.origin is None:
            training._looked = 0.0
            send(training.run.path, training.begins.segment, "set", dict(DEEDS[training.step]), by="ann")
        obey(training, told)
        told.reason = stops.pop(training.step, told.reason)

    monkeypatch.setattr(Training, "obey", obeying)
    return stops


def numbers(run: RunFolder) -> dict[str, list[float]]:
    metrics = MetricsReader(run.path)
    metrics.poll()
    assert metrics.steps.tolist() == list(range(1, 61))
    return {column.name: metrics.values(column.name).tolist() for column in metrics.columns}


def test_a_course_goes_on_bit_for_bit_after_a_stop_and_in_a_replay(
    tmp_path: Path, stop: Stop, steered: dict[int, str]
) -> None:
    whole = create_run(tmp_path, small_spec("vae", *SETTINGS), "whole")
    assert train(whole, stop) == 0
    once = numbers(whole)
    assert once["beta"][:20] == [1.0] * 20
    assert once["beta"][20:40] == pytest.approx([4 * i / 30 for i in range(20)])
    assert once["beta"][40:45] == [2.0] * 5
    assert once["beta"][45:] == pytest.approx([*(4 * i / 30 for i in range(25, 30)), *[4.0] * 10])
    assert once["lr"][30] == pytest.approx(0.001)

    parted = create_run(tmp_path, small_spec("vae", *SETTINGS), "parted")
    steered[33] = "told to"
    assert train(parted, stop) == 0
    assert [e.step for e in EventReader(parted.events_path).read_all()][-1] == 33
    # What the dashboard draws ahead is declared: at the start, and with each change.
    knobs = RunState().apply_all(EventReader(parted.events_path).read_all()).knobs
    assert (knobs["beta"].course, knobs["lr"].course) == ("0..4:linear:30@20", "0.002..0:cosine:60@0")
    stop.reason = ""
    assert train(parted, stop) == 0
    assert numbers(parted) == once

    again = repeat(whole, tmp_path, "again")
    assert train(again, stop) == 0
    assert numbers(again) == once
    repeated = [e for e in EventReader(again.events_path).read_all() if isinstance(e, Commanded)]
    assert [(e.step, e.changes[0].set_to) for e in repeated] == [
        *((20, "0..4:linear:30@20"), (40, 2.0), (45, "0..4:linear:30@20"))
    ]
    assert repeated[1].changes[0].before == "0..4:linear:30@20"
