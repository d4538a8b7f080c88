"""`--nproc N`: one run by several processes, steered, killed and taken up again as any other."""

from __future__ import annotations

import resource
import signal
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest
import torch

from laddertop.journal.events import Change, Checkpointed, Commanded, Logged, RunEnded, RunStarted
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.steer.engine_process import EngineProcess
from laddertop.tui.steer.keeping import repeat
from tests import PATIENCE
from tests.processes import Laddertop, wait_for

SOON = 10.0
"""Seconds within which all ranks end once one is gone: that is the promise."""

LONG = ("train", "tiny.toml", "--steps", "100000000", "--nproc", "2", "--detach", "--name")


def reader(run: Path) -> MetricsReader:
    """What was recorded in a run."""
    found = MetricsReader(run)
    found.poll()
    return found


def numbers(run: Path) -> npt.NDArray[np.float32]:
    """All of it, newest segment last [N, K]."""
    return np.concatenate([part["values"] for part in reader(run).kept()])


def processes(laddertop: Laddertop, name: str) -> tuple[psutil.Process, psutil.Process]:
    """Rank 0 of the newest start of a run, and rank 1."""
    started = [event for event in laddertop.events(name) if isinstance(event, RunStarted)][-1]
    first = psutil.Process(started.pid)
    (second,) = first.children()
    return first, second


def end(laddertop: Laddertop, name: str) -> RunEnded:
    """How the newest start of a run ended, once it has."""
    run = laddertop.run_folder(name)
    wait_for(lambda: not run.engine_alive())
    return [event for event in laddertop.events(name) if isinstance(event, RunEnded)][-1]


@pytest.mark.stress
def test_ranks_turn_a_knob_at_the_step_at_which_one_process_turned_it(laddertop: Laddertop) -> None:
    # They wait for each other several times a step, which takes long where others wait for the cores: few steps.
    assert laddertop.here("train", "tiny.toml", "--steps", "20", "--name", "one").returncode == 0
    turned = [Change(knob="lr", old=0.002, applied=0.0004), Change(knob="lambda.0", old=10, applied=3)]
    command = Commanded(step=7, id="1-a", by="ann", action="set", outcome="applied", changes=turned)
    engines = {}
    for name, ranks in (("alone", 1), ("shared", 2)):
        made = repeat(laddertop.run_folder("one"), laddertop.runs, name)
        origin = made.origin
        assert origin is not None
        made.path.joinpath("origin.json").write_text(
            origin.model_copy(update={"commands": [command]}).model_dump_json()
        )
        engines[name] = EngineProcess(made, ranks=ranks)
    assert [engine.process.wait(PATIENCE) for engine in engines.values()] == [0, 0]
    alone, shared = (numbers(laddertop.runs / name) for name in engines)
    assert len(alone) == len(shared) == 20
    np.testing.assert_allclose(shared, alone, rtol=1e-3, atol=1e-5)
    names = [column.name for column in reader(laddertop.runs / "shared").columns]
    np.testing.assert_allclose(shared[[6, 7], names.index("lr")], [0.002, 0.0004], rtol=1e-6)
    assert laddertop.json("show", "shared")["ranks"] == 2


@pytest.mark.stress
def test_rows_that_cant_be_shared_out_evenly_are_refused_before_there_is_a_run(laddertop: Laddertop) -> None:
    done = laddertop.here("train", "tiny.toml", "--set", "data.batch=51", "--nproc", "2", "--name", "uneven")
    assert done.returncode == 1
    assert "data.batch: 51 rows can't be shared out evenly among 2 ranks" in done.stderr
    assert not (laddertop.runs / "uneven").exists()


@pytest.mark.stress
def test_a_run_of_two_ranks_of_which_either_is_killed_goes_on_exactly(laddertop: Laddertop) -> None:
    short = ("train", "tiny.toml", "--steps", "120", "--set", "checkpoint.every=20", "--nproc", "2", "--name")
    assert laddertop.here(*short, "whole").returncode == 0
    assert laddertop.here(*short, "killed", "--detach").returncode == 0
    processes(laddertop, "killed")[1].kill()
    began = time.monotonic()
    assert "rank 1 was killed by SIGKILL" in end(laddertop, "killed").detail
    assert time.monotonic() - began < SOON
    assert laddertop.here("resume", "killed", "--detach").returncode == 0
    first, second = processes(laddertop, "killed")
    wait_for(lambda: any(isinstance(event, Checkpointed) for event in laddertop.events("killed")))
    first.kill()
    second.wait(timeout=SOON)
    assert laddertop.json("show", "killed")["state"] == "crashed"
    assert laddertop.here("resume", "killed").returncode == 0
    np.testing.assert_array_equal(numbers(laddertop.runs / "killed")[-20:], numbers(laddertop.runs / "whole")[-20:])
    whole, killed = (torch.load(laddertop.checkpoint(name, 120), weights_only=True) for name in ("whole", "killed"))
    for part in ("model", "first", "second"):
        assert all(torch.equal(killed[part][name], value) for name, value in whole[part].items())


@pytest.mark.stress
def test_a_rank_that_fails_ends_the_training_with_its_reason(laddertop: Laddertop) -> None:
    assert laddertop.here(*LONG, "starved").returncode == 0
    _, second = processes(laddertop, "starved")
    second.rlimit(psutil.RLIMIT_AS, (second.memory_info().vms, resource.RLIM_INFINITY))
    began = time.monotonic()
    ended = end(laddertop, "starved")
    assert ended.reason == "failed"
    assert ended.detail.startswith("rank 1 failed: ")
    assert time.monotonic() - began < SOON
    assert "Traceback" in (laddertop.runs / "starved" / "console.log").read_text()


@pytest.mark.stress
def test_a_rank_that_hangs_is_named(laddertop: Laddertop) -> None:
    assert laddertop.here(*LONG, "hung").returncode == 0
    processes(laddertop, "hung")[1].send_signal(signal.SIGSTOP)
    assert "rank 1 gave no sign of life" in end(laddertop, "hung").detail


@pytest.mark.stress
def test_a_run_goes_on_with_another_number_of_ranks_and_says_so(laddertop: Laddertop) -> None:
    assert laddertop.here(*LONG, "fewer").returncode == 0
    laddertop.here("checkpoint", "fewer")
    assert laddertop.here("stop", "fewer").returncode == 0
    end(laddertop, "fewer")
    assert laddertop.here("resume", "fewer", "--nproc", "1", "--detach").returncode == 0
    assert laddertop.here("stop", "fewer").returncode == 0
    said = [event.text for event in laddertop.events("fewer") if isinstance(event, Logged)]
    assert any("trained by 2 ranks so far and by 1 from here on" in text for text in said)
