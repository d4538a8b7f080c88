"""How much the gradient of E_q(z) f(z) varies with what is drawn of z, by two estimators of the same.

Reparameterised, z = μ + σ·ε and the gradient goes through z (Kingma & Welling 2013, section 2.4; Rezende et al. 2014).
By the score function it is (f(z) - b)·∇ log q(z), which knows f by its values alone (Williams 1992). With
b = 0, or with the mean of f at the other draws of the same item (Mnih & Rezende 2016), all three have the same mean.

Shape letters: K draws, N items, Z latent units, P parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from laddertop.engine.parts.distributions import Gaussian


class GradientVariance(NamedTuple):
    """The variances E‖g - E g‖² of the estimators: of the mean over the items, one draw each, for the same items."""

    reparameterised: float
    score: float
    score_baseline: float


def gradient_variance(
    parameters: Iterable[Tensor], posterior: Callable[[], Gaussian], cost: Callable[[Tensor], Tensor], noise: Tensor
) -> GradientVariance:
    """The variances over the draws `noise` [K, N, Z], two at least, of gradients with respect to `parameters`; q(z) of
    the N items is `posterior()`, and `cost` is f: [N] for z [N, Z]."""
    wanted = list(parameters)
    with torch.no_grad():
        q = posterior()
        costs = torch.stack([cost(q.draw(one)) for one in noise])
    baseline = (costs.sum(0) - costs) / (len(noise) - 1)
    found: list[list[Tensor]] = [[], [], []]
    for one, f, b in zip(noise, costs, baseline, strict=True):
        with torch.enable_grad():
            q = posterior()
            z = q.draw(one)
            log_q = q.log_density(z.detach()).sum(1)
            estimates = cost(z).mean(), (f * log_q).mean(), ((f - b) * log_q).mean()
        for gradients, estimate in zip(found, estimates, strict=True):
            parts = torch.autograd.grad(estimate, wanted, retain_graph=True)
            gradients.append(torch.cat([part.flatten() for part in parts]))
    return GradientVariance(*(torch.stack(gradients).double().var(0).sum().item() for gradients in found))
