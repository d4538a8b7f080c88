"""Mean and deviation of every number of an item: real numbers of any unit are brought to one scale by them, and shown.

Shape letters: N items, D numbers of an item.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_BLOCK = 1 << 22


class Spread(NamedTuple):
    """Mean and standard deviation over the training items; float32."""

    mean: Tensor
    """[D]."""
    deviation: Tensor
    """[D]; 1 where all items have the same number."""

    def standardise(self, x: Tensor) -> Tensor:
        """Items [N, D] less the mean, over the deviation, float32."""
        standard = torch.empty(x.shape)
        for block, into in zip(_blocks(x), _blocks(standard), strict=True):
            into.copy_((block.float() - self.mean) / self.deviation)
        return standard

    def restore(self, x: Tensor) -> Tensor:
        """Standardised items [B, D] as they were before."""
        restored: Tensor = x.float() * self.deviation.to(x.device) + self.mean.to(x.device)
        return restored

    def light(self, x: Tensor) -> Tensor:
        """Items as pixels to look at, in [0, 1]: ±2.5 deviations."""
        light: Tensor = 0.5 + (x.float() - self.mean.to(x.device)) / (5 * self.deviation.to(x.device))
        return light.clamp(0, 1)


def spread_of(x: Tensor) -> Spread:
    """The spread of items [N, D], in float64."""
    mean, squares = torch.zeros(2, x.shape[1], dtype=torch.float64)
    for block in _blocks(x):
        mean += block.double().sum(0) / len(x)
    for block in _blocks(x):
        squares += (block.double() - mean).square().sum(0) / len(x)
    deviation = squares.sqrt()
    return Spread(mean.float(), torch.where(deviation > 0, deviation, 1).float())


def _blocks(x: Tensor) -> tuple[Tensor, ...]:
    return tuple(torch.split(x, max(_BLOCK // x.shape[1], 1)))
