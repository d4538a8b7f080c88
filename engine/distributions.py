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
    """-log p(target) under Bernoulli(sigmoid(logits)), [R, D] to [R]; a grey target counts as a probability."""
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


def gaussian_kl_to_standard(mean: Tensor, log_std: Tensor) -> Tensor:
    """D(N(mean, std²) ‖ N(0, 1)) per unit [R, Z] (Kingma & Welling 2013, appendix B)."""
    return 0.5 * (mean.square() + torch.exp(2 * log_std) - 1) - log_std
