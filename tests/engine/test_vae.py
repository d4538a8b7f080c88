"""VAE, IWAE and denoising VAE: densities and costs by a plain account with torch.distributions; gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions
from torch.nn import functional

from laddertop.engine.models.vae import NARROWEST
from laddertop.engine.parts.distributions import Gaussian, bernoulli_cross_entropy, gaussian_kl_to_standard, softplus
from laddertop.engine.randomness import Draws, Stream, counter_words, draws, normals, uniforms
from tests.engine.conftest import CPU, Bench
from tests.engine.vaes import IWAE, TWO, bench, normal, trained
from tests.kinds import small_spec


def test_kl_of_two_gaussians_equals_torch_distributions_and_monte_carlo_in_both_directions():
    torch.manual_seed(0)
    one, other = (Gaussian(torch.randn(7, 5).double(), 0.5 * torch.randn(7, 5).double()) for _ in range(2))
    for q, p in ((one, other), (other, one)):
        torch.testing.assert_close(q.kl(p), distributions.kl_divergence(normal(q), normal(p)))
        z = normal(q).sample((100_000,))
        sampled = (normal(q).log_prob(z) - normal(p).log_prob(z)).mean(0)
        torch.testing.assert_close(q.kl(p), sampled, rtol=0.05, atol=0.05)
    assert (one.kl(other) - other.kl(one)).abs().min() > 1e-3, "it is not symmetric"
    torch.testing.assert_close(one.kl(one), torch.zeros(7, 5).double())


def test_kl_to_the_standard_normal_is_the_general_one():
    torch.manual_seed(0)
    q = Gaussian(torch.randn(7, 5).double(), torch.randn(7, 5).double())
    p = Gaussian(torch.zeros(()).double(), torch.zeros(()).double())
    torch.testing.assert_close(gaussian_kl_to_standard(*q), q.kl(p))


def test_the_gaussian_density_equals_torch_distributions():
    torch.manual_seed(0)
    q = Gaussian(torch.randn(7, 5).double(), torch.randn(7, 5).double())
    z = q.draw(torch.randn(7, 5).double())
    torch.testing.assert_close(q.log_density(z), normal(q).log_prob(z))


@pytest.mark.parametrize("compiling", [False, True])
def test_bernoulli_cross_entropy_and_softplus_have_one_value_however_they_are_spelt(monkeypatch, compiling):
    monkeypatch.setattr(torch.compiler, "is_dynamo_compiling", lambda: compiling)
    torch.manual_seed(0)
    target = torch.randint(0, 2, (12, 10)).double()
    logits = torch.arange(-60, 60, dtype=torch.float64).view(12, 10).requires_grad_()
    expected = -distributions.Bernoulli(logits=logits).log_prob(target)
    cost = bernoulli_cross_entropy(target, logits)
    torch.testing.assert_close(cost, expected, rtol=0, atol=1e-12)
    (slope,) = torch.autograd.grad(cost.sum(), logits)
    torch.testing.assert_close(slope, torch.sigmoid(logits.detach()) - target, rtol=0, atol=1e-12)
    torch.testing.assert_close(softplus(logits), torch.log1p(torch.exp(logits)), rtol=0, atol=1e-8)


def dense(parts: dict[str, Tensor], name: str, rows: Tensor) -> Tensor:
    layer = 0
    while f"{name}.weights.{layer}" in parts:
        rows = torch.tanh(
            functional.linear(rows, parts[f"{name}.weights.{layer}"].t(), parts[f"{name}.biases.{layer}"])
        )
        layer += 1
    return rows


def conditional(parts: dict[str, Tensor], name: str, rows: Tensor) -> distributions.Normal:
    heads = functional.linear(dense(parts, f"{name}.hidden", rows), parts[f"{name}.heads"].t())
    mean, log_std = (heads + parts[f"{name}.heads_bias"]).chunk(2, 1)
    return distributions.Normal(mean, log_std.exp())


def plain(it: Bench, x: Tensor, seen: Tensor, given: Draws) -> dict[str, Tensor]:
    """-log p(x|z1), log q(z) - log p(z) per layer, and the topmost KL in closed form, all [B, S], sample by sample."""
    model, parts = it.model, {name: p.detach() for name, p in it.model.named_parameters()}
    samples = model.samples
    noise = [given.normal(len(x), samples, width) for width in model.latent]
    columns: dict[str, list[Tensor]] = {}
    for s in range(samples):
        q = conditional(parts, "up.0", seen)
        z = [q.mean + q.stddev * noise[0][:, s]]
        kl = []
        if len(model.latent) == 2:
            q2 = conditional(parts, "up.1", z[0])
            z.append(q2.mean + q2.stddev * noise[1][:, s])
            p = conditional(parts, "down.0", z[1])
            kl.append((q.log_prob(z[0]) - p.log_prob(z[0])).sum(1))
            q = q2
        prior = distributions.Normal(torch.zeros_like(q.mean), 1.0)
        kl.append((q.log_prob(z[-1]) - prior.log_prob(z[-1])).sum(1))
        top = distributions.kl_divergence(q, prior).sum(1)
        logits = functional.linear(dense(parts, "hidden", z[0]), parts["output"].t(), parts["output_bias"])
        likelihood = distributions.Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(1)
        for name, value in {"x": -likelihood, "top": top, **{f"kl{i}": v for i, v in enumerate(kl)}}.items():
            columns.setdefault(name, []).append(value)
    return {name: torch.stack(each, 1) for name, each in columns.items()}


@pytest.mark.parametrize("layers", [[], TWO])
@pytest.mark.parametrize("samples", [1, 4])
def test_pitfall_20_costs_are_sums_over_pixels_and_units_and_means_over_batch_and_samples(layers, samples):
    it = bench(*layers, f"model.samples={samples}")
    x = it.batch()[2]
    expected = plain(it, x, x, it.draws())
    costs = it.costs()
    torch.testing.assert_close(costs[0], expected["x"].sum() / (50 * samples))
    if layers:
        torch.testing.assert_close(costs[1], expected["kl0"].sum() / (50 * samples))
    torch.testing.assert_close(costs[-1], expected["top"].sum() / (50 * samples))


@pytest.mark.parametrize("layers", [[], TWO])
def test_the_importance_weighted_cost_is_the_log_of_the_mean_weight(layers):
    it = bench(*layers, *IWAE)
    it.controls.set({"beta": 0.7})
    it.controls.prepare(0)
    x = it.batch()[2]
    expected = plain(it, x, x, it.draws())
    kl = sum(value for name, value in expected.items() if name.startswith("kl"))
    weights = torch.exp(-expected["x"] - 0.7 * kl)
    costs = it.costs()
    torch.testing.assert_close(costs[0], -weights.mean(1).log().mean())
    # What is watched: the parts of -L_1.
    torch.testing.assert_close(costs[1], expected["x"].mean())
    torch.testing.assert_close(costs[2:].sum(), kl.mean())


def test_what_is_watched_is_recorded_and_no_part_of_the_total():
    it, other = bench(*IWAE, dtype=torch.float32), bench(*IWAE, dtype=torch.float32)
    assert [term.watched for term in it.model.terms] == [False, True, True]
    total, *terms = trained(it, 1)[0, :4]
    assert total == terms[0]
    keys = [torch.tensor(counter_words(1, s, 0), dtype=torch.int32) for s in (Stream.NORMALS, Stream.UNIFORMS)]
    normal, uniform = other.model.draws_needed(0, 50)
    costs = other.model.costs(
        *other.batch(), Draws(normals(normal, keys[0]), uniforms(uniform, keys[1])), other.knobs()
    )
    torch.testing.assert_close(torch.stack(terms), costs.detach())
    assert terms[1] + terms[2] > terms[0] + 0.01, "-L_1 is above -L_4"


@pytest.mark.parametrize("layers", [[], TWO])
def test_the_log_weights_of_the_bound_are_those_of_the_costs(layers):
    it = bench(*layers, *IWAE)
    x = it.batch()[2]
    expected = plain(it, x, x, it.draws())
    log_weights = it.model.log_weights(x, 4, it.draws())
    kl = sum(value for name, value in expected.items() if name.startswith("kl"))
    torch.testing.assert_close(log_weights, -expected["x"] - kl)


@pytest.mark.parametrize("layers", [[], TWO])
def test_one_importance_sample_makes_no_difference_between_the_bounds(layers):
    one, other = bench(*layers), bench(*layers, "model.bound=iwae")
    x = one.batch()[2]
    gap = plain(one, x, x, one.draws())
    top = gap["top"].mean() - gap[f"kl{len(one.model.latent) - 1}"].mean()
    torch.testing.assert_close(one.costs().sum() - top, other.costs()[0])


@pytest.mark.parametrize("settings", [["noise.level=0.3"], ["noise.level=0.3", *IWAE], ["noise.kind=gaussian"]])
def test_the_denoising_vae_infers_from_the_corrupted_image_and_is_told_the_clean_one(settings):
    it = bench("noise.on=on", *settings)
    x = it.batch()[2]
    given = it.draws()
    if it.spec.noise.kind == "gaussian":
        seen = x + 0.3 * given.normal(*x.shape)
    else:
        hit = given.uniform(*x.shape) < 0.3
        seen = torch.where(hit, (given.uniform(*x.shape) < 0.5).double(), x)
    assert (seen != x).double().mean() > 0.2
    expected = plain(it, x, seen, given)
    torch.testing.assert_close(it.costs()[1 if it.model.weighted else 0], expected["x"].mean())


def test_pitfall_28_salt_and_pepper_is_half_salt_or_as_the_code_of_im_has_it():
    shares = {}
    for salt in ("half", "level"):
        it = Bench(small_spec("vae", "noise.on=on", "noise.level=0.15", f"noise.salt={salt}"))
        x = torch.full((2000, 64), 0.5)
        needed = it.model.draws_needed(0, len(x))
        seen = it.model.reconstruct(x, draws(needed, 1, Stream.SAMPLE, 0, CPU), it.knobs())["corrupted"]
        hit = seen[seen != 0.5]
        assert len(hit) / seen.numel() == pytest.approx(0.15, abs=0.005)
        shares[salt] = hit.mean().item()
    assert shares == {"half": pytest.approx(0.5, abs=0.02), "level": pytest.approx(0.15, abs=0.02)}


def test_pitfall_22_the_second_head_is_a_log_standard_deviation():
    it = bench()
    with torch.no_grad():
        conditional = it.model.up[0]
        conditional.heads.zero_()
        conditional.heads_bias.copy_(torch.cat([torch.full((5,), 0.25), torch.full((5,), math.log(0.1))]))
    x = it.batch()[2]
    (layer,) = it.model.infer(x.repeat(400, 1), 1, Draws(torch.randn(100_000).double(), torch.empty(0)))
    assert layer.z.std().item() == pytest.approx(0.1, rel=0.02)
    assert layer.z.mean().item() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("output", ["bernoulli", "gaussian"])
def test_the_output_starts_at_the_mean_image(output):
    it = bench(f"model.output={output}")
    with torch.no_grad():
        it.model.output.zero_()
    mean_image = it.data.training.rows(slice(None)).mean(0).double()
    if output == "bernoulli":
        mean_image = mean_image.clamp(0.001, 0.999)
    image = it.model.decode(torch.zeros(1, 5).double())[0]
    torch.testing.assert_close(image, mean_image, rtol=1e-5, atol=1e-7)


def test_the_gaussian_decoder_has_a_mean_and_a_standard_deviation_for_every_pixel():
    it = bench("model.output=gaussian")
    x = it.batch()[2]
    z = torch.randn(len(x), 5).double()
    raw = it.model.decoder(z)
    std = functional.softplus(raw[:, 64:]) + NARROWEST
    expected = -distributions.Normal(raw[:, :64], std).log_prob(x).sum(1)
    torch.testing.assert_close(it.model.reconstruction(x, z), expected)
    assert torch.equal(it.model.decode(z), raw[:, :64])
    # A pixel that never changes costs a bounded reward, however sure the decoder gets.
    with torch.no_grad():
        it.model.output.zero_()
        it.model.output_bias[64:] = -100.0
        it.model.output_bias[:64] = 0.0
    best = it.model.reconstruction(torch.zeros(1, 64).double(), z[:1]).item()
    assert best == pytest.approx(64 * (math.log(NARROWEST) + 0.5 * math.log(2 * math.pi)), rel=1e-6)


@pytest.mark.parametrize(
    "settings",
    [[], IWAE, [*TWO, "model.samples=2"], [*TWO, *IWAE], ["model.output=gaussian", "model.decoder_hidden=[]"]],
)
def test_gradients_by_gradcheck(settings):
    it = bench("data.batch=2", "model.hidden=[3]", "model.latent=2", "noise.on=on", *settings)
    names = [name for name, _ in it.model.named_parameters()]
    values = [p.detach().clone().requires_grad_() for p in it.model.parameters()]

    class Costs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = it.model

        def forward(self) -> Tensor:
            return self.model.costs(*it.batch(), it.draws(), it.knobs())

    def costs(*parameters: Tensor) -> Tensor:
        named = {f"model.{name}": value for name, value in zip(names, parameters, strict=True)}
        return torch.func.functional_call(Costs(), named, ())

    assert torch.autograd.gradcheck(costs, values, atol=1e-6, fast_mode=True)
