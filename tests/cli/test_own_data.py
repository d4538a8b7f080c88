"""`--data ./mine.npz` from the command line: one run, which is driven on no other data, and what begins none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.engine.own_data import bars
from tests.processes import Laddertop, wait_for

TRAIN = ("train", "vae-digits", "--data", "mine.npz", "--set", "data.batch=10")


@pytest.fixture(scope="module")
def mine(laddertop: Laddertop) -> Path:
    """A run on own data that was stopped after a while, and its file."""
    x, y = bars(90)
    path = laddertop.cwd / "mine.npz"
    np.savez(path, x=x, y=y)
    done = laddertop.here(*TRAIN, "--steps", "100000000", "--name", "mine", "--detach")
    assert done.returncode == 0, done.stderr
    assert f"{path}: 72 training and 18 test images (drawn with seed 1) of 13×7, values in 0" in done.stderr
    wait_for(lambda: laddertop.json("show", "mine")["step"] > 20)
    assert laddertop.here("stop", "mine").returncode == 0
    wait_for(lambda: not laddertop.run_folder("mine").engine_alive())
    return path


def test_other_data_are_refused_to_all_that_drives_the_run(laddertop: Laddertop, mine: Path) -> None:
    before, runs = mine.read_bytes(), set(laddertop.runs.iterdir())
    x, y = bars(90, seed=1)
    np.savez(mine, x=x, y=y)
    try:
        for words in ("resume mine", "evaluate mine --quick"):
            done = laddertop.here(*words.split())
            assert done.returncode in (1, 2), words
            assert f"{mine} is other data than the run was made with: its SHA-256 is " in done.stderr
            assert "put the old file back, or train a new run" in done.stderr
    finally:
        mine.write_bytes(before)
    assert set(laddertop.runs.iterdir()) == runs
    told = laddertop.json("evaluate", "mine", "--quick")
    assert np.isfinite(told["values"]["negative_elbo"]["value"])
    assert laddertop.run_folder("mine").spec.data.name == str(mine)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--data", "./nowhere.npz"], "data.name: there is no "),
        (["--data", "bad.npz"], "bad.npz, array x, x[2] holds NaN; replace it, or leave the item out"),
        (["--data", "bad.toml"], "data.name: no such data set"),
        (["--data", "mnits"], "data.name: no such data set (did you mean mnist"),
        (["--data", "mine.npz", "--set", "data.batch=80"], "mine.npz has 72 training items"),
        (["--data", "mine.npz", "--set", "data.test_share=1"], "data.test_share: input should be less than 1"),
        (["--data", "real.npz"], "model.output: the numbers of "),
    ],
)
def test_what_can_not_be_trained_on_is_refused_before_there_is_a_folder(
    laddertop: Laddertop, mine: Path, words: list[str], complaint: str
) -> None:
    np.savez(laddertop.cwd / "bad.npz", x=np.where(np.arange(5)[:, None] == 2, np.nan, np.zeros((5, 4))))
    np.savez(laddertop.cwd / "real.npz", x=np.arange(40.0).reshape(10, 4))
    before = set(laddertop.cwd.rglob("*"))
    done = laddertop.here("train", "vae-digits", *words, "--steps", "5")
    assert complaint in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("laddertop: ")
    assert done.stderr.count("\n") == 1
    assert set(laddertop.cwd.rglob("*")) == before
