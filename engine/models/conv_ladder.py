"""Convolutional ladder networks (Rasmus et al. 2015, arXiv:1507.02672v2, sections 4.1.3 and 4.2; the authors' code).

Conv-FC and the Γ-models Conv-Small and Conv-Large are this model with other layers. A step is that of the fully
connected ladder network. What is particular: statistics, β and the denoising functions g are per channel; pooling
layers are normalised and noised, too, without β and activation; the last layer is the softmax, whatever its kind.
"""

from __future__ import annotations

import torch

from laddertop.engine.data import Inputs
from laddertop.engine.ladder.classifier import LadderClassifier
from laddertop.engine.ladder.layers import Conv, Dense, GlobalMeanPool, Layer, MaxPool, Shape
from laddertop.journal.maps import shape_above
from laddertop.journal.models import ConvLadderSpec
from laddertop.journal.spec import Spec


class ConvLadder(LadderClassifier):
    """A ladder network of convolutions, poolings and fully connected layers."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        """Raises ValueError where the layers of the spec don't fit together, or not the data."""
        assert isinstance(spec.model, ConvLadderSpec)
        layers: list[Layer] = []
        for words in spec.model.architecture:
            below = layers[-1].shape if layers else inputs.image
            shape_above(words, below)
            layers.append(_layer(words, below))
        super().__init__(spec, layers, inputs.classes, precision, spec.model.top_scale)


def _layer(words: str, below: Shape) -> Layer:
    """One layer from its name and sizes, such as convv:96:3, above maps or units shaped `below`."""
    kind, *sizes = words.split(":")
    numbers = [int(size) for size in sizes]
    if kind == "fc":
        return Dense(below, *numbers)
    if kind == "maxpool":
        return MaxPool(below, *numbers)
    if kind == "globalmeanpool":
        return GlobalMeanPool(below)
    channels, kernel = numbers
    return Conv(below, channels, kernel, full=kind == "convf")
