"""Word from afar: commands are run when a training ends, diverges or has a new best, and hold up nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from laddertop.journal.events import Evaluated, Logged, RunEnded
from tests.processes import Laddertop, wait_for


def told(file: Path) -> list[dict[str, Any]]:
    """What commands wrote, each its standard input in a line; what is not written to its end is not there yet."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


@pytest.fixture(scope="module")
def trained(laddertop: Laddertop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detached training that sent word to files in a folder, and one of whose commands hangs for ever."""
    said = tmp_path_factory.mktemp("said")
    (said / "config" / "laddertop").mkdir(parents=True)
    (said / "config" / "laddertop" / "config.toml").write_text(
        f"on-end = 'echo \"$(cat)\" >> {said}/end'\non-best = 'echo never >> {said}/wrong'\n"
    )
    hangs = f"echo $$ >> {said}/hangs; cat >> {said}/best; echo >> {said}/best; exec sleep 100000"
    words = ["--name", "told", "--on-best", hangs, "--set", "evaluate.every=100", "--detach"]
    done = laddertop("train", "tiny.toml", *words, XDG_CONFIG_HOME=str(said / "config"))
    assert done.returncode == 0, done.stderr
    wait_for(lambda: told(said / "end"))
    wait_for(lambda: not laddertop.run_folder("told").engine_alive())
    return said


def test_the_end_is_told_with_the_run_as_json(laddertop: Laddertop, trained: Path) -> None:
    (end,) = told(trained / "end")
    assert end["text"].startswith("told: finished at step 600, ")
    assert (end["event"], end["name"], end["reason"], end["step"], end["steps"]) == (
        "end",
        "told",
        "finished",
        600,
        600,
    )
    assert end["folder"] == str(laddertop.runs / "told")
    evaluation = laddertop.json("show", "told")["evaluation"]
    assert end["evaluation"] == evaluation


def test_every_new_best_is_told_and_no_other_evaluation(laddertop: Laddertop, trained: Path) -> None:
    evaluations = [event for event in laddertop.events("told") if isinstance(event, Evaluated)]
    values = [event.values[event.headline() or ""] for event in evaluations]
    best = [e.step for i, e in enumerate(evaluations) if i and all(values[i].beats(v) for v in values[:i])]
    assert best
    assert [one["step"] for one in told(trained / "best")] == best
    assert not (trained / "wrong").exists(), "an option wins over the file"


def test_a_command_that_hangs_for_ever_costs_the_training_nothing_and_holds_no_run(
    laddertop: Laddertop, trained: Path
) -> None:
    pids = [int(pid) for pid in (trained / "hangs").read_text().split()]
    try:
        assert all(Path(f"/proc/{pid}").exists() for pid in pids if os.path.isdir("/proc/self"))
        assert laddertop.json("show", "told")["state"] == "finished"
        assert laddertop.here("rename", "told", "renamed").returncode == 0
        assert laddertop.here("rename", "renamed", "told").returncode == 0
    finally:
        for pid in pids:
            os.kill(pid, 9)


def test_what_was_run_is_recorded_without_the_command_and_the_end_comes_last(
    laddertop: Laddertop, trained: Path
) -> None:
    events = laddertop.events("told")
    ran = [event.text for event in events if isinstance(event, Logged) and event.text.startswith("running the command")]
    assert ran.count("running the command of on-end") == 1
    assert ran.count("running the command of on-best") == len(told(trained / "best"))
    assert isinstance(events[-1], RunEnded)
    text = (laddertop.runs / "told" / "events.jsonl").read_text()
    assert str(trained) not in text


def test_a_divergence_is_told_and_a_command_that_fails_ends_nothing(laddertop: Laddertop, tmp_path: Path) -> None:
    def findings() -> list[dict[str, Any]]:
        return [one for file in tmp_path.glob("found-*") for one in told(file)]

    words = ["--name", "lost", "--steps", "100000000", "--set", "warmup.on=off", "--detach"]
    commands = ["--on-diverge", f"cat > {tmp_path}/lost; exit 3", "--on-end", f"cat > {tmp_path}/end"]
    commands += ["--on-finding", f"cat > {tmp_path}/found-$$"]  # several may be told at once
    assert laddertop("train", "tiny.toml", *words, *commands).returncode == 0
    try:
        wait_for(lambda: laddertop.json("show", "lost")["step"] > 300)
        laddertop.json("set", "lost", "lr=10")
        (lost,) = wait_for(lambda: told(tmp_path / "lost"))
        found = wait_for(lambda: [one for one in findings() if one["finding"]["severity"] == "grave"])
    finally:
        assert laddertop.here("stop", "lost").returncode == 0
    assert (lost["event"], lost["reason"]) == ("diverge", "diverged")
    assert found[0]["event"] == "finding"
    assert found[0]["finding"]["kind"] in ("diverged", "not-finite")
    assert found[0]["text"].startswith("lost: ")
    told_now = laddertop.json("diagnose", "lost")
    assert {one["kind"] for one in told_now} & {"diverged", "not-finite"}
    advised = next(one for one in told_now if one["severity"] == "grave")["remedy"]["commands"]
    assert [ask["action"] for ask in advised] == ["rollback", "set"]
    words = laddertop.here("diagnose", "lost").stdout
    assert "laddertop rollback lost --step " in words
    assert "laddertop set lost lr=0.002" in words
    assert "laddertop rollback lost" in lost["detail"]
    (end,) = wait_for(lambda: told(tmp_path / "end"))
    assert (end["event"], end["reason"]) == ("end", "diverged")
