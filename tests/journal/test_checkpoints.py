"""Which checkpoints stay, and which one a run goes on from."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest

from laddertop.journal import checkpoints
from laddertop.journal.checkpoints import kept, to_resume
from laddertop.journal.events import Checkpointed, Evaluated, EventWriter, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.origin import ORIGIN_CHECKPOINT, Origin
from laddertop.journal.spec import load_recipe
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from laddertop.tui.steer import keeping
from tests.journal.test_state import started


def saved(step: int, reason: str = "schedule", diverged: bool = False) -> Checkpointed:
    data = str(step).encode()
    sha = hashlib.sha256(data).hexdigest()
    return Checkpointed(step=step, file=f"step-{step}.ckpt", sha256=sha, bytes=1, reason=reason, diverged=diverged)


def evaluated(step: int, value: float) -> Evaluated:
    return Evaluated(step=step, split="test", values={"error": Value(value=value, unit="%")}, seconds=0)


def back(segment: int, step: int) -> RunStarted:
    return started(segment, step).model_copy(update={"rolled_back": True})


@pytest.mark.parametrize(
    ("events", "steps"),
    [
        ([started(), saved(1), saved(2), saved(3)], {0, 2, 3}),
        ([started(), saved(1, "command"), saved(2), saved(3), saved(4)], {0, 1, 3, 4}),
        # The end of a training at the step of a checkpoint made by hand takes its place; the step stays.
        ([started(), saved(1, "command"), saved(1, "end"), saved(2), saved(3)], {0, 1, 2, 3}),
        ([started(), saved(1), evaluated(1, 5), saved(2), evaluated(2, 7), saved(3), saved(4)], {0, 1, 3, 4}),
        ([started(), saved(1), evaluated(1, math.nan), saved(2), evaluated(2, 7), saved(3), saved(4)], {0, 2, 3, 4}),
        # After a roll-back past the newest two, new ones stay as ever, and so does what the run was sent back to.
        ([started(), saved(1), saved(8), saved(9), back(2, 1), saved(2), saved(3)], {1, 2, 3}),
        ([started(), saved(1), back(2, 1), saved(2), started(3, 2), saved(3), saved(4), saved(5)], {1, 2, 4, 5}),
        # What a diverged training saves pushes out nothing.
        ([started(), saved(1), saved(2), saved(3, "schedule", True), saved(4, "end", True)], {0, 1, 2, 4}),
        ([started(), saved(1), evaluated(1, 5), saved(2), saved(3, "end", True), evaluated(3, 1)], {0, 1, 2, 3}),
    ],
)
def test_checkpoints_that_stay(events: list, steps: set[int]) -> None:
    state = RunState().apply_all(events)
    there = list({one.step: one for one in state.checkpoints}.values())
    assert kept(state, there, keep=2, keep_best=1) == steps


def test_keys_say_how_many_stay() -> None:
    events = [e for step in range(1, 7) for e in (saved(step), evaluated(step, abs(step - 2)))]
    state = RunState().apply_all([started(), *events])
    assert kept(state, state.checkpoints, keep=1, keep_best=3) == {0, 1, 2, 3, 6}
    assert kept(state, state.checkpoints, keep=1, keep_best=0) == {0, 6}


@pytest.mark.parametrize(("better", "best"), [("lower", {2}), ("higher", {3}), ("none", set())])
def test_the_best_is_judged_by_the_headline_and_the_side_it_is_better_on(better: str, best: set[int]) -> None:
    def measured(step: int, value: float) -> Evaluated:
        other = Value(value=-value, unit="nats")
        headline = Value(value=value, unit="%", headline=True, better=better)  # type: ignore[arg-type]
        return Evaluated(step=step, split="test", values={"other": other, "headline": headline}, seconds=0)

    events = [
        e for step, value in ((2, 1.0), (3, 9.0), (4, 5.0), (5, 5.0)) for e in (saved(step), measured(step, value))
    ]
    state = RunState().apply_all([started(), *events])
    assert kept(state, state.checkpoints, keep=1, keep_best=1) == {0, 5, *best}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path, load_recipe("vae-mnist"), "r")


def record(run: RunFolder, *events: Checkpointed | RunStarted) -> RunState:
    with EventWriter(run.events_path) as writer:
        for event in events:
            writer.append(event)
            if isinstance(event, Checkpointed):
                (run.path / event.file).write_bytes(str(event.step).encode())
    return RunState().apply_all(events)


def test_a_resume_goes_on_from_the_newest_checkpoint_from_before_the_divergence(run: RunFolder) -> None:
    state = record(run, started(), saved(3), saved(5), saved(7, "end", diverged=True))
    found = to_resume(run, state)
    assert found is not None
    assert found.step == 5


@pytest.mark.parametrize("left", [[], [saved(7, "end", diverged=True)]])
def test_a_trained_run_without_a_checkpoint_to_go_on_from_is_not_begun_again_silently(
    run: RunFolder, left: list[Checkpointed]
) -> None:
    assert to_resume(run, record(run, started())) is None, "nothing would be lost"
    state = record(run, started(), *left)
    (run.path / "metrics-0001.bin").write_bytes(b"a record")
    with pytest.raises(ValueError, match="`laddertop rollback r --step 0` begins it again"):
        to_resume(run, state)
    assert checkpoints.gone_back_to(run, state, 0) is None


def test_a_fork_without_what_it_began_with_does_not_begin_with_step_0(run: RunFolder, tmp_path: Path) -> None:
    record(run, started(), saved(50))
    fork = keeping.fork(run, tmp_path, name="f")
    assert fork.path.joinpath(ORIGIN_CHECKPOINT).read_bytes() == b"50"
    assert to_resume(fork, RunState()) == fork.origin.checkpoint  # type: ignore[union-attr]
    (fork.path / ORIGIN_CHECKPOINT).unlink()
    with pytest.raises(ValueError, match=r"f is a fork, and what it began with is gone.*`laddertop fork r --step 50`"):
        to_resume(fork, RunState())
    with pytest.raises(ValueError, match="f has no checkpoint of step 0"):
        checkpoints.gone_back_to(fork, RunState(), 0)


def test_a_fork_of_a_damaged_checkpoint_makes_nothing(run: RunFolder, tmp_path: Path) -> None:
    record(run, started(), saved(50))
    (run.path / "step-50.ckpt").write_bytes(b"51")
    with pytest.raises(ValueError, match="is damaged"):
        keeping.fork(run, tmp_path, name="f")
    assert not (tmp_path / "f").exists()


def test_a_damaged_origin_is_not_to_be_deleted(run: RunFolder, tmp_path: Path) -> None:
    record(run, started(), saved(50))
    fork = keeping.fork(run, tmp_path, name="f")
    (fork.path / ORIGIN_CHECKPOINT).write_bytes(b"51")
    origin = fork.origin
    assert isinstance(origin, Origin)
    assert origin.checkpoint
    with pytest.raises(ValueError, match="fork anew, or put a sound copy in its place"):
        checkpoints.content(fork.path, origin.checkpoint)


def test_a_checkpoint_that_a_roll_back_threw_away_can_be_forked_from(run: RunFolder, tmp_path: Path) -> None:
    record(run, started(), saved(3), saved(5), back(2, 3))
    fork = keeping.fork(run, tmp_path, step=5, name="f")
    assert fork.origin is not None
    assert fork.origin.step == 5
