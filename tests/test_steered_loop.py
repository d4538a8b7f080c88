"""A loop of somebody's own, in a program without torch, is steered from the command line and the dashboard."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from laddertop.journal.events import Checkpointed, Commanded, RunEnded
from laddertop.tui.dashboard.app import LaddertopApp
from tests import PATIENCE
from tests.loops import numbers, of, until
from tests.processes import typed
from tests.tui.picture import screen_text

STEERED = """
import sys
import laddertop
import numpy as np

run = laddertop.start(
    "mine", steps=10**9, terms={"kl": "beta", "reconstruction": None}, knobs={"lr": 0.1, "beta": 1.0, "fast": False},
    saves=lambda: np.save("w.npy", np.arange(3)) or "w.npy", evaluates=lambda: {"error_percent": 3.2},
)
import time
for step in run:
    run.record(kl=2.0 + step, reconstruction=5.0)
    time.sleep(0.002)
assert not {"torch", "textual"} & set(sys.modules)
print("ended", run.step)
"""


@pytest.fixture(scope="module")
def steered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder of a run of another program that was steered, and what the command line answered."""
    folder = tmp_path_factory.mktemp("elsewhere")
    runs = folder / "runs"
    (folder / "program.py").write_text(STEERED)
    environment = {**os.environ, "LADDERTOP_RUNS": str(runs)}
    with subprocess.Popen(
        [sys.executable, "program.py"], cwd=folder, env=environment, stdout=subprocess.PIPE
    ) as program:
        until(lambda: (runs / "mine" / "metrics-0001.bin").is_file() and numbers(runs / "mine").last_step())
        said = []
        for words in (
            ("set", "mine", "beta=0.25", "fast=on"),
            ("set", "mine", "gamma=1"),
            ("pause", "mine"),
            ("continue", "mine"),
            ("note", "mine", "all is well"),
            ("checkpoint", "mine"),
            ("evaluate", "mine", "--now"),
            ("refresh", "mine"),
            ("rollback", "mine", "--step", "0"),
            ("stop", "mine"),
        ):
            done = typed(*words, "--runs", str(runs))
            said.append(done.stdout + done.stderr)
        assert program.stdout is not None
        assert program.stdout.read().startswith(b"ended")
    assert program.returncode == 0
    return runs / "mine", said


def test_a_program_without_torch_is_steered_from_the_command_line(steered: tuple[Path, list[str]]) -> None:
    run, said = steered
    for answer, words in zip(
        said,
        (
            "beta 1 → 0.25",
            "unknown knob 'gamma'; there are lr, beta, fast",
            "pause applied",
            "continue applied",
            "",
            "saved step-",
            "error  3.2",
            "laddertop.start takes draws=",
            "only its program knows how to load what it saved",
            "stop applied",
        ),
        strict=True,
    ):
        assert words in answer
    (end,) = of(RunEnded, run)
    assert (end.reason, end.detail.startswith("told to by")) == ("stopped", True)
    assert [saved.reason for saved in of(Checkpointed, run)] == ["command", "end"]
    saved = of(Checkpointed, run)[0]
    assert (run / saved.file).read_bytes() == (run.parents[1] / "w.npy").read_bytes()


def test_the_total_is_the_weighted_sum_with_the_knobs_of_each_step(steered: tuple[Path, list[str]]) -> None:
    run, _ = steered
    (turned,) = [done for done in of(Commanded, run) if done.action == "set"]
    read = numbers(run)
    steps = read.steps
    assert (np.diff(steps) == 1).all()
    beta = np.where(steps <= turned.step, 1.0, 0.25)
    np.testing.assert_array_equal(read.values("beta"), beta.astype(np.float32))
    np.testing.assert_array_equal(read.values("kl"), (1.0 + steps).astype(np.float32))
    np.testing.assert_allclose(read.values("total"), beta * (1.0 + steps) + 5.0, rtol=1e-6)
    assert 0 < turned.step < steps[-1]


@pytest.mark.parametrize(
    "words",
    [
        ["fork", "mine"],
        ["resume", "mine"],
        ["replay", "mine", "--train"],
        ["evaluate", "mine"],
        ["sample", "mine", "--out", "x.npz"],
    ],
    ids=lambda words: words[0],
)
def test_what_only_its_program_can_do_is_refused_in_a_sentence(
    steered: tuple[Path, list[str]], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = steered
    monkeypatch.chdir(tmp_path)
    before = sorted(run.parent.iterdir())
    done = typed(*words, "--runs", str(run.parent))
    assert (done.returncode, "start its program again" in done.stderr) == (2, True), done.stderr
    assert sorted(run.parent.iterdir()) == before


def test_lists_show_and_compare_know_it(steered: tuple[Path, list[str]]) -> None:
    run, _ = steered
    runs = ["--runs", str(run.parent)]
    assert "mine" in typed("runs", *runs).stdout
    assert "error 3.2" in typed("runs", *runs).stdout
    assert "reconstruction" in typed("show", "mine", *runs).stdout


async def test_the_dashboard_names_no_key_that_takes_an_engine_and_says_why_it_does_nothing(
    steered: tuple[Path, list[str]],
) -> None:
    app = LaddertopApp(steered[0].parent, steered[0])
    async with app.run_test(size=(120, 40)) as pilot:
        await seen(pilot, lambda: "stopped" in screen_text(app) and "reconstruction" in screen_text(app))
        row = screen_text(app)
        assert not [word for word in ("fork", "resume", "model") if word in row.split("knobs")[-1]]
        await pilot.press("2")
        await seen(pilot, lambda: "trained by a loop of its own" in " ".join(screen_text(app).split()))
        await pilot.press("escape", "R")
        await seen(pilot, lambda: "trained by a loop of its own" in " ".join(screen_text(app).split()))


async def seen(pilot: Pilot[None], what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, screen_text(pilot.app)
        await pilot.pause(0.05)
