"""Densities and divergences, in nats.

Shape letters: R rows, D pixels, Z units.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional


class Gaussian(NamedTuple):
    """A Gaussian with a diagonal covariance for every row."""

    mean: Tensor
    """[R, Z], or what broadcasts to it."""
    log_std: Tensor
    """[R, Z], or what broadcasts to it."""

    def draw(self, noise: Tensor) -> Tensor:
        """A draw [R, Z] from standard normal noise [R, Z] (Kingma & Welling 2013, section 2.4)."""
        return self.mean + torch.exp(self.log_std) * noise

    def log_density(self, z: Tensor) -> Tensor:
        """log N(z; mean, std²) per unit [R, Z]."""
        return -0.5 * ((z - self.mean) * torch.exp(-self.log_std)).square() - self.log_std - 0.5 * math.log(2 * math.pi)

    def kl(self, other: Gaussian) -> Tensor:
        """D(self ‖ other) per unit [R, Z]: log σ₂/σ₁ + (σ₁² + (μ₁ - μ₂)²) / 2σ₂² - 1/2. Not symmetric."""
        log_ratio = self.log_std - other.log_std
        distance = (self.mean - other.mean) * torch.exp(-other.log_std)
        return 0.5 * (torch.exp(2 * log_ratio) + distance.square() - 1) - log_ratio


def standard_gaussian(like: Tensor) -> Gaussian:
    """N(0, 1) of the same shape."""
    return Gaussian(torch.zeros_like(like), torch.zeros_like(like))


def bernoulli_cross_entropy(target: Tensor, logits: Tensor) -> Tensor:
    """-log p(target) under Bernoulli(sigmoid(logits)) of every pixel [R, D]; a grey target counts as a probability."""
    if torch.compiler.is_dynamo_compiling():
        return softplus(logits) - logits * target
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none")


def softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), element-wise."""
    if torch.compiler.is_dynamo_compiling():
        # The compiler's log1p takes several times as long as its log. What 1 + e^-|x| loses is at most half a unit in
        # the last place of 1, 6e-8. Half of x + |x| rather than a maximum: its slope at 0 is 1/2.
        size = x.abs()
        return 0.5 * (x + size) + torch.log(1 + torch.exp(-size))
    return functional.softplus(x)


def gaussian_kl_to_standard(mean: Tensor, log_std: Tensor) -> Tensor:
    """D(N(mean, std²) ‖ N(0, 1)) per unit [R, Z] (Kingma & Welling 2013, appendix B)."""
    return 0.5 * (mean.square() + torch.exp(2 * log_std) - 1) - log_std
