"""What the command line prints of runs on disk: the JSON is a contract, results go to stdout, messages to stderr."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import numpy as np
import pytest

from laddertop.journal.events import (
    Activity,
    Change,
    Checkpointed,
    Column,
    Commanded,
    Evaluated,
    EventWriter,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Term,
    TermLayer,
)
from laddertop.journal.folder import create_run
from laddertop.journal.metrics import MetricsWriter, write_columns
from laddertop.journal.places import recipes
from laddertop.journal.spec import keys, load_recipe
from laddertop.journal.value import Value
from tests import PATIENCE
from tests.processes import ROOT, Laddertop
from tests.starts import start
from tests.test_words import IN_FILES_ONLY

NUMBER = int | float
SHOW: dict[str, Any] = {
    "name": str,
    "folder": str,
    "recipe": str,
    "state": str,
    "diverged": int | None,
    "pid": int | None,
    "host": str | None,
    "step": int,
    "steps": int | None,
    "epoch": NUMBER | None,
    "evaluation": dict | None,
    "origin": dict | None,
    "problems": list,
    "tags": list,
    "device": str | None,
    "precision": str | None,
    "compiled": bool | None,
    "threads": int | None,
    "ranks": int | None,
    "start_note": str | None,
    "unreadable_lines": int,
    "segment": int,
    "total": NUMBER | str | None,
    "terms": dict,
    "knobs": dict,
    "checkpoints": list,
    "ended": dict | None,
    "note": str,
    "collapsed": list,
    "divergence": dict | None,
    "findings": list,
    "babysitter": dict | None,
}
"""Keys and types of `show --json`, as documented."""


@pytest.fixture(scope="module")
def recorded(laddertop: Laddertop) -> str:
    """A VAE run that diverged and was stopped, as an engine writes it."""
    run = create_run(laddertop.runs, load_recipe("vae-mnist"), "2026-vae-diverged")
    knobs = [
        Knob(name="noise", label="noise", kind="switch", unit="", low=0, high=1, factor=None, help="Noise.", value=1),
        Knob(
            name="beta", label="β", kind="number", unit="", low=0, high=math.inf, factor=2, help="KL weight.", value=1
        ),
    ]
    terms = [
        Term(name="reconstruction", label="reconstruction", unit="nats per image, mean over the batch", weight=None),
        Term(name="kl", label="KL", unit="nats per image, mean over the batch", weight="beta"),
    ]
    write_columns(
        run.path, [Column(name=n, label=n, unit="") for n in ("total", "reconstruction", "kl", "noise", "beta")]
    )
    metrics = MetricsWriter(run.path, 1, 5)
    metrics.append([1, 2], [1, 2], np.array([[102, 100, 4, 1, 0.5], [math.nan, math.nan, math.inf, 0, 0.1]]))
    started = start(epoch_steps=4, terms=terms, knobs=knobs)
    off = Change(knob="noise", old=1, applied=0)
    values = {
        "error_percent": Value(value=12.5, unit="% of images"),
        "negative_elbo": Value(value=math.inf, unit="nats per image, mean over test images"),
    }
    with EventWriter(run.events_path) as events:
        events.append(started)
        events.append(Commanded(step=1, id="1", by="ann@box", action="set", outcome="applied", changes=[off]))
        events.append(Evaluated(step=2, split="test", values=values, seconds=0.5))
        events.append(Checkpointed(step=2, file="step-000000002.ckpt", sha256="0", bytes=2, reason="end"))
        events.append(RunEnded(step=2, reason="stopped", detail="told to by \x1b[31mann\x1b]0;title\x07"))
    (run.path / "step-000000002.ckpt").write_text("..")
    return run.name


def strict(text: str) -> Any:
    """JSON as the standard has it, without NaN."""
    return json.loads(text, parse_constant=pytest.fail)


def test_show_keeps_its_contract(laddertop: Laddertop, recorded: str) -> None:
    done = laddertop.here("show", recorded, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = strict(done.stdout)
    assert list(told) == list(SHOW)
    assert [key for key, kind in SHOW.items() if not isinstance(told[key], kind)] == []
    assert told["name"] == recorded
    assert (told["recipe"], told["state"], told["pid"], told["host"]) == ("vae-mnist", "stopped", None, "box")
    assert (told["step"], told["steps"], told["epoch"]) == (2, 100, 0.5)
    assert told["knobs"]["noise"] == {"kind": "switch", "value": 0.0, "effective": 0.0, "unit": ""}
    assert told["knobs"]["beta"] == {"kind": "number", "value": 1.0, "effective": 0.1, "unit": ""}
    assert (told["evaluation"]["step"], told["evaluation"]["split"]) == (2, "test")
    assert told["evaluation"]["values"]["error_percent"] == {"value": 12.5, "unit": "% of images"}
    assert [saved["file"] for saved in told["checkpoints"]] == ["step-000000002.ckpt"]
    assert (told["ended"]["reason"], told["ended"]["step"]) == ("stopped", 2)


def test_show_tells_what_has_collapsed_and_why_the_run_counts_as_diverged(laddertop: Laddertop, recorded: str) -> None:
    assert strict(laddertop.here("show", recorded, "--json").stdout)["collapsed"] == []
    run = create_run(laddertop.runs, load_recipe("lvae-mnist"), "2-collapsed")
    alive, dead = Activity(units=64, active=60, sd=1.0), Activity(units=32, active=0, sd=1e-3)
    layers = {"z.1": alive, "z.2": dead}
    values = {"negative_elbo": Value(value=90.0, unit="nats")}
    lost = "The cost has diverged: it is not finite since step 70."
    with EventWriter(run.events_path) as events:
        events.append(start(epoch_steps=4))
        events.append(Evaluated(step=20, split="test", values=values, seconds=1, layers={"z.1": alive, "z.2": alive}))
        for step in (40, 600):
            events.append(Evaluated(step=step, split="test", values=values, seconds=1, layers=layers))
        events.append(Logged(step=680, time=5.0, level="error", text=lost, diverged=True, sound_until=69))
        events.append(RunEnded(step=690, reason="diverged"))
    told = strict(laddertop.here("show", run.name, "--json").stdout)
    words = laddertop.here("show", run.name).stdout
    rmtree(run.path)
    assert told["collapsed"] == [{"layer": 2, "since": 40, "measured": "0 of 32 units active at 600"}]
    assert told["divergence"] == {"step": 680, "time": 5.0, "sound_until": 69, "text": lost}
    found = [(one["kind"], one["where"], one["since"], one["severity"]) for one in told["findings"]]
    assert found == [("diverged", "", 680, "grave"), ("dead-layer", "layer 2", 40, "warning")]
    assert "  ✗ diverged since step 680: the cost is over a thousand times what it was\n" in words
    assert "  ▲ dead layer since step 40: layer 2 tells nothing: 0 of 32 units active at 600\n" in words


def test_a_layer_whose_kl_has_been_about_zero_for_long_has_collapsed(laddertop: Laddertop) -> None:
    run = create_run(laddertop.runs, load_recipe("lvae-mnist"), "3-collapsed")
    layers = [TermLayer(index=index, name=f"z{index}") for index in (1, 2)]
    terms = [Term(name=f"kl.{at.index}", label=f"KL {at.index}", unit="nats", weight=None, layer=at) for at in layers]
    write_columns(run.path, [Column(name=n, label=n, unit="") for n in ("total", "kl.1", "kl.2")])
    kl = np.array([20.0, 10.0, 0.5] + [1e-4] * 600)
    metrics = MetricsWriter(run.path, 1, 3)
    metrics.append(np.arange(1, 604), np.arange(603.0), np.stack([kl + 20, np.full(603, 20.0), kl], 1))
    with EventWriter(run.events_path) as events:
        events.append(start(epoch_steps=4, terms=terms))
        events.append(RunEnded(step=603, reason="stopped"))
    told = strict(laddertop.here("show", run.name, "--json").stdout)
    rmtree(run.path)
    assert told["collapsed"] == [{"layer": 2, "since": 4, "measured": "KL below 0.01 nats since 4"}]


def test_one_frame_of_the_dashboard_is_printed_as_text(laddertop: Laddertop) -> None:
    run = laddertop.runs / "4-shown"
    copytree(ROOT / "tests" / "recorded" / "vae-digits", run)
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*")}
    done = laddertop("show", "4-shown", "--once", COLUMNS="100", LINES="30", PYTHONIOENCODING="utf-8")
    plain = laddertop("show", "4-shown", "--once", PYTHONIOENCODING="ascii")
    assert {file: file.stat().st_mtime_ns for file in run.rglob("*")} == before
    rmtree(run)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 30
    assert max(map(len, lines)) <= 100
    text = " ".join(done.stdout.split())
    for words in ("4-shown ✓ finished read-only step 1 000 / 1 000", "▼β 2", "KL q(z|x) ‖ p(z)", "−ELBO 23.5 at 1 000"):
        assert words in text
    assert "lr 0.01" in text
    assert "\x1b" not in done.stdout
    assert plain.stdout.isascii()
    assert "4-shown" in plain.stdout
    refused = laddertop.here("show", "4-shown", "--once", "--json")
    assert (refused.returncode, "--once prints a screen" in refused.stderr) == (2, True)


def test_a_number_that_is_none_is_a_word_and_never_null(laddertop: Laddertop, recorded: str) -> None:
    told = strict(laddertop.here("show", recorded, "--json").stdout)
    assert told["total"] == "NaN"
    assert told["terms"]["reconstruction"]["value"] == "NaN"
    assert told["terms"]["kl"] | {"label": ""} == {
        "label": "",
        "value": "Infinity",
        "weight": 0.1,
        "share": "Infinity",
        "unit": "nats per image, mean over the batch",
    }
    assert told["evaluation"]["values"]["negative_elbo"]["value"] == "Infinity"


def test_show_in_words_has_the_same_numbers_and_steers_no_terminal(laddertop: Laddertop, recorded: str) -> None:
    done = laddertop.here("show", recorded)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["KL", "inf", "0.1", "inf", "nats", "per", "image,", "mean", "over", "the", "batch"] in lines
    assert ["noise", "off", "0"] in lines
    assert ["error", "12.5", "%", "of", "images"] in lines
    assert not IN_FILES_ONLY.search(done.stdout)
    assert "told to by" in done.stdout
    assert not any(char in done.stdout for char in "\x1b\x07")


def test_runs_are_short_forms_of_show_and_a_damaged_one_is_among_them(laddertop: Laddertop, recorded: str) -> None:
    damaged = create_run(laddertop.runs, load_recipe("vae-mnist"), "0-damaged")
    (damaged.path / "spec.json").write_text('{"seed": ')
    whole = strict(laddertop.here("show", recorded, "--json").stdout)
    told = {run["name"]: run for run in strict(laddertop.here("runs", "--json").stdout)}
    assert list(told) == ["0-damaged", recorded]
    assert told[recorded] == {key: whole[key] for key in told[recorded]}
    assert set(told[recorded]) >= {"name", "folder", "recipe", "state", "step", "steps", "evaluation", "origin"}
    assert told["0-damaged"]["state"] == "damaged"
    lines = laddertop.here("runs").stdout.splitlines()
    assert lines[2].split() == [recorded, "stopped", "2", "100", "error", "12.50", "%"]
    assert "can't be read" in lines[1]
    shown = laddertop.here("show", "0-damaged")
    assert shown.returncode == 2
    assert "spec.json can't be read" in shown.stderr


def test_a_cost_that_a_resume_threw_away_is_not_told_of_its_checkpoint(laddertop: Laddertop, recorded: str) -> None:
    run = create_run(laddertop.runs, load_recipe("vae-mnist"), "1-resumed")
    for name in ("events.jsonl", "metrics.json", "metrics-0001.bin"):
        (run.path / name).write_bytes((laddertop.runs / recorded / name).read_bytes())
    start = laddertop.events(recorded)[0]
    assert isinstance(start, RunStarted)
    MetricsWriter(run.path, 2, 5).close()
    with EventWriter(run.events_path) as events:
        events.append(start.model_copy(update={"segment": 2, "step": 1, "resumed_from": 1}))
    told = strict(laddertop.here("show", run.name, "--json").stdout)
    rmtree(run.path)
    assert (told["step"], told["total"]) == (1, None)
    assert told["terms"]["kl"]["value"] is told["knobs"]["beta"]["effective"] is None


def test_recipes_and_keys_are_all_there(laddertop: Laddertop) -> None:
    told = strict(laddertop.here("recipes", "--json").stdout)
    assert [(one["name"], one["about"]) for one in told] == [(name, load_recipe(name).about) for name in recipes()]
    listed = {line.split()[0] for line in laddertop.here("recipes").stdout.splitlines() if line.strip()}
    assert listed >= set(recipes())
    assert strict(laddertop.here("recipes", "--keys", "--json").stdout) == [key._asdict() for key in keys()]
    text = laddertop.here("recipes", "--keys").stdout
    assert all(f"{key.name}" in text and key.help in text for key in keys())


def test_a_terminal_without_unicode_gets_an_answer(laddertop: Laddertop, recorded: str) -> None:
    done = laddertop("recipes", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "8?8 digits" in done.stdout


def test_a_reader_that_leaves_early_gets_no_traceback(laddertop: Laddertop) -> None:
    read, write = os.pipe()
    os.close(read)
    with laddertop.start("recipes", "--keys", stdout=write) as process:
        os.close(write)
        assert "Traceback" not in process.communicate(timeout=PATIENCE)[1]


def test_the_folder_of_the_runs_comes_from_the_option_or_the_environment(
    laddertop: Laddertop, recorded: str, tmp_path: Path
) -> None:
    assert strict(laddertop.here("runs", "--json", "--runs", str(tmp_path)).stdout) == []
    assert strict(laddertop.here("runs", "--json", LADDERTOP_RUNS=str(tmp_path)).stdout) == []
    there = laddertop.here("show", recorded, "--json", "--runs", str(laddertop.runs), LADDERTOP_RUNS=str(tmp_path))
    assert strict(there.stdout)["name"] == recorded
