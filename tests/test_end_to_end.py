"""The whole of laddertop on real digits: real engines in real processes, driven as users drive them."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from laddertop.journal.events import Checkpointed, Commanded, Evaluated, Logged, RunEnded, RunStarted
from laddertop.journal.metrics import MetricsReader, record_type
from tests import PATIENCE
from tests.processes import Laddertop, wait_for
from tests.warm import COLD


def last_checkpoint(laddertop: Laddertop, name: str) -> Path:
    """The newest checkpoint of a run."""
    saved = [event for event in laddertop.events(name) if isinstance(event, Checkpointed)]
    return laddertop.runs / name / saved[-1].file


def total_as_documented(run: Path) -> Any:
    """The total cost at every step, read by the program in docs/run-folder.md."""
    page = (Path(__file__).parents[1] / "docs" / "run-folder.md").read_text(encoding="utf-8")
    program = re.search(r"(?:    .*\n|\n)*    total = .*\n", page)
    assert program
    told: dict[str, Any] = {}
    exec(textwrap.dedent(program[0]).replace("checkpoints/2026-11-23-ladder-digits-7f3a", str(run)), told)
    return told["total"]


def shows(lines: list[str], words: str) -> bool:
    """Whether a screen shows some words."""
    return any(words in line for line in lines)


def assert_same(one: Any, other: Any) -> int:
    """Compares two checkpoints bit for bit, whatever they say of whose they are; returns the number of tensors."""
    assert type(one) is type(other)
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert torch.equal(one.view(torch.uint8) if one.dim() else one, other.view(torch.uint8) if one.dim() else other)
        return 1
    if isinstance(one, dict):
        assert list(one) == list(other)
        return sum(assert_same(one[key], other[key]) for key in one if key != "saved")
    if isinstance(one, list | tuple):
        assert len(one) == len(other)
        return sum(assert_same(a, b) for a, b in zip(one, other, strict=True))
    assert one == other
    return 0


SHORT = ("--steps", "300", *(f"--set={s}" for s in ("warmup.steps=150", "checkpoint.every=100", "evaluate.every=150")))


@pytest.fixture(scope="module")
def whole(laddertop: Laddertop) -> subprocess.CompletedProcess[str]:
    """A training from its start to its end, told in JSON lines."""
    return laddertop("train", "tiny.toml", *SHORT, "--name", "whole", "--json", **COLD)


def test_a_training_tells_in_json_lines_what_happens(
    laddertop: Laddertop, whole: subprocess.CompletedProcess[str]
) -> None:
    assert (whole.returncode, whole.stderr) == (0, "")
    lines = [json.loads(line, parse_constant=pytest.fail) for line in whole.stdout.splitlines()]
    kinds = [line["event"] for line in lines]
    assert (kinds[0], kinds[-1]) == ("started", "ended")
    assert set(kinds) == {"started", "progress", "evaluated", "checkpointed", "sampled", "ended"}
    assert all(line["run"] == "whole" and line["time"] > 0 and line["step"] >= 0 for line in lines)
    assert [line["step"] for line in lines if line["event"] == "evaluated"] == [150, 300]
    assert (lines[0]["steps"], lines[0]["device"], lines[0]["resumed_from"]) == (300, "cpu", None)
    progress = [line for line in lines if line["event"] == "progress"]
    assert progress[-1]["step"] == 300
    assert set(progress[-1]["terms"]) == {"class", "denoise.0", "denoise.1", "denoise.2"}
    assert (lines[-1]["reason"], lines[-1]["detail"], lines[-1]["step"]) == ("finished", "", 300)
    assert lines[-1]["summary"] == laddertop.json("show", "whole")
    assert lines[-1]["summary"]["state"] == "finished"


def test_show_adds_up_to_the_recorded_total(laddertop: Laddertop, whole: subprocess.CompletedProcess[str]) -> None:
    told = laddertop.json("show", "whole")
    assert (told["step"], told["steps"], told["recipe"]) == (300, 300, "tiny")
    assert told["terms"]["denoise.0"]["weight"] == 10
    assert math.isclose(sum(term["share"] for term in told["terms"].values()), told["total"], rel_tol=1e-5)
    assert all(term["unit"] for term in told["terms"].values())
    assert told["knobs"]["warmup"]["effective"] == 1
    assert [saved["step"] for saved in told["checkpoints"]] == [100, 200, 300]


def test_eval_repeats_the_evaluation_of_the_training(
    laddertop: Laddertop, whole: subprocess.CompletedProcess[str]
) -> None:
    told = laddertop.json("evaluate", "whole")
    recorded = [event for event in laddertop.events("whole") if isinstance(event, Evaluated)][-1]
    assert told["error_percent"] == recorded.values["error_percent"].value < 50
    assert told["step"] == recorded.step == 300
    assert all(value["unit"] for value in told["values"].values())
    for name, value in recorded.values.items():
        assert told["values"][name]["unit"] == value.unit
        assert told["values"][name]["value"] == pytest.approx(value.value, rel=1e-6)


def test_a_training_whose_engine_is_killed_resumes_bit_for_bit(
    laddertop: Laddertop, whole: subprocess.CompletedProcess[str]
) -> None:
    with laddertop.start("train", "tiny.toml", *SHORT, "--name", "killed") as training:
        # Between two checkpoints, so that the steps after the older one have to be repeated.
        wait_for(lambda: MetricsReader(laddertop.runs / "killed").poll())
        reader = MetricsReader(laddertop.runs / "killed")
        wait_for(lambda: reader.poll() and reader.last_step() > 120)
        start = laddertop.events("killed")[0]
        assert isinstance(start, RunStarted)
        os.kill(start.pid, signal.SIGKILL)
        out, err = training.communicate(timeout=PATIENCE)
    assert training.returncode == 1
    assert out.startswith("killed: crashed at step ")
    assert "killed by SIGKILL" in err
    assert "`laddertop resume killed`" in err
    assert not isinstance(laddertop.events("killed")[-1], RunEnded)

    resumed = laddertop("resume", "killed", **COLD)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.startswith("killed: finished at step 300 of 300, error ")
    second = [event for event in laddertop.events("killed") if isinstance(event, RunStarted)][1]
    assert second.segment == 2
    assert second.resumed_from is not None
    assert second.resumed_from % 100 == 0

    here, there = (last_checkpoint(laddertop, name) for name in ("whole", "killed"))
    assert here.name.startswith("step-000000300-")
    one, other = (torch.load(file, map_location="cpu", weights_only=True) for file in (here, there))
    assert assert_same(one, other) > 10
    histories = [MetricsReader(laddertop.runs / name) for name in ("whole", "killed")]
    assert all(history.poll() for history in histories)
    np.testing.assert_array_equal(histories[0].steps, np.arange(1, 301))
    np.testing.assert_array_equal(histories[0].steps, histories[1].steps)
    for column in histories[0].columns:
        np.testing.assert_array_equal(histories[0].values(column.name), histories[1].values(column.name), column.name)
    assert np.array_equal(total_as_documented(laddertop.runs / "killed"), histories[1].values("total"))
    (gone,) = histories[1].stretches()[1]
    assert histories[1].read(gone.segment, gone.begin, gone.end)["step"][0] == second.resumed_from + 1


def test_a_finished_run_has_nothing_to_resume(laddertop: Laddertop, whole: subprocess.CompletedProcess[str]) -> None:
    before = (laddertop.runs / "whole" / "events.jsonl").read_bytes()
    done = laddertop("resume", "whole")
    assert (done.returncode, done.stdout) == (2, "")
    assert "whole finished its 300 steps" in done.stderr
    assert (laddertop.runs / "whole" / "events.jsonl").read_bytes() == before


def test_a_run_that_can_not_begin_says_why_and_leaves_nothing(laddertop: Laddertop) -> None:
    folder = laddertop.cwd / "half" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{part}-ubyte").write_bytes(b"half a file")
    words = ["train", "ladder-mnist-100", "--data-root", "half", "--name"]
    laddertop.runs.mkdir(exist_ok=True)
    before = set(laddertop.runs.iterdir())
    foreground = laddertop.start(*words, "damaged-data")
    detached = laddertop.here(*words, "damaged-data-detached", "--detach")
    seeds = laddertop(*words, "damaged-data-seeds", "--seeds", "2", "--at-once", "1", timeout=PATIENCE)
    out, err = foreground.communicate(timeout=PATIENCE)
    for status, printed, said in (
        (foreground.returncode, out, err),
        (detached.returncode, detached.stdout, detached.stderr),
        (seeds.returncode, seeds.stdout, seeds.stderr),
    ):
        assert (status, printed) == (1, "")
        assert "laddertop: " in said
        assert f"{folder}/train-images-idx3-ubyte is damaged" in said, "a resume from another folder would not find it"
        assert "Traceback" not in said
    assert set(laddertop.runs.iterdir()) == before


def test_a_run_too_short_for_its_warm_up_says_so(laddertop: Laddertop) -> None:
    words = ["train", "tiny.toml", "--steps", "30", "--name"]
    told = "the warm-up takes 300 steps and the run has 30: it ends at 10% of its way"
    alone = laddertop(*words, "short", timeout=PATIENCE)
    assert (alone.returncode, alone.stderr.count(told)) == (0, 1), alone.stderr
    detached = laddertop.here(*words, "short-detached", "--detach")
    assert (detached.returncode, detached.stderr.count(told)) == (0, 1), detached.stderr
    wait_for(lambda: told in [e.text for e in laddertop.events("short-detached") if isinstance(e, Logged)])


@pytest.fixture(scope="module")
def live(laddertop: Laddertop) -> Iterator[str]:
    """A training in the background that has a long way to go."""
    only_when_asked = ("--set", "checkpoint.every=0")
    done = laddertop("train", "tiny.toml", "--steps", "100000000", *only_when_asked, "--name", "live", "--detach")
    assert (done.returncode, done.stdout) == (0, "live\n")
    # Some steps into the warm-up, which begins without any noise.
    wait_for(lambda: laddertop.size("live") > 5000)
    yield "live"
    laddertop("stop", "live")


def test_set_says_what_was_changed_and_the_record_says_it_too(laddertop: Laddertop, live: str) -> None:
    told = laddertop.json("set", live, "noise=off", "lr=1e-3", "noise.std=0.2", "--note", "look at σ")
    assert (told["outcome"], told["note"], told["result"]) == ("applied", "look at σ", None)
    assert told["by"].endswith("(command line)")
    changes = {change["knob"]: (change["old"], change["applied"]) for change in told["changes"]}
    stds = {f"noise.std.{layer}": (0.3, 0.2) for layer in range(3)}
    assert changes == {"noise": (1, 0), "lr": (0.002, 0.001), **stds}
    recorded = [event for event in laddertop.events(live) if isinstance(event, Commanded)][-1]
    assert (recorded.id, recorded.step) == (told["id"], told["step"])
    reader = MetricsReader(laddertop.runs / live)
    wait_for(lambda: reader.poll() and reader.last_step() > told["step"])
    effective = reader.values("noise.std.1")
    assert effective[told["step"] - 1] > 0
    assert not effective[told["step"] :].any(), "the noise was on after the step it was switched off at"

    done = laddertop("set", live, "noise=on", "noise.std=0.3", "lr=0.002")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("set applied at step ")
    assert "noise off → on" in done.stdout
    assert "lr 0.001 → 0.002" in done.stdout


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("nois=off", "unknown knob 'nois'; did you mean noise"),
        ("optimizer.lr=1", "unknown knob 'optimizer.lr'; did you mean lr"),
        ("noise=maybe", "noise takes on or off, not 'maybe'"),
        ("lr=fast", "lr takes a number, not 'fast'"),
        ("lr=1000", "lr must lie between 0 and 10, not 1000"),
        ("noise.std=nan", "takes a number, not 'nan'"),
    ],
)
def test_a_wrong_setting_is_never_sent(laddertop: Laddertop, live: str, setting: str, complaint: str) -> None:
    before = len([event for event in laddertop.events(live) if isinstance(event, Commanded)])
    done = laddertop.here("set", live, "lr=0.002", setting)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("laddertop: ")
    assert complaint in done.stderr
    assert len([event for event in laddertop.events(live) if isinstance(event, Commanded)]) == before


def test_pause_stands_still_and_continue_goes_on(laddertop: Laddertop, live: str) -> None:
    step = laddertop.json("pause", live)["step"]
    told = laddertop.json("show", live)
    assert (told["state"], told["step"]) == ("paused", step)
    size = laddertop.size(live)
    time.sleep(0.3)
    assert laddertop.size(live) == size
    again = laddertop("pause", live)
    assert (again.returncode, again.stdout) == (1, "")
    assert f"refused at step {step}: it is paused already, at step {step}; continue lets it go on" in again.stderr
    assert laddertop.json("continue", live)["step"] == step
    assert "it is not paused; it trains" in laddertop("continue", live).stderr
    wait_for(lambda: laddertop.size(live) > size)
    told = laddertop.json("show", live)
    assert told["state"] == "training"
    assert told["step"] > step
    assert {run["name"]: run["state"] for run in laddertop.json("runs")}[live] == "training"


def test_checkpoint_evaluate_and_refresh_return_what_came_of_them(laddertop: Laddertop, live: str) -> None:
    told = laddertop.json("checkpoint", live)
    assert told["result"]["file"] == laddertop.checkpoint(live, told["step"]).name
    assert (laddertop.runs / live / told["result"]["file"]).stat().st_size == told["result"]["bytes"]
    told = laddertop.json("evaluate", live, "--now")
    assert told["result"]["values"]["error_percent"]["unit"]
    assert told["result"]["step"] == told["step"]
    done = laddertop("evaluate", live, "--now")
    assert "  error  " in done.stdout, "what the screens call it"
    told = laddertop.json("refresh", live)
    assert (laddertop.runs / live / told["result"]["file"]).is_file()
    assert laddertop("refresh", live).stdout.startswith("refresh applied at step ")


def test_a_key_in_the_dashboard_switches_the_noise_of_the_running_engine(laddertop: Laddertop, live: str) -> None:
    delays = []
    with laddertop.in_terminal("attach", live) as dashboard:
        dashboard.wait_for(lambda lines: shows(lines, "noise ● on") and shows(lines, "● training"))
        for wanted, words in ((0.0, "noise ○ off"), (1.0, "noise ● on"), (0.0, "noise ○ off")):
            pressed = dashboard.press("n")
            dashboard.wait_for(lambda lines, words=words: shows(lines, words))
            done = [event for event in laddertop.events(live) if isinstance(event, Commanded)][-1]
            assert (done.outcome, done.changes[0].knob, done.changes[0].applied) == ("applied", "noise", wanted)
            delays.append(done.time - pressed)
        dashboard.wait_for(
            lambda lines: shows(lines, f"{done.step:,}".replace(",", " ") + "  you: noise off → applied")
        )
        # Where several were done in one column of a chart, their sign alone has room.
        dashboard.wait_for(lambda lines: shows(lines, "▼"))
        dashboard.press("d")
        assert dashboard.ended() == 0
    reader = MetricsReader(laddertop.runs / live)
    assert reader.poll()
    a_step = float(np.median(np.diff(reader.times[-100:])))
    assert sorted(delays)[1] < a_step + 0.2
    told = laddertop.json("show", live)
    assert (told["state"], told["knobs"]["noise"]["value"], told["knobs"]["noise.std.0"]["effective"]) == (
        "training",
        0,
        0,
    )


def test_an_engine_that_does_not_answer_is_said_to_be_busy_and_answers_later(laddertop: Laddertop, live: str) -> None:
    engine = laddertop.json("show", live)["pid"]
    os.kill(engine, signal.SIGSTOP)
    try:
        done = laddertop("set", live, "clip=5", "--timeout", "0.3")
    finally:
        os.kill(engine, signal.SIGCONT)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the engine of live has not answered within 0.3 s" in done.stderr
    wait_for(lambda: laddertop.json("show", live)["knobs"]["clip"]["value"] == 5)


def test_a_run_is_trained_by_one_engine_at_a_time(laddertop: Laddertop, live: str) -> None:
    done = laddertop("resume", live)
    assert (done.returncode, done.stdout) == (2, "")
    assert "an engine is training live already; watch it with `laddertop attach live`" in done.stderr


def test_stop_returns_when_the_engine_is_gone_and_the_run_can_go_on(laddertop: Laddertop, live: str) -> None:
    told = laddertop.json("stop", live, "--note", "enough")
    assert told["result"]["reason"] == "stopped"
    assert not laddertop.run_folder(live).engine_alive()
    assert laddertop.checkpoint(live, told["result"]["step"]).stat().st_size
    assert laddertop("pause", live).returncode == 3
    assert laddertop.json("resume", live, "--detach")["segment"] == 2


def test_what_was_done_after_the_last_checkpoint_is_done_again_at_the_same_step(
    laddertop: Laddertop, live: str
) -> None:
    saved = laddertop.json("checkpoint", live)["step"]
    done = laddertop.json("set", live, "noise.std=0.15")["step"]
    reader = MetricsReader(laddertop.runs / live)
    wait_for(lambda: reader.poll() and reader.last_step() > done + 20)
    os.kill(laddertop.json("show", live)["pid"], signal.SIGKILL)
    wait_for(lambda: not laddertop.run_folder(live).engine_alive())
    assert laddertop.json("show", live)["state"] == "crashed"
    assert laddertop.json("resume", live, "--detach")["segment"] == 3
    second, third = (laddertop.runs / live / f"metrics-000{segment}.bin" for segment in (2, 3))
    record = record_type(len(reader.columns))
    before = np.frombuffer(second.read_bytes(), record)
    wait_for(lambda: third.stat().st_size > before.nbytes)
    after = np.frombuffer(third.read_bytes()[: before.nbytes], record)
    assert after["step"][0] == saved + 1
    again = before[before["step"] > saved]
    assert again["step"][-1] > done + 20
    np.testing.assert_array_equal(again["values"], after["values"][: len(again)])
