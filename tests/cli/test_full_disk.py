"""A file system that is really full: the training waits, everybody can see it, and it goes on when there is room."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from laddertop.journal.events import Logged
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.watch.trouble import troubles
from tests import PATIENCE
from tests.processes import Laddertop, wait_for
from tests.tui.eyes import Eyes

STEPS = 1000
ROOM = "2m"


@pytest.fixture(scope="module")
def small(laddertop: Laddertop) -> Iterator[Path]:
    """A file system of its own, in which runs lie."""
    place = laddertop.runs
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> Path:
    """Takes all the room there is."""
    ballast = place / ".ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def weights(laddertop: Laddertop, name: str) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(laddertop.checkpoint(name, STEPS), weights_only=True)["model"]
    return found


@pytest.mark.stress
def test_a_training_on_a_full_disk_waits_can_be_ended_and_goes_on_as_if_nothing_had_been(
    laddertop: Laddertop, small: Path
) -> None:
    settings = ["--steps", str(STEPS), "--set", "checkpoint.every=50", "--set", "checkpoint.keep=2"]
    run = laddertop.run_folder("full")
    printed = laddertop.cwd / "printed.txt"
    with printed.open("w") as file:
        engine = laddertop.start("train", "tiny.toml", "--name", "full", *settings, stderr=file)
    wait_for(lambda: run.path.is_dir() and list(run.path.glob("step-*.ckpt")))
    ballast = fill(small)
    wait_for(lambda: run.engine_waits() and "takes nothing: the training waits" in printed.read_text())
    size, (found,) = laddertop.size("full"), troubles(Eyes(run).view)
    assert (found.name, found.grave) == ("disk full", False)
    engine.send_signal(signal.SIGTERM)
    assert engine.wait(PATIENCE) == 143
    assert laddertop.size("full") == size
    starting = laddertop.start("resume", "full", "--detach")
    wait_for(run.engine_waits)
    assert starting.poll() is None
    ballast.unlink()
    _, told = starting.communicate(timeout=PATIENCE)
    assert starting.returncode == 0, told
    assert "takes nothing: the training waits" in told
    wait_for(lambda: laddertop.size("full", 2))
    ballast = fill(small)
    wait_for(run.engine_waits)
    ballast.unlink()
    wait_for(lambda: not run.engine_alive())
    assert laddertop.json("show", "full")["state"] == "finished"
    assert not run.engine_waits()
    reader = MetricsReader(run.path)
    reader.poll()
    assert reader.steps.tolist() == list(range(1, STEPS + 1))
    assert any(isinstance(e, Logged) and "No space left on device" in e.text for e in laddertop.events("full"))
    done = laddertop("train", "tiny.toml", "--name", "whole", *settings)
    assert done.returncode == 0, done.stderr
    expected, waited = weights(laddertop, "whole"), weights(laddertop, "full")
    assert all(torch.equal(expected[name], waited[name]) for name in expected)
