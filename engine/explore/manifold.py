"""The plane of a code of two units on a grid, to be decoded (Kingma & Welling 2013, arXiv:1312.6114, figure 4).

Shape letters: N items, G grid lines.
"""

from __future__ import annotations

import torch
from torch import Tensor

UNITS = 2
"""Units of a code that is a plane."""


def quantiles(lines: int) -> Tensor:
    """Φ⁻¹((i + ½) / G) for i = 0 … G - 1, float64 [G]: the standard normal has as much mass around each."""
    found: Tensor = torch.special.ndtri((torch.arange(lines, dtype=torch.float64) + 0.5) / lines)
    return found


def between(codes: Tensor, lines: int) -> tuple[Tensor, Tensor]:
    """For each of the two units of codes [N, 2], values from its least to its largest at equal distances [G]."""
    low, high = (end.double().cpu().tolist() for end in torch.aminmax(codes, dim=0))
    across, up = (torch.linspace(*ends, lines, dtype=torch.float64) for ends in zip(low, high, strict=True))
    return across, up


def grid(across: Tensor, up: Tensor) -> Tensor:
    """The codes [G, G, 2], float32: the first unit is `across` [G] in every row, the second `up` [G] from the last row
    to the first."""
    return torch.stack(torch.meshgrid(across, up.flip(0), indexing="xy"), -1).float()
