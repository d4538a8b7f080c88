"""Ladder network, semi-supervised (Rasmus et al. 2015, arXiv:1507.02672v2; the authors' code of December 2015).

Full, bottom-only, Γ-model and the supervised baseline are this model with other weights λ of the denoising costs; the
variants of Pezeshki et al. 2016 (arXiv:1511.06430) are other denoising functions, initial values, λ and noise. A step
(section 3 and algorithm 1; `laddertop.engine.ladder.network` computes it):

    encoder     z(l) = N(h(l-1) W(l)),  h(l) = relu(z(l) + β(l)),  h(L) = softmax(γ (z(L) + β(L)))
    corrupted   z~(l) = N(h~(l-1) W(l)) + σ_l n,  z~(0) = x + σ_0 n,  with n ~ N(0, I)
    decoder     u(L) = N(h~(L)),  u(l) = N(ẑ(l+1) V(l)),  ẑ(l) = g(z~(l), u(l))
    cost        -log h~(L)_y of labelled rows + Σ λ_l ‖z(l) - (ẑ(l) - m(l)) / s(l)‖² / D_l of unlabelled rows

N is batch normalisation, over labelled and unlabelled rows separately; m and s are mean and deviation of the clean
pre-activation before it, and 0 and 1 for the input.
"""

from __future__ import annotations

import torch

from laddertop.engine.data import Inputs
from laddertop.engine.ladder.classifier import LadderClassifier
from laddertop.engine.ladder.layers import Dense, Layer
from laddertop.journal.models import LadderSpec
from laddertop.journal.spec import Spec


class Ladder(LadderClassifier):
    """A ladder network of fully connected layers."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        """From the pixels through the hidden widths of the spec to the classes."""
        assert isinstance(spec.model, LadderSpec)
        layers: list[Layer] = []
        for units in [*spec.model.widths, inputs.classes]:
            layers.append(Dense(layers[-1].shape if layers else (inputs.pixels,), units))
        super().__init__(spec, layers, inputs.classes, precision)
