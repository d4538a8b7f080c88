"""Several seeds side by side: each is the lone run of its seed, and their sum is right."""

from __future__ import annotations

import json
import math
import os
import signal
import statistics
from pathlib import Path

import pytest
import torch

from laddertop.journal.events import Evaluated, EventReader, RunStarted
from laddertop.journal.folder import RunFolder
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.start import has_gpu
from laddertop.journal.value import Value
from laddertop.tui.cli import seeds as seeds_module
from laddertop.tui.cli.seeds import default_at_once, side_by_side, together, train_seeds
from laddertop.tui.steer.placing import devices_named, freest, full
from tests import PATIENCE
from tests.processes import Laddertop, wait_for

TINY = ["train", "ladder-digits", "--steps", "40", "--set", "model.widths=[16]", "--set", "model.denoising=[10,1,1]"]


def test_seeds_side_by_side_equal_their_lone_runs_and_are_summed_up(laddertop: Laddertop):
    done = laddertop(*TINY, "--seed", "5", "--seeds", "2", "--name", "many", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [run["name"] for run in told["runs"]] == ["many-s5", "many-s6"]
    errors = [run["evaluation"]["values"]["error_percent"]["value"] for run in told["runs"]]
    assert told["evaluation"]["error_percent"]["mean"] == statistics.fmean(errors)
    assert told["evaluation"]["error_percent"]["unit"] == "% of images"
    lone = laddertop(*TINY, "--seed", "6", "--set", "threads=1", "--name", "lone")
    assert lone.returncode == 0, lone.stderr
    ours, theirs = (torch.load(laddertop.checkpoint(name, 40), weights_only=True) for name in ("lone", "many-s6"))
    assert all(torch.equal(tensor, theirs["model"][name]) for name, tensor in ours["model"].items())


def test_detached_seeds_are_trained_by_a_process_of_their_own_in_turn_where_that_is_said_and_summed_up(
    laddertop: Laddertop,
):
    done = laddertop(*TINY, "--seed", "7", "--seeds", "2", "--name", "away", "--detach", "--at-once", "1")
    assert (done.returncode, done.stdout) == (0, "away-s7\naway-s8\n"), done.stderr
    assert "`kill " in done.stderr
    log = laddertop.runs / "away-seeds.log"
    assert str(log.relative_to(laddertop.cwd)) in done.stderr
    wait_for(lambda: "over 2 seeds" in log.read_text())
    assert "\nerror: median " in log.read_text(), "what the screens call it"
    assert {laddertop.json("show", name)["state"] for name in ("away-s7", "away-s8")} == {"finished"}
    first, second = (laddertop.events(f"away-s{seed}") for seed in (7, 8))
    assert first[-1].time < second[0].time
    again = laddertop.here(*TINY, "--seed", "8", "--seeds", "2", "--name", "away", "--detach")
    assert (again.returncode, again.stdout) == (2, "")
    assert "there is a run away-s8 in checkpoints already" in again.stderr


@pytest.mark.parametrize("columns", [60, pytest.param(100, marks=pytest.mark.stress)])
def test_seeds_on_a_terminal_have_a_bar_each_in_their_order_from_the_start(laddertop: Laddertop, columns: int):
    words = ["train", "tiny.toml", "--steps", "20000", "--seeds", "4", "--name", f"bars{columns}"]
    with laddertop.in_terminal(*words, columns=columns, rows=24) as terminal:
        bars = ["seed 3", "seed 4", "seed 5", "seed 6"]
        terminal.wait_for(lambda lines: [line[:6] for line in lines if line[:4] == "seed"] == bars)
        top = next(y for y, line in enumerate(terminal.lines) if line.startswith("seed 3"))
        assert terminal.lines[top + 3].endswith("waiting")
        terminal.wait_for(lambda lines: " left" in lines[top] and "━" in lines[top])
        assert [line[:6] for line in terminal.lines[top : top + 5]] == [*bars, ""]
        terminal.press("\x03")
        terminal.wait_for(lambda lines: any(line[:6] == "seed 3" and "stopped" in line for line in lines))
        assert terminal.ended() == 128 + signal.SIGINT


@pytest.mark.stress
def test_a_second_interrupt_kills_the_engines_even_when_they_are_stuck(laddertop: Laddertop):
    words = ["train", "tiny.toml", "--steps", "100000000", "--seeds", "2", "--name", "stuck"]
    with laddertop.start(*words) as command:
        assert command.stderr is not None
        names = ["stuck-s3", "stuck-s4"][: len(os.sched_getaffinity(0))]
        for name in names:
            wait_for(lambda name=name: laddertop.size(name) > 0)
            start = laddertop.events(name)[0]
            assert isinstance(start, RunStarted)
            os.kill(start.pid, signal.SIGSTOP)
        command.send_signal(signal.SIGINT)
        assert "ctrl-c (again) kills them at once" in command.stderr.readline()
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=PATIENCE)
    assert command.returncode == 128 + signal.SIGINT
    assert "Traceback" not in err
    assert not any(laddertop.run_folder(name).engine_alive() for name in names)


def test_a_gpu_trains_one_seed_after_the_other_and_a_cpu_one_per_core():
    for device, gpu, engines in (
        ("cpu", True, 8),
        ("cpu", False, 8),
        ("auto", False, 8),
        ("auto", True, 1),
        ("cuda", True, 1),
        ("cuda:1", True, 1),
        ("mps", False, 1),
    ):
        assert side_by_side(device, 8, gpu) == engines


def test_several_gpus_are_named_once_each_and_for_seeds_alone(laddertop: Laddertop):
    assert devices_named("cuda:0,1") == ["cuda:0", "cuda:1"]
    assert devices_named("auto") == ["auto"]
    for words in ("cuda:0,0", "cuda:0,", "cuda:0,x", "cpu,cpu"):
        done = laddertop.here(*TINY, "--seeds", "2", "--device", words)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"--device {words}: several are written as cuda:0,1, each of them once" in done.stderr
    done = laddertop.here(*TINY, "--device", "cuda:0,1")
    assert done.returncode == 2
    assert "with --seeds N the runs are spread over several" in done.stderr


def test_each_of_several_devices_has_one_run_at_a_time(tmp_path: Path):
    """By engines on the CPU, which is one device under several names here: there are no two GPUs to try it on."""
    placed = ["cuda:0", "cuda:1", "cuda:2"]
    assert freest(placed, []) == "cuda:0"
    assert freest(placed, ["cuda:0", "cuda:2"]) == "cuda:1"
    assert freest(placed, ["cuda:0", "cuda:1", "cuda:2", "cuda:0"]) == "cuda:1"
    spec = override(load_recipe("dae-digits"), ["device=cpu", "steps=20", "seed=3"])
    assert default_at_once(spec, ["cpu", "cpu", "cpu"], 5) == 3
    assert default_at_once(spec, ["cpu", "cpu", "cpu"], 2) == 2
    assert train_seeds(spec, tmp_path, "two", 3, None, ["cpu", "cpu"], as_json=False) == 0
    runs = [RunFolder(tmp_path / f"two-s{seed}") for seed in (3, 4, 5)]
    spans = [(events[0].time, events[-1].time) for run in runs if (events := EventReader(run.events_path).read_all())]
    assert [run.spec.device for run in runs] == ["cpu"] * 3
    assert min(end for _, end in spans[:2]) <= spans[2][0], "the third began before a device was free"


def test_a_device_is_full_when_it_has_its_share_of_the_runs() -> None:
    placed = ["cuda:0", "cuda:1"]
    assert not full("cuda:0", placed, ["cuda:1"], 2)
    assert full("cuda:1", placed, ["cuda:1"], 2)
    assert [full("cuda:0", placed, ["cuda:0"] * n, 4) for n in (0, 1, 2)] == [False, False, True]
    assert full("cuda:7", placed, ["cuda:7"], 2), "one that a run was begun on elsewhere"
    assert [full("cpu", ["cpu", "cpu"], ["cpu"] * n, 2) for n in (1, 2)] == [False, True]


def test_no_more_seeds_are_at_work_on_a_cpu_than_have_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    spec = override(load_recipe("ladder-mnist-100"), ["device=cpu"])
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: range(8))
    for gigabytes, seeds in ((1, 1), (2, 2), (5, 6), (100, 8)):
        monkeypatch.setattr(seeds_module, "free_memory", lambda gigabytes=gigabytes: gigabytes * 10**9)
        assert default_at_once(spec, ["cpu"], 10) == seeds
    assert "2 of 8 seeds at a time: each takes about 0.72 GB of memory, and 2 GB are free" in capsys.readouterr().err


def test_a_gpu_that_the_environment_hides_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr("laddertop.journal.start._GPUS", (str(tmp_path / "absent"), str(tmp_path / "nvidia0")))
    for visible, seen in ((None, True), ("0,1", True), ("GPU-8f", True), ("", False), ("-1", False), ("-1,0", False)):
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        if visible is not None:
            monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert has_gpu() == seen
    monkeypatch.setattr("laddertop.journal.start._GPUS", (str(tmp_path / "absent"),))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert not has_gpu()


def test_one_seed_has_no_deviation():
    value = Value(value=2.0, unit="nats")
    told = together([Evaluated(step=1, split="test", values={"kl": value}, seconds=0)])
    assert told == {"kl": {"values": [2.0], "median": 2.0, "mean": 2.0, "sd": 0.0, "unit": "nats"}}
    assert together([]) == {}


def test_a_seed_that_diverged_stays_visible_and_breaks_nothing():
    evaluations = [
        Evaluated(step=1, split="test", values={"kl": Value(value=value, unit="nats")}, seconds=0)
        for value in (1.0, math.nan, 3.0)
    ]
    told = together(evaluations)["kl"]
    assert all(math.isnan(told[key]) for key in ("median", "mean", "sd"))
    evaluations[1] = evaluations[1].model_copy(update={"values": {"kl": Value(value=math.inf, unit="nats")}})
    told = together(evaluations)["kl"]
    assert (told["median"], told["mean"]) == (3.0, math.inf)
    assert math.isnan(told["sd"])
