"""What more than one model is built from.

Shape letters: B rows, D features in, E features out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from laddertop.engine import ranks

EPSILON = 1e-10
"""Added to the variance in a batch normalisation, as in the code of the ladder network's authors."""


def product(rows: Tensor, weight: Tensor) -> Tensor:
    """rows [B, D] @ weight [D, E] in the weight's precision; bfloat16 comes back as float32 [B, E]."""
    if weight.dtype is torch.bfloat16:
        return (rows.to(weight.dtype) @ weight).float()
    return rows @ weight


def per_channel(vector: Tensor, rows: Tensor) -> Tensor:
    """A vector of one number per feature [..., D] in the shape that meets rows [B, D] or maps [B, D, H, W]."""
    return vector if rows.dim() == 2 else vector[..., None, None]


def normalise(rows: Tensor) -> Tensor:
    """Batch normalisation [B, D] with the statistics of these rows, biased variance, no scale and shift.

    (Ioffe & Szegedy 2015, algorithm 1, without γ and β.) Maps [B, D, H, W] are normalised per channel. In a step that
    several ranks take together the statistics are those of the rows of all of them.
    """
    if ranks.joint():
        return _normalise_jointly(rows)[0]
    if torch.compiler.is_dynamo_compiling():
        mean, scale = _statistics(rows)
        return (rows - per_channel(mean, rows)) * per_channel(scale, rows)
    return torch.native_batch_norm(rows, None, None, None, None, True, 0.0, EPSILON)[0]


def normalise_with_statistics(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`normalise`, with the means and 1/√(variance + ε) [D] of the rows; gradients flow through all three."""
    if ranks.joint():
        return _normalise_jointly(rows)
    if torch.compiler.is_dynamo_compiling():
        mean, scale = _statistics(rows)
        return (rows - per_channel(mean, rows)) * per_channel(scale, rows), mean, scale
    normalised, mean, scale = _Normalise.apply(rows)
    return normalised, mean, scale


def _statistics(rows: Tensor) -> tuple[Tensor, Tensor]:
    # For the compiler, which fuses these with what surrounds them but computes a value per column anew for every
    # element, unless it holds an exponential: so 1/B stands before the sums and 1/√ is spelt exp(-log/2). The mean is
    # detached in the variance, whose derivative through it is 0.
    share = 1.0 / (rows.numel() // rows.shape[1])
    axes = [0, *range(2, rows.dim())]
    mean = (rows * share).sum(axes)
    variance = ((rows - per_channel(mean.detach(), rows)).square() * share).sum(axes)
    return mean, torch.exp(-0.5 * torch.log(variance + EPSILON))


def _normalise_jointly(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    # Equal shares: the mean of all is that of the ranks' means, and the variance that of their variances plus that of
    # their means (the law of total variance).
    variance, mean = torch.var_mean(rows, [0, *range(2, rows.dim())], correction=0)
    means, variances = ranks.gathered(torch.stack([mean, variance])).unbind(1)
    mean = means.mean(0)
    scale = torch.rsqrt((variances + (means - mean).square()).mean(0) + EPSILON)
    return (rows - per_channel(mean, rows)) * per_channel(scale, rows), mean, scale


class _Normalise(torch.autograd.Function):
    # torch's own batch normalisation is several times faster than one written with means, but lets no gradient through
    # its statistics; they are added here: dm/dx = 1/B and, with s = 1/√(v + ε), ds/dx = -s²·z/B.
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        normalised, mean, scale = torch.native_batch_norm(rows, None, None, None, None, True, 0.0, EPSILON)
        ctx.save_for_backward(rows, normalised, mean, scale)
        return normalised, mean, scale

    @staticmethod
    def backward(ctx: Any, grad: Tensor, grad_mean: Tensor, grad_scale: Tensor) -> Tensor:
        rows, normalised, mean, scale = ctx.saved_tensors
        mask = [True, False, False]
        through, *_ = torch.ops.aten.native_batch_norm_backward(
            grad.contiguous(), rows, None, None, None, mean, scale, True, EPSILON, mask
        )
        values = rows.numel() // rows.shape[1]
        by_mean, by_scale = per_channel(grad_mean, rows), per_channel(grad_scale * scale.square(), rows)
        through += torch.addcmul(by_mean, by_scale, normalised, value=-1) / values
        return cast(Tensor, through)


def glorot_uniform(
    inputs: int, outputs: int, random: np.random.RandomState, precision: torch.dtype, gain: float = 1.0
) -> nn.Parameter:
    """Weights [inputs, outputs] uniform on ±gain·√(6 / (inputs + outputs)) (Glorot & Bengio 2010, eq. 16)."""
    bound = gain * math.sqrt(6.0 / (inputs + outputs))
    return weight((inputs, outputs), precision, lambda shape: random.uniform(-bound, bound, shape))


def glorot_normal(
    inputs: int, outputs: int, random: np.random.RandomState, precision: torch.dtype, gain: float = 1.0
) -> nn.Parameter:
    """Weights [inputs, outputs] drawn from N(0, gain²·2 / (inputs + outputs)) (Glorot & Bengio 2010, eq. 12)."""
    std = gain * math.sqrt(2.0 / (inputs + outputs))
    return weight((inputs, outputs), precision, lambda shape: random.normal(0.0, std, shape))


def weight(
    shape: tuple[int, ...], precision: torch.dtype, drawn: Callable[[tuple[int, ...]], npt.NDArray[np.float64]]
) -> nn.Parameter:
    """The weight of a product, in the product's precision; on torch's meta device nothing is drawn."""
    if torch.get_default_device().type == "meta":
        return nn.Parameter(torch.empty(shape, dtype=precision))
    return nn.Parameter(torch.from_numpy(drawn(shape).astype(np.float32)).to(precision))


def side_by_side(*parts: Tensor) -> Tensor:
    """What several heads have [..., E], in one tensor [..., sum of E].

    Not torch.cat: on the meta device, where every run is looked at first, that loads torch's compiler for seconds.
    """
    whole = parts[0].new_empty(*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))
    for part, place in zip(parts, torch.split(whole, [part.shape[-1] for part in parts], -1), strict=True):
        place.copy_(part)
    return whole


def zeros(width: int) -> nn.Parameter:
    """A bias or another vector of parameters that starts at 0."""
    return nn.Parameter(torch.zeros(width))


def ones(width: int) -> nn.Parameter:
    """A vector of parameters that starts at 1."""
    return nn.Parameter(torch.ones(width))
