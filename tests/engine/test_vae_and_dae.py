"""Denoising autoencoder: costs, reductions, corruption."""

from __future__ import annotations

import pytest
import torch

from engine.corruption import corrupt
from engine.optim import Adam
from engine.randomness import Draws
from engine.step import Step
from tests.engine.conftest import CPU, Bench, small_spec


@pytest.mark.parametrize(
    ("kind", "level", "changed", "values"),
    [("masking", 0.3, 0.3, {0.0}), ("salt_and_pepper", 0.4, 0.4, {0.0, 1.0})],
)
def test_corruption_hits_the_stated_share_of_pixels(kind, level, changed, values):
    x = torch.full((400, 100), 0.5)
    generator = torch.Generator().manual_seed(1)
    draws = Draws(torch.randn(40_000, generator=generator), torch.rand(80_000, generator=generator))
    corrupted = corrupt(x, kind, torch.tensor(level), draws)
    hit = corrupted != 0.5
    assert hit.float().mean().item() == pytest.approx(changed, abs=0.01)
    assert set(corrupted[hit].tolist()) == values
    if kind == "salt_and_pepper":
        assert corrupted[hit].mean().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("kind", ["gaussian", "masking", "salt_and_pepper"])
def test_level_zero_leaves_the_input_as_it_is(kind):
    x = torch.rand(10, 10)
    assert torch.equal(corrupt(x, kind, torch.zeros(()), Draws(torch.randn(100), torch.rand(200))), x)


def test_tied_weights_are_one_parameter_and_the_target_is_clean():
    bench = Bench(small_spec("dae"), torch.float64)
    assert not list(bench.model.decoder)
    _, _, x = bench.batch()
    level = bench.knobs()[bench.model.level]
    corrupted = corrupt(x, "masking", level, bench.draws())
    w, b, b2 = bench.model.encoder[0], bench.model.encoder_bias[0], bench.model.decoder_bias[0]
    logits = torch.sigmoid(corrupted @ w + b) @ w.t() + b2
    expected = torch.nn.functional.binary_cross_entropy(torch.sigmoid(logits), x, reduction="sum") / len(x)
    torch.testing.assert_close(bench.costs()[0], expected, rtol=1e-7, atol=0)


def test_untied_squared_error_autoencoder():
    bench = Bench(small_spec("dae", "model.tied=off", "model.loss=squared", "noise.on=off"), torch.float64)
    assert len(bench.model.decoder) == 1
    _, _, x = bench.batch()
    output = bench.model.output(x)
    torch.testing.assert_close(bench.costs()[0], ((output - x) ** 2).sum() / len(x))


def test_gradients_by_gradcheck():
    bench = Bench(small_spec("dae", "data.batch=4", "model.hidden=[3]"), torch.float64)
    names = [name for name, _ in bench.model.named_parameters()]
    values = [p.detach().clone().requires_grad_() for p in bench.model.parameters()]
    labelled, labels, x = bench.batch()

    class Costs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = bench.model

        def forward(self):
            return self.model.costs(labelled, labels, x, bench.draws(), bench.knobs())

    def costs(*parameters):
        named = {f"model.{name}": value for name, value in zip(names, parameters, strict=True)}
        return torch.func.functional_call(Costs(), named, ())

    assert torch.autograd.gradcheck(costs, values, atol=1e-6)


def test_sixteen_images_are_overfitted():
    spec = small_spec(
        "dae", "data.batch=16", "optimizer.lr=0.01", "data.held_back=1421", "model.hidden=[128]", "noise.on=off"
    )
    bench = Bench(spec)
    assert len(bench.data.training) == 16
    step = Step(
        bench.model, Adam(dict(bench.model.named_parameters()), spec.optimizer), bench.controls, bench.batches, 1, CPU
    )
    row = torch.empty(2 + len(bench.model.terms) + len(bench.controls.names))
    costs = []
    for i in range(400):
        bench.controls.prepare(i)
        step(i, row)
        costs.append(row[1].item())
    # Grey targets keep an entropy of their own; what is above it goes away.
    x = bench.data.training.rows(slice(None))
    entropy = torch.nn.functional.binary_cross_entropy(x, x, reduction="sum").item() / 16
    assert costs[-1] - entropy < 0.06 * (costs[0] - entropy)
