"""Free bits: each layer may say λ nats per image at no price (Kingma et al. 2016, arXiv:1606.04934)."""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine import ranks
from laddertop.journal.events import Term

FREE_BITS = Term(
    name="free_bits",
    label="free bits, λ − KL",
    unit="nats per image, sum over the layers whose KL is below λ",
    weight="beta",
)
"""What makes the objective Σ max(λ, KL) of KL terms that are recorded as they are."""


def free_bits(kl: Tensor, least: Tensor) -> Tensor:
    """Σ max(λ - KL, 0) over the KL of every layer [L], each the mean over the batch; its gradient takes away that of
    what is below λ. Of a batch that ranks share, the mean over all of it decides."""
    over_batch = ranks.gathered(kl.detach()).mean(0) if ranks.joint() else kl.detach()
    return torch.where(over_batch < least, least - kl, torch.zeros_like(kl)).sum()
