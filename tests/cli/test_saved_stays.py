"""What was saved stays: after a roll-back, a divergence, a loss of checkpoints. Real engines in real processes."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from laddertop.journal.events import Checkpointed, Logged, RunEnded, RunStarted
from laddertop.journal.metrics import MetricsReader
from tests.processes import Laddertop, wait_for

LONG = ["--steps", "100000000", "--detach"]
BY_HAND = [*LONG, "--set", "checkpoint.every=0"]


def train(laddertop: Laddertop, name: str, *words: str) -> None:
    done = laddertop.here("train", "tiny.toml", "--name", name, *words)
    assert done.returncode == 0, done.stderr


def on_disk(laddertop: Laddertop, name: str) -> list[int]:
    return sorted(int(file.name.split("-")[1]) for file in (laddertop.runs / name).glob("step-*.ckpt"))


def starts(laddertop: Laddertop, name: str) -> list[RunStarted]:
    return [event for event in laddertop.events(name) if isinstance(event, RunStarted)]


def trained_to(laddertop: Laddertop, name: str, step: int) -> bool:
    reader = MetricsReader(laddertop.runs / name)
    return bool(reader.poll()) and reader.last_step() > step


def killed(laddertop: Laddertop, name: str) -> None:
    os.kill(starts(laddertop, name)[-1].pid, signal.SIGKILL)
    wait_for(lambda: not laddertop.run_folder(name).engine_alive())


def test_a_stop_after_a_roll_back_keeps_where_it_went_back_to_and_what_was_saved_by_hand(laddertop: Laddertop) -> None:
    train(laddertop, "back", *BY_HAND)
    first = laddertop.json("checkpoint", "back")["step"]
    wait_for(lambda: trained_to(laddertop, "back", first + 20))
    second = laddertop.json("checkpoint", "back")["step"]
    assert laddertop.here("rollback", "back", "--step", str(first)).returncode == 0
    end = laddertop.json("stop", "back")["result"]["step"]
    assert {first, second, end} == set(on_disk(laddertop, "back"))
    assert [one["step"] for one in laddertop.json("show", "back")["checkpoints"]] == sorted({first, end})


@pytest.mark.stress
def test_after_a_roll_back_past_the_newest_two_every_new_checkpoint_stays_as_it_is_written(
    laddertop: Laddertop,
) -> None:
    train(
        laddertop,
        "far",
        *LONG,
        "--set",
        "checkpoint.every=50",
        "--set",
        "checkpoint.keep=2",
        "--set",
        "evaluate.every=0",
    )
    first = laddertop.json("checkpoint", "far")["step"]
    wait_for(lambda: trained_to(laddertop, "far", first + 400))
    assert laddertop.here("rollback", "far", "--step", str(first)).returncode == 0
    wait_for(lambda: laddertop.size("far", 2) and trained_to(laddertop, "far", first + 170))
    killed(laddertop, "far")
    saved = [
        event.step
        for event in laddertop.events("far")
        if isinstance(event, Checkpointed) and event.time > starts(laddertop, "far")[1].time
    ]
    assert len(saved) >= 3
    assert set(saved[-2:]) <= set(on_disk(laddertop, "far"))
    assert laddertop.here("resume", "far", "--detach").returncode == 0
    assert starts(laddertop, "far")[-1].resumed_from == saved[-1]
    assert laddertop.here("stop", "far").returncode == 0


@pytest.fixture(scope="module")
def diverged(laddertop: Laddertop) -> str:
    """A run that was saved, diverged by a rate of 10, went on saving, and was stopped."""
    train(
        laddertop,
        "lost",
        *LONG,
        "--set",
        "checkpoint.every=100",
        "--set",
        "checkpoint.keep=2",
        "--set",
        "warmup.on=off",
    )
    wait_for(lambda: len(on_disk(laddertop, "lost")) == 2)
    done = laddertop.json("set", "lost", "lr=10")
    wait_for(lambda: trained_to(laddertop, "lost", done["step"] + 350))
    said = laddertop.here("stop", "lost")
    assert said.returncode == 0, said.stderr
    return "lost"


def test_a_finite_divergence_is_an_outcome_of_its_own(laddertop: Laddertop, diverged: str) -> None:
    told = laddertop.json("show", diverged)
    assert told["state"] == "diverged"
    assert {run["name"]: run["state"] for run in laddertop.json("runs")}[diverged] == "diverged"
    assert f"{diverged}: diverged, step " in laddertop.here("show", diverged).stdout
    events = laddertop.events(diverged)
    assert isinstance(events[-1], RunEnded)
    assert events[-1].reason == "diverged"
    assert "told to by" in events[-1].detail
    (noticed,) = (event for event in events if isinstance(event, Logged) and event.diverged)
    assert noticed.level == "error"
    assert told["total"] > 1000


def test_a_divergence_pushes_out_nothing_and_what_it_saved_is_not_gone_on_from(
    laddertop: Laddertop, diverged: str
) -> None:
    events = laddertop.events(diverged)
    (noticed,) = (event for event in events if isinstance(event, Logged) and event.diverged)
    assert noticed.sound_until is not None
    sound = [e.step for e in events if isinstance(e, Checkpointed) and e.step <= noticed.sound_until]
    lost = [e.step for e in events if isinstance(e, Checkpointed) and e.step > noticed.sound_until]
    assert len(lost) >= 3
    # Of the two that were kept when it was noticed, the newer one may already be of the divergence.
    kept = [e.step for e in events[: events.index(noticed)] if isinstance(e, Checkpointed)][-2:]
    assert sound[-1] in kept
    assert set(kept) & set(sound) <= set(on_disk(laddertop, diverged))
    assert len(set(on_disk(laddertop, diverged)) & set(lost)) == 1
    assert f"`laddertop rollback {diverged} --step {sound[-1]}`" in noticed.text


def test_the_way_back_that_the_engine_advises_works_without_an_engine(laddertop: Laddertop, diverged: str) -> None:
    (noticed,) = (event for event in laddertop.events(diverged) if isinstance(event, Logged) and event.diverged)
    words = noticed.text.partition("`laddertop ")[2].partition("`")[0].split()
    assert laddertop.here(*words).returncode == 0
    second = starts(laddertop, diverged)[-1]
    assert str(second.resumed_from) == words[-1]
    assert {knob.name: knob.value for knob in second.knobs}["lr"] == pytest.approx(0.002)
    wait_for(lambda: laddertop.size(diverged, 2) and trained_to(laddertop, diverged, noticed.step + 100))
    assert laddertop.json("show", diverged)["total"] < 100
    assert laddertop.json("stop", diverged)["result"]["reason"] == "stopped"
    assert laddertop.json("show", diverged)["state"] == "stopped"


TOO_FAST = ("tiny.toml", "--steps", "60", "--set", "optimizer.lr=10", "--set", "warmup.on=off", "--json")


def test_a_training_in_the_foreground_that_diverged_is_no_success(laddertop: Laddertop) -> None:
    done = laddertop("train", *TOO_FAST, "--name", "fast")
    assert done.returncode == 1
    assert "fast diverged: the cost is a thousand times what it was" in done.stderr
    assert "`laddertop rollback fast --step 0` begins again" in done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["event"], last["reason"], last["summary"]["state"]) == ("ended", "diverged", "diverged")


@pytest.mark.stress
def test_seeds_that_diverged_are_no_success(laddertop: Laddertop) -> None:
    many = laddertop("train", *TOO_FAST, "--seeds", "2", "--name", "many")
    assert many.returncode == 1
    assert "many-s3: diverged at step 60" in many.stderr
    assert {run["state"] for run in json.loads(many.stdout)["runs"]} == {"diverged"}


def test_a_trained_run_without_checkpoints_is_not_begun_again_silently(laddertop: Laddertop) -> None:
    train(laddertop, "bare", *BY_HAND)
    wait_for(lambda: trained_to(laddertop, "bare", 20))
    killed(laddertop, "bare")
    before = (laddertop.runs / "bare" / "events.jsonl").read_bytes()
    done = laddertop.here("resume", "bare")
    assert (done.returncode, done.stdout) == (2, "")
    assert "bare has been trained, and has no checkpoint to go on from" in done.stderr
    assert "`laddertop rollback bare --step 0` begins it again" in done.stderr
    assert (laddertop.runs / "bare" / "events.jsonl").read_bytes() == before
    assert laddertop.here("rollback", "bare", "--step", "0").returncode == 0
    second = starts(laddertop, "bare")[-1]
    assert (second.step, second.resumed_from, second.rolled_back) == (0, None, True)
    assert laddertop.here("stop", "bare").returncode == 0


@pytest.mark.stress
def test_a_fork_of_a_damaged_checkpoint_is_refused_and_one_without_its_origin_does_not_begin(
    laddertop: Laddertop,
) -> None:
    train(laddertop, "parent", "--steps", "200")
    file: Path = laddertop.checkpoint("parent", 200)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    done = laddertop("fork", "parent", "--steps", "300", "--name", "child")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{file} is damaged" in done.stderr.replace("\n", "") or "is damaged" in done.stderr
    assert not (laddertop.runs / "child").exists()
    file.write_bytes(whole)
    done = laddertop("fork", "parent", "--steps", "300", "--name", "child")
    assert done.returncode == 0, done.stderr
    for checkpoint in [laddertop.checkpoint("child", 300), laddertop.runs / "child" / "origin.ckpt"]:
        checkpoint.unlink()
    for words in (["rollback", "child", "--step", "0"], ["rollback", "child"]):
        assert laddertop.here(*words).returncode == 2
    (laddertop.runs / "child" / "events.jsonl").unlink()
    done = laddertop.here("resume", "child")
    assert done.returncode == 2
    assert "child is a fork, and what it began with is gone" in done.stderr
