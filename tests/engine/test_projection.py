"""Weights projected to norm 1, unit by unit, after updates: against numpy, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from laddertop.engine.training.optim import Adam
from laddertop.engine.training.projection import Projection
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from laddertop.journal.sections import OptimizerSpec
from tests.engine.conftest import CPU, Bench
from tests.kinds import LADDERS, small_spec


def weights_after(kind: str, steps: int, *settings: str) -> dict[str, np.ndarray]:
    bench = Bench(small_spec(kind, *settings))
    optimizer = make_optimizer(dict(bench.model.named_parameters()), bench.spec.optimizer)
    step = Step(bench.model, optimizer, bench.controls, bench.batches, 1, CPU)
    row = torch.empty(2 + len(bench.model.terms) + len(bench.controls.names))
    for at in range(steps):
        bench.controls.prepare(at)
        step(at, row)
    return {name: parameter.detach().numpy() for name, parameter in bench.model.named_parameters()}


def projected(name: str, weight: np.ndarray) -> np.ndarray:
    """Columns of matrices [inputs, units] and kernels [units, inputs, K, K] over their norm; the rest as it is."""
    if not name.startswith(("W.", "V.")):
        return weight
    axes = 0 if weight.ndim == 2 else (1, 2, 3)
    return weight / np.sqrt((weight.astype(float) ** 2).sum(axes, keepdims=True))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("kind", LADDERS)
def test_after_an_update_the_weights_of_every_unit_have_norm_1(kind: str, optimizer: str):
    settings = (f"optimizer.kind={optimizer}", "optimizer.lr=0.1")
    plain, mine = weights_after(kind, 1, *settings), weights_after(kind, 1, *settings, "model.project_every=1")
    assert any(name.startswith("V.") for name in mine)
    for name, weight in plain.items():
        np.testing.assert_allclose(mine[name], projected(name, weight), rtol=1e-5, atol=1e-7)


def test_updates_between_two_projections_are_left_as_they_are():
    plain = [weights_after("ladder", steps) for steps in (2, 3)]
    mine = [weights_after("ladder", steps, "model.project_every=3") for steps in (2, 3)]
    for name in plain[0]:
        np.testing.assert_array_equal(mine[0][name], plain[0][name])
        np.testing.assert_allclose(mine[1][name], projected(name, plain[1][name]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", LADDERS)
def test_a_projection_changes_nothing_that_is_computed(kind: str):
    bench = Bench(small_spec(kind, "model.project_every=1"), torch.float64)
    for parameter in bench.model.parameters():
        parameter.data *= 3
    before = bench.costs()
    Projection(bench.model, Doubles(bench.model))()
    torch.testing.assert_close(bench.costs(), before, rtol=1e-6, atol=1e-9)


class Doubles(Adam):
    """The parameters of a float64 model as masters of themselves."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._names, self.parameters = map(list, zip(*model.named_parameters(), strict=True))
        self.masters = [parameter.detach() for parameter in self.parameters]
        self.first = self.second = self.masters


class HalfPrecision(torch.nn.Module):
    project_every = 1

    def __init__(self) -> None:
        super().__init__()
        self.W = torch.nn.Parameter(torch.randn(50, 8).bfloat16())

    def incoming(self) -> dict[str, int]:
        return {"W": 1}


def test_weights_in_bfloat16_are_those_of_projected_float32_masters_rounded():
    model = HalfPrecision()
    adam = Adam(dict(model.named_parameters()), OptimizerSpec())
    before = adam.masters[0].numpy().copy()
    Projection(model, adam)()
    np.testing.assert_allclose(adam.masters[0], before / np.linalg.norm(before, axis=0), rtol=1e-6)
    assert torch.equal(model.W.detach(), adam.masters[0].bfloat16())


def test_without_batch_normalisation_it_is_refused():
    with pytest.raises(ValueError, match="project_every: with batch_norm only"):
        small_spec("ladder", "model.project_every=1", "model.batch_norm=off")
