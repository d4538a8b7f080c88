"""What the engine declares for screens is true: schedules, layers, and which value says how good a model is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from laddertop.engine.contract import Encodes, Settles
from laddertop.engine.explore.activity import activity
from laddertop.engine.training.controls import Controls
from laddertop.journal.events import EventReader, RunStarted, Term
from laddertop.journal.places import recipes
from laddertop.journal.sections import SETS
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from tests.engine.conftest import CPU, Bench
from tests.kinds import KINDS, small_spec

RECORDED = Path(__file__).parents[1] / "recorded" / "vae-digits"


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_tells_what_its_learning_rate_does_and_from_which_step(name: str) -> None:
    spec = load_recipe(name)
    epoch_steps = max((SETS[spec.data.name].training - spec.data.held_back) // spec.data.batch, 1)
    steps = spec.steps or round((spec.epochs or 0) * epoch_steps)
    controls = Controls(spec, [], epoch_steps, steps, CPU)

    def rate(step: int) -> float:
        controls.prepare(step)
        return controls.learning_rate

    first = min((schedule.first for schedule in controls.schedules), default=steps)
    assert {rate(step) for step in (0, first // 2, first - 1)} == {spec.optimizer.lr}
    if controls.schedules:
        assert rate(first) < spec.optimizer.lr
    else:
        assert rate(steps - 1) == spec.optimizer.lr


def test_another_schedule_is_not_told_as_the_linear_one() -> None:
    spec = override(load_recipe("vae-mnist"), ["optimizer.schedule=burda", "optimizer.decay_from=0.5", "epochs=100"])
    (told,) = Controls(spec, [], 600, 60_000, CPU).schedules
    assert (told.knob, told.what, told.first) == ("lr", "falls to a tenth in stages of 1, 3, 9, … epochs", 600)


@pytest.mark.parametrize("kind", KINDS)
def test_one_value_of_an_evaluation_says_how_good_the_model_is(kind: str) -> None:
    bench = Bench(small_spec(kind))
    values = bench.model.evaluate(bench.data.test, bench.batches, 1)
    assert len([value for value in values.values() if value.headline]) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_evaluation_tells_the_activity_of_every_layer_that_it_leaves_with_statistics(kind: str) -> None:
    bench = Bench(small_spec(kind))
    bench.model.evaluate(bench.data.test, bench.batches, 1)
    told = activity(bench.model, bench.data.test)
    if isinstance(bench.model, Settles) and not bench.model.settled_by_evaluation:
        assert told == {}
        bench.model.settle(bench.batches)
    assert isinstance(bench.model, Encodes)
    assert set(told) <= set(bench.model.codes(bench.data.test.rows(slice(0, 10))))
    assert told or kind == "unsupervised_ladder"


@pytest.mark.parametrize("kind", KINDS)
def test_layers_of_terms_are_representations_that_the_model_gives(kind: str) -> None:
    bench = Bench(small_spec(kind))
    told = {term.layer.code for term in bench.model.terms if term.layer}
    assert told == {name for name, term in KINDS[kind].layers.items() if term}


def test_a_better_value_is_lower_or_higher_as_declared_and_any_number_is_better_than_none() -> None:
    def value(number: float, better: str = "lower") -> Value:
        return Value.model_validate({"value": number, "unit": "", "better": better})

    nan = float("nan")
    assert value(1).beats(value(2))
    assert not value(2).beats(value(1))
    assert value(2, "higher").beats(value(1, "higher"))
    assert not value(1, "none").beats(value(2, "none"))
    assert value(2).beats(value(nan))
    assert not value(nan).beats(value(2))


def test_a_journal_from_before_layers_headlines_and_schedules_reads_as_it_did() -> None:
    state = RunState().apply_all(EventReader(RECORDED / "events.jsonl").read_all())
    found = state.headline()
    assert found is not None
    assert found.name == "negative_elbo"
    assert found.best.value == min(event.values["negative_elbo"].value for event in state.evaluations)
    assert state.started is not None
    assert state.started.schedules == []
    assert [term.layer and term.layer.code for term in state.terms] == [None, "z"]
    old = {"name": "denoise.2", "label": "denoising 2 h500", "unit": "", "weight": "lambda.2", "watched": False}
    layer = Term.model_validate_json(json.dumps(old)).layer
    assert layer is not None
    assert (layer.index, layer.name, layer.code, layer.noise) == (2, "h500", "h2", "noise.std.2")
    assert isinstance(state.started, RunStarted)
