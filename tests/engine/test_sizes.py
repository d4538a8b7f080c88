"""What is counted by the spec alone is what the built model has, and what torch counts while it takes a step."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from laddertop.engine.data import load
from laddertop.engine.data.files import OMNIGLOT
from laddertop.engine.models.sdae import Sdae
from laddertop.journal.models import LadderSection
from laddertop.journal.sections import POINTS, SETS, DataSpec, SetName
from laddertop.journal.spec import load_recipe, recipes
from laddertop.journal.start import planned_steps
from laddertop.tui.dashboard.views.sizes import sizes
from tests.engine.conftest import CPU, Bench
from tests.kinds import small_spec

TWO_LAYERS = ("model.upper_hidden=[9]", "model.upper_latent=3", "model.samples=4")
CASES = {
    "ladder": [(), ("model.denoising=[0, 0, 0, 1]",), ("model.denoising=[0, 0, 0, 0]",), ("data.labels=all",)],
    "conv_ladder": [(), ("model.denoising=[0, 0, 0, 0, 0, 1]", "model.top_scale=off")],
    "unsupervised_ladder": [(), ("model.denoising=[0, 1, 0.1]",)],
    "vae": [
        (),
        TWO_LAYERS,
        ("model.output=gaussian", "model.decoder_hidden=[7, 8]"),
        ("model.bound=iwae", *TWO_LAYERS),
    ],
    "lvae": [
        (),
        ("model.inference=bottom_up", "model.iw_samples=3"),
        ("model.top_down=separate", "model.mc_samples=2"),
        ("model.batch_norm=off", "model.dense=1"),
    ],
    "dae": [(), ("model.tied=off", "model.hidden=[32, 16]")],
    "sdae": [(), ("model.tied=off",)],
    "gsn": [(), ("model.hidden=[32]", "model.walkback=2")],
}


def counted(bench: Bench) -> float:
    """Multiply-adds of one step as torch counts them while it computes."""
    parameters = list(bench.model.parameters())
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(bench.costs().nansum(), parameters, allow_unused=True)
    return counter.get_total_flops() / 2


@pytest.mark.parametrize(("kind", "settings"), [(kind, case) for kind, cases in CASES.items() for case in cases])
def test_parameters_and_multiply_adds_are_those_of_the_model(kind: str, settings: tuple[str, ...]) -> None:
    bench = Bench(small_spec(kind, *settings))
    told = sizes(bench.spec)
    assert told.parameters == sum(p.numel() for p in bench.model.parameters())
    if isinstance(bench.model, Sdae):
        # The mean over the stages of the run.
        starts = [stage.first for stage in bench.model.stages(bench.batches.epoch_steps)] + [bench.spec.steps or 0]
        total = 0.0
        for bench.model.stage, (start, end) in enumerate(itertools.pairwise(starts)):
            total += counted(bench) * (end - start)
        assert told.multiply_adds == pytest.approx(total / starts[-1], rel=1e-6)
    else:
        # A chain of several layers ends before its upper ones are heard.
        assert told.multiply_adds == pytest.approx(counted(bench), rel=0.06 if kind == "gsn" else 1e-6)


@pytest.mark.parametrize("shared", ["on", "off"])
@pytest.mark.parametrize("combinator", get_args(LadderSection.model_fields["combinator"].annotation))
def test_parameters_of_every_denoising_function_are_counted(combinator: str, shared: str) -> None:
    settings = ["model.combinator_hidden=[4, 3]", f"model.combinator_shared={shared}"]
    spec = small_spec("ladder", f"model.combinator={combinator}", *settings)
    assert sizes(spec).parameters == sum(p.numel() for p in Bench(spec).model.parameters())


@pytest.mark.parametrize("name", ["digits", *POINTS])
def test_sets_have_as_many_items_as_is_told(name: SetName) -> None:
    data = load(DataSpec(name=name), CPU)
    assert (SETS[name].training, SETS[name].test) == (len(data.training), len(data.test))


def test_every_recipe_has_sizes_and_a_length() -> None:
    assert (SETS["omniglot"].training, SETS["omniglot"].test) == tuple(OMNIGLOT.values())
    for name in recipes():
        spec = load_recipe(name)
        told = sizes(spec)
        assert min(told.parameters, told.multiply_adds, planned_steps(spec)) > 0
