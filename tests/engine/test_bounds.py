"""The importance-weighted bound: a linear-Gaussian model whose log p(x) is known, chunks, extremes, gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions

from laddertop.engine.parts.bounds import importance_bounds, log_mean_exp
from laddertop.engine.randomness import Draws


class LinearGaussian:
    """p(z) = N(0, 1), p(x|z) = N(W z, s²); q(z|x) is the exact posterior, or one that is wider and beside it."""

    def __init__(self, exact: bool, pixels: int = 4, latent: int = 2, dtype: torch.dtype = torch.float64) -> None:
        torch.manual_seed(0)
        self.w = torch.randn(latent, pixels, dtype=torch.float64)
        self.std, self.latent, self.dtype = 0.7, latent, dtype
        covariance = self.w.t() @ self.w + self.std**2 * torch.eye(pixels, dtype=torch.float64)
        self.evidence = distributions.MultivariateNormal(torch.zeros(pixels, dtype=torch.float64), covariance)
        precision = torch.eye(latent, dtype=torch.float64) + self.w @ self.w.t() / self.std**2
        self.gain = torch.linalg.inv(precision) @ self.w / self.std**2
        self.root = torch.linalg.cholesky(torch.linalg.inv(precision))
        self.shift = 0.0
        if not exact:
            self.root, self.shift = 1.5 * self.root, 0.5

    def log_weights(self, x: Tensor, samples: int, draws: Draws) -> Tensor:
        noise = draws.normal(len(x), samples, self.latent).double()
        mean = x.double() @ self.gain.t() + self.shift
        q = distributions.MultivariateNormal(mean[:, None], scale_tril=self.root)
        z = mean[:, None] + noise @ self.root.t()
        prior = distributions.Normal(torch.zeros((), dtype=torch.float64), 1.0).log_prob(z).sum(-1)
        likelihood = distributions.Normal(z @ self.w, self.std).log_prob(x.double()[:, None]).sum(-1)
        return (prior + likelihood - q.log_prob(z)).to(self.dtype)

    def bounds(self, x: Tensor, samples: int, **chunks: int) -> tuple[Tensor, Tensor]:
        return importance_bounds(self.log_weights, (self.latent, 0), x, samples, 1, **chunks)


def test_every_bound_is_log_p_of_x_when_q_is_the_posterior():
    model = LinearGaussian(exact=True)
    x = model.evidence.sample((30,))
    for k in (1, 7):
        elbo, weighted = model.bounds(x, k)
        torch.testing.assert_close(elbo, model.evidence.log_prob(x), rtol=0, atol=1e-10)
        torch.testing.assert_close(weighted, model.evidence.log_prob(x), rtol=0, atol=1e-10)


def test_the_bound_rises_with_k_and_converges_to_log_p_of_x():
    model = LinearGaussian(exact=False)
    x = model.evidence.sample((1000,))
    exact = model.evidence.log_prob(x).mean().item()
    bounds = [model.bounds(x, k)[1].mean().item() for k in (1, 2, 5, 20, 100, 1000)]
    assert bounds == sorted(bounds)
    assert bounds[0] < exact - 2
    assert bounds[-1] == pytest.approx(exact, abs=5e-3)
    # L_1 by the mean of log w is the same bound, whatever k, and its closed form is log p(x) - D(q‖p(z|x)).
    mean = x @ model.gain.t()
    exact_model = LinearGaussian(exact=True)
    posterior = distributions.MultivariateNormal(mean, scale_tril=exact_model.root)
    q = distributions.MultivariateNormal(mean + model.shift, scale_tril=model.root)
    expected = model.evidence.log_prob(x) - distributions.kl_divergence(q, posterior)
    assert model.bounds(x, 1000)[0].mean().item() == pytest.approx(expected.mean().item(), abs=5e-3)


@pytest.mark.parametrize("chunks", [{"rows": 1}, {"rows": 7, "at_once": 1}, {"rows": 1000, "at_once": 12}])
def test_chunks_change_nothing_but_rounding(chunks):
    model = LinearGaussian(exact=False)
    x = model.evidence.sample((1003,)) if chunks["rows"] > 1 else model.evidence.sample((11,))
    for mine, theirs in zip(model.bounds(x, 12, **chunks), model.bounds(x, 12), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)


def test_an_images_bound_does_not_depend_on_the_images_behind_it():
    model = LinearGaussian(exact=False)
    x = model.evidence.sample((1005,))
    torch.testing.assert_close(model.bounds(x, 3)[1][:10], model.bounds(x[:10], 3)[1], rtol=0, atol=1e-12)
    # Nor do two images share their draws, nor two blocks of images.
    same = x[:1].expand(1005, -1)
    assert len(model.bounds(same, 1)[1].unique()) == 1005


def test_pitfall_24_log_mean_exp_takes_out_the_largest_in_float32():
    log_weights = torch.tensor([[-900.0, -901.0, -1e4], [800.0, 799.0, 0.0]])
    expected = torch.stack([row.double().exp().mean().log() for row in log_weights + torch.tensor([[900.0], [-800.0]])])
    expected += torch.tensor([-900.0, 800.0])
    torch.testing.assert_close(log_mean_exp(log_weights).double(), expected, rtol=1e-6, atol=0)
    # Weights of images of hundreds of nats, float32, through the whole bound.
    model = LinearGaussian(exact=False, dtype=torch.float32)
    x = 40 * model.evidence.sample((5,))
    assert model.evidence.log_prob(x).min() < -200
    _, weighted = model.bounds(x, 100)
    assert torch.isfinite(weighted).all()


def test_gradients_of_log_mean_exp_are_the_normalised_weights():
    torch.manual_seed(0)
    log_weights = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(log_mean_exp(log_weights).sum(), log_weights)
    torch.testing.assert_close(gradient, torch.softmax(log_weights.detach(), 1))  # Burda et al., section 3
    assert torch.autograd.gradcheck(log_mean_exp, log_weights)
    assert log_mean_exp(log_weights[:, :1]).detach().tolist() == pytest.approx(log_weights[:, 0].tolist())
    assert math.isclose(log_mean_exp(torch.full((3,), 2.5)).item(), 2.5)
