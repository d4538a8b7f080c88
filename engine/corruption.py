"""Corruption of the input of an autoencoder (Vincent et al. 2010, section 3.3).

Shape letters: B rows, D pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.knobs import number
from engine.randomness import Draws
from journal.events import Knob
from journal.sections import NoiseSpec


def corrupt(x: Tensor, kind: str, level: Tensor, draws: Draws) -> Tensor:
    """The corrupted x [B, D].

    `level` is a scalar tensor: σ for gaussian, the probability that a pixel is hit for masking (it becomes 0) and for
    salt_and_pepper (it becomes 0 or 1 with probability 1/2 each). Level 0 leaves x as it is.
    """
    if kind == "gaussian":
        return x + level * draws.normal(*x.shape)
    hit = draws.uniform(*x.shape) < level
    if kind == "masking":
        return torch.where(hit, torch.zeros((), device=x.device), x)
    assert kind == "salt_and_pepper"
    return torch.where(hit, (draws.uniform(*x.shape) < 0.5).float(), x)


def draws_needed(kind: str, pixels: int) -> tuple[int, int]:
    """Normal and uniform draws that `corrupt` takes for this many pixels."""
    return {"gaussian": (pixels, 0), "masking": (0, pixels), "salt_and_pepper": (0, 2 * pixels)}[kind]


def level_knob(noise: NoiseSpec) -> Knob:
    """The knob that sets the level of the corruption: noise.std for gaussian, noise.level for the others."""
    if noise.kind == "gaussian":
        std = noise.std[0] if isinstance(noise.std, list) else noise.std
        help = "Standard deviation of the Gaussian noise on every pixel."
        return number("noise.std", "σ of the corruption", "standard deviation", 0, 10, std, 1.25, help)
    kind = noise.kind.replace("_", "-")
    help = f"Probability that {kind} corruption hits a pixel."
    return number("noise.level", f"{kind} ν", "probability per pixel", 0, 1, noise.level, 1.25, help)
