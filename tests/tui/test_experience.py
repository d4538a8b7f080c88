"""How long a run takes and how much memory, where no run of its sizes is known."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from laddertop.journal.places import recipes
from laddertop.journal.sizes import Sizes, key_of, read, with_recipes
from laddertop.journal.spec import Spec, load_recipe, override
from laddertop.tui.dashboard.views.experience import Experience, Known, earlier, guessed_seconds, in_words, wanted
from tests.tui.played import PlayedEngine

BARE = Experience([], gpu=False)
MULTIPLY_ADDS = 100 * 784 * 1000 * (2 + 3)
"""Of a step of dae-mnist: 100 rows through 784 × 1000 and back; no gradient goes into the pixels."""
RECIPES = read(with_recipes())


def known_of_recipes(spec: Spec) -> Sizes | None:
    """What is known before any engine is asked."""
    return RECIPES.get(key_of(spec))


def in_size(spec: Spec) -> Sizes:
    """As dae-mnist with another number of hidden units has them."""
    units = spec.model.model_dump()["hidden"][0]
    return Sizes(work=((0, MULTIPLY_ADDS * units // 1000),))


def test_without_any_run_the_guess_is_the_multiply_adds_over_the_speeds_that_were_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    spec = override(load_recipe("dae-mnist"), ["steps=10_000", "device=cpu"])
    sizes = known_of_recipes(spec)
    assert sizes is not None
    low, high, run = guessed_seconds(spec, sizes, [], known_of_recipes)
    assert run == ""
    assert low == pytest.approx(10_000 * MULTIPLY_ADDS / 70e9)
    assert high == pytest.approx(10_000 * (MULTIPLY_ADDS / 14e9 + 0.005))
    # A run of that recipe took 5.66 to 6.2 ms a step.
    assert low / 10_000 < 0.0057
    assert high / 10_000 > 0.0062
    told = in_words(spec, BARE, known_of_recipes)
    assert told.startswith("56 s to 6 min for 10 000 steps, a guess; the first run tells; about ")
    assert told.endswith(" MB of memory besides torch's own")
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert guessed_seconds(spec, sizes, [], known_of_recipes)[0] == pytest.approx(low / 4)


def test_a_run_of_other_sizes_gives_the_guess_its_speed() -> None:
    spec = override(load_recipe("dae-mnist"), ["steps=1000"])
    larger, small = override(spec, ["model.hidden=[9000]"]), override(spec, ["model.hidden=[2000]"])
    known = [
        Known("gpu", small, "cuda:0: A100", 1e-5, 600, 0),
        Known("far", larger, "cpu", 5.0, 600, 0),
        Known("near", small, "cpu", 0.02, 600, 0),
    ]
    low, high, run = guessed_seconds(spec, in_size(spec), known, in_size)
    assert run == "near"
    assert (low, high) == (pytest.approx(10 / 2.5), pytest.approx(10 * 2.5 + 5))
    here = Experience(known, gpu=False)
    assert "a guess by the speed of near; the first run tells" in in_words(spec, here, in_size)
    assert wanted(spec, here) == [spec, larger, small]
    assert wanted(small, here) == [small], "a run that is known needs no guess"


def test_what_the_engine_has_not_told_yet_is_dots() -> None:
    spec = override(load_recipe("dae-mnist"), ["model.hidden=[77]"])
    assert in_words(spec, BARE, known_of_recipes) == "…; about … MB of memory besides torch's own"
    known = Experience([Known("before", spec, "cpu", 0.01, 600, 0)], gpu=False)
    told = in_words(override(spec, ["steps=1000"]), known, known_of_recipes)
    assert told == (
        "about 10 s for 1 000 steps at 100 step/s, as before took here; about … MB of memory besides torch's own"
    )


def test_a_gpu_is_not_guessed_at() -> None:
    spec = load_recipe("dae-mnist")
    told = "no run of these sizes here yet to tell how long 30 000 steps take on a GPU; about "
    assert in_words(spec, Experience([], gpu=True), known_of_recipes).startswith(told)
    assert in_words(override(spec, ["device=cuda:1"]), BARE, known_of_recipes).startswith(told)
    assert "a guess" in in_words(override(spec, ["device=cpu"]), Experience([], gpu=True), known_of_recipes)


def test_every_recipe_has_both_estimates_in_two_rows_of_80_columns() -> None:
    for name in recipes():
        told = in_words(override(load_recipe(name), ["device=cpu"]), BARE, known_of_recipes)
        assert " steps, a guess; the first run tells; about " in told
        assert len(told) <= 2 * 78


def test_why_there_can_be_no_such_run_is_told() -> None:
    told = in_words(load_recipe("dae-mnist"), BARE, lambda spec: Sizes(problem="it does not fit"))
    assert told == "it does not fit"


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
