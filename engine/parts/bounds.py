"""Lower bounds on log p(x) from importance weights (Burda et al. 2016, arXiv:1509.00519), for any model that has them.

An importance weight is w = p(x, z) / q(z|x) with z drawn from q(z|x); L_k = E[log (1/k) Σ w_i] (eq. 8), and
L_1 = E[log w] is the evidence lower bound.

Shape letters: N images, B images at once, k samples per image, D pixels, U draws per image and sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from laddertop.engine.randomness import Draws, Stream, draws

SAMPLES = 25
"""Samples per image that are weighed in one call."""

BLOCK = 1000
"""Images whose draws have one key."""

LogWeights = Callable[[Tensor, int, Draws], Tensor]
"""log w, nats [B, k], of images [B, D] with k samples each; it takes its draws as `draws.normal(B, k, units)`."""


class Bounds(NamedTuple):
    """Two lower bounds on log p(x), nats per image, float64 [N]."""

    elbo: Tensor
    """L_1: the mean of log w over the samples."""
    weighted: Tensor
    """L_k: the log of the mean of w over the samples."""


def log_mean_exp(log_weights: Tensor) -> Tensor:
    """log (1/k) Σ exp over the last dimension: [..., k] to [...]; the largest is taken out before the exponentials."""
    return torch.logsumexp(log_weights, -1) - math.log(log_weights.shape[-1])


@torch.no_grad()
def importance_bounds(
    log_weights: LogWeights,
    needed: tuple[int, int],
    x: Tensor,
    samples: int,
    seed: int,
    *,
    rows: int | None = None,
    at_once: int = SAMPLES,
) -> Bounds:
    """L_1 and L_k of x [N, D] with k = `samples`; `needed` is how many normal and uniform draws one weight takes.

    The draws of an image and a sample come from (seed, Stream.BOUND, their numbers), so neither `rows`, the images of
    a call, nor `at_once`, the samples of a call, changes a number beyond rounding, and the first samples of a longer
    bound are those of a shorter one. Memory does not grow with N and k beyond the results. The caller freezes whatever
    statistics the model normalises with.
    """
    rows = rows or (40 if x.device.type == "cpu" else 1000)
    elbo = torch.zeros(len(x), dtype=torch.float64, device=x.device)
    weighted = torch.full_like(elbo, -math.inf)
    for block in range(0, len(x), BLOCK):
        for first in range(0, samples, at_once):
            numbers = range(first, min(first + at_once, samples))
            normals, uniforms = _draws(needed, seed, block // BLOCK, numbers, x.device)
            for start in range(block, min(block + BLOCK, len(x)), rows):
                part = slice(start, min(start + rows, block + BLOCK, len(x)))
                mine = slice(part.start - block, part.stop - block)
                drawn = SampleDraws(normals[mine], uniforms[mine])
                log_w = log_weights(x[part], len(numbers), drawn).double()
                elbo[part] += log_w.sum(1) / samples
                weighted[part] = torch.logaddexp(weighted[part], torch.logsumexp(log_w, 1) - math.log(samples))
    return Bounds(elbo, weighted)


class SampleDraws(Draws):
    """Draws that belong to an image and a sample, whatever else is drawn beside them."""

    def __init__(self, normals: Tensor, uniforms: Tensor) -> None:
        """`normals` and `uniforms` are [B, k, U] each."""
        super().__init__(normals, uniforms)

    def normal(self, *shape: int) -> Tensor:
        """The next standard normal draws, [B, k, units]."""
        start, self._at_normal = self._at_normal, self._at_normal + shape[-1]
        return self._normals[..., start : self._at_normal].reshape(shape)

    def uniform(self, *shape: int) -> Tensor:
        """The next draws uniform on [0, 1), [B, k, units]."""
        start, self._at_uniform = self._at_uniform, self._at_uniform + shape[-1]
        return self._uniforms[..., start : self._at_uniform].reshape(shape)


def _draws(
    needed: tuple[int, int], seed: int, block: int, numbers: range, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Normal and uniform draws [BLOCK, k, U] of a block of images and the samples with these numbers."""
    normal, uniform = needed
    drawn = [
        draws((BLOCK * normal, BLOCK * uniform), seed, Stream.BOUND, (block << 32) + number, device)
        for number in numbers
    ]
    return (
        torch.stack([d.normal(BLOCK, normal) for d in drawn], 1),
        torch.stack([d.uniform(BLOCK, uniform) for d in drawn], 1),
    )
