"""Denoising autoencoder (Vincent et al. 2010, JMLR 11); with its noise switched off the plain autoencoder.

Initial values as in the tutorial code of the authors' laboratory: uniform on ±4·√(6 / (inputs + outputs)), biases 0.

Shape letters: B rows, D pixels.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from engine.corruption import corrupt, draws_needed, level_knob
from engine.data import Batches, Images
from engine.distributions import bernoulli_cross_entropy
from engine.layers import glorot_uniform, product, zeros
from engine.randomness import Draws, Stream
from engine.randomness import draws as evaluation_draws
from journal.events import Term, Value
from journal.models import DaeSpec
from journal.spec import Spec


class Dae(nn.Module):
    """y = s(x~ W + b), x̂ = s(y W' + b'), tied W' = Wᵀ or untied; the target is the clean x."""

    def __init__(self, spec: Spec, pixels: int, precision: torch.dtype) -> None:
        super().__init__()
        assert isinstance(spec.model, DaeSpec)
        self.corruption = spec.noise.kind
        self.binarise = spec.data.binarise == "dynamic"
        self.activation = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[spec.model.activation]
        self.cross_entropy = spec.model.loss == "cross_entropy"
        self.pixels = pixels
        random = np.random.RandomState(spec.seed)
        gain = 4.0 if spec.model.activation == "sigmoid" else 1.0
        up = [pixels, *spec.model.hidden]
        pairs = list(itertools.pairwise(up))
        self.encoder = nn.ParameterList([glorot_uniform(*pair, random, precision, gain) for pair in pairs])
        self.encoder_bias = nn.ParameterList([zeros(width) for width in up[1:]])
        self.decoder = nn.ParameterList(
            [] if spec.model.tied else [glorot_uniform(b, a, random, precision, gain) for a, b in reversed(pairs)]
        )
        self.decoder_bias = nn.ParameterList([zeros(width) for width in reversed(up[:-1])])

        unit = ("nats" if self.cross_entropy else "squared error") + " per image, mean over the batch"
        self.terms = [Term(name="reconstruction", label="reconstruction", unit=unit, weight=None)]
        self.knobs = [level_knob(spec.noise)]
        self.level = self.knobs[0].name

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        normals, uniforms = draws_needed(self.corruption, rows * self.pixels)
        return normals, uniforms + rows * self.pixels * self.binarise

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The reconstruction cost [1] of x [B, D]; the labelled rows are not used."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).float()
        return self._cost(x, self.output(corrupt(x, self.corruption, knobs[self.level], draws))).view(1)

    def output(self, x: Tensor) -> Tensor:
        """What the decoder puts out for x [B, D]: logits for cross-entropy, pixels for squared error, [B, D]."""
        for weight, bias in zip(self.encoder, self.encoder_bias, strict=True):
            x = self.activation(product(x, weight) + bias)
        decoder = list(self.decoder) or [weight.t() for weight in reversed(list(self.encoder))]
        for layer, (weight, bias) in enumerate(zip(decoder, self.decoder_bias, strict=True), 1):
            x = product(x, weight) + bias
            if layer < len(decoder):
                x = self.activation(x)
        return x

    def _cost(self, x: Tensor, output: Tensor) -> Tensor:
        per_image = bernoulli_cross_entropy(x, output) if self.cross_entropy else (x - output).square().sum(1)
        return per_image.mean()

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The reconstruction cost of uncorrupted test images."""
        x = test.rows(slice(None))
        if self.binarise:
            draws = evaluation_draws((0, x.numel()), seed, Stream.EVALUATE, 0, x.device)
            x = (draws.uniform(*x.shape) < x).float()
        unit = self.terms[0].unit.replace("the batch", "the test images")
        return {"reconstruction": Value(value=self._cost(x, self.output(x)).item(), unit=unit)}

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`corrupted` and `reconstruction`, pixels [B, D] each."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).float()
        corrupted = corrupt(x, self.corruption, knobs[self.level], draws)
        output = self.output(corrupted)
        return {
            "input": x,
            "corrupted": corrupted,
            "reconstruction": torch.sigmoid(output) if self.cross_entropy else output,
        }
