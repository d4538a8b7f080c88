"""Images on a device or on the host, or points of the plane; and a data set as a run sees it.

Shape letters: N items, C channels, H height, W width, D = C·H·W pixels (2 for points), B rows of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_BLOCK = 1 << 26
"""Numbers that are looked at at once."""


@dataclass(frozen=True)
class Images:
    """Labelled images, or other rows of numbers: on a device, or on the host, from where rows are moved there."""

    pixels: Tensor
    """[N, D]: uint8 for images, float32 for real-valued rows."""
    labels: Tensor
    """int64 [N], on the device."""
    white: int
    """The byte that stands for 1.0; 1 for real-valued rows, which stand for themselves."""
    split: str = "test"
    """Which part of the data set they are, as the unit of what is measured on them says it: test, held-back or
    training."""
    on_host: bool = False
    """Whether the pixels lie on the host because the device has no room for them."""

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, index: Tensor | slice) -> Tensor:
        """The items at `index` as float32 [B, D], on the device: images in [0, 1], real-valued rows as they are."""
        if isinstance(index, slice):
            chosen = self.pixels[index]
        elif self.on_host:
            chosen = self._gathered(index.cpu())
        else:
            # For rows index_select takes a fifth of the time of indexing.
            chosen = self.pixels.index_select(0, index)
        return chosen.to(self.device, non_blocking=True).to(torch.float32, copy=True).div_(self.white)

    def classes(self, index: Tensor) -> Tensor:
        """The labels at `index`, int64 [B], on the device."""
        return self.labels[index.to(self.device, non_blocking=True)]

    @property
    def device(self) -> torch.device:
        """Where rows are."""
        return self.labels.device

    def _gathered(self, index: Tensor) -> Tensor:
        # From pinned memory they go to a GPU while the host goes on; torch keeps it until they are there.
        shape = (len(index), self.pixels.shape[1])
        into = torch.empty(shape, dtype=self.pixels.dtype, pin_memory=self.device.type == "cuda")
        return torch.index_select(self.pixels, 0, index, out=into)

    def mean(self) -> Tensor:
        """The mean item, float32 [D]."""
        # Means of blocks, weighted, so that the numbers of large data never lie in memory as floats all at once.
        blocks = torch.split(self.pixels, max(_BLOCK // self.pixels.shape[1], 1))
        means = torch.stack([block.float().mean(0) * (len(block) / len(self)) for block in blocks])
        return means.sum(0) / self.white


@dataclass(frozen=True)
class Inputs:
    """What a model has to know of the data it is made for."""

    image: tuple[int, int, int]
    """Shape of an item, (C, H, W); of a point (1, 1, 2)."""
    classes: int
    """Number of classes; 1 where there are none."""
    mean: Callable[[], Tensor]
    """Gives the mean training item, float32 [D]."""

    @property
    def pixels(self) -> int:
        """D."""
        return math.prod(self.image)


@dataclass(frozen=True)
class Data:
    """A data set as a run sees it."""

    training: Images
    """What the training sees."""
    held_back: Images
    """What evaluations during training see: images held back from training if the spec says so, else the test set."""
    test: Images
    """The test set."""
    height: int
    """Rows of an image; 1 for points."""
    width: int
    """Columns of an image; 2 for points."""
    classes: int
    """Number of classes; 1 where there are none."""
    channels: int = 1
    """1 for grey images and points, 3 for colour; channels are the slowest index of a row of pixels."""
    points: bool = False
    """Whether the items are points of the plane, (x, y), and no images."""
    light: Callable[[Tensor], Tensor] | None = None
    """How rows of real numbers [B, D] are shown as pixels in [0, 1]; none: they are pixels."""
    prepare: Callable[[Tensor], Tensor] | None = None
    """How items [B, D] become what the model sees; none: it sees them as they are."""
    restore: Callable[[Tensor], Tensor] | None = None
    """The way back from there, as far as there is one."""

    @property
    def inputs(self) -> Inputs:
        """What a model has to know of it."""
        return Inputs((self.channels, self.height, self.width), self.classes, lambda: self.training.mean().cpu())

    def pictures(self, x: Tensor) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
        """Rows [B, D] as they are shown: bytes [B, H, W], of colour images [B, H, W, 3]; points float32 [B, 2]."""
        if self.points:
            return x.float().cpu().numpy()
        if self.light:
            x = self.light(x)
        light = (x.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
        images = light.reshape(len(x), self.channels, self.height, self.width)
        return images[:, 0] if self.channels == 1 else images.transpose(0, 2, 3, 1)
