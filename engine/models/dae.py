"""Denoising autoencoder (Vincent et al. 2010, JMLR 11); with its noise switched off the plain autoencoder.

Initial values as in the tutorial code of the authors' laboratory: uniform on ±4·√(6 / (inputs + outputs)) for sigmoid
units and a quarter of that for others, biases 0. With Gaussian noise and squared error it estimates the score of the
smoothed density (Vincent 2011; Alain & Bengio 2014, arXiv:1211.4246); see engine/parts/score.py.

Shape letters: B rows, D pixels, H units of the top hidden layer.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.data.points import MIXTURE
from laddertop.engine.parts.corruption import corrupt_and_tell, draws_needed, emphasised
from laddertop.engine.parts.distributions import bernoulli_cross_entropy
from laddertop.engine.parts.layers import glorot_uniform, product, zeros
from laddertop.engine.parts.score import score_agreement
from laddertop.engine.randomness import Draws, Stream
from laddertop.engine.randomness import draws as evaluation_draws
from laddertop.journal.declared import level_of, model_knobs
from laddertop.journal.events import Term
from laddertop.journal.models import DaeSpec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value


class Dae(nn.Module):
    """y = s(x~ W + b), x̂ = s(y W' + b'), tied W' = Wᵀ or untied; the target is the clean x."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        super().__init__()
        assert isinstance(spec.model, DaeSpec)
        self.noise = spec.noise
        self.binarise = spec.data.binarise == "dynamic"
        self.activation = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[spec.model.activation]
        self.cross_entropy = spec.model.loss == "cross_entropy"
        self.emphasis = spec.model.on_corrupted, spec.model.on_kept
        self.mixture = MIXTURE if spec.data.name == "mixture" else None
        self.pixels = pixels = inputs.pixels
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

        self.item = "point" if spec.data.points else "image"
        self.unit = ("nats" if self.cross_entropy else "squared error") + f" per {self.item}"
        unit = f"{self.unit}, mean over the batch"
        self.terms = [Term(name="reconstruction", label="reconstruction", unit=unit, weight=None)]
        self.knobs = model_knobs(spec)
        self.level = level_of(spec.noise)
        self.trained_with = torch.tensor(self.knobs[0].value)
        """The level of corruption it is trained with, a scalar: the spec's until it follows a training."""

    def follow(self, knobs: dict[str, Tensor]) -> None:
        """The score that it estimates is that of the corruption it is trained with."""
        self.trained_with = knobs[self.level]

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        normals, uniforms = draws_needed(self.noise.kind, rows * self.pixels)
        return normals, uniforms + rows * self.pixels * self.binarise

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The reconstruction cost [1] of x [B, D]; the labelled rows are not used."""
        x, corrupted, hit = self._corrupted(x, draws, knobs[self.level])
        return emphasised(self._per_pixel(x, self.output(corrupted)), hit, *self.emphasis).sum(1).mean().view(1)

    def output(self, x: Tensor) -> Tensor:
        """What the decoder puts out for x [B, D]: logits for cross-entropy, pixels for squared error, [B, D]."""
        return self._decoder_output(self._hidden(x)[-1])

    def _hidden(self, x: Tensor) -> list[Tensor]:
        layers = []
        for weight, bias in zip(self.encoder, self.encoder_bias, strict=True):
            x = self.activation(product(x, weight) + bias)
            layers.append(x)
        return layers

    def _decoder_output(self, z: Tensor) -> Tensor:
        decoder = list(self.decoder) or [weight.t() for weight in reversed(list(self.encoder))]
        for layer, (weight, bias) in enumerate(zip(decoder, self.decoder_bias, strict=True), 1):
            z = product(z, weight) + bias
            if layer < len(decoder):
                z = self.activation(z)
        return z

    def _per_pixel(self, x: Tensor, output: Tensor) -> Tensor:
        if self.cross_entropy:
            return bernoulli_cross_entropy(x, output)
        return (x - output).square()

    def _corrupted(self, x: Tensor, draws: Draws, level: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """The target, its corruption, and which pixels were hit."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).to(x.dtype)
        return x, *corrupt_and_tell(x, self.noise.kind, level, draws, self.noise.salt)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The reconstruction cost of uncorrupted test items; on the mixture also how well the score is met."""
        x = test.rows(slice(None))
        if self.binarise:
            draws = evaluation_draws((0, x.numel()), seed, Stream.EVALUATE, 0, x.device)
            x = (draws.uniform(*x.shape) < x).float()
        cost = self._per_pixel(x, self.output(x)).sum(1).mean().item()
        unit = f"{self.unit}, mean over the {test.split} {self.item}s"
        values = {"reconstruction": Value(value=cost, unit=unit, headline=True)}
        if self.mixture is not None and (sigma := self.sigma):
            values |= score_agreement(self.denoise, self.mixture, sigma, x.device)
        return values

    @torch.no_grad()
    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """`evaluate`, and how well corrupted test items are denoised, at the level of corruption of the spec.

        The level holds for a plain autoencoder too, so that both can be compared.
        """
        x = test.rows(slice(None))
        draws = evaluation_draws(self.draws_needed(0, len(x)), seed, Stream.EVALUATE, 1, x.device)
        level = torch.tensor(self.knobs[0].value, device=x.device)
        x, corrupted, _ = self._corrupted(x, draws, level)
        output = self.output(corrupted)
        squared = f"squared error per {self.item}"
        where = f"mean over the {test.split} {self.item}s, each corrupted once ({self.noise.kind} {level.item():g})"
        denoised = self._pixels(output)
        return {
            **self.evaluate(test, batches, seed),
            "denoising": Value(value=self._per_pixel(x, output).sum(1).mean().item(), unit=f"{self.unit}, {where}"),
            "denoising_squared_error": Value(
                value=(x - denoised).square().sum(1).mean().item(), unit=f"{squared}, {where}"
            ),
            "corruption_squared_error": Value(
                value=(x - corrupted).square().sum(1).mean().item(), unit=f"{squared}, {where}", better="none"
            ),
        }

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`corrupted` and `reconstruction`, pixels [B, D] each."""
        x, corrupted, _ = self._corrupted(x, draws, knobs[self.level])
        return {"input": x, "corrupted": corrupted, "reconstruction": self.denoise(corrupted)}

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """Activations of the hidden layers for x [B, D], bottom first, [B, units] each."""
        return {f"hidden.{layer}": h for layer, h in enumerate(self._hidden(x), 1)}

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Pixels [B, D] for activations z [B, H] of the top hidden layer."""
        return self._pixels(self._decoder_output(z))

    def denoise(self, x: Tensor) -> Tensor:
        """The reconstruction r(x), pixels [B, D], of x [B, D], which the caller has corrupted or not."""
        return self._pixels(self.output(x))

    @property
    def sigma(self) -> float:
        """σ of the score (r(x) - x)/σ² that it estimates: that of the noise it is trained with (Alain & Bengio 2014,
        eq. 2). 0 where it estimates none: without noise, with another noise or another cost."""
        estimates = self.noise.kind == "gaussian" and not self.cross_entropy
        return self.trained_with.item() if estimates else 0.0

    def _pixels(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output) if self.cross_entropy else output
