"""Counter-based randomness: every draw is a function of (seed, stream, counter).

Nothing is consumed from a shared generator, so a run resumed, replayed or forked at step t sees exactly the noise of
step t without any saved generator state, and an evaluation never disturbs the training.
"""

from __future__ import annotations

import math
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor

_MASK = (1 << 64) - 1


class Stream(IntEnum):
    """What a draw is for; draws of different streams are independent."""

    NORMALS = 1
    """Gaussian noise of a training step."""
    UNIFORMS = 2
    """Uniform draws of a training step: corruption of pixels and binarisation."""
    SHUFFLE = 3
    """Order of the training images in an epoch."""
    SHUFFLE_LABELLED = 4
    """Order of the labelled images in an epoch."""
    WEIGHTS = 5
    """Initial weights."""
    EVALUATE = 6
    """Draws of an evaluation."""
    SAMPLE = 7
    """Draws for the sample panel, the same at every sampling."""


class Draws:
    """The random numbers of one step, handed out in the order they are asked for.

    Drawn in bulk beforehand and sliced here, so that the step itself is a pure function that can be compiled.
    """

    def __init__(self, normals: Tensor, uniforms: Tensor) -> None:
        """`normals` and `uniforms` are flat float32 tensors, standard normal and uniform on [0, 1)."""
        self._normals, self._uniforms = normals, uniforms
        self._at_normal = self._at_uniform = 0

    def normal(self, *shape: int) -> Tensor:
        """The next standard normal draws."""
        start, self._at_normal = self._at_normal, self._at_normal + math.prod(shape)
        return self._normals[start : self._at_normal].view(shape)

    def uniform(self, *shape: int) -> Tensor:
        """The next draws uniform on [0, 1)."""
        start, self._at_uniform = self._at_uniform, self._at_uniform + math.prod(shape)
        return self._uniforms[start : self._at_uniform].view(shape)


def counter_key(seed: int, stream: Stream, counter: int) -> int:
    """A 63-bit key that is different for every (seed, stream, counter): two rounds of splitmix64."""
    key = (seed * 0x9E3779B97F4A7C15 + stream * 0xBF58476D1CE4E5B9 + counter) & _MASK
    for _ in range(2):
        key = (key + 0x9E3779B97F4A7C15) & _MASK
        key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & _MASK
        key ^= key >> 31
    return key >> 1


def permutation(seed: int, stream: Stream, counter: int, length: int) -> Tensor:
    """A random order of range(length), int64 [length] on the CPU."""
    return torch.from_numpy(
        np.random.Generator(np.random.PCG64(counter_key(seed, stream, counter))).permutation(length)
    )


def fill_normal(out: Tensor, seed: int, stream: Stream, counter: int) -> Tensor:
    """Fills `out` with standard normal draws and returns it."""
    generator = torch.Generator(out.device).manual_seed(counter_key(seed, stream, counter))
    return out.normal_(generator=generator)


def fill_uniform(out: Tensor, seed: int, stream: Stream, counter: int) -> Tensor:
    """Fills `out` with draws uniform on [0, 1) and returns it."""
    generator = torch.Generator(out.device).manual_seed(counter_key(seed, stream, counter))
    return out.uniform_(generator=generator)
