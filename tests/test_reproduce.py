"""Reproducing published settings: what identifies a result, what is left, what a page says, an interrupted queue."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.reproduce import HERE, Job, append_result, hours_left, left_to_do, read_plan, read_results
from benchmarks.reproduce_page import page, strips, verdict
from benchmarks.reproduce_picture import seeds_svg
from benchmarks.reproduced import row_of, shortened, training_seconds
from laddertop.journal.events import EventReader, RunStarted, Sampled
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.places import recipes
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from tests import PATIENCE
from tests.processes import wait_for

PLAN = read_plan(HERE / "reproduce.toml")
KEYS = {"recipe", "seeds", "settings", "hours", "published", "representation", "pictures", "headline"}
KEYS |= {"why", "whole", "log"}


def result(seed: int, error: float, **changes: Any) -> dict[str, Any]:
    """A result as it is recorded."""
    return {
        "recipe": "ladder-mnist-100",
        "settings": [],
        "seed": seed,
        "command": f"laddertop train ladder-mnist-100 --seed {seed}",
        "finished": "2026-11-24",
        "machine": "a box, 2 cores",
        "engine": {"device": "cpu", "precision": "fp32", "compiled": True, "threads": 1},
        "versions": {"torch": "2.15.0"},
        "steps": 90_000,
        "epochs": 150.0,
        "shortened": "",
        "interventions": 0,
        "training_seconds": 6000.0,
        "evaluation_seconds": 1.0,
        "values": {"error_percent": {"value": error, "unit": "% of images"}},
        "pictures": [],
        **changes,
    }


def test_the_plan_names_recipes_that_there_are_and_measures_by_name() -> None:
    assert {row["recipe"] for row in PLAN} <= set(recipes())
    for row in PLAN:
        override(load_recipe(row["recipe"]), row.get("settings", []))
        assert set(row) <= KEYS
        for published in row.get("published", {}).values():
            assert {"value", "known"} <= set(published) <= {"value", "spread", "of", "runs", "known"}
            assert ("spread" in published) == (published.get("of") in ("sd", "se", "interval"))


def test_what_is_left_stands_in_the_order_of_the_plan_with_hours_as_measured_before() -> None:
    plan = [{"recipe": "ladder-digits", "seeds": [1, 2], "hours": 5}, {"recipe": "vae-mnist", "seeds": [1], "hours": 2}]
    done = result(2, 1.0, recipe="ladder-digits", training_seconds=3500.0, evaluation_seconds=100.0)
    assert left_to_do(plan, [done]) == [Job(plan[0], 1), Job(plan[1], 1)]
    left = hours_left(plan, [done], Path("/nowhere"))
    assert [(one.seeds, one.a_seed, one.hours) for one in left] == [(1, 1.0, 1.0), (1, 2, 2)]


def test_a_result_that_a_crash_cut_off_is_not_there_and_does_not_harm_the_next(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    append_result(file, result(1, 1.0))
    with file.open("a") as cut:
        cut.write('{"recipe": "ladder-mn')
    assert [one["seed"] for one in read_results(file)] == [1]
    append_result(file, result(2, 1.1))
    append_result(file, result(2, 9.9))  # as of two machines that did the same
    assert [(one["seed"], one["values"]["error_percent"]["value"]) for one in read_results(file)] == [
        (1, 1.0),
        (2, 1.1),
    ]


def test_a_page_shows_every_seed_their_median_mean_and_spread_and_the_published_number() -> None:
    text = page(PLAN, [result(2, 1.5), result(1, 1.0), result(3, 1.2)])
    line = "| error_percent, % of images | 1 | 1.5 | 1.2 | 1.2 | 1.233 ± 0.25 | 1.06 ± 0.37 (sd, 10 runs, quoted) |"
    assert line in text
    assert text.count("100 min (cpu, fp32, compiled") == 3


def test_the_table_at_the_top_has_a_line_per_row_with_its_headline_and_a_verdict() -> None:
    values = {name: {"value": 0.5, "unit": "per point, mean"} for name in ("reconstruction", "score_cosine")}
    text = page(PLAN, [result(1, 1.0), result(2, 1.5), result(1, 0.0, recipe="dae-mixture", values=values)])
    top = text.partition("##")[0]
    published = "1.06 ± 0.37 (sd, 10 runs, quoted) | within one sd (+0.5) |"
    assert f"| ladder-mnist-100 | error_percent, % of images | 2 | 1.25 | 1.25 ± 0.35 | {published}" in top
    assert "| dae-mixture | score_cosine, per point | 1 | 0.5 | 0.5 |  |  |" in top


def test_a_verdict_is_in_deviations_of_a_single_published_run() -> None:
    sd = {"value": 1.0, "spread": 0.1, "of": "sd", "runs": 10, "known": "read"}
    assert verdict([1.05, 1.13], sd) == "within one sd (+0.9)"
    assert verdict([0.81, 0.83], sd) == "within two sd (-1.8)"
    assert verdict([1.3, 1.3], sd) == "**beyond: +3.0 sd**: not explained"
    assert (
        verdict([1.3], sd, "a draw that confuses 4 and 9")
        == "**beyond: +3.0 sd**; one seed: a draw that confuses 4 and 9"
    )
    # A standard error of ten runs is a third of their deviation.
    assert verdict([1.3, 1.3], sd | {"of": "se"}) == "within one sd (+0.9)"
    assert verdict([1.3, 1.3], sd | {"of": "interval"}) == "**beyond: +5.9 sd**: not explained"
    assert verdict([86.1, 86.3], {"value": 86.0, "known": "read"}) == "+0.20, no spread is published"
    assert verdict([float("nan")], sd) == "diverged"


def test_neither_a_published_number_nor_a_verdict_stands_beside_a_shortened_run() -> None:
    runs = [result(1, 3.0, shortened="15 of 150 epochs")]
    text = page(PLAN, runs)
    assert "Shortened: 15 of 150 epochs" in text
    assert "(sd, 10 runs" not in text
    assert " sd (" not in text
    assert strips(PLAN, runs) == []


def test_a_label_draw_shows_its_error_for_every_model_and_what_is_confused_most() -> None:
    counts = [[0] * 10 for _ in range(10)]
    counts[4][4], counts[4][9], counts[9][4], counts[7][1] = 900, 50, 31, 20
    runs = [result(1, 1.0), result(2, 2.4, confusion=counts), result(2, 3.1, recipe="gamma-mnist-100")]
    lines = page(PLAN, runs).partition("## Label draws")[2].partition("##")[0].splitlines()
    assert lines[-4:-1] == [
        "|---|---|---|",
        "| 1 | 1.00 |  |",
        "| 2 | 2.40 (4 and 9: 81 of 101) | 3.10 |",
    ]


def test_the_picture_has_a_dot_for_every_seed_beside_the_published_interval() -> None:
    values = {"error_percent": {"value": "NaN", "unit": "% of images"}}
    svg = ElementTree.fromstring(seeds_svg(strips(PLAN, [result(1, 1.0), result(2, 1.5), result(3, 0, values=values)])))
    space = "{http://www.w3.org/2000/svg}"
    dots = [float(dot.attrib["cx"]) for dot in svg.iter(f"{space}circle")]
    assert len(dots) == 2
    bars = [bar for bar in svg.iter(f"{space}rect") if bar.attrib["height"] == "14"]
    begin, width = float(bars[0].attrib["x"]), float(bars[0].attrib["width"])
    # 1.0 lies within 1.06 ± 0.37, 1.5 beyond its end at 1.43.
    assert begin < dots[0] < begin + width < dots[1]


def test_what_is_reproduced_from_a_published_log_stands_beside_it_epoch_by_epoch() -> None:
    row = next(row for row in PLAN if "log" in row)
    log = [{"epoch": 1.0, "training": 0.609, "test": 0.357}, {"epoch": 2.0, "training": 0.303, "test": 0.279}]
    values = {"last_step": {"value": 0.27, "unit": "nats per pixel"}}
    one = result(1, 0, recipe=row["recipe"], settings=row["settings"], values=values, log=log)
    text = page(PLAN, [one])
    assert "| 1 | 0.6090 | 0.607 | 0.3570 | 0.365 |" in text
    assert "+0.00, no spread is published; one seed" in text
    assert shortened(row, 5) == ""


def test_seconds_in_which_processes_were_stopped_are_no_training() -> None:
    started = RunStarted.model_construct(time=0.0, step=0)
    samples = [
        Sampled(time=t, step=i, file=f"samples/step-{i}.npz", rows=[])
        for i, t in enumerate([*range(60, 1260, 60), 8460, 8520], 1)
    ]
    again = RunStarted.model_construct(time=99_000.0, step=22)
    assert training_seconds([started, *samples]) < 1320 + 4 * 8520 / 22
    assert training_seconds([started, *samples, again]) == training_seconds([started, *samples])


def test_a_diverged_run_stays_visible() -> None:
    values = {"error_percent": {"value": "NaN", "unit": "% of images"}}
    assert "| nan | nan | nan | 1.06" in page(PLAN, [result(1, 0.0, values=values)])


def test_what_falls_short_of_the_recipe_is_shortened() -> None:
    assert shortened({"recipe": "ladder-mnist-100"}, 150) == ""
    assert shortened({"recipe": "ladder-mnist-100", "settings": ["epochs=15"]}, 15) == "15 of 150 epochs"
    assert shortened({"recipe": "dae-mixture", "settings": ["steps=300"]}, 6) == "300 of 6000 steps"
    assert shortened({"recipe": "lvae-mnist-short"}, 60) != ""


def test_a_run_is_told_by_its_spec_to_which_row_it_belongs(tmp_path: Path) -> None:
    recipe = load_recipe("ladder-mnist-100")
    planned = create_run(tmp_path, override(recipe, ["seed=7", "threads=1", 'data.root="/data"']), "planned")
    assert row_of(planned, PLAN) is next(row for row in PLAN if row["recipe"] == "ladder-mnist-100")
    other = create_run(tmp_path, override(recipe, ["epochs=15", "optimizer.lr=0.001"]), "other")
    assert row_of(other, PLAN) == {"recipe": "ladder-mnist-100", "settings": ["epochs=15.0", "optimizer.lr=0.001"]}


class QueueAtWork:
    """A queue of two small runs in a folder of its own, as its users start it."""

    def __init__(self, folder: Path) -> None:
        self.results, self.runs = folder / "results.jsonl", folder / "runs"
        settings = ["steps=1500", "checkpoint.every=100", "evaluate.every=0", "samples.every=0"]
        plan = folder / "plan.toml"
        plan.write_text(f'[[row]]\nrecipe = "ladder-digits"\nseeds = [1, 2]\nsettings = {json.dumps(settings)}\n')
        # The lowest priority gets nothing where a neighbour is busy.
        files = [f"--plan={plan}", f"--results={self.results}", f"--runs={self.runs}", "--nice=2"]
        self.words = [sys.executable, str(HERE / "reproduce.py"), *files]
        self.job = Job(read_plan(plan)[0], 1)

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.words, start_new_session=True)

    def run(self) -> int:
        return subprocess.run(self.words, timeout=PATIENCE).returncode

    def seeds(self) -> list[int]:
        return sorted(result["seed"] for result in read_results(self.results))

    def engines(self) -> list[int]:
        """Process ids of the engines that are at work."""
        found = [RunFolder(path) for path in self.runs.glob("ladder-digits*")]
        states = [RunState().apply_all(EventReader(run.events_path).read_all()) for run in found if run.engine_alive()]
        return [state.started.pid for state in states if state.started]

    def under_way(self) -> bool:
        """Whether both have saved."""
        return len({file.parent for file in self.runs.glob("[!.]*/step-*.ckpt")}) == 2 and len(self.engines()) == 2


@pytest.mark.stress
def test_ctrl_c_saves_and_ends_the_runs_which_go_on_and_are_recorded_once(tmp_path: Path) -> None:
    queue = QueueAtWork(tmp_path)
    first = queue.start()
    wait_for(queue.under_way)
    # As ctrl-c does: everything in the foreground gets it.
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(timeout=PATIENCE) == 130
    assert queue.engines() == []
    assert queue.seeds() == []
    assert queue.run() == 0
    assert queue.seeds() == [1, 2]
    written = (tmp_path / "REPRODUCE.md").read_text()
    assert "| seed 1 | seed 2 | median |" in written
    assert (tmp_path / "pictures" / "seeds.svg").exists()
    assert queue.run() == 0
    assert queue.results.read_text().count("\n") == 2
    run = RunFolder(queue.runs / queue.job.name)
    assert sum(isinstance(event, RunStarted) for event in EventReader(run.events_path).read_all()) == 2
    niced = subprocess.run([*queue.words, "--left"], capture_output=True, text=True, timeout=PATIENCE)
    assert niced.stdout == "left: 0 runs, 0.0 CPU hours; 0.0 hours with 2 at a time\n"


@pytest.mark.stress
def test_what_a_kill_of_everything_interrupted_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    queue = QueueAtWork(tmp_path)
    first = queue.start()
    wait_for(queue.under_way)
    engines = queue.engines()
    assert {os.getpriority(os.PRIO_PROCESS, engine) for engine in engines} == {2}
    os.killpg(first.pid, signal.SIGKILL)
    for engine in engines:
        os.kill(engine, signal.SIGKILL)
    first.wait(timeout=PATIENCE)
    assert queue.run() == 0
    assert queue.seeds() == [1, 2]
    events = EventReader(queue.runs / queue.job.name / "events.jsonl").read_all()
    starts = [event for event in events if isinstance(event, RunStarted)]
    assert [start.step > 0 for start in starts] == [False, True]


@pytest.mark.stress
def test_engines_that_outlive_their_queue_are_waited_for_and_not_started_twice(tmp_path: Path) -> None:
    queue = QueueAtWork(tmp_path)
    first = queue.start()
    wait_for(queue.under_way)
    engines = queue.engines()
    first.kill()
    first.wait(timeout=PATIENCE)
    for engine in engines:
        os.kill(engine, signal.SIGSTOP)
    both = [queue.start() for _ in range(2)]
    wait_for(lambda: any(one.poll() is not None for one in both))
    (refused,), (second,) = ([one for one in both if (one.poll() is not None) is over] for over in (True, False))
    assert refused.returncode == 2, "two queues at once"
    time.sleep(3)
    for engine in engines:
        os.kill(engine, signal.SIGCONT)
    assert second.wait(timeout=PATIENCE) == 0
    assert queue.seeds() == [1, 2]
    events = EventReader(queue.runs / queue.job.name / "events.jsonl").read_all()
    assert sum(isinstance(event, RunStarted) for event in events) == 1
