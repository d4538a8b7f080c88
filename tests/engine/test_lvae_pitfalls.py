"""Deep VAE and ladder VAE: what is easily got wrong, each promise named after its pitfall, and settled statistics."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from laddertop.engine.models.lvae import FLOOR, Lvae
from laddertop.engine.parts.bounds import importance_bounds
from laddertop.engine.parts.latent_units import ACTIVE
from laddertop.engine.randomness import Draws, Stream, draws
from tests.engine.conftest import CPU, Bench
from tests.engine.lvaes import DEEP, KINDS, LADDER, NO_NORM, SEPARATE, bench, drawn, normal, trained
from tests.kinds import small_spec


def test_pitfall_20_costs_are_summed_over_pixels_and_units_and_averaged_over_images():
    it = bench(NO_NORM, "data.binarise=none", dtype=torch.float64)
    labelled, labels, x = it.batch()
    alone = []
    noise = it.draws()
    parts = [noise.normal(len(x), width) for width in reversed(it.model.latent)]
    for row in range(len(x)):
        mine = Draws(torch.cat([part[row] for part in parts]), torch.empty(0))
        alone.append(it.model.costs(labelled, labels, x[row : row + 1], mine, it.knobs()))
    torch.testing.assert_close(it.costs(), torch.stack(alone).mean(0))
    black = it.model.costs(labelled, labels, torch.zeros_like(x), it.draws(), it.knobs())[0]
    assert 0.2 * x.shape[1] < black.item() < 3 * x.shape[1]


def test_pitfall_21_a_dead_layer_shows_in_its_term_and_in_its_active_units():
    it = bench(DEEP, NO_NORM)
    with torch.no_grad():
        for conditional, variance in [(it.model.up[2], 1 - FLOOR), (it.model.down[1], 0.5), (it.model.up[1], 0.5)]:
            # Says N(0, variance) whatever it is given: z3 is its prior, and z2 is the same for every image.
            conditional.heads.dense.weight.zero_()
            width = len(conditional.heads.dense.bias) // 2
            conditional.heads.dense.bias[width:] = math.log(math.expm1(variance))
    values = it.model.evaluate(it.data.test, it.batches, 1)
    for rule in ("active_units", "active_units_by_variance"):
        assert [values[f"{rule}.{i}"].value for i in (2, 3)] == [0, 0]
        assert values[rule].value == values[f"{rule}.1"].value > 0
    assert abs(values["kl.2"].value) + abs(values["kl.3"].value) < 1e-3
    assert values["kl.1"].value > ACTIVE


def test_pitfall_22_the_head_puts_out_a_variance_by_softplus():
    it = bench(NO_NORM, dtype=torch.float64)
    head = it.model.up[0].heads
    rows = torch.randn(30, 16, dtype=torch.float64)
    given = head(rows, "batch")
    raw = rows @ head.dense.weight + head.dense.bias
    torch.testing.assert_close(normal(given).variance, functional.softplus(raw[:, 6:]) + 1e-5)
    torch.testing.assert_close(given.mean, raw[:, :6])
    assert (normal(given).variance < 1).any(), "softplus as a logarithm would keep variances above 1"
    assert functional.softplus(head.dense.bias[6:]).mean().item() == pytest.approx(1.3133, abs=1e-3)


@pytest.mark.parametrize("settings", KINDS)
def test_pitfall_23_bounds_use_settled_statistics_whatever_passes_beside(settings):
    """An image's weights are the same alone, among others, and among replicated samples."""
    it = bench(*settings)
    it.model.settle(it.batches)
    x = (it.batch()[2][:10] > 0.5).float()
    needed = (sum(it.model.latent), 0)
    whole = importance_bounds(it.model.log_weights, needed, x, 4, 1).weighted
    one_by_one = importance_bounds(it.model.log_weights, needed, x, 4, 1, rows=1, at_once=1).weighted
    torch.testing.assert_close(whole, one_by_one, rtol=1e-4, atol=1e-4)
    before = {name: part.clone() for name, part in statistics(it.model).items()}
    it.model.evaluate(it.data.test, it.batches, 2)
    it.costs()
    assert all(torch.equal(part, before[name]) for name, part in statistics(it.model).items())


def statistics(model: Lvae) -> dict[str, Tensor]:
    """Settled means and 1/std of every normalised layer."""
    return {name: torch.cat(m.settled) for name, m in model.named_modules() if getattr(m, "settled", None)}


@pytest.mark.parametrize("settings", KINDS)
def test_settled_statistics_are_those_of_the_whole_training_set_in_one_batch(settings):
    """What normalises with its own statistics and what normalises with settled ones agree on that batch."""
    it = bench(*settings)
    it.model.settle(it.batches)
    normalised = [name for name, _ in it.model.named_parameters() if name.endswith("gamma")]
    assert {f"{name}.gamma" for name in statistics(it.model)} == set(normalised)
    images = it.data.training
    uniforms = draws((0, images.pixels.numel()), it.spec.seed, Stream.EVALUATE, 2, CPU).uniform(*images.pixels.shape)
    x = (uniforms < images.rows(slice(None))).float()
    rows = len(x) * sum(it.model.latent)

    def passed(how: str) -> Tensor:
        noise = draws((rows, 0), it.spec.seed, Stream.EVALUATE, 2, CPU)
        return it.model._log_ratios(x, it.model.infer(x, 1, noise, how), how)

    with torch.no_grad():
        torch.testing.assert_close(passed("settled"), passed("batch"), rtol=1e-4, atol=1e-4)
    pre = x.double() @ it.model.up[0].mlp.dense[0].weight.detach().double()
    mean, scale = it.model.up[0].mlp.dense[0].settled
    torch.testing.assert_close(mean.double(), pre.mean(0), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(scale.double(), 1 / pre.std(0, correction=0), rtol=1e-5, atol=1e-6)


def test_pitfall_24_the_bound_survives_extreme_weights_and_the_test_images_stay_the_same():
    it = bench("evaluate.samples=8")
    values, again, other = (it.model.report(it.data.test, it.batches, seed) for seed in (1, 1, 2))
    assert values == again
    assert values["negative_l8"].value != other["negative_l8"].value, "another seed, another binarisation"
    assert values["negative_l8"].value < values["negative_elbo"].value
    assert "8 importance samples" in values["negative_l8"].unit
    it.model.settle(it.batches)
    with torch.no_grad():
        it.model.output_bias += 1e4  # log p(x|z) far below what exp can hold
    x = (it.batch()[2] > 0.5).float()
    assert importance_bounds(it.model.log_weights, (sum(it.model.latent), 0), x, 5, 1).weighted.isfinite().all()


@pytest.mark.parametrize("settings", [[LADDER], [DEEP]])
def test_pitfall_25_without_kl_the_variances_sink_no_lower_than_the_floor(settings):
    it = Bench(small_spec("lvae", *settings, "optimizer.lr=0.05", "warmup.on=on", "warmup.steps=1000000"))
    totals = trained(it, 60)
    assert all(map(math.isfinite, totals))
    with torch.no_grad():
        for conditional in it.model.up:
            conditional.heads.dense.bias -= 200  # a softplus of that is 0 in float32
        layers = it.model.infer(it.batch()[2], 1, it.draws(), "batch")
    for q in layers.q:
        assert normal(q).variance.min() >= 0.49 * FLOOR
    assert it.costs().isfinite().all()
    gradient = torch.autograd.grad(it.costs().sum(), list(it.model.parameters()))
    assert all(part.isfinite().all() for part in gradient)


def test_the_warm_up_raises_beta_of_every_kl_term_linearly():
    it = Bench(small_spec("lvae", "warmup.steps=40"))
    betas = []
    for step in range(50):
        it.controls.prepare(step)
        betas.append(it.knobs()["beta"].item())
        it.controls.advance()
    assert betas[:41] == pytest.approx([step / 40 for step in range(41)], abs=1e-6)
    assert betas[41:] == [1.0] * 9
    assert [term.weight for term in it.model.terms] == [None, "beta", "beta", "beta"]


def test_pitfall_26_shared_inference_merges_with_the_generative_model_and_pays_kl_to_it():
    shared, separate = bench(LADDER, dtype=torch.float64), bench(LADDER, SEPARATE, dtype=torch.float64)
    assert not shared.model.top_down
    assert len(separate.model.top_down) == 2
    x = shared.batch()[2]
    for it, moved in [(shared, True), (separate, False)]:
        before = it.model.infer(x, 1, drawn(it.model, 50), "batch")
        with torch.no_grad():
            it.model.down[1].heads.dense.bias += 1.0
        after = it.model.infer(x, 1, drawn(it.model, 50), "batch")
        assert torch.equal(before.q[1].mean, after.q[1].mean) != moved
        assert not torch.equal(before.p[1].mean, after.p[1].mean)
    # An image that says nothing leaves the generative model, and then nothing is paid.
    with torch.no_grad():
        shared.model.up[1].heads.dense.bias[4:] = 1e9
    layers = shared.model.infer(x, 1, drawn(shared.model, 50), "batch")
    torch.testing.assert_close(layers.q[1].mean, layers.p[1].mean, rtol=1e-6, atol=1e-6)
    assert layers.q[1].kl(layers.p[1]).abs().max() < 1e-6


def test_deep_and_shared_ladder_vae_have_the_same_number_of_generative_parameters():
    deep, ladder = bench(DEEP).model, bench(LADDER).model
    sizes = [[p.numel() for n, p in m.named_parameters() if not n.startswith("up.")] for m in (deep, ladder)]
    assert sizes[0] == sizes[1]
