"""Corruption of the input of an autoencoder (Vincent et al. 2010, section 3.3).

Shape letters: B rows, D pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine.randomness import Draws


def corrupt(x: Tensor, kind: str, level: Tensor, draws: Draws, salt: str = "half") -> Tensor:
    """The corrupted x [B, D].

    `level` is a scalar tensor: σ for gaussian, the probability that a pixel is hit for masking (it becomes 0) and for
    salt_and_pepper (it becomes 1 with the probability that `salt` names, else 0). Level 0 leaves x as it is.
    """
    return corrupt_and_tell(x, kind, level, draws, salt)[0]


def corrupt_and_tell(
    x: Tensor, kind: str, level: Tensor, draws: Draws, salt: str = "half"
) -> tuple[Tensor, Tensor | None]:
    """`corrupt`, and which pixels were hit, bool [B, D]; None for gaussian, which spares none.

    Every pixel is hit independently, so the share of an image that is hit varies around the level; Vincent et al. hit
    an exact share of the pixels of each image. A hit pixel is white with probability 1/2 where `salt` is half (Vincent
    et al. 2010), and with probability `level` where it is level (the code of Im et al. 2017).
    """
    if kind == "gaussian":
        return x + level * draws.normal(*x.shape), None
    hit = draws.uniform(*x.shape) < level
    if kind == "masking":
        return torch.where(hit, torch.zeros((), device=x.device), x), hit
    assert kind == "salt_and_pepper"
    return torch.where(hit, (draws.uniform(*x.shape) < (0.5 if salt == "half" else level)).to(x.dtype), x), hit


def emphasised(per_pixel: Tensor, hit: Tensor | None, on_corrupted: float, on_kept: float) -> Tensor:
    """Costs [B, D] times α where a pixel was hit and β where it was kept (Vincent et al. 2010, section 4.3).

    Without a mask, which is to say with Gaussian noise, every pixel counts as corrupted.
    """
    if on_corrupted == on_kept == 1:
        return per_pixel
    if hit is None:
        return on_corrupted * per_pixel
    return torch.where(hit, on_corrupted, on_kept) * per_pixel


def draws_needed(kind: str, pixels: int) -> tuple[int, int]:
    """Normal and uniform draws that `corrupt` takes for this many pixels."""
    return {"gaussian": (pixels, 0), "masking": (0, pixels), "salt_and_pepper": (0, 2 * pixels)}[kind]
