"""Compiled trainings as processes: killed and resumed, without a compiler, and with a broken one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from laddertop.engine.training.device import choose_compile
from laddertop.journal.events import Checkpointed, EventReader, Logged, RunEnded, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.tui.watch.summary import summary
from tests.kinds import small_spec


def engine(run: RunFolder, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "laddertop.engine", "train", str(run.path)]
    return subprocess.Popen(command, env={**os.environ, **environment})


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    last = max(run.path.glob("step-*.ckpt"))
    content = torch.load(last, weights_only=True)
    assert content["step"] == 4000
    return {f"{part}.{name}": t for part in ("model", "first", "second") for name, t in content[part].items()}


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_only_a_run_long_enough_to_earn_the_compiling_back_is_compiled(device: str):
    steps = 10_000
    assert choose_compile("auto", steps - 1, torch.device(device)) == (False, "")
    compiled, why_not = choose_compile("auto", steps, torch.device(device))
    assert compiled or why_not


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_compiled_run_killed_and_resumed_ends_in_the_same_weights(tmp_path: Path, precision: str):
    spec = small_spec(
        "dae", "compile=on", f"precision={precision}", "steps=4000", "checkpoint.every=500", "evaluate.every=0"
    )
    whole, broken = create_run(tmp_path, spec, "whole"), create_run(tmp_path, spec, "broken")
    assert engine(whole).wait() == 0
    process, events = engine(broken), EventReader(broken.events_path)
    while not any(isinstance(event, Checkpointed) for event in events.poll()):
        assert process.poll() is None, "the run ended before it was killed"
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not any(isinstance(event, RunEnded) for event in EventReader(broken.events_path).read_all())
    assert engine(broken).wait() == 0
    expected, actual = weights(whole), weights(broken)
    assert expected.keys() == actual.keys()
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


@pytest.mark.stress
def test_without_a_compiler_a_run_says_so_and_goes_on_uncompiled(tmp_path: Path):
    run = create_run(tmp_path, small_spec("dae", "compile=on"), "bare")
    assert engine(run, PATH=str(tmp_path / "nothing-here"), CXX="").wait() == 0
    (started,) = (e for e in EventReader(run.events_path).read_all() if isinstance(e, RunStarted))
    assert not started.compiled
    assert "no C++ compiler here" in started.note


@pytest.mark.stress
def test_a_broken_compiler_costs_time_and_nothing_else(tmp_path: Path):
    compiler = tmp_path / "g++"
    compiler.write_text(
        '#!/bin/sh\ncase "$*" in *version*) echo 12.2.0; exit 0;; esac\necho "no Python.h" >&2\nexit 1\n'
    )
    compiler.chmod(0o755)
    run = create_run(tmp_path, small_spec("dae", "compile=on"), "broken")
    cache = {"XDG_CACHE_HOME": str(tmp_path), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "compiled")}
    assert engine(run, PATH=f"{tmp_path}:{os.environ['PATH']}", **cache).wait() == 0
    events = EventReader(run.events_path).read_all()
    assert any(isinstance(e, Logged) and e.uncompiled and "the precision stays" in e.text for e in events)
    assert summary(run)["compiled"] is False
    assert isinstance(events[-1], RunEnded)
    assert events[-1].step == 60
