"""Programs ask a run's model with arrays and get arrays, the numbers that its training and evaluations have."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import laddertop
from laddertop.engine.saved.trained import Trained
from laddertop.journal.events import EventReader
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from tests import PATIENCE
from tests.processes import TINY, typed
from tests.references import digits


@cache
def images() -> np.ndarray:
    """The handwritten digits as models take them, from 0 to 1."""
    return (digits().images / 16).astype(np.float32)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def ladder(runs: Path) -> Trained:
    recipe = runs.parent / f"{runs.name}.toml"
    recipe.write_text(TINY)
    return laddertop.train(str(recipe), {"steps": 300}, name="ladder", runs=runs)


@pytest.fixture(scope="module")
def vae(runs: Path) -> Trained:
    settings = {"steps": 200, "model.hidden": [32], "model.latent": 3, "device": "cpu", "compile": False}
    laddertop.train("vae-digits", settings, name="vae", runs=runs)
    return laddertop.load("vae", runs=runs)


def test_a_classifier_is_as_often_wrong_as_its_evaluation_says(ladder: Trained, runs: Path) -> None:
    told = json.loads(typed("evaluate", "ladder", "--json", "--runs", str(runs)).stdout)
    # The last items of the set are those that are tested with.
    wrong = ladder.classify(images()[1437:]).argmax(1) != digits().target[1437:]
    assert 100 * wrong.mean() == pytest.approx(told["values"]["error_percent"]["value"], abs=1e-4)
    np.testing.assert_allclose(ladder.classify(images()[:1200]).sum(1), 1, atol=1e-5)


def test_what_is_asked_in_parts_or_in_another_shape_is_the_same(ladder: Trained, vae: Trained) -> None:
    whole = vae.encode(images())
    assert whole.shape == (len(images()), 3)
    np.testing.assert_allclose(whole[1300:1310], vae.encode(images()[1300:1310].reshape(10, 64)), atol=1e-6)
    few = images()[:4]
    assert vae.reconstruct(few).shape == (4, 8, 8)
    np.testing.assert_array_equal(vae.reconstruct(few).reshape(4, 64), vae.denoise(few.reshape(4, 64)))
    np.testing.assert_allclose(vae.decode(vae.encode(few)), vae.reconstruct(few), atol=1e-6)
    np.testing.assert_array_equal(vae.sample(9)[:4], vae.sample(4))
    assert list(ladder.codes(images()[:2]))[-1] == "h1"
    light = np.rint(255 * few).astype(np.uint8)
    np.testing.assert_allclose(vae.encode(light), vae.encode(few), atol=0.05)


def test_the_numbers_of_a_run_are_those_that_were_recorded(vae: Trained, runs: Path) -> None:
    reader = MetricsReader(runs / "vae")
    reader.poll()
    numbers = vae.metrics()
    assert list(numbers)[:3] == ["step", "time", "total"]
    assert numbers["step"].tolist() == list(range(1, 201))
    np.testing.assert_array_equal(numbers["kl"], reader.values("kl"))


def test_an_older_checkpoint_is_another_model(ladder: Trained, runs: Path) -> None:
    older = laddertop.load(runs / "ladder", step=200)
    assert (older.step, ladder.step) == (200, 300)
    assert np.abs(older.classify(images()[:50]) - ladder.classify(images()[:50])).max() > 1e-3


INTERRUPTED = """
import sys, time, laddertop
try:
    laddertop.train("vae-digits", {"steps": 10**9, "device": "cpu", "compile": "off"}, name="long", runs=sys.argv[1])
except KeyboardInterrupt as interrupt:  # a notebook keeps it, with all that its frames hold
    print("interrupted", flush=True)
    time.sleep(1000)
"""


def test_a_training_that_is_interrupted_stops_and_is_saved_though_the_program_goes_on(tmp_path: Path) -> None:
    events = EventReader(tmp_path / "long" / "events.jsonl")
    state, since = RunState(), time.monotonic()

    def told(what: Callable[[], object]) -> None:
        while not what():
            assert time.monotonic() < since + PATIENCE
            time.sleep(0.05)
            state.apply_all(events.read_all())

    with subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(tmp_path)], stdout=subprocess.PIPE) as program:
        try:
            told(lambda: state.started)
            program.send_signal(signal.SIGINT)
            assert program.stdout is not None
            assert program.stdout.readline() == b"interrupted\n"
            told(lambda: state.ended)
        finally:
            program.kill()
    assert state.ended is not None
    assert state.ended.reason == "stopped"
    assert state.checkpoints


def test_what_can_not_be_is_a_sentence(vae: Trained, runs: Path) -> None:
    for wrong, words in (
        (lambda: vae.classify(images()), "a vae on digits tells no classes apart"),
        (lambda: vae.score(images()), "a vae on digits estimates no score"),
        (lambda: vae.encode(np.zeros((2, 65))), r"takes \[N, 64\] or images of that size, not \[2, 65\]"),
        (lambda: vae.encode(np.full((2, 64), np.nan)), "there are values that are no numbers"),
        (lambda: laddertop.load("vae", runs=runs, step=7), "vae has no checkpoint of step 7"),
        (lambda: laddertop.load("none", runs=runs), "no run 'none'"),
        (lambda: laddertop.train("vae-digits", {"stepz": 3}, runs=runs), "unknown key 'stepz'"),
        (lambda: laddertop.train("vae-digits", {"data.batch": 10**6}, runs=runs), r"data\.batch"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
    assert sorted(run.name for run in runs.iterdir()) == ["ladder", "vae"]


def test_the_door_itself_loads_nothing() -> None:
    asks = "import sys, laddertop; print([m for m in ('torch', 'numpy', 'pydantic', 'textual') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True).stdout == "[]\n"
