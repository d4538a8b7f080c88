"""Denoising autoencoder: costs against plain formulas in float64, corruption, and what it can be asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from laddertop.engine.parts.corruption import corrupt, corrupt_and_tell, emphasised
from laddertop.engine.randomness import Draws, Stream, draws
from tests.engine.conftest import CPU, Bench
from tests.engine.training import gradients_are_right, reloaded, train
from tests.kinds import small_spec

LINEAR = ["model.loss=squared", "noise.kind=gaussian", "noise.std=0.2"]


def some_draws(count: int, seed: int = 1) -> Draws:
    generator = torch.Generator().manual_seed(seed)
    return Draws(torch.randn(count, generator=generator), torch.rand(2 * count, generator=generator))


@pytest.mark.parametrize(
    ("kind", "level", "changed", "values"),
    [("masking", 0.3, 0.3, {0.0}), ("salt_and_pepper", 0.4, 0.4, {0.0, 1.0})],
)
def test_corruption_hits_the_stated_share_of_pixels(kind, level, changed, values):
    x = torch.full((400, 100), 0.5)
    corrupted, hit = corrupt_and_tell(x, kind, torch.tensor(level), some_draws(40_000))
    assert torch.equal(hit, corrupted != 0.5)
    assert hit.float().mean().item() == pytest.approx(changed, abs=0.01)
    assert set(corrupted[hit].tolist()) == values


def test_gaussian_corruption_adds_the_stated_noise_to_every_pixel():
    corrupted, hit = corrupt_and_tell(torch.full((400, 100), 0.5), "gaussian", torch.tensor(0.3), some_draws(40_000))
    assert hit is None
    assert corrupted.mean().item() == pytest.approx(0.5, abs=4 * 0.3 / 200)
    assert corrupted.std().item() == pytest.approx(0.3, rel=0.02)


def test_pitfall_28_salt_is_half_or_the_level_and_every_pixel_is_hit_by_itself():
    x = torch.full((4000, 50), 0.5)
    for salt, white in [("half", 0.5), ("level", 0.1)]:
        corrupted, hit = corrupt_and_tell(x, "salt_and_pepper", torch.tensor(0.1), some_draws(200_000), salt)
        hits = hit.sum().item()
        assert corrupted[hit].mean().item() == pytest.approx(white, abs=4 * (white * (1 - white) / hits) ** 0.5)
        # Binomial, not an exact share of every image: the variance of the hits per image is n·ν·(1 - ν).
        per_image = hit.sum(1).double()
        assert per_image.mean().item() == pytest.approx(50 * 0.1, rel=0.02)
        assert per_image.var().item() == pytest.approx(50 * 0.1 * 0.9, rel=0.1)
    spec = small_spec("dae", "noise.kind=salt_and_pepper")
    assert spec.noise.salt == "half"
    half = Bench(spec)
    level = Bench(small_spec("dae", "noise.kind=salt_and_pepper", "noise.salt=level"))
    assert not torch.equal(half.costs(), level.costs())


@pytest.mark.parametrize("kind", ["gaussian", "masking", "salt_and_pepper"])
def test_level_zero_leaves_the_input_as_it_is(kind):
    x = torch.rand(10, 10)
    assert torch.equal(corrupt(x, kind, torch.zeros(()), some_draws(100)), x)


def test_the_emphasised_cost_weighs_corrupted_and_kept_pixels():
    cost, hit = torch.tensor([[1.0, 2.0, 4.0]]), torch.tensor([[True, False, True]])
    assert emphasised(cost, hit, 3, 0.5).tolist() == [[3.0, 1.0, 12.0]]
    assert emphasised(cost, hit, 1, 1) is cost
    assert emphasised(cost, None, 2, 0.5).tolist() == [[2.0, 4.0, 8.0]]  # Gaussian noise spares no pixel


@pytest.mark.parametrize("emphasis", [(1, 1), (1, 0.5), (1, 0), (2, 3)])
def test_tied_weights_are_one_parameter_and_the_target_is_clean(emphasis):
    alpha, beta = emphasis
    bench = Bench(small_spec("dae", f"model.on_corrupted={alpha}", f"model.on_kept={beta}"), torch.float64)
    assert not list(bench.model.decoder)
    _, _, x = bench.batch()
    hit = bench.draws().uniform(*x.shape).numpy() < bench.spec.noise.level
    w, b, b2 = (p.detach().numpy() for p in bench.model.parameters())
    x = x.numpy()
    hidden = 1 / (1 + np.exp(-(np.where(hit, 0, x) @ w + b)))
    p = 1 / (1 + np.exp(-(hidden @ w.T + b2)))
    per_pixel = -(x * np.log(p) + (1 - x) * np.log(1 - p))
    expected = (np.where(hit, alpha, beta) * per_pixel).sum(1).mean()
    assert bench.costs()[0].item() == pytest.approx(expected, rel=1e-6)


def test_untied_squared_error_of_a_deep_autoencoder():
    bench = Bench(
        small_spec("dae", *LINEAR, "model.tied=off", "model.hidden=[9, 5]", "model.activation=tanh"), torch.float64
    )
    assert [tuple(w.shape) for w in bench.model.decoder] == [(5, 9), (9, 64)]
    _, _, x = bench.batch()
    noise = bench.draws().normal(*x.shape)
    w1, w2, b1, b2, v1, v2, c1, c2 = bench.model.parameters()
    hidden = torch.tanh(torch.tanh((x + 0.2 * noise) @ w1 + b1) @ w2 + b2)
    expected = ((torch.tanh(hidden @ v1 + c1) @ v2 + c2 - x) ** 2).sum() / len(x)
    torch.testing.assert_close(bench.costs()[0], expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["model.tied=off", "model.activation=tanh", "model.on_kept=0.5"],
        [*LINEAR, "model.hidden=[3, 2]", "model.activation=tanh"],
    ],
)
def test_gradients_by_gradcheck(settings):
    assert gradients_are_right(Bench(small_spec("dae", "data.batch=4", "model.hidden=[3]", *settings), torch.float64))


def test_sixteen_images_are_overfitted():
    small = ["data.batch=16", "optimizer.lr=0.01", "data.held_back=1421", "model.hidden=[128]", "noise.on=off"]
    bench = Bench(small_spec("dae", *small))
    assert len(bench.data.training) == 16
    costs = [row["reconstruction"] for row in train(bench, 400)]
    # Grey targets keep an entropy of their own; what is above it goes away.
    x = bench.data.training.rows(slice(None))
    entropy = torch.nn.functional.binary_cross_entropy(x, x, reduction="sum").item() / 16
    assert costs[-1] - entropy < 0.06 * (costs[0] - entropy)


@pytest.mark.parametrize("settings", [[], ["model.tied=off"]])
def test_what_is_saved_is_what_is_loaded(settings, tmp_path):
    bench = Bench(small_spec("dae", *settings))
    train(bench, 5)
    other = reloaded(bench, tmp_path)
    x = bench.data.test.rows(slice(None))
    assert torch.equal(bench.model.denoise(x), other.model.denoise(x))


def test_codes_lead_back_to_the_reconstruction():
    bench = Bench(small_spec("dae", "model.hidden=[20, 10]"))
    x = bench.data.test.rows(slice(0, 7))
    codes = bench.model.codes(x)
    assert [tuple(code.shape) for code in codes.values()] == [(7, 20), (7, 10)]
    image = bench.model.denoise(x)
    assert torch.equal(bench.model.decode(codes["hidden.2"]), image)
    assert image.min() > 0
    assert image.max() < 1
    shown = bench.model.reconstruct(x, bench.draws(), bench.knobs())
    assert torch.equal(shown["reconstruction"], bench.model.denoise(shown["corrupted"]))


@pytest.mark.parametrize("noise", ["on", "off"])
def test_the_report_tells_how_well_corrupted_images_are_denoised_whether_or_not_it_trained_on_such(noise):
    bench = Bench(small_spec("dae", f"noise.on={noise}", "noise.level=0.4"))
    train(bench, 30)
    report = bench.model.report(bench.data.test, bench.batches, 3)
    x = bench.data.test.rows(slice(None))
    drawn = draws(bench.model.draws_needed(0, len(x)), 3, Stream.EVALUATE, 1, CPU)
    corrupted = torch.where(drawn.uniform(*x.shape) < 0.4, 0.0, x)
    p = bench.model.denoise(corrupted).double()
    cost = -(x * p.log() + (1 - x) * (1 - p).log()).sum(1).mean().item()
    assert report["denoising"].value == pytest.approx(cost, rel=1e-5)
    assert report["denoising_squared_error"].value == pytest.approx(((x - p) ** 2).sum(1).mean().item(), rel=1e-5)
    assert report["corruption_squared_error"].value == pytest.approx(((x - corrupted) ** 2).sum(1).mean().item())
    assert report["reconstruction"].value < report["denoising"].value
    assert "masking 0.4" in report["denoising"].unit
