"""Reproducing published settings: what identifies a result, what counts as shortened, and an interrupted one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reproduce import HERE, page, row_of, shortened
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override, recipes
from tests.processes import ROOT, wait_for

PLAN: list[dict[str, Any]] = tomllib.loads((HERE / "reproduce.toml").read_text())["row"]


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
        assert set(row) <= {"recipe", "seeds", "settings", "published", "representation", "pictures", "headline"}


def test_a_page_shows_every_seed_their_median_and_the_published_number() -> None:
    text = page(PLAN, [result(2, 1.5), result(1, 1.0), result(3, 1.2)])
    assert "| error_percent, % of images | 1 | 1.5 | 1.2 | 1.2 | 1.06 ± 0.37 over 10 seeds (quoted) |" in text
    assert text.count("100 min (cpu, fp32, compiled") == 3


def test_the_table_at_the_top_has_a_line_per_row_with_its_headline_and_every_seed() -> None:
    values = {name: {"value": 0.5, "unit": "per point, mean"} for name in ("reconstruction", "score_cosine")}
    text = page(PLAN, [result(1, 1.0), result(2, 1.5), result(1, 0.0, recipe="dae-mixture", values=values)])
    top = text.partition("##")[0]
    assert "| ladder-mnist-100 | error_percent, % of images | 1, 1.5 | 1.06 ± 0.37 over 10 seeds (quoted) |" in top
    assert "| dae-mixture | score_cosine, per point | 0.5 |  |" in top


def test_no_published_number_stands_beside_a_shortened_run() -> None:
    text = page(PLAN, [result(1, 3.0, shortened="15 of 150 epochs")])
    assert "Shortened: 15 of 150 epochs" in text
    assert "1.06 ± 0.37 over" not in text


def test_a_diverged_run_stays_visible() -> None:
    values = {"error_percent": {"value": "NaN", "unit": "% of images"}}
    assert "| nan | nan |" in page(PLAN, [result(1, 0.0, values=values)])


def test_what_falls_short_of_the_recipe_is_shortened() -> None:
    assert shortened({"recipe": "ladder-mnist-100"}, 150) == ""
    assert shortened({"recipe": "ladder-mnist-100", "settings": ["epochs=15"]}, 15) == "15 of 150 epochs"
    assert shortened({"recipe": "dae-mixture", "settings": ["steps=300"]}, 6) == "300 of 6000 steps"
    assert shortened({"recipe": "lvae-mnist-short"}, 60) != ""


def test_a_run_is_told_by_its_spec_to_which_row_it_belongs(tmp_path: Path) -> None:
    recipe = load_recipe("ladder-mnist-100")
    planned = create_run(tmp_path, override(recipe, ["seed=7", "threads=1", 'data.root="/data"']), "planned")
    assert row_of(planned, PLAN) is PLAN[0]
    other = create_run(tmp_path, override(recipe, ["epochs=15", "optimizer.lr=0.001"]), "other")
    assert row_of(other, PLAN) == {"recipe": "ladder-mnist-100", "settings": ["epochs=15.0", "optimizer.lr=0.001"]}


@pytest.mark.stress
def test_what_was_interrupted_goes_on_and_is_recorded_once(tmp_path: Path) -> None:
    plan, results, runs = tmp_path / "plan.toml", tmp_path / "results.jsonl", tmp_path / "runs"
    settings = ["steps=2000", "checkpoint.every=200", "evaluate.every=0", "samples.every=0"]
    plan.write_text(f'[[row]]\nrecipe = "ladder-digits"\nseeds = [1, 2]\nsettings = {json.dumps(settings)}\n')
    words = [sys.executable, "-m", "benchmarks.reproduce", f"--plan={plan}", f"--results={results}", f"--runs={runs}"]
    first = subprocess.Popen(
        [*words, "--side-by-side=2"],
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_for(lambda: len(list(runs.glob("*/step-*.ckpt"))) >= 2, 120)
    # As ctrl-c does: everything in the foreground gets it.
    os.killpg(first.pid, signal.SIGINT)
    assert first.wait(timeout=60) in (130, -signal.SIGINT)
    recorded = results.read_text().count("\n") if results.exists() else 0
    assert recorded < 2
    assert subprocess.run([*words, "--side-by-side=2"], cwd=ROOT, timeout=300).returncode == 0
    assert sorted(json.loads(line)["seed"] for line in results.read_text().splitlines()) == [1, 2]
    assert len(list(runs.iterdir())) == 2
    written = (tmp_path / "REPRODUCE.md").read_text()
    assert subprocess.run(words, cwd=ROOT, timeout=60).returncode == 0
    assert results.read_text().count("\n") == 2
    assert "| seed 1 | seed 2 | median |" in written
