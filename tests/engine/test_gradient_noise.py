"""The variance of the gradient by both estimators: against closed forms, and as a VAE's evaluation tells it."""

from __future__ import annotations

import pytest
import torch

from laddertop.engine.parts.distributions import Gaussian
from laddertop.engine.parts.gradient_noise import gradient_variance
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench
from tests.kinds import small_spec


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (1.5, 0.4), (-0.3, 0.2)])
def test_the_variances_are_those_of_a_parabola_in_closed_form(mean: float, std: float) -> None:
    # f(z) = z², z = μ + σε: reparameterised 2(μ + σε); by the score function f·ε/σ, with E ε² = 1, E ε⁴ = 3, E ε⁶ = 15.
    parameter = torch.tensor([[mean]], dtype=torch.float64, requires_grad=True)
    noise = torch.special.ndtri((torch.arange(3000, dtype=torch.float64) + 0.5) / 3000).view(-1, 1, 1)
    found = gradient_variance(
        [parameter],
        lambda: Gaussian(parameter, torch.full_like(parameter, std).log()),
        lambda z: z.square().sum(1),
        noise,
    )
    assert found.reparameterised == pytest.approx(4 * std**2, rel=0.05)
    moment = (mean**4 + 18 * mean**2 * std**2 + 15 * std**4) / std**2
    assert found.score == pytest.approx(moment - 4 * mean**2, rel=0.1)
    # With b = E f = μ² + σ²: f - b = 2μσε + σ²(ε² - 1), whose square times ε² has the mean 12μ²σ² + 10σ⁴.
    assert found.score_baseline == pytest.approx(12 * mean**2 + 10 * std**2 - 4 * mean**2, rel=0.1)


def test_an_evaluation_tells_them_where_it_is_asked_to() -> None:
    plain = Bench(small_spec("vae", "warmup.on=off"))
    told = Bench(small_spec("vae", "warmup.on=off", "model.gradient_noise=on"))
    names = {"gradient_variance", "gradient_variance_score", "gradient_variance_score_baseline"}
    without, found = (it.model.evaluate(it.data.test, it.batches, 1) for it in (plain, told))
    assert not names & without.keys()
    assert found.keys() == without.keys() | names
    assert all(found[name] == value for name, value in without.items()), "nothing else is measured otherwise"
    with_it, score, baseline = (found[name].value for name in sorted(names, key=len))
    assert 0 < with_it < baseline < score
    assert found == told.model.evaluate(told.data.test, told.batches, 1)


def test_it_is_of_a_vae_whose_only_stochastic_layer_is_gaussian_and_whose_bound_is_a_mean() -> None:
    for setting in ("model.bound=iwae", "model.upper_hidden=[9]"):
        more = ["model.upper_latent=3"] if "upper" in setting else []
        with pytest.raises(ValueError, match="gradient_noise"):
            override(load_recipe("vae-digits"), [setting, *more, "model.gradient_noise=on"])
