"""Ladder network without labels (Valpola 2015, arXiv:1411.7783; Rasmus, Raiko & Valpola 2014, arXiv:1412.7210).

An autoencoder whose decoder sees every layer of its encoder through a lateral connection, trained by a denoising cost
at every layer. Computed as the semi-supervised ladder network of Rasmus et al. 2015 without its class term and softmax:
the top layer is a hidden one and u(L) = N(h~(L)). Batch normalisation keeps the representations from collapsing, where
Valpola used a cost on their covariance. The three kinds of lateral connection of arXiv:1412.7210 are the denoising
functions modulated, linear (additive) and no_lateral.

Shape letters: N images, B rows, D pixels, S shifts.
"""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.ladder.layers import Dense, Layer
from laddertop.engine.ladder.network import LadderNetwork
from laddertop.journal.models import UnsupervisedLadderSpec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

SHIFTS = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
"""Pixels by which images are moved for the measure of invariance; what moves out on one side is lost, 0 moves in."""

IMAGES = 1000
"""Test images that the measure of invariance takes."""


class UnsupervisedLadder(LadderNetwork):
    """A ladder network of fully connected layers whose cost is the denoising alone."""

    settled_by_evaluation = False

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        """From the pixels through the widths of the spec."""
        assert isinstance(spec.model, UnsupervisedLadderSpec)
        self._image = inputs.image
        layers: list[Layer] = []
        for units in spec.model.widths:
            layers.append(Dense(layers[-1].shape if layers else (inputs.pixels,), units))
        super().__init__(spec, layers, None, precision)

    def settle(self, batches: Batches) -> None:
        """Fixes the statistics: those of the training images."""
        self.gather(batches.at(step)[2] for step in range(batches.epoch_steps))
        self.gather_corrupted(batches)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The denoising costs of test images, and the one that training minimises: their sum times λ as in the spec."""
        costs = self.denoising_costs(test, seed)
        total = sum(self.weights[layer] * cost.value for layer, cost in zip(self.weighted, costs.values(), strict=True))
        unit = f"Σ λ × squared error per unit, mean over the {test.split} images"
        return {"denoising": Value(value=total, unit=unit, headline=True), **costs}

    @torch.no_grad()
    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The denoising costs, and how invariant the units of every layer are to shifts of the image."""
        self.settle(batches)
        values = self.evaluate(test, batches, seed)
        shifted = [self._shifted(test.rows(slice(IMAGES)), *shift) for shift in SHIFTS]
        images = f"{len(shifted[0])} {test.split} images"
        unit = f"share of the variance that shifts by a pixel leave, mean over units, {images}"
        for layer, name in enumerate(["input", *self.codes(shifted[0])]):
            h = torch.stack([x if name == "input" else self.codes(x)[name] for x in shifted])
            values[f"invariance.{layer}"] = Value(value=invariance(h).item(), unit=unit, better="none")
        return values

    def _shifted(self, x: Tensor, down: int, right: int) -> Tensor:
        images = x.view(-1, *self._image).roll((down, right), (2, 3))
        if down:
            images[:, :, 0 if down > 0 else -1] = 0
        if right:
            images[:, :, :, 0 if right > 0 else -1] = 0
        return images.flatten(1)


def invariance(h: Tensor) -> Tensor:
    """Mean over units of Var_n(mean_s h) / Var_{n,s}(h), for activations h [S, N, units] of images n under shifts s.

    1: shifts change no unit; 1/S: they change a unit as much as another image does. Units that never vary are left out.
    """
    whole = h.flatten(0, 1).var(0, correction=0)
    between = h.mean(0).var(0, correction=0)
    alive = whole > 0
    return (between[alive] / whole[alive]).mean()
