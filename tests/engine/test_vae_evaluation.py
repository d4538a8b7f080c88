"""Evaluation of VAEs: bounds against the costs and quadrature, active units; what they have learnt; binarisation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import distributions

from laddertop.engine.parts.latent_units import ACTIVE
from laddertop.engine.randomness import Draws, Stream, draws
from tests.engine.conftest import CPU, Bench
from tests.engine.vaes import IWAE, TWO, bench, normal, trained
from tests.kinds import small_spec


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
    given = draws((rows * sum(model.latent), 0), 3, Stream.SAMPLE, 0, CPU)
    images = model.generate(rows, Draws(given.normal(rows * sum(model.latent)).double(), torch.empty(0)))
    torch.manual_seed(0)
    z = torch.randn(rows, model.latent[-1]).double()
    for above in model.down:
        z = normal(above(z)).sample()
    expected = torch.sigmoid(model.decoder(z))
    assert ((images >= 0) & (images <= 1)).all()
    torch.testing.assert_close(images.mean(0), expected.mean(0), rtol=0, atol=0.01)
    torch.testing.assert_close(images.std(0), expected.std(0), rtol=0, atol=0.01)


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
