"""VAE, IWAE and denoising VAE: costs by a plain account with torch.distributions, a bound by quadrature, pitfalls."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributions
from torch.nn import functional

from engine import checkpoint
from engine.distributions import Gaussian, bernoulli_cross_entropy, gaussian_kl_to_standard
from engine.models.vae import ACTIVE, NARROWEST
from engine.optim import Adam
from engine.randomness import Draws, Stream, draws
from engine.step import Step
from journal.spec import load_recipe, override, recipes
from tests.engine.conftest import CPU, Bench, small_spec

TWO = ["model.upper_hidden=[6]", "model.upper_latent=3"]
IWAE = ["model.bound=iwae", "model.samples=4"]


def bench(*settings: str, dtype: torch.dtype = torch.float64) -> Bench:
    return Bench(small_spec("vae", *settings), dtype)


def trained(it: Bench, steps: int) -> Tensor:
    """Trains, and returns the rows of metrics."""
    adam = Adam(dict(it.model.named_parameters()), it.spec.optimizer)
    step = Step(it.model, adam, it.controls, it.batches, 1, CPU)
    rows = torch.empty(steps, 2 + len(it.model.terms) + len(it.controls.names))
    for i, row in enumerate(rows):
        it.controls.prepare(i)
        step(i, row)
        it.controls.advance()
    return rows


# ── densities and divergences ─────────────────────────────────────────────────────────────────────────────────────────


def normal(gaussian: Gaussian) -> distributions.Normal:
    return distributions.Normal(gaussian.mean, gaussian.log_std.exp())


def test_kl_of_two_gaussians_equals_torch_distributions_and_monte_carlo_in_both_directions():
    torch.manual_seed(0)
    one, other = (Gaussian(torch.randn(7, 5).double(), 0.5 * torch.randn(7, 5).double()) for _ in range(2))
    for q, p in ((one, other), (other, one)):
        torch.testing.assert_close(q.kl(p), distributions.kl_divergence(normal(q), normal(p)))
        z = normal(q).sample((400_000,))
        sampled = (normal(q).log_prob(z) - normal(p).log_prob(z)).mean(0)
        torch.testing.assert_close(q.kl(p), sampled, rtol=0.03, atol=0.03)
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


def test_bernoulli_cross_entropy_is_summed_over_pixels():
    torch.manual_seed(0)
    target, logits = torch.randint(0, 2, (6, 9)).double(), torch.randn(6, 9, dtype=torch.float64)
    expected = -distributions.Bernoulli(logits=logits).log_prob(target).sum(1)
    torch.testing.assert_close(bernoulli_cross_entropy(target, logits), expected)


# ── costs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    it = bench(*IWAE, dtype=torch.float32)
    assert [term.watched for term in it.model.terms] == [False, True, True]
    row = trained(it, 1)[0]
    assert row[0] == row[1]
    torch.testing.assert_close(row[1:4], _costs_before_the_step())


def _costs_before_the_step() -> Tensor:
    it = bench(*IWAE, dtype=torch.float32)
    counts = it.model.draws_needed(0, 50)
    from engine.randomness import counter_words, normals, uniforms

    keys = [
        torch.tensor(counter_words(1, stream, 0), dtype=torch.int32) for stream in (Stream.NORMALS, Stream.UNIFORMS)
    ]
    given = Draws(normals(counts[0], keys[0]), uniforms(counts[1], keys[1]))
    return it.model.costs(*it.batch(), given, it.knobs()).detach()


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


# ── evaluation ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("layers", [[], TWO])
def test_l1_of_an_evaluation_equals_the_costs_at_the_same_draws(layers):
    it = bench(*layers, dtype=torch.float32)
    trained(it, 20)
    test = it.data.test
    needed = (2 * len(test) * sum(it.model.latent), 0)
    given = draws(needed, 7, Stream.EVALUATE, 0, CPU)
    # Without noise the corruption still takes its draws.
    given = Draws(given.normal(needed[0]), torch.rand(2 * test.pixels.numel()))
    x = test.rows(slice(None))
    it.controls.set({"noise": "off"})
    it.controls.prepare(0)
    costs = it.model.costs(x[:0], x[:0], x, given, it.knobs())
    values = it.model.evaluate(test, it.batches, 7)
    assert values["negative_elbo"].value == pytest.approx(costs.sum().item(), rel=1e-6)
    assert next(iter(values)) == "negative_elbo"


def test_evaluations_repeat_and_the_seed_is_what_they_depend_on():
    it = bench(*IWAE, "data.binarise=dynamic", dtype=torch.float32)
    first, again, other = (it.model.evaluate(it.data.test, it.batches, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["negative_l4"] != other["negative_l4"]
    assert next(iter(first)) == "negative_l4"


def test_the_reported_bound_converges_to_log_p_of_x_by_quadrature():
    it = bench("model.latent=1", "model.hidden=[8]", "evaluate.samples=2000", dtype=torch.float32)
    trained(it, 300)
    test = type(it.data.test)(it.data.test.pixels[:60], it.data.test.labels[:60], it.data.test.white)
    z = torch.linspace(-8, 8, 4001)
    x = test.rows(slice(None))
    log_p = torch.stack([-it.model.reconstruction(x[i].expand(len(z), -1), z[:, None]) for i in range(len(x))]).double()
    log_p += distributions.Normal(0.0, 1.0).log_prob(z).double()
    expected = (torch.logsumexp(log_p, 1) + math.log(16 / 4000)).mean().item()
    values = it.model.report(test, it.batches, 1)
    assert values["negative_l2000"].value == pytest.approx(-expected, abs=2e-3)
    assert "2000 importance samples" in values["negative_l2000"].unit
    assert values["negative_elbo"].value > values["negative_l2000"].value + 0.005
    quick = it.model.evaluate(test, it.batches, 1)["negative_elbo"].value
    assert values["negative_elbo"].value == pytest.approx(quick, abs=0.3)


def test_active_units_by_both_definitions():
    it = bench("model.latent=4", dtype=torch.float32)
    with torch.no_grad():
        heads, bias = it.model.up[0].heads, it.model.up[0].heads_bias
        heads[:, [0, 1, 4, 5, 6, 7]] = 0.0
        bias.zero_()
        bias[5] = -1.0  # unit 1: narrower than the prior, the same for every image
        bias[2] = 1.0  # units 2 and 3 depend on the image
    values = it.model.evaluate(it.data.test, it.batches, 1)
    assert values["active_units"].value == 3
    assert values["active_units_by_variance"].value == 2
    assert f"mean KL > {ACTIVE} nats" in values["active_units"].unit
    forwards, backwards = values["kl_q_p"].per_unit, values["kl_p_q"].per_unit
    assert forwards
    assert backwards
    assert (forwards[0], backwards[0]) == (0, 0)
    one, prior = distributions.Normal(0.0, math.exp(-1)), distributions.Normal(0.0, 1.0)
    assert forwards[1] == pytest.approx(distributions.kl_divergence(one, prior).item(), rel=1e-5)
    assert backwards[1] == pytest.approx(distributions.kl_divergence(prior, one).item(), rel=1e-5)
    assert sum(forwards) == pytest.approx(values["kl_q_p"].value, rel=1e-5)
    assert values["kl"].value == pytest.approx(values["kl_q_p"].value, rel=1e-5)


def test_pitfall_21_active_units_are_counted_per_layer_and_a_draw_of_the_layer_below_activates_none():
    it = bench(*TWO, "model.latent=5", dtype=torch.float32)
    with torch.no_grad():
        # z1 ignores the image; z2 follows z1, and so varies from image to image by its draw alone.
        it.model.up[0].heads.zero_()
        x, given = it.model._evaluated(it.data.test, 1)
        spread = it.model.infer(x, 1, given)[1].q.mean.std(0)
        it.model.up[1].heads[:, :3] *= 0.17 / spread
    values = it.model.evaluate(it.data.test, it.batches, 1)
    assert values["active_units.2"].value == 3, "by the mean KL they carry something"
    assert (values["active_units_by_variance"].value, values["active_units_by_variance.2"].value) == (0, 0)
    assert values["active_units"].value == values["active_units.1"].value + values["active_units.2"].value
    assert (values["active_units.1"].unit[:4], values["active_units.2"].unit[:4]) == ("of 5", "of 3")
    _, given = it.model._evaluated(it.data.test, 1)
    means = it.model.infer(x, 1, given)[1].q.mean
    assert (means.var(0) > ACTIVE).all(), "the variance of single draws would count them"


def test_reconstruction_and_kl_make_the_negative_elbo():
    for settings in ([], TWO):
        it = bench(*settings, dtype=torch.float32)
        values = it.model.evaluate(it.data.test, it.batches, 1)
        parts = [v.value for name, v in values.items() if name in ("reconstruction", "kl", "kl.1", "kl.2")]
        assert sum(parts) == pytest.approx(values["negative_elbo"].value)
        assert all("mean over the test images" in v.unit for n, v in values.items() if not n.startswith("active"))


# ── what it has learnt ────────────────────────────────────────────────────────────────────────────────────────────────


def test_codes_are_means_and_the_last_one_is_what_decode_takes():
    it = bench(*TWO)
    x = it.batch()[2]
    codes = it.model.codes(x)
    assert [(name, tuple(code.shape)) for name, code in codes.items()] == [("z.1", (50, 5)), ("z.2", (50, 3))]
    q = it.model.up[0](x)
    assert torch.equal(codes["z.1"], q.mean)
    assert torch.equal(codes["z.2"], it.model.up[1](q.mean).mean)
    below = it.model.down[0](codes["z.2"]).mean
    assert torch.equal(it.model.decode(codes["z.2"]), torch.sigmoid(it.model.decoder(below)))
    assert torch.equal(it.model.denoise(x), torch.sigmoid(it.model.decoder(q.mean)))
    (one,) = bench().model.codes(x).values()
    assert one.shape == (50, 5)


@pytest.mark.parametrize("layers", [[], TWO])
def test_samples_of_the_model_are_drawn_from_the_top_down(layers):
    it = bench(*layers)
    model, rows = it.model, 20_000
    needed = model.generate_draws_needed(rows)
    assert needed == (rows * sum(model.latent), 0)
    given = draws(needed, 3, Stream.SAMPLE, 0, CPU)
    images = model.generate(rows, Draws(given.normal(needed[0]).double(), torch.empty(0)))
    torch.manual_seed(0)
    z = torch.randn(rows, model.latent[-1]).double()
    for above in model.down:
        z = normal(above(z)).sample()
    expected = torch.sigmoid(model.decoder(z))
    assert ((images >= 0) & (images <= 1)).all()
    torch.testing.assert_close(images.mean(0), expected.mean(0), rtol=0, atol=0.01)
    torch.testing.assert_close(images.std(0), expected.std(0), rtol=0, atol=0.01)


# ── binarisation ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dynamic_binarisation_hides_grey_values_and_differs_by_step():
    it = Bench(small_spec("vae", "data.binarise=dynamic"))
    x = it.batch()[2]
    first, again, other = (it.model.costs(x[:0], x[:0], x, it.draws(step), it.knobs()) for step in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    seen = it.model.reconstruct(x, it.draws(), it.knobs())["input"]
    assert set(seen.unique().tolist()) == {0, 1}


def test_pitfall_24_fixed_binarisation_is_one_draw_for_every_run_and_dynamic_is_none():
    runs = [Bench(small_spec("vae", "data.binarise=fixed", f"seed={seed}")).data for seed in (1, 2)]
    grey = Bench(small_spec("vae")).data
    for part in ("training", "test"):
        one, other, original = (getattr(data, part) for data in (*runs, grey))
        assert torch.equal(one.pixels, other.pixels)
        assert set(one.rows(slice(None)).unique().tolist()) == {0, 1}
        expected = original.rows(slice(None))
        assert one.rows(slice(None)).mean().item() == pytest.approx(expected.mean().item(), abs=0.01)
        # Where the pixel is black or white already nothing is drawn.
        sure = (expected == 0) | (expected == 1)
        assert torch.equal(one.rows(slice(None))[sure], expected[sure])
    assert not torch.equal(runs[0].training.pixels[:360], runs[0].test.pixels)
    assert Bench(small_spec("vae", "data.binarise=dynamic")).data.training.pixels.unique().numel() > 2
    # What is drawn once takes no draws in a step.
    assert Bench(small_spec("vae", "data.binarise=fixed")).model.draws_needed(0, 10) == (50, 2 * 640)


# ── training ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("settings", [[], IWAE, [*TWO, *IWAE], [*TWO, "model.samples=2"], ["model.output=gaussian"]])
def test_sixteen_images_are_overfitted(settings):
    bare = settings == ["model.output=gaussian"]
    own = [
        "model.hidden=[128]",
        "model.latent=8",
        "data.batch=16",
        "data.held_back=1421",
        "optimizer.lr=0.01",
        "optimizer.clip=10",
    ]
    it = Bench(small_spec("vae", *own, *settings))
    assert len(it.data.training) == 16
    it.controls.set({"beta": 0.0})
    reconstruction = trained(it, 400)[:, 1 + [t.name for t in it.model.terms].index("reconstruction")]
    if bare:
        # 64 pixels, each known to better than a tenth.
        assert reconstruction[-20:].mean() < 64 * (math.log(0.1) + 0.5 * math.log(2 * math.pi) + 0.5)
        return
    # Grey targets keep an entropy of their own; what is above it goes away.
    x = it.data.training.rows(slice(None))
    entropy = functional.binary_cross_entropy(x, x, reduction="sum").item() / 16
    assert reconstruction[-1] - entropy < 0.06 * (reconstruction[0] - entropy)


def test_it_is_saved_and_loaded_exactly(tmp_path: Path):
    settings = [*TWO, *IWAE, "data.binarise=dynamic"]
    one, other = bench(*settings, dtype=torch.float32), bench(*settings, "seed=2", dtype=torch.float32)
    trained(one, 5)
    adam = Adam(dict(one.model.named_parameters()), one.spec.optimizer)
    saved = checkpoint.save(tmp_path, 5, adam, one.controls, "test")
    fresh = Adam(dict(other.model.named_parameters()), other.spec.optimizer)
    assert checkpoint.restore(checkpoint.load(tmp_path, saved), fresh, other.controls) == 5
    assert one.model.evaluate(one.data.test, one.batches, 3) == other.model.evaluate(other.data.test, other.batches, 3)


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("settings", [["model.bound=iwae", "model.samples=3"], [*TWO, *IWAE]])
def test_a_compiled_step_equals_the_uncompiled_one_whatever_the_knobs(settings, tmp_path, monkeypatch):
    from torch._dynamo.utils import counters

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    rows = []
    counters.clear()
    for compiled in (False, True):
        it = Bench(small_spec("vae", "model.hidden=[16]", "data.binarise=dynamic", "noise.on=on", *settings))
        adam = Adam(dict(it.model.named_parameters()), it.spec.optimizer)
        step = Step(it.model, adam, it.controls, it.batches, 1, CPU, compiled)
        mine = torch.empty(4, 2 + len(it.model.terms) + len(it.controls.names))
        for at, changes in enumerate([{}, {"noise": "off"}, {"beta": 0.3, "noise": "on"}, {"lr": 0.01}]):
            it.controls.set(changes)
            it.controls.prepare(at)
            step(at, mine[at])
        assert not step.problem
        rows.append(mine)
    torch.testing.assert_close(rows[1], rows[0], rtol=1e-4, atol=1e-5)
    assert counters["stats"]["unique_graphs"] == 1


def test_the_bound_gets_better_in_training():
    it = Bench(small_spec("vae", *TWO, *IWAE, "data.binarise=fixed", "optimizer.lr=0.003"))
    before = it.model.evaluate(it.data.test, it.batches, 1)["negative_l4"].value
    trained(it, 300)
    after = it.model.evaluate(it.data.test, it.batches, 1)
    assert after["negative_l4"].value < before - 3
    assert after["negative_l4"].value < after["negative_elbo"].value


# ── recipes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

VAES = [name for name in recipes() if load_recipe(name).model.kind == "vae"]


@pytest.mark.parametrize("name", [n for n in VAES if n != "vae-mnist" and not n.startswith(("dvae", "diwae"))])
def test_pitfall_27_recipes_of_burda_take_beta1_and_the_images_of_the_paper_not_of_its_code(name):
    spec = load_recipe(name)
    assert (spec.optimizer.beta1, spec.optimizer.eps, spec.optimizer.schedule) == (0.9, 1e-4, "burda")
    assert (spec.data.batch, spec.epochs, spec.optimizer.lr) == (20, 3280, 0.001)
    fixed = "fixed" in name
    assert (spec.data.binarise, spec.data.held_back) == (("fixed", 10_000) if fixed else ("dynamic", 0))
    assert spec.model.bound == ("iwae" if "iwae" in name else "elbo")
    assert spec.model.samples == int(name.rsplit("-", 1)[-1] if name[-1].isdigit() else 1)
    widths = [*spec.model.hidden, spec.model.latent, *spec.model.upper_hidden, spec.model.upper_latent]
    assert widths == ([200, 200, 100, 100, 100, 50] if "2-" in name else [200, 200, 50, 0])


def test_pitfall_29_denoising_vaes_are_not_validated_on_the_test_set():
    found = [name for name in VAES if "dvae" in name or "diwae" in name]
    assert len(found) >= 5
    for name in found:
        spec = load_recipe(name)
        assert (spec.data.held_back, spec.data.binarise) == (10_000, "fixed")
        assert spec.noise.salt == "half"
        assert spec.noise.on == (not name.endswith("-0"))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["model.upper_latent=3"], "a second stochastic layer needs both"),
        (["model.output=gaussian", "data.binarise=fixed"], r"data\.binarise: none, where model\.output is gaussian"),
        (["data.name=moons"], r"model\.output: the points of moons need gaussian"),
    ],
)
def test_what_does_not_fit_is_said(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        override(load_recipe("vae-mnist"), ["data.binarise=none", *settings])


def test_points_of_the_plane_have_a_gaussian_decoder():
    spec = override(
        load_recipe("vae-mnist"), ["data.binarise=none", "data.name=moons", "model.output=gaussian", "steps=9"]
    )
    it = Bench(spec)
    assert torch.isfinite(trained(it, 9)[:, 0]).all()
