"""Statistics of batch normalisations, fixed once training is over.

Shape letters: B rows, D units; or maps [B, D, H, W] with D channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine.parts.layers import EPSILON, per_channel


class Statistics:
    """Of every normalisation, by name, the mean over batches of the batch means and of the unbiased batch variances.

    Unbiased as in the ladder network's code: times n/(n-1) with n the rows of a batch, for maps too.
    """

    def __init__(self) -> None:
        self._sums: dict[str, tuple[Tensor, Tensor, int]] = {}

    def gather(self, name: str, rows: Tensor) -> Tensor:
        """The rows [B, D], normalised with their own statistics, which are taken up."""
        variance, mean = torch.var_mean(rows, [0, *range(2, rows.dim())], correction=0)
        unbiased = variance * len(rows) / (len(rows) - 1)
        if name in self._sums:
            means, variances, count = self._sums[name]
            self._sums[name] = means + mean, variances + unbiased, count + 1
        else:
            self._sums[name] = mean, unbiased, 1
        return _normalised(rows, mean, variance)

    def apply(self, name: str, rows: Tensor) -> Tensor:
        """The rows [B, D], normalised with what was gathered."""
        assert name in self._sums, "settle comes first"
        means, variances, count = self._sums[name]
        return _normalised(rows, means / count, variances / count)


def _normalised(rows: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    return (rows - per_channel(mean, rows)) * per_channel(torch.rsqrt(variance + EPSILON), rows)
