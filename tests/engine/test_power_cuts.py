"""What a power cut left of a run: sound checkpoints count, whatever became of the events that name them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal.events import Checkpointed, Event, EventReader, EventWriter, Logged, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.state import RunState
from tests.engine.training import last_weights
from tests.kinds import small_spec

SPEC = small_spec("dae", "steps=40", "checkpoint.every=10", "checkpoint.keep=9", "evaluate.every=0", "samples.every=0")


def history(run: RunFolder) -> list[Event]:
    return EventReader(run.events_path).read_all()


@pytest.fixture
def cut(tmp_path: Path, stop: Stop) -> RunFolder:
    """A run that was trained until step 25 and then ended."""
    run = create_run(tmp_path, SPEC, "cut")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        training.until = 25
        training.loop(stop)
        training.leave()
    stop.reason = ""
    return run


def lines(run: RunFolder) -> list[bytes]:
    return run.events_path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize("left", ["nothing", "NULs", "no file", "one checkpoint"])
def test_a_resume_finds_the_checkpoints_that_the_events_lost(cut: RunFolder, tmp_path: Path, stop: Stop, left: str):
    match left:
        case "nothing":
            cut.events_path.write_bytes(b"")
        case "NULs":
            cut.events_path.write_bytes(bytes(cut.events_path.stat().st_size))
        case "no file":
            cut.events_path.unlink()
        case _:
            first = next(i for i, line in enumerate(lines(cut)) if b'"checkpointed"' in line)
            cut.events_path.write_bytes(b"".join(lines(cut)[: first + 1]))
    assert train(cut, stop) == 0
    resumed = [event for event in history(cut) if isinstance(event, RunStarted)][-1]
    assert (resumed.resumed_from, resumed.segment) == (25, 2)
    (told,) = [event for event in history(cut) if isinstance(event, Logged) and event.level == "warning"]
    assert told.text.endswith("checkpoints 20, 25" if left == "one checkpoint" else "checkpoints 10, 20, 25")
    assert {event.step for event in history(cut) if isinstance(event, Checkpointed)} == {10, 20, 25, 30, 40}
    assert len(list(cut.path.glob("step-*.ckpt"))) == 5
    whole = create_run(tmp_path, SPEC, "whole")
    assert train(whole, stop) == 0
    expected, found = last_weights(whole, 40), last_weights(cut, 40)
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_a_damaged_checkpoint_is_not_found_again(cut: RunFolder, stop: Stop):
    (newest_file,) = cut.path.glob("step-000000025-*.ckpt")
    data = bytearray(newest_file.read_bytes())
    data[len(data) // 2] ^= 1
    newest_file.write_bytes(data)
    cut.events_path.write_bytes(b"")
    assert train(cut, stop) == 0
    assert [e.resumed_from for e in history(cut) if isinstance(e, RunStarted)] == [20]


def test_what_an_older_start_left_is_not_found_again(cut: RunFolder, stop: Stop):
    # The events of an earlier start lack the checkpoints that a later one was sent back behind.
    happened = [line for line in lines(cut) if b'"checkpointed"' not in line or b'"step":10,' in line]
    cut.events_path.write_bytes(b"".join(happened))
    started = next(event for event in history(cut) if isinstance(event, RunStarted))
    with EventWriter(cut.events_path) as events:
        events.append(started.model_copy(update={"segment": 2, "step": 10, "resumed_from": 10, "rolled_back": True}))
    assert train(cut, stop) == 0
    assert [e.resumed_from for e in history(cut) if isinstance(e, RunStarted)] == [None, 10, 10]
