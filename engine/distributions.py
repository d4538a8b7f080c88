"""Densities and divergences, summed over units, one number per row.

Shape letters: B rows, D units.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def bernoulli_cross_entropy(target: Tensor, logits: Tensor) -> Tensor:
    """-log p(target) under Bernoulli(sigmoid(logits)), nats per row [B]; a grey target counts as a probability."""
    return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1)


def gaussian_kl_to_standard(mean: Tensor, log_std: Tensor) -> Tensor:
    """D(N(mean, std²) ‖ N(0, 1)) in nats per unit [B, D] (Kingma & Welling 2013, appendix B)."""
    return 0.5 * (mean.square() + torch.exp(2 * log_std) - 1) - log_std
