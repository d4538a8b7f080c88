"""The score ∇ log p of a smoothed mixture of Gaussians in closed form, and how well a denoiser meets it.

A denoiser r trained with squared error on x + σ·ε tends to E[x | x~] = x~ + σ² ∇ log p_σ(x~), exactly and for any σ,
where p_σ is p convolved with N(0, σ² I) (Vincent 2011; Alain & Bengio 2014, arXiv:1211.4246). Taking its Jacobian,
Jacobian(r) - I = σ² · Hessian of log p_σ.

Shape letters: N points, K components of the mixture; everything here is of the plane and in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from laddertop.engine.data.points import Mixture
from laddertop.journal.value import Value

EXTENT = 2.0
"""The field is compared on a grid over [-EXTENT, EXTENT]²."""
POINTS = 61
"""Points of the grid along an axis."""
NOT_TINY = 0.01
"""Grid points count where p_σ exceeds this share of its largest value on the grid."""


def smoothed_log_density(x: Tensor, mixture: Mixture, sigma: float) -> Tensor:
    """log p_σ(x) [N] of points x [N, 2]: every component's covariance is larger by σ² I."""
    return torch.logsumexp(_components(x, mixture, sigma)[1], 1)


def smoothed_score(x: Tensor, mixture: Mixture, sigma: float) -> Tensor:
    """∇ log p_σ(x) [N, 2]: Σ_k p(k|x) Σ_k⁻¹ (μ_k - x)."""
    pull, log_joint, _ = _components(x, mixture, sigma)
    return torch.einsum("nk,nki->ni", torch.softmax(log_joint, 1), pull)


def smoothed_hessian(x: Tensor, mixture: Mixture, sigma: float) -> Tensor:
    """∇∇ᵀ log p_σ(x) [N, 2, 2]: Σ_k p(k|x) (g_k g_kᵀ - Σ_k⁻¹) - s sᵀ, with g_k the pull of component k, s the score."""
    pull, log_joint, precision = _components(x, mixture, sigma)
    share = torch.softmax(log_joint, 1)
    score = torch.einsum("nk,nki->ni", share, pull)
    second = torch.einsum("nk,nki,nkj->nij", share, pull, pull) - torch.einsum("nk,kij->nij", share, precision)
    return second - torch.einsum("ni,nj->nij", score, score)


def _components(x: Tensor, mixture: Mixture, sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    """Σ_k⁻¹(μ_k - x) [N, K, 2], log p(k, x) [N, K] and Σ_k⁻¹ [K, 2, 2] of the smoothed components."""
    covariance = torch.from_numpy(mixture.covariances + sigma**2 * np.eye(2)).to(x)
    precision = torch.linalg.inv(covariance)
    apart = torch.from_numpy(mixture.means).to(x) - x[:, None]
    pull = torch.einsum("kij,nkj->nki", precision, apart)
    log_joint = (
        torch.from_numpy(np.log(mixture.weights)).to(x)
        - 0.5 * torch.logdet(covariance)
        - 0.5 * torch.einsum("nki,nki->nk", apart, pull)
        - math.log(2 * math.pi)
    )
    return pull, log_joint, precision


def score_agreement(
    denoise: Callable[[Tensor], Tensor], mixture: Mixture, sigma: float, device: torch.device
) -> dict[str, Value]:
    """How (r(x) - x)/σ² and its Jacobian compare with the closed form, on the grid where p_σ is not tiny.

    `denoise` maps float32 points [N, 2] to their reconstructions. The cosine is the mean over the points; the relative
    errors are norms over all points, of the difference over that of the truth.
    """
    axis = torch.linspace(-EXTENT, EXTENT, POINTS, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    log_density = smoothed_log_density(grid, mixture, sigma)
    grid = grid[log_density > log_density.max() + math.log(NOT_TINY)]
    x = grid.float().to(device)
    score = smoothed_score(grid, mixture, sigma)
    estimate = ((denoise(x) - x) / sigma**2).detach().double().cpu()
    hessian = smoothed_hessian(grid, mixture, sigma)
    second = (_jacobian(denoise, x).double().cpu() - torch.eye(2, dtype=torch.float64)) / sigma**2
    where = f"grid points where p_σ > {NOT_TINY:g} of its maximum, σ = {sigma:g}"
    return {
        "score_cosine": Value(
            value=torch.cosine_similarity(estimate, score, 1).mean().item(),
            unit=f"mean over {len(grid)} {where}",
            better="higher",
        ),
        "score_relative_error": Value(
            value=((estimate - score).norm() / score.norm()).item(), unit=f"‖r(x) - x - σ²s‖ / ‖σ²s‖ over the {where}"
        ),
        "hessian_relative_error": Value(
            value=((second - hessian).norm() / hessian.norm()).item(),
            unit=f"‖Jacobian(r) - I - σ²Hessian‖ / ‖σ²Hessian‖ over the {where}",
        ),
    }


def _jacobian(denoise: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """∂r_i/∂x_j at every point [N, 2, 2]."""
    with torch.enable_grad():
        x = x.clone().requires_grad_()
        r = denoise(x)
        return torch.stack([torch.autograd.grad(r[:, i].sum(), x, retain_graph=True)[0] for i in range(2)], 1)
