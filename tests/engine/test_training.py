"""What a training leaves behind: evaluations across a stop, and checkpoints of a diverged run."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from laddertop.engine.training import checkpoint
from laddertop.engine.training.beginning import find_beginning
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal.commands import send
from laddertop.journal.events import (
    Change,
    Checkpointed,
    Commanded,
    Evaluated,
    Event,
    EventReader,
    EventWriter,
    RunStarted,
    Sampled,
)
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.state import RunState
from laddertop.tui.steer import keeping
from tests.kinds import small_spec


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


def test_samples_come_early_and_often_and_then_as_often_as_the_spec_says(tmp_path: Path, stop: Stop):
    settings = ["steps=125", "samples.every=40", "evaluate.every=0", "checkpoint.every=0"]
    for more, expected in (([], [0, 10, 30, 40, 80, 120, 125]), (["samples.every=0"], [0, 125])):
        run = create_run(tmp_path, small_spec("dae", *settings, *more), f"early{len(more)}")
        assert train(run, stop) == 0
        assert [event.step for event in history(run) if isinstance(event, Sampled)] == expected


@pytest.mark.parametrize(
    ("kind", "units"),
    [
        ("ladder", {"h1": 32, "h2": 16}),
        ("dae", {"hidden.1": small_spec("dae").model.hidden[0]}),
        ("lvae", {"z1": 6, "z2": 4, "z3": 3}),
        ("unsupervised_ladder", {}),
    ],
)
def test_an_evaluation_tells_how_many_units_of_each_layer_are_active(tmp_path: Path, stop: Stop, kind, units):
    run = create_run(tmp_path, small_spec(kind, "steps=3", "samples.every=0", "checkpoint.every=0"), kind)
    assert train(run, stop) == 0
    (evaluated,) = [event for event in history(run) if isinstance(event, Evaluated)]
    assert {name: told.units for name, told in evaluated.layers.items()} == units
    assert all(0 <= told.active <= told.units and told.sd > 0 for told in evaluated.layers.values())
    if not units:
        assert "layers" not in evaluated.model_dump_json()


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
    assert [path.name[:14] for path in run.path.glob("step-*")] == ["step-000000000"]


def test_old_checkpoints_go_once_the_new_one_is_recorded(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=5", "checkpoint.keep=2"), "saved")
    (run.path / ".step-000000009.ckpt.0123abcd").write_bytes(b"half of it")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        for training.step in (1, 2, 3):
            training.save("schedule")
    assert sorted(path.name[:14] for path in run.path.iterdir() if "step-" in path.name) == [
        "step-000000002",
        "step-000000003",
    ]


KILLED_WITH_THE_SECOND_CHECKPOINT_ON_DISK = """
import os, signal, sys
from laddertop.engine.__main__ import main
from laddertop.journal.events import Checkpointed, EventWriter

append, saved = EventWriter.append, []

def append_or_die(self, event):
    if isinstance(event, Checkpointed):
        saved.append(event)
        if len(saved) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    append(self, event)

EventWriter.append = append_or_die
sys.exit(main())
"""


def test_a_kill_between_a_second_checkpoint_of_one_step_and_its_record_leaves_the_first_one_sound(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=5", "evaluate.every=0"), "killed")
    # All of it before the first step, which therefore two checkpoints with different knobs are of.
    for action, changes in (("pause", {}), ("checkpoint", {}), ("set", {"lr": 0.05}), ("checkpoint", {})):
        send(run.path, 1, action, changes, by="a test")  # type: ignore[arg-type]
    words = ["train", str(run.path)]
    killed = subprocess.run([sys.executable, "-c", KILLED_WITH_THE_SECOND_CHECKPOINT_ON_DISK, *words])
    assert killed.returncode == -signal.SIGKILL
    (recorded,) = (event for event in history(run) if isinstance(event, Checkpointed))
    resumed = subprocess.run([sys.executable, "-m", "laddertop.engine", *words], capture_output=True, text=True)
    assert resumed.returncode == 0, resumed.stdout
    second = [event for event in history(run) if isinstance(event, RunStarted)][1]
    assert (second.resumed_from, recorded.step) == (0, 0)
    assert history(run)[-1].type == "run_ended"
    assert [c.applied for event in history(run) if isinstance(event, Commanded) for c in event.changes] == [0.05, 0.05]


def test_of_several_checkpoints_of_one_step_the_newest_stays_and_counts(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=5", "checkpoint.keep=2"), "saved")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        for training.step, lr in ((1, 0.1), (2, 0.2), (2, 0.3), (2, 0.4)):
            training.controls.set({"lr": lr})
            training.save("command")
    saved = run.checkpoints([event for event in history(run) if isinstance(event, Checkpointed)])
    assert [one.step for one in saved] == [1, 2]
    assert [checkpoint.load(run.path, one)["controls"]["values"]["lr"] for one in saved] == [0.1, 0.4]
    assert sorted(path.name for path in run.path.glob("step-*")) == [one.file for one in saved]


def test_checkpoints_without_a_checksum_in_their_name_are_read(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=5"), "older")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        training.step = 2
        saved = checkpoint.save(run.path, 2, training.optimizer, training.controls, "schedule")
        (run.path / saved.file).rename(run.path / "step-000000002.ckpt")
        events.append(saved.model_copy(update={"file": "step-000000002.ckpt"}))
        training.leave()
        resumed = Training(run, events, RunState().apply_all(history(run)))
        assert resumed.resumed_from == 2
        resumed.step = 3
        resumed.save("schedule")
        resumed.leave()
    assert [path.name[:14] for path in sorted(run.path.glob("step-*"))] == ["step-000000002", "step-000000003"]


def test_a_new_command_on_a_knob_cancels_what_would_be_done_to_it_again(tmp_path: Path, stop: Stop):
    run = create_run(tmp_path, small_spec("dae", "steps=40", "evaluate.every=0", "checkpoint.every=10"), "cancelled")
    with EventWriter(run.events_path) as events:
        first = Training(run, events, RunState())
        first.recorder.close()
        change = Change(knob="lr", old=0.01, applied=10)
        first.save("schedule")
        common = {"by": "ann", "action": "set", "outcome": "applied"}
        events.append(Commanded(step=30, id="old", changes=[change], **common))
        resumed = Training(run, events, RunState().apply_all(history(run)))
        assert [done.step for done in resumed._again] == [30]
        send(run.path, resumed.begins.segment, "set", {"lr": 0.002}, by="a test")
        ended = resumed.loop(stop)
        assert ended is not None
        assert ended.reason == "finished"
        # Nor by a resume after that, which finds both in the journal.
        third = find_beginning(run, RunState().apply_all(history(run)), None)
        assert not third.again
    assert resumed.controls.state.values["lr"] == 0.002
    assert [c.id == "old" for c in history(run) if isinstance(c, Commanded)] == [True, False]


def test_new_checkpoints_stay_after_damaged_ones_were_removed_by_hand(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=50", "checkpoint.keep=2"), "removed")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        for training.step in (10, 20, 30):
            training.save("schedule")
        training.leave()
        for damaged in run.path.glob("step-000000030*"):
            damaged.unlink()
        again = Training(run, events, RunState().apply_all(history(run)))
        assert again.resumed_from == 20
        for again.step in (21, 22, 23):
            again.save("schedule")
            assert list(run.path.glob(f"step-0000000{again.step}*")), "it is gone as soon as it is written"
    assert sorted(path.name[:14] for path in run.path.glob("step-*.ckpt")) == [
        "step-000000020",
        "step-000000022",
        "step-000000023",
    ]


def test_what_a_fork_began_with_stays_where_it_was_taken_from(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "steps=50", "checkpoint.keep=1"), "parent")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        training.step = 1
        training.save("schedule")
        keeping.fork(run, tmp_path, name="child")
        for training.step in (2, 3):
            training.save("schedule")
    assert [path.name[:14] for path in sorted(run.path.glob("step-*.ckpt"))] == ["step-000000001", "step-000000003"]
