"""Variational autoencoder with one stochastic layer (Kingma & Welling 2013, arXiv:1312.6114).

Sizes, activations and initial values as in Burda et al. 2015 (arXiv:1509.00519), section 5. With its noise
switched on it is the denoising VAE (Im et al. 2017, arXiv:1511.06406): z is inferred from a corrupted input, the target
stays clean.

Shape letters: B rows, D pixels, Z latent units.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from engine.corruption import corrupt, draws_needed, level_knob
from engine.data import Batches, Images
from engine.distributions import bernoulli_cross_entropy, gaussian_kl_to_standard
from engine.knobs import number
from engine.layers import glorot_uniform, product, zeros
from engine.randomness import Draws, Stream
from engine.randomness import draws as evaluation_draws
from journal.events import Term, Value
from journal.models import VaeSpec
from journal.spec import Spec

ACTIVE = 0.01
"""A latent unit is active when its mean KL exceeds this many nats (Sønderby et al. 2016)."""


class Vae(nn.Module):
    """Encoder q(z|x) = N(mean, std²), std = exp(linear); prior N(0, 1); decoder p(x|z) = Bernoulli."""

    def __init__(self, spec: Spec, training: Images, precision: torch.dtype) -> None:
        """The output bias starts at the logit of the mean training image, clipped to [0.001, 0.999]."""
        super().__init__()
        assert isinstance(spec.model, VaeSpec)
        self.corruption = spec.noise.kind
        self.binarise = spec.data.binarise == "dynamic"
        self.activation = {"tanh": torch.tanh, "relu": torch.relu, "softplus": nn.functional.softplus}[
            spec.model.activation
        ]
        self.latent = spec.model.latent
        self.pixels = training.pixels.shape[1]
        random = np.random.RandomState(spec.seed)
        up = [self.pixels, *spec.model.hidden]
        down = [self.latent, *reversed(spec.model.hidden)]
        self.encoder = nn.ParameterList([glorot_uniform(*pair, random, precision) for pair in itertools.pairwise(up)])
        self.encoder_bias = nn.ParameterList([zeros(width) for width in up[1:]])
        # The heads for mean and log std side by side, so that one product serves both.
        heads = [glorot_uniform(up[-1], self.latent, random, precision) for _ in range(2)]
        self.heads = nn.Parameter(torch.cat([head.data for head in heads], 1))
        self.heads_bias = zeros(2 * self.latent)
        self.decoder = nn.ParameterList([glorot_uniform(*pair, random, precision) for pair in itertools.pairwise(down)])
        self.decoder_bias = nn.ParameterList([zeros(width) for width in down[1:]])
        self.output = glorot_uniform(down[-1], self.pixels, random, precision)
        mean_image = (training.pixels.float().mean(0) / training.white).clamp(0.001, 0.999)
        self.output_bias = nn.Parameter(torch.logit(mean_image).cpu())

        self.terms = [
            Term(
                name="reconstruction", label="reconstruction", unit="nats per image, mean over the batch", weight=None
            ),
            Term(name="kl", label="KL q(z|x) ‖ p(z)", unit="nats per image, mean over the batch", weight="beta"),
        ]
        self.knobs = [
            number(
                "beta", "β of the KL term", "", 0, 100, 1, 1.25, "Weight of the KL term; 1 is the evidence lower bound."
            ),
            level_knob(spec.noise),
        ]
        self.level = self.knobs[1].name

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        normals, uniforms = draws_needed(self.corruption, rows * self.pixels)
        return normals + rows * self.latent, uniforms + rows * self.pixels * self.binarise

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """Reconstruction and KL [2] for x [B, D], nats per image; the labelled rows are not used."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).float()
        mean, log_std = self.encode(corrupt(x, self.corruption, knobs[self.level], draws))
        z = mean + torch.exp(log_std) * draws.normal(*mean.shape)
        reconstruction = bernoulli_cross_entropy(x, self.decode(z)).mean()
        # Closed form; with a corrupted input q is q(z|x~) (Im et al. 2017, section 3).
        return torch.stack([reconstruction, gaussian_kl_to_standard(mean, log_std).sum(1).mean()])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log std of q(z|x) [B, Z] for x [B, D]."""
        for weight, bias in zip(self.encoder, self.encoder_bias, strict=True):
            x = self.activation(product(x, weight) + bias)
        mean, log_std = (product(x, self.heads) + self.heads_bias).chunk(2, 1)
        return mean, log_std

    def decode(self, z: Tensor) -> Tensor:
        """Logits of p(x|z) [B, D] for z [B, Z]."""
        for weight, bias in zip(self.decoder, self.decoder_bias, strict=True):
            z = self.activation(product(z, weight) + bias)
        return product(z, self.output) + self.output_bias

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The negative evidence lower bound on uncorrupted test images, with one sample of z per image."""
        x = test.rows(slice(None))
        needed = len(x) * self.latent, len(x) * self.pixels * self.binarise
        draws = evaluation_draws(needed, seed, Stream.EVALUATE, 0, x.device)
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).float()
        mean, log_std = self.encode(x)
        reconstruction = bernoulli_cross_entropy(x, self.decode(mean + torch.exp(log_std) * draws.normal(*mean.shape)))
        kl = gaussian_kl_to_standard(mean, log_std)
        nats = "nats per image, mean over the test images"
        return {
            "negative_elbo": Value(value=(reconstruction.mean() + kl.sum(1).mean()).item(), unit=nats),
            "reconstruction": Value(value=reconstruction.mean().item(), unit=nats),
            "kl": Value(value=kl.sum(1).mean().item(), unit=nats),
            "active_units": Value(
                value=(kl.mean(0) > ACTIVE).sum().item(), unit=f"of {self.latent}, mean KL > {ACTIVE}"
            ),
        }

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`corrupted`, `reconstruction` of it through the mean of q, and `prior` draws, pixel means [B, D] each."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).float()
        corrupted = corrupt(x, self.corruption, knobs[self.level], draws)
        mean, _ = self.encode(corrupted)
        prior = torch.sigmoid(self.decode(draws.normal(len(x), self.latent)))
        return {"input": x, "corrupted": corrupted, "reconstruction": torch.sigmoid(self.decode(mean)), "prior": prior}
