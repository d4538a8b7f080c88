"""Several seeds side by side: each is the lone run of its seed, and their sum is right."""

from __future__ import annotations

import json
import statistics

import torch

from journal.events import Evaluated, Value
from tests.processes import Laddertop
from tui.cli_seeds import together

TINY = ["train", "ladder-digits", "--steps", "40", "--set", "model.widths=[16]", "--set", "model.denoising=[10,1,1]"]


def test_seeds_side_by_side_equal_their_lone_runs_and_are_summed_up(laddertop: Laddertop):
    done = laddertop(*TINY, "--seed", "5", "--seeds", "2", "--name", "many", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sorted(run["name"] for run in told["runs"]) == ["many-s5", "many-s6"]
    errors = [run["evaluation"]["values"]["error_percent"]["value"] for run in told["runs"]]
    assert told["evaluation"]["error_percent"]["mean"] == statistics.fmean(errors)
    assert told["evaluation"]["error_percent"]["unit"] == "% of images"
    lone = laddertop(*TINY, "--seed", "6", "--set", "threads=1", "--name", "lone")
    assert lone.returncode == 0, lone.stderr
    ours, theirs = (
        torch.load(laddertop.runs / name / "step-000000040.ckpt", weights_only=True) for name in ("lone", "many-s6")
    )
    assert all(torch.equal(tensor, theirs["model"][name]) for name, tensor in ours["model"].items())


def test_seeds_cant_be_detached(laddertop: Laddertop):
    done = laddertop(*TINY, "--seeds", "2", "--detach")
    assert done.returncode == 2
    assert "can't be detached" in done.stderr


def test_one_seed_has_no_deviation():
    value = Value(value=2.0, unit="nats")
    told = together([Evaluated(step=1, split="test", values={"kl": value}, seconds=0)])
    assert told == {"kl": {"values": [2.0], "median": 2.0, "mean": 2.0, "sd": 0.0, "unit": "nats"}}
    assert together([]) == {}
