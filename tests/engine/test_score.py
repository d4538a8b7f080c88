"""The score: closed forms against automatic derivatives and integrals, and a denoiser that learns it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.data.points import MIXTURE
from laddertop.engine.explore.answers import answer
from laddertop.engine.models.dae import Dae
from laddertop.engine.parts.score import score_agreement, smoothed_hessian, smoothed_log_density, smoothed_score
from laddertop.engine.saved.model import Saved
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal.events import EventReader, EventWriter
from laddertop.journal.explore import ScoreField
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from tests.engine.conftest import CPU, Bench
from tests.engine.training import train
from tests.kinds import small_spec

SIGMA = 0.2


def some_points(count: int = 40) -> torch.Tensor:
    return 1.5 * torch.randn(count, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def plane(extent: float, count: int) -> tuple[torch.Tensor, float]:
    axis = torch.linspace(-extent, extent, count, dtype=torch.float64)
    return torch.cartesian_prod(axis, axis), (2 * extent / (count - 1)) ** 2


def test_the_density_is_that_of_torchs_mixture_and_sums_to_one():
    components = torch.distributions.MultivariateNormal(
        torch.from_numpy(MIXTURE.means), torch.from_numpy(MIXTURE.covariances) + SIGMA**2 * torch.eye(2)
    )
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.from_numpy(MIXTURE.weights)), components
    )
    x = some_points()
    torch.testing.assert_close(smoothed_log_density(x, MIXTURE, SIGMA), mixture.log_prob(x))
    grid, area = plane(4, 401)
    assert smoothed_log_density(grid, MIXTURE, SIGMA).exp().sum().item() * area == pytest.approx(1, abs=1e-6)


def test_score_and_hessian_are_the_derivatives_of_the_log_density():
    x = some_points().requires_grad_()
    (score,) = torch.autograd.grad(smoothed_log_density(x, MIXTURE, SIGMA).sum(), x, create_graph=True)
    hessian = torch.stack([torch.autograd.grad(score[:, i].sum(), x, retain_graph=True)[0] for i in range(2)], 1)
    torch.testing.assert_close(smoothed_score(x, MIXTURE, SIGMA), score)
    torch.testing.assert_close(smoothed_hessian(x, MIXTURE, SIGMA), hessian)


def test_the_mean_of_the_clean_point_given_the_noisy_one_is_it_plus_the_variance_times_the_score():
    """E[x | x~] = x~ + σ² ∇ log p_σ(x~), by integration over the plane (Tweedie)."""
    grid, _ = plane(3, 601)
    prior = smoothed_log_density(grid, MIXTURE, 0.0)
    for noisy in torch.tensor([[0.3, -0.2], [-0.9, 0.4], [1.4, -1.0]], dtype=torch.float64):
        log_joint = prior - (grid - noisy).square().sum(1) / (2 * SIGMA**2)
        mean = torch.softmax(log_joint, 0) @ grid
        torch.testing.assert_close(mean, noisy + SIGMA**2 * smoothed_score(noisy[None], MIXTURE, SIGMA)[0])


def test_the_best_denoiser_agrees_perfectly_in_first_and_second_order_and_a_wrong_one_does_not():
    def best(x: torch.Tensor) -> torch.Tensor:
        return (x + SIGMA**2 * smoothed_score(x.double(), MIXTURE, SIGMA)).float()

    found = score_agreement(best, MIXTURE, SIGMA, CPU)
    assert found["score_cosine"].value == pytest.approx(1, abs=1e-5)
    assert found["score_relative_error"].value < 1e-5
    assert found["hessian_relative_error"].value < 1e-4  # σ²·Hessian = Jacobian(r) - I
    away = score_agreement(lambda x: 2 * x - best(x), MIXTURE, SIGMA, CPU)
    assert away["score_cosine"].value == pytest.approx(-1, abs=1e-5)
    assert away["score_relative_error"].value == pytest.approx(2, abs=1e-4)
    half = score_agreement(lambda x: 0.5 * (x + best(x)), MIXTURE, SIGMA, CPU)
    assert half["score_relative_error"].value == pytest.approx(0.5, abs=1e-4)
    assert half["hessian_relative_error"].value == pytest.approx(0.5, abs=1e-4)


def test_the_cost_is_that_of_denoising_score_matching_times_the_fourth_power_of_sigma():
    """J_DSM = E‖ψ(x~) - (x - x~)/σ²‖² with ψ = (r(x~) - x~)/σ² (Vincent 2011)."""
    bench = Bench(override(load_recipe("dae-mixture"), ["data.batch=50"]), torch.float64)
    x = bench.batch()[2]
    noisy = x + SIGMA * bench.draws().normal(*x.shape)
    assert isinstance(bench.model, Dae)
    assert bench.model.sigma == pytest.approx(SIGMA)
    score = (bench.model.denoise(noisy) - noisy) / SIGMA**2
    matching = (score - (x - noisy) / SIGMA**2).square().sum(1).mean()
    torch.testing.assert_close(bench.costs()[0], SIGMA**4 * matching, rtol=1e-5, atol=0)


def test_a_short_training_on_the_mixture_finds_the_score():
    bench = Bench(override(load_recipe("dae-mixture"), ["model.hidden=[64, 64]", "optimizer.lr=0.005"]))
    before = bench.model.evaluate(bench.data.test, bench.batches, 1)["score_cosine"].value
    train(bench, 600)
    after = bench.model.evaluate(bench.data.test, bench.batches, 1)
    assert before < 0.8
    assert after["score_cosine"].value > 0.95
    assert after["score_relative_error"].value < 0.3


def test_noisy_points_are_moved_to_the_curve():
    bench = Bench(override(load_recipe("dae-moons"), ["model.hidden=[64, 64]", "optimizer.lr=0.005"]))
    train(bench, 500)
    report = bench.model.report(bench.data.test, bench.batches, 1)
    assert "score_cosine" not in report
    assert report["denoising_squared_error"].value < 0.75 * report["corruption_squared_error"].value
    assert "per point" in report["denoising"].unit


def test_only_a_denoiser_of_gaussian_noise_by_squared_error_has_a_score():
    for settings, sigma in {
        (): 0,
        ("model.loss=squared", "noise.kind=masking"): 0,
        ("noise.kind=gaussian",): 0,
        ("model.loss=squared", "noise.kind=gaussian", "noise.std=0.5"): 0.5,
    }.items():
        model = Bench(small_spec("dae", *settings)).model
        assert isinstance(model, Dae)
        assert model.sigma == sigma


def test_the_score_is_that_of_the_noise_the_training_has_now_and_without_noise_there_is_none(
    tmp_path: Path, stop: Stop
):
    spec = override(load_recipe("dae-mixture"), ["steps=2", "model.hidden=[8]", "samples.every=0"])
    run = create_run(tmp_path, spec, "steered")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        for turned in ({}, {"noise.std": 0.4}, {"noise": "off"}):
            training.controls.set(turned)
            training.evaluate()
        training.controls.set({"noise": "on"})
        training.loop(stop)
    evaluations = RunState().apply_all(EventReader(run.events_path).read_all()).evaluations
    told = [e.values["score_cosine"].unit[-3:] if "score_cosine" in e.values else "" for e in evaluations]
    assert told == ["0.2", "0.4", "", "0.4"]
    subject = Saved(run).subject
    field = answer(subject, ScoreField(lines=3))
    assert field["sigma"] == pytest.approx(0.4)
    np.testing.assert_allclose(field["score"], field["shift"] / 0.4**2, rtol=1e-6)


@pytest.mark.parametrize(
    ("recipe", "setting", "complaint"),
    [
        ("dae-moons", "model.loss=cross_entropy", r"model\.loss: points of the plane .* need squared"),
        ("sdae-digits", "data.name=moons", r"model\.loss: points of the plane .* need squared"),
        ("gsn-mnist", "data.name=moons", "a gsn draws black and white pixels"),
    ],
)
def test_points_are_refused_by_a_cost_of_probabilities(recipe, setting, complaint):
    with pytest.raises(ValueError, match=complaint):
        override(load_recipe(recipe), [setting])
