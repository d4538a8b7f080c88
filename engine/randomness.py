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
    BOUND = 8
    """Draws of an importance-weighted bound: one counter per block of images and sample."""
    BINARISE = 10
    """The fixed binarisation of a data set, with seed 0: counter 0 for training images, 1 for test images."""
    EXPLORE = 9
    """Draws for an answer to somebody who explores, by the seed of the question."""


class Draws:
    """The random numbers of one step, handed out in the order they are asked for.

    Drawn in bulk and sliced here, so that the step itself is a pure function of a key and can be compiled.
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


class RowDraws(Draws):
    """Draws outside of training, made as they are asked for: a row has the same numbers beside however many others.

    The same, too, for a prefix of a chain, however long it gets.
    """

    def __init__(self, seed: int, stream: Stream, device: torch.device) -> None:
        """Those of a seed and a stream; each call has a counter of its own."""
        self._key, self._counter, self._device = (seed, stream), 0, device

    def normal(self, *shape: int) -> Tensor:
        """The next standard normal draws, rows first."""
        # One half of a pair of Box & Muller: which numbers make a pair would depend on how many there are.
        radius = torch.sqrt(-2.0 * torch.log(self.uniform(*shape) + 0.5 * 2.0**-24))
        return radius * torch.cos(2.0 * math.pi * self.uniform(*shape))

    def uniform(self, *shape: int) -> Tensor:
        """The next draws uniform on [0, 1), rows first."""
        words = counter_words(*self._key, self._counter)
        self._counter += 1
        return uniforms(math.prod(shape), torch.tensor(words, dtype=torch.int32, device=self._device)).view(shape)


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


def counter_words(seed: int, stream: Stream, counter: int) -> list[int]:
    """The key of `normals` and `uniforms` for (seed, stream, counter): two signed 32-bit words."""
    key = counter_key(seed, stream, counter)
    return [_signed(key), _signed(key >> 32)]


def normals(count: int, key: Tensor) -> Tensor:
    """`count` standard normal draws, float32: Box & Muller 1958 on hashed indices. key int32 [2].

    The same numbers, up to the rounding of a logarithm and a cosine, whether compiled or not and on any device.
    """
    half = (count + 1) // 2
    words = _hash(2 * half, key)
    # 24 bits and a half, so that the logarithm never meets 0.
    radius = torch.sqrt(-2.0 * torch.log((_shifted(words[:half], 8).float() + 0.5) * 2.0**-24))
    angle = (2.0 * math.pi * 2.0**-24) * _shifted(words[half:], 8).float()
    return torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)])[:count]


def uniforms(count: int, key: Tensor) -> Tensor:
    """`count` draws uniform on [0, 1), float32, multiples of 2⁻²⁴. key int32 [2]."""
    return _shifted(_hash(count, key), 8).float() * 2.0**-24


def draws(counts: tuple[int, int], seed: int, stream: Stream, counter: int, device: torch.device) -> Draws:
    """Normal and uniform draws, `counts` of each, for one use outside of training."""
    keys = [
        torch.tensor(counter_words(seed, stream, 2 * counter + i), dtype=torch.int32, device=device) for i in (0, 1)
    ]
    return Draws(normals(counts[0], keys[0]), uniforms(counts[1], keys[1]))


def _hash(count: int, key: Tensor) -> Tensor:
    # Two rounds of lowbias32 (C. Wellons, "Prospecting for hash functions", 2018) with a key word before each.
    words = torch.arange(count, dtype=torch.int32, device=key.device)
    words ^= key[0]
    words = _lowbias32(words)
    words += key[1]
    return _lowbias32(words)


def _lowbias32(x: Tensor) -> Tensor:
    """In place: new memory for every operation would take longer than the operation."""
    for bits, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= _shifted(x, bits)
        x *= _signed(factor)
    x ^= _shifted(x, 16)
    return x


def _shifted(x: Tensor, bits: int) -> Tensor:
    """x >> bits as if int32 had no sign."""
    return (x >> bits).bitwise_and_((1 << (32 - bits)) - 1)


def _signed(word: int) -> int:
    word &= 0xFFFFFFFF
    return word - (1 << 32) if word >> 31 else word
