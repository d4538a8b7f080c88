"""VAE and denoising autoencoder: closed forms against torch.distributions, reductions, corruption."""

from __future__ import annotations

import pytest
import torch
from torch import distributions

from engine.corruption import corrupt
from engine.distributions import bernoulli_cross_entropy, gaussian_kl_to_standard
from engine.optim import Adam
from engine.randomness import Draws
from engine.step import Step
from tests.engine.conftest import CPU, Bench, small_spec


def test_kl_to_the_standard_normal_equals_torch_distributions_and_monte_carlo():
    torch.manual_seed(0)
    mean, log_std = torch.randn(7, 5, dtype=torch.float64), torch.randn(7, 5, dtype=torch.float64)
    q, p = distributions.Normal(mean, log_std.exp()), distributions.Normal(0, 1)
    kl = gaussian_kl_to_standard(mean, log_std)
    torch.testing.assert_close(kl, distributions.kl_divergence(q, p))
    z = q.sample((400_000,))
    torch.testing.assert_close(kl, (q.log_prob(z) - p.log_prob(z)).mean(0), rtol=0.02, atol=0.02)
    # D(q‖p) is not D(p‖q).
    assert not torch.allclose(kl, distributions.kl_divergence(distributions.Normal(torch.zeros_like(mean), 1), q))


def test_bernoulli_cross_entropy_is_summed_over_pixels():
    torch.manual_seed(0)
    target, logits = torch.randint(0, 2, (6, 9)).double(), torch.randn(6, 9, dtype=torch.float64)
    expected = -distributions.Bernoulli(logits=logits).log_prob(target).sum(1)
    torch.testing.assert_close(bernoulli_cross_entropy(target, logits), expected)


def test_kl_is_summed_over_latent_units_and_averaged_over_the_batch():
    bench = Bench(small_spec("vae"), torch.float64)
    _, _, x = bench.batch()
    mean, log_std = bench.model.encode(x)
    expected = distributions.kl_divergence(distributions.Normal(mean, log_std.exp()), distributions.Normal(0, 1))
    torch.testing.assert_close(bench.costs()[1], expected.sum() / len(x))


def test_the_vaes_output_starts_at_the_mean_image():
    bench = Bench(small_spec("vae"), torch.float64)
    with torch.no_grad():
        for name, parameter in bench.model.named_parameters():
            if name == "output":
                parameter.zero_()
    training = bench.data.training
    mean_image = training.rows(slice(None)).mean(0).double().clamp(0.001, 0.999)
    image = torch.sigmoid(bench.model.decode(torch.zeros(1, bench.model.latent, dtype=torch.float64)))[0]
    torch.testing.assert_close(image, mean_image, rtol=1e-5, atol=1e-7)


def test_dynamic_binarisation_hides_grey_values_and_differs_by_step():
    bench = Bench(small_spec("vae", "data.binarise=dynamic"))
    x = bench.batch()[2]
    assert bench.model.draws_needed(0, 50)[1] >= 50 * 64
    empty = x[:0]
    first, again, other = (bench.model.costs(empty, empty, x, bench.draws(step), bench.knobs()) for step in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


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


@pytest.mark.parametrize("kind", ["vae", "dae"])
def test_gradients_by_gradcheck(kind):
    bench = Bench(small_spec(kind, "data.batch=4", "model.hidden=[3]"), torch.float64)
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


@pytest.mark.parametrize(("kind", "settings"), [("vae", ["model.latent=8"]), ("dae", ["noise.on=off"])])
def test_sixteen_images_are_overfitted(kind, settings):
    spec = small_spec(
        kind, "data.batch=16", "optimizer.lr=0.01", "data.held_back=1421", "model.hidden=[128]", *settings
    )
    bench = Bench(spec)
    assert len(bench.data.training) == 16
    bench.controls.set({"beta": 0.0} if kind == "vae" else {})
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
