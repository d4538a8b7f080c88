"""A babysitter beside a real engine: it brings a training back by itself, which is repeated bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from laddertop.journal.events import Commanded
from tests.processes import Laddertop, wait_for

LONG = ["--steps", "100000000", "--set", "warmup.on=off", "--detach"]


def sitters(folder: Path) -> list[int]:
    """The processes that look after a run."""
    told = subprocess.run(["ps", "-ewwo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 1) for line in told.splitlines()]
    return [int(pid) for pid, words in lines if "laddertop.tui.steer.babysitter" in words and str(folder) in words]


def sent(laddertop: Laddertop, name: str) -> list[Commanded]:
    """What a babysitter sent to a run."""
    events = laddertop.events(name)
    return [e for e in events if isinstance(e, Commanded) and e.by.endswith(" (babysitter)")]


@pytest.mark.stress
def test_a_detached_training_is_brought_back_and_what_was_done_is_repeated_bit_for_bit(laddertop: Laddertop) -> None:
    assert laddertop("train", "tiny.toml", "--name", "sat", *LONG, "--babysit").returncode == 0
    folder = laddertop.run_folder("sat").path
    try:
        wait_for(lambda: laddertop.json("show", "sat")["babysitter"]["at_work"])
        wait_for(lambda: laddertop.json("show", "sat")["step"] > 300)
        # Longer than its weights are large, and not so long that the cost is lost before anybody looks.
        laddertop.json("set", "sat", "lr=0.3")
        wait_for(lambda: any(c.action == "set" for c in sent(laddertop, "sat")))
        wait_for(lambda: laddertop.json("show", "sat")["knobs"]["lr"]["value"] <= 0.002)
        said = laddertop.here("show", "sat").stdout
    finally:
        laddertop.here("stop", "sat")
    assert "babysitter at work, for what is safe" in said
    assert {c.outcome for c in sent(laddertop, "sat")} == {"applied"}
    wait_for(lambda: not sitters(folder))
    again = laddertop("replay", "sat", "--train", "--name", "again")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "equal bit for bit" in again.stdout
    ids = [{c.id for c in sent(laddertop, name)} for name in ("sat", "again")]
    assert ids[1] <= ids[0], "what was sent to the one run is done to the other, and no more"


def test_one_that_is_killed_costs_the_training_nothing(laddertop: Laddertop) -> None:
    assert laddertop("train", "tiny.toml", "--name", "alone", *LONG, "--babysit", "safe,plateau").returncode == 0
    folder = laddertop.run_folder("alone").path
    try:
        wait_for(lambda: laddertop.json("show", "alone")["babysitter"]["at_work"])
        (pid,) = sitters(folder)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not laddertop.json("show", "alone")["babysitter"]["at_work"])
        at = laddertop.json("show", "alone")["step"]
        wait_for(lambda: laddertop.json("show", "alone")["step"] > at)
    finally:
        assert laddertop.here("stop", "alone").returncode == 0
    assert laddertop.json("show", "alone")["state"] == "stopped"


def test_a_kind_that_there_is_not_makes_no_run(laddertop: Laddertop) -> None:
    refused = laddertop.here("train", "tiny.toml", "--name", "none", "--babysit=diverge")
    assert refused.returncode == 2
    assert "no kind of findings is called diverge; did you mean diverged?" in refused.stderr
