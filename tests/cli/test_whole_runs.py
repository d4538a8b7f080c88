"""What is done with whole runs: fork, roll back, rename, note, archive, delete. Real engines in real processes."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.journal.events import Column, Commanded, RunStarted
from laddertop.journal.metrics import MetricsReader, MetricsWriter, write_columns
from laddertop.journal.origin import read_origin
from laddertop.tui.cli.replay import deviation
from tests.processes import Laddertop, wait_for


@pytest.fixture(scope="module")
def whole(laddertop: Laddertop) -> str:
    """A run that finished, with checkpoints at 100, 200 and 300."""
    done = laddertop("train", "tiny.toml", "--steps", "300", "--set", "checkpoint.every=100", "--name", "whole")
    assert done.returncode == 0, done.stderr
    return "whole"


@pytest.fixture(scope="module")
def branch(laddertop: Laddertop, whole: str) -> str:
    """A fork of it from step 200 that differs from its first step on."""
    done = laddertop("fork", whole, "noise=off", "lr=0.0005", "--step", "200", "--name", "branch", "--steps", "210")
    assert done.returncode == 0, done.stderr
    return "branch"


def metrics(folder: Path) -> MetricsReader:
    reader = MetricsReader(folder)
    reader.poll()
    return reader


def weights(file: Path) -> dict[str, torch.Tensor]:
    model: dict[str, torch.Tensor] = torch.load(file, map_location="cpu", weights_only=True)["model"]
    return model


def starts(laddertop: Laddertop, name: str) -> list[RunStarted]:
    return [event for event in laddertop.events(name) if isinstance(event, RunStarted)]


def test_a_fork_goes_on_from_its_checkpoint_as_the_run_did(laddertop: Laddertop, whole: str) -> None:
    done = laddertop("fork", whole, "--step", "200", "--name", "same")
    assert done.returncode == 0, done.stderr
    assert "same goes on from step 200 of whole" in done.stderr
    origin = read_origin(laddertop.runs / "same")
    assert origin is not None
    assert (origin.kind, origin.run, origin.step) == ("fork", "whole", 200)
    start = starts(laddertop, "same")[0]
    assert (start.step, start.resumed_from, start.segment) == (200, 200, 1)
    one, other = metrics(laddertop.runs / whole), metrics(laddertop.runs / "same")
    np.testing.assert_array_equal(other.steps, np.arange(201, 301))
    for column in one.columns:
        np.testing.assert_array_equal(one.values(column.name)[200:], other.values(column.name), column.name)
    here, there = (weights(laddertop.checkpoint(name, 300)) for name in (whole, "same"))
    assert all(torch.equal(here[key], there[key]) for key in here)
    assert laddertop.json("show", "same")["origin"]["run"] == "whole"


@pytest.mark.stress
def test_a_fork_can_differ_from_its_first_step_on(laddertop: Laddertop, branch: str) -> None:
    command = next(event for event in laddertop.events(branch) if isinstance(event, Commanded))
    assert (command.outcome, command.step) == ("applied", 200)
    found = metrics(laddertop.runs / branch)
    assert (found.steps[0], found.steps[-1]) == (201, 210)
    assert found.values("noise")[0] == 0
    assert not found.values("noise.std.0").any()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--step 150", "whole has no checkpoint of step 150; there are 100, 200, 300"),
        ("--step 300", "from step 300 nothing is left to train: the run has 300 steps"),
        ("--step 100 nois=off", "unknown knob 'nois'; did you mean noise"),
        ("--step 100 --name whole", "there is a run whole in checkpoints already"),
    ],
)
def test_a_fork_that_can_not_be_makes_nothing(laddertop: Laddertop, whole: str, words: str, said: str) -> None:
    before = sorted(laddertop.runs.iterdir())
    done = laddertop.here("fork", whole, *words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert sorted(laddertop.runs.iterdir()) == before


def test_a_live_run_rolls_back_and_nothing_of_what_it_threw_away_comes_back(laddertop: Laddertop) -> None:
    words = ["--steps", "100000000", "--set", "checkpoint.every=0", "--name", "back", "--detach"]
    assert laddertop.here("train", "tiny.toml", *words).returncode == 0
    saved = laddertop.json("checkpoint", "back")["step"]
    wrong = laddertop.json("set", "back", "lr=0.01")["step"]
    assert laddertop.here("checkpoint", "back").returncode == 0
    done = laddertop.here("rollback", "back", "--step", str(saved), "--note", "too fast")
    assert done.returncode == 0, done.stderr
    assert f"goes on from step {saved}" in done.stdout
    second = starts(laddertop, "back")[1]
    assert (second.segment, second.resumed_from, second.rolled_back) == (2, saved, True)
    assert {knob.name: knob.value for knob in second.knobs}["lr"] == pytest.approx(0.002)
    wait_for(lambda: laddertop.size("back", 2) > 0)
    history = metrics(laddertop.runs / "back")
    first = history.stretches()[1][0]
    assert history.read(first.segment, first.begin, first.end)["step"][0] == saved + 1
    assert [one["step"] for one in laddertop.json("show", "back")["checkpoints"]] == [saved]
    # Killed before it saved anything again: the newest checkpoint is the one it went back to, and what was done to the
    # steps that are gone is not done again.
    wait_for(lambda: metrics(laddertop.runs / "back").last_step() > wrong)
    os.kill(second.pid, signal.SIGKILL)
    wait_for(lambda: not laddertop.run_folder("back").engine_alive())
    assert laddertop.here("resume", "back", "--detach").returncode == 0
    third = starts(laddertop, "back")[2]
    assert (third.resumed_from, third.rolled_back) == (saved, False)
    wait_for(lambda: laddertop.size("back", 3) > 0 and metrics(laddertop.runs / "back").last_step() > wrong)
    assert laddertop.json("show", "back")["knobs"]["lr"]["value"] == pytest.approx(0.002)
    assert laddertop.here("stop", "back").returncode == 0


@pytest.fixture(scope="module")
def ended(laddertop: Laddertop, whole: str) -> str:
    """A run of ten steps that nobody trains any more."""
    done = laddertop("fork", whole, "--step", "100", "--name", "ended", "--steps", "110")
    assert done.returncode == 0, done.stderr
    return "ended"


@pytest.mark.stress
def test_a_run_without_an_engine_rolls_back_too(laddertop: Laddertop, ended: str) -> None:
    done = laddertop.here("rollback", "ended", "--step", "101")
    assert done.returncode == 2
    assert "ended has no checkpoint of step 101; there are 100, 110" in done.stderr
    assert laddertop.here("rollback", "ended", "--step", "100").returncode == 0
    wait_for(lambda: len(starts(laddertop, "ended")) == 2 and not laddertop.run_folder("ended").engine_alive())
    assert laddertop.json("show", "ended")["state"] == "finished"
    assert [start.resumed_from for start in starts(laddertop, "ended")] == [100, 100]


def test_a_run_that_is_trained_keeps_its_folder(laddertop: Laddertop, ended: str) -> None:
    run = laddertop.run_folder(ended)
    with run.engine_lock():
        for words in (["rename", "ended", "new"], ["archive", "ended"], ["delete", "ended", "--yes"]):
            done = laddertop.here(*words)
            assert done.returncode == 2
            assert "an engine is training ended; stop it first" in done.stderr
    assert run.spec


def test_runs_are_renamed_noted_put_away_and_deleted(laddertop: Laddertop, ended: str) -> None:
    assert laddertop.here("rename", ended, "fine").stdout == "ended → fine\n"
    assert "there is a run whole already" in laddertop.here("rename", "fine", "whole").stderr
    assert laddertop.here("note", "fine", "the one\nwith λ = 0").returncode == 0
    assert laddertop.here("note", "fine").stdout == "the one with λ = 0\n"
    assert laddertop.here("note", "fine", "").returncode == 0
    assert laddertop.here("note", "fine").stdout == "\n"
    assert laddertop.here("archive", "fine").returncode == 0
    assert "fine" not in [run["name"] for run in laddertop.json("runs")]
    assert "fine" in [run["name"] for run in laddertop.json("runs", "--all")]
    assert laddertop.here("archive", "fine", "--back").returncode == 0
    assert "fine" in [run["name"] for run in laddertop.json("runs")]
    refused = laddertop.here("delete", "fine")
    assert refused.returncode == 2
    assert "say --yes" in refused.stderr
    assert laddertop.here("delete", "fine", "--yes").returncode == 0
    assert not [path for path in laddertop.runs.iterdir() if "fine" in path.name]


@pytest.mark.stress
def test_a_replay_trains_the_same_again_bit_for_bit(laddertop: Laddertop, whole: str) -> None:
    words = ["--steps", "100000000", "--set", "checkpoint.every=0", "--name", "steered", "--detach"]
    assert laddertop("train", "tiny.toml", *words).returncode == 0
    laddertop.json("set", "steered", "noise=off", "lr=0.004")
    laddertop.json("checkpoint", "steered")
    laddertop.json("set", "steered", "noise=on")
    assert laddertop.here("stop", "steered").returncode == 0
    done = laddertop("replay", "steered", "--train", "--name", "again")
    assert done.returncode == 0, done.stderr
    assert "again repeats steered with 2 interventions" in done.stderr
    assert "equal bit for bit" in done.stdout
    one, other = metrics(laddertop.runs / "steered"), metrics(laddertop.runs / "again")
    assert one.last_step() == other.last_step() > 0
    for column in one.columns:
        np.testing.assert_array_equal(one.values(column.name), other.values(column.name), column.name)
    assert (other.values("lr") == np.float32(0.004)).any()
    steps = [event.step for event in laddertop.events("steered") if isinstance(event, Commanded) and event.changes]
    assert steps == [event.step for event in laddertop.events("again") if isinstance(event, Commanded)]
    again = weights(laddertop.checkpoint("again", one.last_step()))
    before = weights(laddertop.checkpoint("steered", one.last_step()))
    assert all(torch.equal(again[key], before[key]) for key in before)
    # At the end of what it repeats it is a run like every other: resumed, it goes on beyond.
    assert laddertop.here("resume", "again", "--detach").returncode == 0
    wait_for(lambda: laddertop.json("checkpoint", "again")["step"] > one.last_step())
    assert laddertop.here("stop", "again").returncode == 0


def test_a_replay_that_differs_says_where_and_how_far(laddertop: Laddertop, whole: str, tmp_path: Path) -> None:
    columns = [Column(name=name, label=name, unit="") for name in ("total", "lr")]
    for name in ("one", "other", "same"):
        (tmp_path / name).mkdir()
        write_columns(tmp_path / name, columns)
        values = np.array([[4.0, 1.0], [2.0, 1.0], [np.nan, 1.0]])
        if name == "other":
            values[1, 0] = 2.5
        with contextlib.closing(MetricsWriter(tmp_path / name, 1, 2)) as writer:
            writer.append([1, 2, 3], [0, 0, 0], values)
    assert deviation(tmp_path / "one", tmp_path / "same")["equal"], "NaN is equal to NaN"
    told = deviation(tmp_path / "one", tmp_path / "other")
    assert (told["equal"], told["first"], told["column"], told["at"]) == (False, 2, "total", 2)
    assert told["relative"] == pytest.approx(0.2)


def test_compare_tells_evaluations_seeds_and_differences(laddertop: Laddertop, whole: str, branch: str) -> None:
    words = ("--seed", "4", "--seeds", "2", "--name", "of", "--steps", "20")
    assert laddertop("train", "tiny.toml", *words).returncode == 0
    told = laddertop.json("compare", "of-s4", "of-s5", branch)
    alone = [row["values"]["error_percent"]["value"] for row in told["evaluations"][:2]]
    together = told["evaluations"][-1]
    assert together["runs"] == ["of-s4", "of-s5"]
    assert together["values"]["error_percent"]["value"] == pytest.approx(sum(alone) / 2)
    assert together["values"]["error_percent"]["sd"] == pytest.approx(abs(alone[0] - alone[1]) / 2**0.5)
    assert told["difference"]["seed"] == {"of-s4": "4", "of-s5": "5", "branch": "3"}
    assert told["difference"]["comes from"]["branch"] == "whole at 200"
    assert "model.widths" not in told["difference"]
    told = laddertop.json("compare", whole, branch)
    assert len(told["evaluations"]) == 2, "two runs of one seed are no two draws"
    lines = laddertop.here("compare", "of-s4", "of-s5").stdout.splitlines()
    assert lines[0].split()[:3] == ["run", "step", "error"], "what the screens call it"
    assert lines[3].startswith("2 seeds")
    assert "±" in lines[3]
