"""A compiled training that is killed and resumed ends in the weights of the uninterrupted one."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from journal.events import Checkpointed, EventReader, RunEnded
from journal.folder import RunFolder, create_run
from tests.engine.conftest import small_spec


def engine(run: RunFolder) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "engine", "train", str(run.path)])


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    last = max(run.path.glob("step-*.ckpt"))
    content = torch.load(last, weights_only=True)
    assert content["step"] == 4000
    return {f"{part}.{name}": t for part in ("model", "first", "second") for name, t in content[part].items()}


@pytest.mark.stress
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
