"""Models of somebody's own, two that are right and many with one bug each, as people write them.

A model is one file, so the bugs share this one; each is a class that changes one thing of a right one.
"""

from __future__ import annotations

import time
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus


class Vae(nn.Module):
    """A right one: Kingma & Welling 2013, with one hidden layer."""

    terms: ClassVar = {"kl": "beta", "reconstruction": None}
    knobs: ClassVar = {"beta": 1.0}

    def __init__(self, inputs, width: int = 128, latent: int = 8):
        super().__init__()
        self.latent = latent
        self.up = nn.Sequential(nn.Linear(inputs.pixels, width), self.between(), nn.Linear(width, 2 * latent))
        self.down = nn.Sequential(nn.Linear(latent, width), self.between(), nn.Linear(width, inputs.pixels))

    def between(self) -> nn.Module:
        return nn.ReLU()

    def costs(self, labelled, labels, x, draws, knobs):
        mean, log_sd = self.up(x).chunk(2, dim=1)
        z = mean + log_sd.exp() * draws.normal(len(x), self.latent)
        return torch.stack([self.kl(mean, log_sd), self.reconstruction(z, x)])

    def kl(self, mean: Tensor, log_sd: Tensor) -> Tensor:
        return 0.5 * (mean**2 + (2 * log_sd).exp() - 2 * log_sd - 1).sum(1).mean()

    def reconstruction(self, z: Tensor, x: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(self.down(z), x, reduction="none").sum(1).mean()

    def codes(self, x):
        return {"z": self.up(x).chunk(2, dim=1)[0]}

    def decode(self, z):
        return torch.sigmoid(self.down(z))

    def denoise(self, x):
        return self.decode(self.codes(x)["z"])

    def generate(self, rows, draws):
        return self.decode(draws.normal(rows, self.latent))

    def evaluate(self, test, batches, seed):
        """The bound without a draw, by what is right, whatever is trained."""
        x = test.rows(slice(None))
        mean, log_sd = self.up(x).chunk(2, dim=1)
        kl, reconstruction = Vae.kl(self, mean, log_sd), Vae.reconstruction(self, mean, x)
        return {"cost": kl.item() + reconstruction.item(), "kl": kl.item(), "reconstruction": reconstruction.item()}


class KlSummedOverRows(Vae):
    """The KL is summed over the rows of a batch, the reconstruction is their mean."""

    def kl(self, mean, log_sd):
        return super().kl(mean, log_sd) * len(mean)


class MeanOverPixels(Vae):
    """The reconstruction is a mean over pixels, as `reduction="mean"` gives it, and the KL a sum over units."""

    def reconstruction(self, z, x):
        return binary_cross_entropy_with_logits(self.down(z), x)


class Detached(Vae):
    """The sample was detached: nothing of the reconstruction reaches the encoder."""

    def reconstruction(self, z, x):
        return super().reconstruction(z.detach(), x)


class IgnoresCode(Vae):
    """The decoder is handed an empty code."""

    def reconstruction(self, z, x):
        return super().reconstruction(0 * z, x)


class TargetsShifted(Vae):
    """Each code is compared with the image of another row."""

    def reconstruction(self, z, x):
        return super().reconstruction(z, x.roll(1, 0))


class KlOfWrongSign(Vae):
    """The KL counts negative."""

    def kl(self, mean, log_sd):
        return -super().kl(mean, log_sd)


class NaiveSoftplus(Vae):
    """log(1 + exp(a)) as it is written on paper overflows for a above 88, and the logits have a gain."""

    def reconstruction(self, z, x):
        logits = 40 * self.down(z)
        return ((1 + logits.exp()).log() - x * logits).sum(1).mean()

    def evaluate(self, test, batches, seed):
        x = test.rows(slice(None))
        mean, log_sd = self.up(x).chunk(2, dim=1)
        logits = 40 * self.down(mean)
        kl, reconstruction = Vae.kl(self, mean, log_sd), (softplus(logits) - x * logits).sum(1).mean()
        return {"cost": kl.item() + reconstruction.item()}


class WithoutNonlinearity(Vae):
    """Nothing between two linear layers."""

    def between(self):
        return nn.Identity()


class Slows(Vae):
    """From the thousandth step on a step takes five milliseconds more: a leak, a log that grows."""

    taken = 0

    def costs(self, labelled, labels, x, draws, knobs):
        self.taken += 1
        if self.taken > 1000:
            time.sleep(0.005)
        return super().costs(labelled, labels, x, draws, knobs)


class Deep(nn.Module):
    """A right one: an autoencoder with as many hidden layers as are asked for, batch-normalised."""

    terms: ClassVar = {"reconstruction": None}

    def __init__(
        self,
        inputs,
        width: int = 48,
        depth: Annotated[int, Field(ge=1, le=40)] = 8,
        activation: Literal["relu", "sigmoid", "tanh"] = "relu",
        norm: bool = True,
        gain: float = 1.0,
    ):
        super().__init__()
        layers, before = list[nn.Module](), inputs.pixels
        for _ in range(depth):
            linear = nn.Linear(before, width)
            linear.weight.data *= gain
            layers += [linear, *([nn.BatchNorm1d(width, track_running_stats=False)] if norm else [])]
            layers += [{"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}[activation]()]
            before = width
        self.hidden, self.out = nn.Sequential(*layers), nn.Linear(before, inputs.pixels)

    def costs(self, labelled, labels, x, draws, knobs):
        return self.cost(x)[None]

    def cost(self, x: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(self.out(self.hidden(x)), x, reduction="none").sum(1).mean()

    def codes(self, x):
        return {"hidden": self.hidden(x)}

    def denoise(self, x):
        return torch.sigmoid(self.out(self.hidden(x)))

    def evaluate(self, test, batches, seed):
        return {"cost": self.cost(test.rows(slice(None))).item()}


class DyingUnits(Deep):
    """The biases begin so low that most ReLUs never wake."""

    def __init__(self, inputs, width: int = 48, depth: Annotated[int, Field(ge=1, le=40)] = 3):
        super().__init__(inputs, width, depth, "relu", False)
        for layer in self.hidden:
            if isinstance(layer, nn.Linear):
                nn.init.constant_(layer.bias, -1.5)


class SaturatedUnits(Deep):
    """Sigmoids that are fed a hundred times what they can tell apart."""

    def __init__(self, inputs, width: int = 48, depth: Annotated[int, Field(ge=1, le=40)] = 3):
        super().__init__(inputs, width, depth, "sigmoid", False, 100.0)
