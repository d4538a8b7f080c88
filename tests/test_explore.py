"""Asking real engines in real processes what their models have learnt, and killing them while they answer."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from laddertop.journal.events import Checkpointed, RunStarted
from laddertop.journal.explore import OLD, Denoise, Inpaint, Layers, Sample, answer_to, ask
from laddertop.journal.folder import RunFolder
from laddertop.tui.steer.engine_process import command, environment
from laddertop.tui.steer.explorer import Asked, answered
from tests import PATIENCE
from tests.processes import Laddertop, wait_for
from tests.test_end_to_end import assert_same, last_checkpoint

SMALL = [
    "train",
    "dae-mnist",
    "--data=digits",
    "--device=cpu",
    *(f"--set={s}" for s in ("model.hidden=[16]", "compile=off", "threads=1", "checkpoint.every=0", "data.batch=50")),
]


@pytest.fixture(scope="module")
def finished(laddertop: Laddertop) -> RunFolder:
    """A run that has trained its 300 steps."""
    done = laddertop(*SMALL, "--steps=300", "--name=finished")
    assert done.returncode == 0, done.stderr
    return laddertop.run_folder("finished")


@pytest.fixture(autouse=True)
def _no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The processes that a test's questions start end with it, not a minute later."""
    started: list[subprocess.Popen[bytes]] = []

    class Popen(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            started.append(self)

    monkeypatch.setattr("laddertop.tui.steer.explorer.subprocess.Popen", Popen)
    yield
    for process in started:
        process.kill()
        process.wait()


def endless(laddertop: Laddertop, name: str) -> tuple[RunFolder, int]:
    """A run that is being trained, with its engine's process; whoever asks for it ends it."""
    done = laddertop.here(*SMALL, "--steps=100000000", "--name", name, "--detach")
    assert done.returncode == 0, done.stderr
    (started,) = [event for event in laddertop.events(name) if isinstance(event, RunStarted)]
    return laddertop.run_folder(name), started.pid


def explorer(run: RunFolder, idle: float) -> subprocess.Popen[bytes]:
    """The process that answers from a checkpoint."""
    return subprocess.Popen(command("explore", str(run.path), f"--idle={idle}"), env=environment())


def test_a_finished_run_answers_from_its_checkpoint(finished: RunFolder) -> None:
    answer = answered(finished, Denoise(items=[3, 5], corruption="masking", level=0.5), PATIENCE)
    (saved,) = (path.name for path in finished.path.glob("step-000000300-*.ckpt"))
    assert (answer.head.step, answer.head.checkpoint) == (300, saved)
    picture = (np.uint8, (2, 8, 8))
    named = dict.fromkeys(("input", "corrupted", "reconstruction"), picture)
    assert {name: (a.dtype, a.shape) for name, a in answer.arrays.items()} == named
    hit = answer.arrays["corrupted"] != answer.arrays["input"]
    assert (answer.arrays["corrupted"][hit] == 0).all()
    again = answered(finished, Denoise(items=[3, 5], corruption="masking", level=0.5), PATIENCE)
    assert all(np.array_equal(again.arrays[name], array) for name, array in answer.arrays.items())
    assert list((finished.path / "explore").iterdir()) == []


def test_what_a_model_can_not_do_is_one_sentence(finished: RunFolder) -> None:
    for question, words in (
        (Sample(), "sample: a dae on digits is no model that can; ask it to denoise or "),
        (Denoise(items=[360]), "there is no test item 360; there are 360, counted from 0"),
        (Denoise(pixels=[[0.5] * 63]), "an image has 64 numbers, one of yours has 63"),
    ):
        with pytest.raises(ValueError, match=words) as error:
            answered(finished, question, PATIENCE)  # type: ignore[arg-type]
        assert "\n" not in str(error.value)


def test_a_run_without_a_checkpoint_says_so(laddertop: Laddertop, tmp_path: Path) -> None:
    from laddertop.journal.folder import create_run
    from laddertop.journal.spec import load_recipe

    with pytest.raises(ValueError, match="has no checkpoint yet"):
        answered(create_run(tmp_path, load_recipe("ladder-digits"), "empty"), Layers(), PATIENCE)


def test_a_training_answers_between_two_steps_and_does_not_notice(laddertop: Laddertop) -> None:
    words = [*SMALL, "--steps=1500", "--set=checkpoint.every=500", "--set=checkpoint.keep=9"]
    assert laddertop(*words, "--name=unasked").returncode == 0
    training = laddertop.start(*words, "--name=asked")
    run = laddertop.run_folder("asked")
    wait_for(lambda: laddertop.size("asked") > 0)
    steps = []
    while training.poll() is None:
        asked, answer = Asked(run, Inpaint(items=[0, 1], steps=5)), None
        while training.poll() is None and (answer := asked.poll()) is None:
            time.sleep(0.005)
        if answer and answer.head.step < 1500:  # then somebody else answers
            assert answer.head.checkpoint is None
            assert answer.arrays["frames"].shape == (6, 2, 8, 8)
            steps.append(answer.head.step)
        else:
            asked.withdraw()
    assert training.returncode == 0
    assert len(set(steps)) > 2
    assert steps == sorted(steps)
    pair = [torch.load(last_checkpoint(laddertop, name), weights_only=True) for name in ("asked", "unasked")]
    assert assert_same(*pair) > 4


@pytest.mark.stress
def test_a_question_that_its_engine_did_not_live_to_answer_is_answered_from_the_checkpoint(
    laddertop: Laddertop,
) -> None:
    run, pid = endless(laddertop, "killed")
    assert laddertop.here("checkpoint", "killed").returncode == 0
    os.kill(pid, signal.SIGSTOP)
    asked = Asked(run, Layers())
    time.sleep(0.1)
    assert asked.poll() is None
    os.kill(pid, signal.SIGKILL)
    answer = wait_for(asked.poll)
    (saved,) = [event for event in laddertop.events("killed") if isinstance(event, Checkpointed)]
    assert (answer.head.step, answer.head.checkpoint) == (saved.step, saved.file)
    # A training that goes on answers from now on, but for what is asked of its checkpoints.
    assert laddertop.here("resume", "killed", "--detach").returncode == 0
    later = answered(run, Layers(rows=20), PATIENCE)
    earlier = answered(run, Layers(rows=20), PATIENCE, checkpoint=saved.step)
    assert laddertop.here("stop", "killed").returncode == 0
    assert later.head.checkpoint is None
    assert later.head.step >= saved.step
    assert earlier.head.checkpoint == saved.file
    with pytest.raises(ValueError, match="no checkpoint of step 0; there are"):
        answered(run, Layers(rows=20), PATIENCE, checkpoint=0)


@pytest.mark.stress
def test_a_process_that_is_killed_while_it_answers_is_replaced(laddertop: Laddertop, finished: RunFolder) -> None:
    assert laddertop(*SMALL, "--steps=100", "--name=replaced").returncode == 0
    run = laddertop.run_folder("replaced")
    asked = Asked(run, Layers())
    first = asked.process
    assert first is not None
    wait_for(run.explorer_alive)  # it has the lock and loads the model
    first.kill()
    assert wait_for(asked.poll).head.step == 100
    assert asked.process is not first


@pytest.mark.stress
def test_of_two_processes_one_answers_and_it_ends_when_nobody_asks(finished: RunFolder, tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(finished.path, tmp_path / "copy"))
    identities = [ask(run.path, Layers(rows=20)) for _ in range(3)]
    pair = [explorer(run, idle=2) for _ in range(2)]
    for identity in identities:
        assert wait_for(lambda identity=identity: answer_to(run.path, identity)).head.step == 300
    wait_for(lambda: sum(process.poll() is None for process in pair) == 1)
    assert [process.wait(timeout=PATIENCE) for process in pair] == [0, 0]
    assert not run.explorer_alive()


@pytest.mark.stress
def test_old_questions_are_not_answered(finished: RunFolder, tmp_path: Path) -> None:
    run = RunFolder(shutil.copytree(finished.path, tmp_path / "copy"))
    stale, fresh = ask(run.path, Layers()), ask(run.path, Layers())
    path = run.path / "explore" / f"{stale}.json"
    os.utime(path, (time.time() - OLD - 1,) * 2)
    process = explorer(run, idle=0.1)
    assert wait_for(lambda: answer_to(run.path, fresh))
    assert process.wait(timeout=PATIENCE) == 0
    assert answer_to(run.path, stale) is None
    assert not path.exists()


def test_asking_loads_no_torch() -> None:
    code = "import laddertop.tui.steer.explorer, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert not {"torch", "textual", "rich"} & set(done.stdout.split())
