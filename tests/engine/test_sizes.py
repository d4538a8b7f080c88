"""What is told of a run by its spec alone is what the built model has, and what torch counts while it takes a step."""

from __future__ import annotations

import itertools
import os
import subprocess
from typing import get_args

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from laddertop.engine.contract import Staged
from laddertop.engine.data import load
from laddertop.engine.data.files import OMNIGLOT
from laddertop.engine.sizes import answer, sizes
from laddertop.journal.models import LadderSection
from laddertop.journal.places import recipes
from laddertop.journal.sections import POINTS, SETS, DataSpec
from laddertop.journal.sizes import Sizes, key_of, read, with_recipes, write
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.start import planned_steps
from laddertop.tui.steer.engine_process import command, environment
from tests import PATIENCE
from tests.engine.conftest import CPU, Bench
from tests.kinds import KINDS, small_spec


def counted(bench: Bench) -> float:
    """Multiply-adds of one step as torch counts them while it computes."""
    parameters = list(bench.model.parameters())
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(bench.costs().nansum(), parameters, allow_unused=True)
    return counter.get_total_flops() / 2


@pytest.mark.parametrize(
    ("kind", "settings"), [(kind, case) for kind, known in KINDS.items() for case in ((), *known.variants)]
)
def test_parameters_and_multiply_adds_are_those_of_the_model(kind: str, settings: tuple[str, ...]) -> None:
    bench = Bench(small_spec(kind, *settings))
    told = sizes(bench.spec)
    assert told.parameters == sum(p.numel() for p in bench.model.parameters())
    steps = planned_steps(bench.spec)
    if isinstance(bench.model, Staged):
        # The mean over the stages of the run.
        starts = [*(stage.first for stage in bench.model.stages(bench.batches.epoch_steps)), steps]
        total = 0.0
        for bench.model.stage, (start, end) in enumerate(itertools.pairwise(starts)):
            total += counted(bench) * (end - start)
        assert told.multiply_adds(steps) == pytest.approx(total / steps, rel=1e-6)
    else:
        assert told.multiply_adds(steps) == counted(bench)


@pytest.mark.parametrize("shared", ["on", "off"])
@pytest.mark.parametrize("combinator", get_args(LadderSection.model_fields["combinator"].annotation))
def test_parameters_of_every_denoising_function_are_counted(combinator: str, shared: str) -> None:
    settings = ["model.combinator_hidden=[4, 3]", f"model.combinator_shared={shared}"]
    spec = small_spec("ladder", f"model.combinator={combinator}", *settings)
    assert sizes(spec).parameters == sum(p.numel() for p in Bench(spec).model.parameters())


@pytest.mark.parametrize("name", ["digits", *POINTS])
def test_sets_have_as_many_items_as_is_told(name: str) -> None:
    data = load(DataSpec(name=name), CPU)
    assert (SETS[name].training, SETS[name].test) == (len(data.training), len(data.test))
    assert (SETS["omniglot"].training, SETS["omniglot"].test) == tuple(OMNIGLOT.values())


def test_every_recipe_is_known_without_asking() -> None:
    known = read(with_recipes())
    assert set(known) == {key_of(load_recipe(name)) for name in recipes()}, "run `make sizes`"
    assert write(known) == with_recipes()


SAMPLE = ("conv-small-gamma-mnist-100", "gsn-mnist", "ladder-digits", "sdae-mnist", "vae2-mnist")
"""Of as many kinds as take a moment."""


@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.stress) for name in recipes()]
)
def test_what_lies_beside_a_recipe_is_what_the_engine_tells(name: str) -> None:
    spec = load_recipe(name)
    assert read(with_recipes())[key_of(spec)] == sizes(spec), "run `make sizes`"


def test_a_longer_run_in_other_places_has_the_same_sizes_and_a_wider_one_has_not() -> None:
    spec = small_spec("sdae")
    same = override(spec, ["steps=90", "seed=7", "data.root=/elsewhere", "noise.level=0.5", "optimizer.lr=0.1"])
    assert key_of(same) == key_of(spec)
    assert sizes(same) == sizes(spec)
    assert sizes(same).multiply_adds(90) < sizes(spec).multiply_adds(60), "less of it is the widest layer alone"
    assert key_of(override(spec, ["model.hidden=[33, 16]"])) != key_of(spec)


def test_a_run_that_can_not_be_is_refused_in_a_sentence() -> None:
    large = load_recipe("conv-fc-mnist-100").model_dump_json().replace('"name":"mnist"', '"name":"digits"')
    assert "model.architecture: convv:1000:26 is larger" in answer(large).problem
    assert answer(override(load_recipe("dae-mixture"), ["data.batch=20000"]).model_dump_json()).problem == (
        "data.batch: 20000 rows, and mixture has 10000 training items"
    )
    assert answer("{").problem
    assert answer("[]").problem


def test_an_engine_answers_line_by_line_on_one_thread_and_gives_way() -> None:
    with subprocess.Popen(
        command("sizes"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdin
        assert process.stdout
        for kind in ("dae", "ladder"):
            spec = small_spec(kind)
            print(spec.model_dump_json(), file=process.stdin, flush=True)
            assert Sizes.model_validate_json(process.stdout.readline()) == sizes(spec)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) > os.getpriority(os.PRIO_PROCESS, 0)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0
