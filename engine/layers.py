"""What more than one model is built from.

Shape letters: B rows, D features in, E features out.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn


def product(rows: Tensor, weight: Tensor, precision: torch.dtype) -> Tensor:
    """rows [B, D] @ weight [D, E] in `precision`, result float32 [B, E]."""
    if precision is torch.float32:
        return rows @ weight
    return (rows.to(precision) @ weight.to(precision)).float()


def glorot_uniform(inputs: int, outputs: int, random: np.random.RandomState, gain: float = 1.0) -> nn.Parameter:
    """Weights [inputs, outputs] uniform on ±gain·√(6 / (inputs + outputs)) (Glorot & Bengio 2010, eq. 16)."""
    bound = gain * math.sqrt(6.0 / (inputs + outputs))
    return nn.Parameter(torch.from_numpy(random.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)))


def zeros(width: int) -> nn.Parameter:
    """A bias or another vector of parameters that starts at 0."""
    return nn.Parameter(torch.zeros(width))


def ones(width: int) -> nn.Parameter:
    """A vector of parameters that starts at 1."""
    return nn.Parameter(torch.ones(width))
