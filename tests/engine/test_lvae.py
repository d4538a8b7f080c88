"""Deep VAE and ladder VAE: formulas against torch.distributions and quadrature, and the published pitfalls."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributions
from torch.nn import functional

from laddertop.engine.models.lvae import merge
from laddertop.engine.parts.bounds import importance_bounds
from laddertop.engine.parts.distributions import Gaussian
from laddertop.engine.parts.latent_units import ACTIVE
from laddertop.engine.randomness import RowDraws, Stream, draws
from laddertop.engine.training import checkpoint
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from tests.engine.conftest import CPU, Bench
from tests.engine.lvaes import DEEP, KINDS, LADDER, NO_NORM, SEPARATE, bench, drawn, normal, tiny, trained
from tests.kinds import small_spec


def test_a_merge_is_the_normalised_product_of_the_two_densities():
    z = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
    for mean, variance, other_mean, other_variance in [(0.3, 0.5, -1.2, 2.0), (4.0, 0.01, 0.0, 1.0), (-1, 3, 2, 3)]:
        one, other = (
            Gaussian(torch.tensor([m], dtype=torch.float64), 0.5 * torch.tensor([v], dtype=torch.float64).log())
            for m, v in [(mean, variance), (other_mean, other_variance)]
        )
        product = torch.exp(normal(one).log_prob(z) + normal(other).log_prob(z))
        product /= torch.trapezoid(product, z)
        merged = merge(one, other)
        expected_mean = torch.trapezoid(product * z, z)
        expected_variance = torch.trapezoid(product * (z - expected_mean) ** 2, z)
        torch.testing.assert_close(merged.mean[0], expected_mean, rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(normal(merged).variance[0], expected_variance, rtol=1e-8, atol=1e-10)
        torch.testing.assert_close(torch.exp(merged.log_density(z)), product, rtol=1e-6, atol=1e-10)


def dense(parts: dict[str, Tensor], name: str, rows: Tensor) -> Tensor:
    """A dense layer by functional.linear and functional.batch_norm."""
    weight, bias = parts[f"{name}.weight"], parts[f"{name}.bias"]
    if f"{name}.gamma" not in parts:
        return functional.linear(rows, weight.t(), bias)
    rows = functional.linear(rows, weight.t())
    return functional.batch_norm(rows, None, None, parts[f"{name}.gamma"], bias, training=True, eps=1e-10)


def mlp(parts: dict[str, Tensor], name: str, rows: Tensor) -> Tensor:
    for i in range(2):
        rows = functional.leaky_relu(dense(parts, f"{name}.dense.{i}", rows), 0.1)
    return rows


def heads(parts: dict[str, Tensor], name: str, rows: Tensor) -> distributions.Normal:
    mean, raw = dense(parts, f"{name}.dense", rows).chunk(2, 1)
    return distributions.Normal(mean, (functional.softplus(raw) + 1e-5).sqrt())


@pytest.mark.parametrize("norm", ["on", "off"])
@pytest.mark.parametrize("settings", KINDS)
def test_the_terms_equal_a_plain_account_with_torch_distributions(settings, norm):
    """Reconstruction and every KL term, the noise being the same."""
    it = bench(*settings, f"model.batch_norm={norm}", dtype=torch.float64)
    parts = {name: p.detach() for name, p in it.model.named_parameters()}
    x = it.batch()[2]
    given, noise = it.draws(), it.draws()
    x = (noise.uniform(*x.shape) < x).double()
    p: list[distributions.Normal] = [None, None, distributions.Normal(torch.zeros(50, 3).double(), 1.0)]
    q: list[distributions.Normal] = [None, None, None]
    z: list[Tensor] = [None, None, None]
    if DEEP in settings:
        below = x
        for i, width in enumerate([6, 4, 3]):
            q[i] = heads(parts, f"up.{i}.heads", mlp(parts, f"up.{i}.mlp", below))
            z[i] = below = q[i].mean + q[i].stddev * noise.normal(50, width)
        for i in range(2):
            p[i] = heads(parts, f"down.{i}.heads", mlp(parts, f"down.{i}.mlp", z[i + 1]))
    else:
        d, image = x, []
        for i in range(3):
            d = mlp(parts, f"up.{i}.mlp", d)
            image.append(heads(parts, f"up.{i}.heads", d))
        q[2] = image[2]
        z[2] = q[2].mean + q[2].stddev * noise.normal(50, 3)
        for i, width in [(1, 4), (0, 6)]:
            p[i] = heads(parts, f"down.{i}.heads", mlp(parts, f"down.{i}.mlp", z[i + 1]))
            t = p[i]
            if SEPARATE in settings:
                t = heads(parts, f"top_down.{i}.heads", mlp(parts, f"top_down.{i}.mlp", z[i + 1]))
            variance = 1 / (1 / image[i].variance + 1 / t.variance)
            mean = (image[i].mean / image[i].variance + t.mean / t.variance) * variance
            q[i] = distributions.Normal(mean, variance.sqrt())
            z[i] = q[i].mean + q[i].stddev * noise.normal(50, width)
    logits = mlp(parts, "pixel_mlp", z[0]) @ parts["output"] + parts["output_bias"]
    expected = [-distributions.Bernoulli(logits=logits).log_prob(x).sum(1).mean()]
    expected += [(q[i].log_prob(z[i]) - p[i].log_prob(z[i])).sum(1).mean() for i in range(3)]
    labelled, labels, images = it.batch()
    costs = it.model.costs(labelled, labels, images, given, it.knobs())
    torch.testing.assert_close(costs, torch.stack(expected), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("mc", "iw"), [(3, 1), (1, 4), (2, 3)])
@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_the_total_is_the_importance_weighted_bound_averaged_over_monte_carlo_samples(mc, iw, beta):
    it = bench(f"model.mc_samples={mc}", f"model.iw_samples={iw}", dtype=torch.float64)
    it.controls.set({"beta": beta})
    it.controls.prepare(0)
    x = it.batch()[2]
    noise = it.draws()
    seen = (noise.uniform(*x.shape) < x).double()
    layers = it.model.infer(seen, mc * iw, noise, "batch")
    logits = it.model._logits(layers.z[0], "batch")
    log_p = distributions.Bernoulli(logits=logits).log_prob(seen.repeat_interleave(mc * iw, 0)).sum(1)
    ratio = sum((normal(p).log_prob(z) - normal(q).log_prob(z)).sum(1) for q, p, z in zip(*layers, strict=True))
    log_w = (log_p + beta * ratio).view(len(x), mc, iw)
    expected = -(log_w.exp().mean(2).log()).mean()
    terms = it.costs()
    weights = torch.tensor([1.0 if t.weight is None else beta for t in it.model.terms], dtype=torch.float64)
    torch.testing.assert_close((weights * terms).sum(), expected)
    assert [t.name for t in it.model.terms][-1] == ("importance" if iw > 1 else "kl.3")


@pytest.mark.parametrize("settings", [[LADDER, SEPARATE], [LADDER, NO_NORM], [LADDER, "model.iw_samples=2"], [DEEP]])
def test_gradients_by_gradcheck(settings):
    model, _, x = tiny(*settings, "data.binarise=none")
    names = [name for name, _ in model.named_parameters()]
    values = [p.detach().clone().requires_grad_() for p in model.parameters()]
    empty, beta = x[:0], {"beta": torch.tensor(0.7, dtype=torch.float64)}

    class Costs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self):
            return model.costs(empty, empty, x, drawn(model, 6, model.iw_samples), beta)

    def costs(*parameters):
        named = {f"model.{name}": value for name, value in zip(names, parameters, strict=True)}
        return torch.func.functional_call(Costs(), named, ())

    assert torch.autograd.gradcheck(costs, values, atol=1e-5, fast_mode=True)


@pytest.mark.parametrize("settings", [*KINDS, [DEEP, NO_NORM]])
def test_bounds_lie_below_log_p_of_x_and_reach_it(settings):
    """log p(x) by quadrature over the plane of z1 and z2."""
    model, _, x = tiny(*settings)
    with torch.no_grad():
        for conditional in model.up:
            conditional.heads.dense.bias[1] += 3  # a wide q, so that no weight outweighs all others
    z1, z2 = (torch.linspace(-end, end, 1201, dtype=torch.float64) for end in (14, 9))
    with torch.no_grad():
        p = normal(model.down[0](z2[:, None], "settled"))
        joint = distributions.Normal(0.0, 1.0).log_prob(z2)[:, None] + p.log_prob(z1)  # [z2, z1]
        log_z1 = torch.logsumexp(joint, 0) + math.log(z2[1] - z2[0])
        log_x = distributions.Bernoulli(logits=model._logits(z1[:, None], "settled")).log_prob(x[:, None]).sum(2)
        exact = torch.logsumexp(log_x + log_z1, 1) + math.log(z1[1] - z1[0])
    assert log_z1.exp().sum().item() * (z1[1] - z1[0]) == pytest.approx(1, abs=1e-6)
    with torch.no_grad():
        log_w = model.log_weights(x, 15_000, drawn(model, 6, 15_000))
    # p(x) is the mean of the weights, up to its standard error.
    weights = torch.exp(log_w - exact[:, None])
    error = weights.std(1) / math.sqrt(15_000)
    assert error.max() < 0.05
    assert ((weights.mean(1) - 1).abs() < 4 * error).all()
    assert (log_w.mean(1) < exact - 0.01).all()


@pytest.mark.parametrize("settings", [*KINDS, [DEEP, NO_NORM], ["model.latent=[5]", "model.hidden=[9]"]])
def test_codes_pictures_and_samples(settings):
    it = bench(*settings)
    it.model.settle(it.batches)
    x = it.batch()[2]
    codes = it.model.codes(x)
    assert list(codes) == [f"z{i + 1}" for i in range(len(it.model.latent))]
    assert [code.shape[1] for code in codes.values()] == it.model.latent
    assert torch.equal(it.model.codes(x[:7])["z1"], it.model.codes(x[:7])["z1"])
    torch.testing.assert_close(it.model.codes(x[:7])["z1"], codes["z1"][:7], rtol=1e-4, atol=1e-5)
    for q, std in zip(it.model.infer(x, 1, None, "settled").q, it.model.spread(x).values(), strict=True):
        torch.testing.assert_close(std, normal(q).stddev)
    pictures = [
        it.model.denoise(x),
        it.model.decode(codes[list(codes)[-1]]),
        it.model.generate(50, RowDraws(1, Stream.SAMPLE, CPU)),
        *it.model.reconstruct(x, it.draws(), it.knobs()).values(),
    ]
    for picture in pictures:
        assert picture.shape == x.shape
        assert 0 <= picture.min() <= picture.max() <= 1
        assert picture.isfinite().all()
    if len(codes) == 1:
        torch.testing.assert_close(pictures[0], pictures[1])


def test_samples_of_the_model_are_drawn_layer_by_layer():
    """The mean picture of many samples is the mean over p(z2) p(z1|z2), by quadrature."""
    it = bench("model.latent=[1, 1]", "model.hidden=[5, 4]")
    it.model.settle(it.batches)
    rows = 60_000
    pictures = it.model.generate(rows, RowDraws(1, Stream.SAMPLE, CPU))
    with torch.no_grad():
        nodes = distributions.Normal(0.0, 1.0).icdf((torch.arange(400) + 0.5) / 400)
        p = it.model.down[0](nodes[:, None], "settled")
        z = p.mean + p.log_std.exp() * nodes
        expected = torch.sigmoid(it.model._logits(z.reshape(-1, 1), "settled")).mean(0)
    torch.testing.assert_close(pictures.mean(0), expected, rtol=0, atol=0.01)


def test_evaluation_adds_up_and_names_every_layer():
    it = bench()
    values = it.model.evaluate(it.data.test, it.batches, 1)
    parts = values["reconstruction"].value + sum(values[f"kl.{i}"].value for i in (1, 2, 3))
    assert values["negative_elbo"].value == pytest.approx(parts, rel=1e-5)
    assert values["active_units"].value == sum(values[f"active_units.{i}"].value for i in (1, 2, 3))
    assert [values[f"active_units.{i}"].unit.split(",")[0] for i in (1, 2, 3)] == ["of 6", "of 4", "of 3"]
    x = (draws((0, 360 * 64), 1, Stream.EVALUATE, 0, CPU).uniform(360, 64) < it.data.test.rows(slice(None))).float()
    for i, width in enumerate([6, 4, 3], 1):
        each = values[f"kl_q_p.{i}"].per_unit
        assert len(each) == width
        assert values[f"kl_q_p.{i}"].value == pytest.approx(sum(each), rel=1e-4)
        assert values[f"active_units.{i}"].value == sum(kl > ACTIVE for kl in each)
        # The mean of log q - log p over the images is that KL, up to its draws.
        assert values[f"kl.{i}"].value == pytest.approx(sum(each), rel=0.1, abs=0.1)
        assert values[f"kl_p_q.{i}"].value > 0
    bounds = importance_bounds(it.model.log_weights, (13, 0), x, 50, 4)
    assert values["negative_elbo"].value == pytest.approx(-bounds.elbo.mean().item(), rel=0.01)


@pytest.mark.parametrize(("settings", "below"), [([LADDER], 0.1), ([DEEP], 0.1), ([DEEP, NO_NORM], 0.1)])
def test_sixteen_images_are_overfitted(settings, below):
    it = bench(
        *settings,
        "data.batch=16",
        "data.held_back=1421",
        "data.binarise=none",
        "optimizer.lr=0.01",
        "model.latent=[16, 8]",
        "model.hidden=[64, 32]",
    )
    it.controls.set({"beta": 0.0})
    totals = trained(it, 200)
    # Grey targets keep an entropy of their own; what is above it goes away.
    x = it.data.training.rows(slice(None))
    entropy = functional.binary_cross_entropy(x, x, reduction="sum").item() / 16
    assert totals[-1] - entropy < below * (totals[0] - entropy)


@pytest.mark.parametrize("settings", [*KINDS, [LADDER, NO_NORM], ["model.latent=[6]", "model.hidden=[16]"]])
def test_a_saved_model_comes_back_exactly(tmp_path: Path, settings: list[str]):
    it = bench(*settings)
    trained(it, 5)
    adam = Adam(dict(it.model.named_parameters()), it.spec.optimizer)
    saved = checkpoint.save(tmp_path, 5, adam, it.controls, "end")
    other = bench(*settings, "seed=2")
    before = other.model.evaluate(other.data.test, it.batches, 1)
    other.model.load_state_dict(checkpoint.load(tmp_path, saved)["model"])
    other.model.seed = it.model.seed
    values = [m.evaluate(it.data.test, it.batches, 1) for m in (it.model, other.model)]
    assert values[0] == values[1] != before


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_a_compiled_step_equals_the_uncompiled_one(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    spec = small_spec("lvae", "model.latent=[3, 2]", "model.hidden=[6, 4]", "model.dense=1", "warmup.steps=3")
    rows = []
    for compiled in (False, True):
        it = Bench(spec)
        adam = Adam(dict(it.model.named_parameters()), spec.optimizer)
        step = Step(it.model, adam, it.controls, it.batches, 1, CPU, compiled)
        row = torch.empty(2 + len(it.model.terms) + len(it.controls.names))
        taken = []
        for at in range(4):
            it.controls.prepare(at)
            step(at, row)
            it.controls.advance()
            taken.append(row.clone())
        assert not step.problem
        rows.append(torch.stack(taken))
    torch.testing.assert_close(rows[1], rows[0], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("layers", range(1, 6))
def test_one_to_five_stochastic_layers(layers):
    for settings in KINDS:
        it = bench(*settings, f"model.latent={[6, 5, 4, 3, 2][:layers]}", f"model.hidden={[9, 8, 7, 6, 5][:layers]}")
        assert [term.name for term in it.model.terms] == ["reconstruction", *[f"kl.{i + 1}" for i in range(layers)]]
        assert it.costs().isfinite().all()


def test_a_hidden_layer_too_few_is_named():
    with pytest.raises(ValueError, match=r"hidden needs 3 numbers, one per stochastic layer, has 2"):
        small_spec("lvae", "model.hidden=[5, 4]")
