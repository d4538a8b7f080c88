"""How long a run takes and how much memory, where no run of its sizes is known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from laddertop.journal.spec import load_recipe, override, recipes
from laddertop.tui.dashboard.views.experience import Experience, Known, earlier, guessed_seconds, in_words
from tests.tui.played import PlayedEngine

BARE = Experience([], gpu=False)
MULTIPLY_ADDS = 100 * 784 * 1000 * (2 + 3)
"""Of a step of dae-mnist: 100 rows through 784 × 1000 and back; no gradient goes into the pixels."""


def test_without_any_run_the_guess_is_the_multiply_adds_over_the_speeds_that_were_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    spec = override(load_recipe("dae-mnist"), ["steps=10_000", "device=cpu"])
    low, high, run = guessed_seconds(spec, [])
    assert run == ""
    assert low == pytest.approx(10_000 * MULTIPLY_ADDS / 70e9)
    assert high == pytest.approx(10_000 * (MULTIPLY_ADDS / 14e9 + 0.005))
    # A run of that recipe took 5.66 to 6.2 ms a step.
    assert low / 10_000 < 0.0057
    assert high / 10_000 > 0.0062
    told = in_words(spec, BARE)
    assert told.startswith("56 s to 6 min for 10 000 steps, a guess; the first run tells; about ")
    assert told.endswith(" MB of memory besides torch's own")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert guessed_seconds(spec, [])[0] == pytest.approx(low / 4)


def test_a_run_of_other_sizes_gives_the_guess_its_speed() -> None:
    spec = override(load_recipe("dae-mnist"), ["steps=1000"])
    larger, small = load_recipe("ladder-mnist-100"), override(spec, ["model.hidden=[2000]"])
    known = [
        Known("gpu", small, "cuda:0: A100", 1e-5, 600, 0),
        Known("far", larger, "cpu", 5.0, 600, 0),
        Known("near", small, "cpu", 0.02, 600, 0),
    ]
    low, high, run = guessed_seconds(spec, known)
    assert run == "near"
    assert (low, high) == (pytest.approx(10 / 2.5), pytest.approx(10 * 2.5 + 5))
    assert "a guess by the speed of near; the first run tells" in in_words(spec, Experience(known, gpu=False))


def test_a_gpu_is_not_guessed_at() -> None:
    spec = load_recipe("dae-mnist")
    told = "no run of these sizes here yet to tell how long 30 000 steps take on a GPU; about "
    assert in_words(spec, Experience([], gpu=True)).startswith(told)
    assert in_words(override(spec, ["device=cuda:1"]), BARE).startswith(told)
    assert "a guess" in in_words(override(spec, ["device=cpu"]), Experience([], gpu=True))


def test_every_recipe_has_both_estimates_in_two_rows_of_80_columns() -> None:
    for name in recipes():
        told = in_words(override(load_recipe(name), ["device=cpu"]), BARE)
        assert " steps, a guess; the first run tells; about " in told
        assert len(told) <= 2 * 78


def test_layers_that_do_not_fit_are_told() -> None:
    spec = override(load_recipe("conv-fc-mnist-100"), ["data.name=digits"])
    assert in_words(spec, BARE) == "model.architecture: convv:1000:26 is larger than the maps below, 8×8"


def test_what_a_run_took_is_read_from_its_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "box")
    with PlayedEngine.new(tmp_path, "dae-mnist", "before") as engine:
        engine.rate = 50.0
        engine.train(100)
    (known,) = earlier(tmp_path)
    assert (known.run, known.device) == ("before", "cuda:0")
    assert known.seconds_per_step == pytest.approx(0.02)
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    assert earlier(tmp_path) == []
