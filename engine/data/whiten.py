"""Contrast normalisation and ZCA whitening, as the ladder network's authors prepare CIFAR-10 (Rasmus et al. 2015).

Shape letters: N images, D pixels.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from laddertop.journal.files import keep_for_user, user_cache

SCALE = 55.0
"""Norm of an image after its contrast is normalised."""

BIAS = 0.1
"""Added to the variances before their roots are divided by."""

_BLOCK = 5000


class Whitening(NamedTuple):
    """A symmetric linear map that makes the training images white, and its inverse; float32."""

    mean: Tensor
    """[D], of the contrast-normalised training images."""
    forward: Tensor
    """(covariance + BIAS)^-1/2 [D, D]."""
    back: Tensor
    """(covariance + BIAS)^1/2 [D, D]."""

    def whiten(self, x: Tensor) -> Tensor:
        """Images [N, D] on any scale as float32 white rows [N, D]."""
        blocks = torch.split(x, _BLOCK)
        return torch.cat([(normalise_contrast(block.float()) - self.mean) @ self.forward for block in blocks])

    def light(self, x: Tensor) -> Tensor:
        """White rows [N, D] as pixels to look at, in [0, 1]: contrast-normalised, ±2.5 standard deviations."""
        normalised: Tensor = x.float() @ self.back.to(x.device) + self.mean.to(x.device)
        deviation = SCALE / len(self.mean) ** 0.5
        light: Tensor = 0.5 + normalised / (5 * deviation)
        return light.clamp(0, 1)


def normalise_contrast(x: Tensor) -> Tensor:
    """Every image of x [N, D] less its mean, over its norm / SCALE; an image without contrast becomes 0."""
    x = x - x.mean(1, keepdim=True)
    norm = x.norm(dim=1, keepdim=True) / SCALE
    return x / torch.where(norm < 1e-8, 1.0, norm)


def fit_whitening(pixels: npt.NDArray[Any]) -> Whitening:
    """ZCA fitted to images [N, …]; what was computed once is kept in the user's cache."""
    flat = torch.from_numpy(np.ascontiguousarray(pixels)).flatten(1)
    digest = hashlib.sha256(flat.numpy().tobytes()).hexdigest()[:24]
    path = user_cache() / f"whitening-{digest}.npz"
    with contextlib.suppress(Exception), np.load(path, allow_pickle=False) as file:  # damaged: computed again
        return Whitening(*(torch.from_numpy(file[name]) for name in Whitening._fields))
    width = flat.shape[1]
    mean, products = torch.zeros(width, dtype=torch.float64), torch.zeros(width, width, dtype=torch.float64)
    for block in torch.split(flat, _BLOCK):
        x = normalise_contrast(block.float())
        mean += x.sum(0, dtype=torch.float64)
        products += (x.t() @ x).double()
    mean /= len(flat)
    covariance = products / len(flat) - torch.outer(mean, mean)
    variances, axes = torch.linalg.eigh(covariance)
    roots = (variances.clamp(min=0) + BIAS).sqrt()
    found = Whitening(mean.float(), ((axes / roots) @ axes.t()).float(), ((axes * roots) @ axes.t()).float())
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{name: part.numpy() for name, part in found._asdict().items()})
    with contextlib.suppress(OSError):  # a cache that can't be written costs time and nothing else
        keep_for_user(path, buffer.getvalue())
    return found
