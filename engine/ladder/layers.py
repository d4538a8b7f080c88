"""The kinds of layers a ladder network is built from, each with its way up and its way down.

(Rasmus et al. 2015, section 4.1.3 and 4.2, and the code of the authors.) No layer has a bias: it comes after the batch
normalisation. A layer owns no parameters; the network hands it its weight.

Shape letters: B rows, D units, C channels, H height, W width. A shape is (D,) or (C, H, W).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from laddertop.engine.parts.layers import product, weight

Shape = tuple[int, ...]


class Layer(Protocol):
    """From the activation below, shaped `below`, to a pre-activation shaped `shape`, and back."""

    @property
    def below(self) -> Shape:
        """Shape of a row of the activation below."""

    @property
    def activated(self) -> bool:
        """Whether a bias and an activation follow the normalisation."""

    @property
    def shape(self) -> Shape:
        """Shape of a row of the result."""

    def weight_up(self, random: np.random.RandomState, precision: torch.dtype) -> nn.Parameter | None:
        """The initial weight of the way up; none: it needs none."""

    def weight_down(self, random: np.random.RandomState, precision: torch.dtype) -> nn.Parameter | None:
        """The initial weight of the way down; none: it needs none."""

    def up(self, h: Tensor, weight: Tensor | None) -> Tensor:
        """The pre-activation [B, *shape] of h [B, *below]."""

    def down(self, z: Tensor, weight: Tensor | None) -> Tensor:
        """The vertical signal [B, D] or [B, C, H, W], of as many numbers as `below`, from an estimate z [B, *shape]."""


@dataclass(frozen=True)
class Dense:
    """Every unit sees every unit: weights ~ N(0, 1/inputs) both ways."""

    below: Shape
    units: int
    activated = True

    @property
    def shape(self) -> Shape:
        """(D,)."""
        return (self.units,)

    def weight_up(self, random: np.random.RandomState, precision: torch.dtype) -> nn.Parameter:
        """[D below, D]."""
        return _normal(random, math.prod(self.below), self.units, precision)

    def weight_down(self, random: np.random.RandomState, precision: torch.dtype) -> nn.Parameter:
        """[D, D below]."""
        return _normal(random, self.units, math.prod(self.below), precision)

    def up(self, h: Tensor, weight: Tensor | None) -> Tensor:
        """[B, D]; maps are flattened."""
        assert weight is not None
        return product(h if h.dim() == 2 else h.flatten(1), weight)

    def down(self, z: Tensor, weight: Tensor | None) -> Tensor:
        """[B, D below]."""
        assert weight is not None
        return product(z, weight)


@dataclass(frozen=True)
class Conv:
    """A convolution, 'valid' (smaller maps) or 'full' (larger ones); the way down is one of the other kind.

    Weights are uniform on ±√(3 / fan in), so that their variance is 1 / fan in.
    """

    below: Shape
    channels: int
    kernel: int
    full: bool
    activated = True

    @property
    def shape(self) -> Shape:
        """(C, H, W)."""
        grown = self.kernel - 1 if self.full else 1 - self.kernel
        return (self.channels, self.below[1] + grown, self.below[2] + grown)

    def weight_up(self, random: np.random.RandomState, precision: torch.dtype) -> nn.Parameter:
        """[C, C below, kernel, kernel]."""
        return _uniform(random, self.channels, self.below[0], self.kernel, precision)

    def weight_down(self, random: np.random.RandomState, precision: torch.dtype) -> nn.Parameter:
        """[C below, C, kernel, kernel]."""
        return _uniform(random, self.below[0], self.channels, self.kernel, precision)

    def up(self, h: Tensor, weight: Tensor | None) -> Tensor:
        """[B, C, H, W]."""
        return _convolution(h, weight, self.full)

    def down(self, z: Tensor, weight: Tensor | None) -> Tensor:
        """[B, C below, H below, W below]."""
        return _convolution(z, weight, not self.full)


@dataclass(frozen=True)
class MaxPool:
    """The largest of every window of size × size, windows side by side; sizes round up. Down: a copy to the window."""

    below: Shape
    size: int
    activated = False

    @property
    def shape(self) -> Shape:
        """(C, H, W)."""
        channels, height, width = self.below
        return (channels, -(-height // self.size), -(-width // self.size))

    def weight_up(self, random: np.random.RandomState, precision: torch.dtype) -> None:
        """None."""

    def weight_down(self, random: np.random.RandomState, precision: torch.dtype) -> None:
        """None."""

    def up(self, h: Tensor, weight: Tensor | None) -> Tensor:
        """[B, C, H, W]."""
        return functional.max_pool2d(h, self.size, ceil_mode=True)

    def down(self, z: Tensor, weight: Tensor | None) -> Tensor:
        """[B, C, H below, W below]."""
        copies = z[:, :, :, None, :, None].expand(-1, -1, -1, self.size, -1, self.size)
        large = copies.reshape(*z.shape[:2], z.shape[2] * self.size, z.shape[3] * self.size)
        return large[:, :, : self.below[1], : self.below[2]]


@dataclass(frozen=True)
class GlobalMeanPool:
    """The mean of every channel, times W·√3 as in the authors' code. Down: a copy to every place."""

    below: Shape
    activated = False

    @property
    def shape(self) -> Shape:
        """(C, 1, 1)."""
        return (self.below[0], 1, 1)

    def weight_up(self, random: np.random.RandomState, precision: torch.dtype) -> None:
        """None."""

    def weight_down(self, random: np.random.RandomState, precision: torch.dtype) -> None:
        """None."""

    def up(self, h: Tensor, weight: Tensor | None) -> Tensor:
        """[B, C, 1, 1]."""
        return h.mean((2, 3), keepdim=True) * (self.below[2] * math.sqrt(3.0))

    def down(self, z: Tensor, weight: Tensor | None) -> Tensor:
        """[B, C, H below, W below]."""
        return z.expand(-1, -1, *self.below[1:])


def _convolution(rows: Tensor, weight: Tensor | None, full: bool) -> Tensor:
    assert weight is not None
    kernel = weight.shape[-1]
    if full and kernel > max(rows.shape[2:]):
        # Where the kernel is larger than the maps most of a full convolution meets zeros alone, which a CPU multiplies
        # one by one. The same sums scattered from the maps' side, in float32: scattered in bfloat16 they are slower.
        turned = weight.flip(2, 3).transpose(0, 1).to(rows.dtype)
        return functional.conv_transpose2d(rows, turned)
    padding = kernel - 1 if full else 0
    if weight.dtype is torch.bfloat16:
        return functional.conv2d(rows.to(weight.dtype), weight, padding=padding).float()
    return functional.conv2d(rows, weight, padding=padding)


def _normal(random: np.random.RandomState, inputs: int, outputs: int, precision: torch.dtype) -> nn.Parameter:
    return weight((inputs, outputs), precision, lambda shape: random.randn(*shape) / np.sqrt(inputs))


def _uniform(
    random: np.random.RandomState, outputs: int, inputs: int, kernel: int, precision: torch.dtype
) -> nn.Parameter:
    bound = math.sqrt(3.0 / (inputs * kernel * kernel))
    shape = (outputs, inputs, kernel, kernel)
    return weight(shape, precision, lambda shape: random.uniform(-bound, bound, shape))
