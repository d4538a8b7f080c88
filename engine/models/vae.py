"""Variational autoencoder (Kingma & Welling 2013, arXiv:1312.6114), with one stochastic layer or two.

Also the importance-weighted autoencoder (Burda et al. 2016, arXiv:1509.00519), which has the same parts and maximises
another bound. Sizes, activations and initial values as there, section 5. With its noise switched on it is the denoising
VAE (Im et al. 2017, arXiv:1511.06406): z is inferred from a corrupted input, the target stays clean.

Shape letters: B images, S samples per image, R = B·S rows, D pixels, Z units of a stochastic layer.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.parts.bounds import importance_bounds, log_mean_exp
from laddertop.engine.parts.corruption import corrupt, draws_needed
from laddertop.engine.parts.distributions import (
    Gaussian,
    bernoulli_cross_entropy,
    gaussian_kl_to_standard,
    softplus,
    standard_gaussian,
)
from laddertop.engine.parts.free_bits import FREE_BITS, free_bits
from laddertop.engine.parts.gradient_noise import gradient_variance
from laddertop.engine.parts.latent_units import latent_units
from laddertop.engine.parts.layers import glorot_uniform, product, side_by_side, zeros
from laddertop.engine.randomness import Draws, Stream
from laddertop.engine.randomness import draws as evaluation_draws
from laddertop.journal.declared import level_of, model_knobs
from laddertop.journal.events import Term, TermLayer
from laddertop.journal.models import VaeSpec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

NARROWEST = 0.01
"""Smallest standard deviation of a Gaussian decoder, in a world of pixels from 0 to 1: without one, a pixel that never
changes has a density without bounds."""
_ITEMS, _DRAWS = 100, 50
"""Images and draws of z for each that the variance of the gradient is measured with."""


class Vae(nn.Module):
    """Encoder q(z1|x) q(z2|z1), decoder p(z2) p(z1|z2) p(x|z1) with p(z2) = N(0, 1); or both without z2."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        """The output bias starts at the mean training image, as a logit of at most ±6.9 for Bernoulli pixels."""
        super().__init__()
        model = spec.model
        assert isinstance(model, VaeSpec)
        self.corruption, self.salt = spec.noise.kind, spec.noise.salt
        self.binarise = spec.data.binarise == "dynamic"
        self.weighted, self.samples = model.bound == "iwae", model.samples
        self.report_samples = spec.evaluate.samples
        self.bernoulli = model.output == "bernoulli"
        self.pixels = inputs.pixels
        self.latent = [model.latent, *([model.upper_latent] if model.upper_latent else [])]

        random = np.random.RandomState(spec.seed)
        below = [self.pixels, *model.hidden, model.latent]
        between = [model.latent, *model.upper_hidden, model.upper_latent]
        above = [model.latent, *(reversed(model.hidden) if model.decoder_hidden is None else model.decoder_hidden)]
        make = _Make(random, precision, model.activation)
        self.up = nn.ModuleList([_Conditional(make, widths) for widths in (below, between)[: len(self.latent)]])
        self.down = nn.ModuleList([_Conditional(make, between[::-1]) for _ in self.latent[1:]])
        self.hidden = _Hidden(make, above)
        outputs = self.pixels if self.bernoulli else 2 * self.pixels
        self.output = glorot_uniform(above[-1], outputs, random, precision)
        mean_image = inputs.mean()
        bias = (
            torch.logit(mean_image.clamp(0.001, 0.999))
            if self.bernoulli
            else side_by_side(mean_image, torch.zeros_like(mean_image))
        )
        self.output_bias = nn.Parameter(bias)

        nats = "nats per image, mean over the batch"
        bound = Term(name="bound", label=f"bound −L{self.samples}", unit=nats, weight=None)
        self.terms = [bound] if self.weighted else []
        watched = self.weighted
        self.terms += [Term(name="reconstruction", label="reconstruction", unit=nats, weight=None, watched=watched)]
        labels = ["KL q(z|x) ‖ p(z)"] if len(self.latent) == 1 else ["KL q(z1|x) ‖ p(z1|z2)", "KL q(z2|z1) ‖ p(z2)"]
        weight = None if watched else "beta"
        for i, (name, code) in enumerate(zip(self._numbered("kl"), self._numbered("z"), strict=True)):
            layer = TermLayer(index=i + 1, name=code, units=self.latent[i], code=code)
            self.terms.append(Term(name=name, label=labels[i], unit=nats, weight=weight, watched=watched, layer=layer))
        self.gradient_noise, self.free_bits = model.gradient_noise, model.free_bits is not None
        self.terms += [FREE_BITS] * self.free_bits
        self.knobs = model_knobs(spec)
        self.level = level_of(spec.noise)

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        normals, uniforms = draws_needed(self.corruption, rows * self.pixels)
        return normals + rows * self.samples * sum(self.latent), uniforms + rows * self.pixels * self.binarise

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """Reconstruction and KL of every stochastic layer for x [B, D], nats per image; the labelled rows are not used.
        Where there are free bits, they come last.

        With the importance-weighted bound -L_S comes first, of weights w = p(x|z1) (p(z)/q(z))^β; the rest is watched.
        """
        x = self._seen(x, draws)
        passed = self.infer(corrupt(x, self.corruption, knobs[self.level], draws, self.salt), self.samples, draws)
        reconstruction = self.reconstruction(_repeat(x, self.samples), passed[0].z)
        if not self.weighted:
            # log w averaged over the samples (Burda et al., section 3), the topmost KL in closed form. With a corrupted
            # input q is q(z|x~) (Im et al. 2017).
            *below, top = passed
            kl = [log_ratio(layer).mean() for layer in below]
            kl.append(gaussian_kl_to_standard(*top.q).sum(1).mean())
            free = [free_bits(torch.stack(kl), knobs["free_bits"])] if self.free_bits else []
            return torch.stack([reconstruction.mean(), *kl, *free])
        # log w, and the log of the mean of w (Burda et al., eq. 8).
        ratios = torch.stack([log_ratio(layer) for layer in passed])
        log_weights = -reconstruction - knobs["beta"] * ratios.sum(0)
        bound = log_mean_exp(log_weights.view(-1, self.samples)).mean()
        return torch.cat([-bound.view(1), reconstruction.mean().view(1), ratios.mean(1)])

    def infer(self, x: Tensor, samples: int, draws: Draws | None) -> list[Layer]:
        """The stochastic layers of x [B, D] from the bottom up; without draws every z is the mean of its q."""
        drawn: list[tuple[Gaussian, Tensor]] = []
        rows = x
        for conditional in self.up:
            q = conditional(rows)
            noise = None if draws is None else draws.normal(len(x), samples, q.mean.shape[1]).flatten(0, 1)
            q_rows = q if drawn else Gaussian(_repeat(q.mean, samples), _repeat(q.log_std, samples))
            rows = q_rows.mean if noise is None else q_rows.draw(noise)
            drawn.append((q_rows, rows))
        p = [conditional(z) for conditional, (_, z) in zip(self.down, drawn[1:], strict=True)]
        return [Layer(q, prior, z) for (q, z), prior in zip(drawn, [*p, standard_gaussian(rows)], strict=True)]

    def reconstruction(self, x: Tensor, z: Tensor) -> Tensor:
        """-log p(x|z1), nats [R], for x [R, D] and z1 [R, Z]."""
        output = self.decoder(z)
        if self.bernoulli:
            return bernoulli_cross_entropy(x, output).sum(1)
        mean, std = output.chunk(2, 1)
        return -Gaussian(mean, torch.log(softplus(std) + NARROWEST)).log_density(x).sum(1)

    def decoder(self, z: Tensor) -> Tensor:
        """For z1 [R, Z]: logits of Bernoulli pixels [R, D], or means and what gives standard deviations [R, 2·D]."""
        return product(self.hidden(z), self.output) + self.output_bias

    def log_weights(self, x: Tensor, samples: int, draws: Draws) -> Tensor:
        """log p(x, z) / q(z|x) [B, S] for x [B, D], uncorrupted, and `samples` draws of z each."""
        passed = self.infer(x, samples, draws)
        ratios = torch.stack([log_ratio(layer) for layer in passed])
        log_weights = -self.reconstruction(_repeat(x, samples), passed[0].z) - ratios.sum(0)
        return log_weights.view(len(x), samples)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The negative bounds on uncorrupted test images, their parts, and what each latent unit carries.

        The KL of a unit is in closed form between q and p of one drawn pass, and averaged over the images. For a lower
        layer, whose p(z1|z2) sees z1 through z2, that is not the KL of the bound, which is the mean of log q - log p.
        """
        x, draws = self._evaluated(test, seed)
        passed = self.infer(x, 1, draws)
        again = self.infer(x, 1, draws) if len(self.latent) > 1 else passed
        reconstruction = self.reconstruction(x, passed[0].z).mean().item()
        kl = [log_ratio(layer).mean().item() for layer in passed[:-1]]
        kl.append(gaussian_kl_to_standard(*passed[-1].q).sum(1).mean().item())
        nats = f"nats per image, mean over the {test.split} images"
        values = {}
        if self.weighted:
            bound = importance_bounds(self.log_weights, (sum(self.latent), 0), x, self.samples, seed).weighted
            values[f"negative_l{self.samples}"] = _negative_bound(bound, self.samples, test.split, headline=True)
        unit, total = f"{nats}, 1 sample each", reconstruction + sum(kl)
        values["negative_elbo"] = Value(value=total, unit=unit, headline=not self.weighted, label="−ELBO")
        values["reconstruction"] = Value(value=reconstruction, unit=nats)
        values |= {name: Value(value=v, unit=nats) for name, v in zip(self._numbered("kl"), kl, strict=True)}
        q, p, _ = zip(*passed, strict=True)
        values |= latent_units(list(q), list(p), [layer.q for layer in again], self._numbered(""), test.split)
        return values | (self._gradient_variance(x[:_ITEMS], seed) if self.gradient_noise else {})

    def _gradient_variance(self, x: Tensor, seed: int) -> dict[str, Value]:
        """That of the reconstruction's gradient for x [N, D] over the parameters of the encoder; the KL is closed."""
        shape = _DRAWS, len(x), self.latent[0]
        noise = evaluation_draws((math.prod(shape), 0), seed, Stream.EVALUATE, 1, x.device).normal(*shape)
        found = gradient_variance(
            self.up[0].parameters(), lambda: self.up[0](x), lambda z: self.reconstruction(x, z), noise
        )
        unit = f"squared norm, over {_DRAWS} draws of z for the same {len(x)} images"
        names = {"": "with z = μ + σ·ε", "_score": "by the score function", "_score_baseline": "the same, baseline"}
        return {
            f"gradient_variance{name}": Value(value=value, unit=unit, better="none", label=f"gradient variance {about}")
            for (name, about), value in zip(names.items(), found, strict=True)
        }

    @torch.no_grad()
    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """What the papers report: L_k on uncorrupted test images with k = evaluate.samples, L_1, and `evaluate`.

        With 5000 samples and 10 000 images of MNIST that takes tens of minutes on a CPU.
        """
        x, _ = self._evaluated(test, seed)
        bounds = importance_bounds(self.log_weights, (sum(self.latent), 0), x, self.report_samples, seed)
        values = {
            f"negative_l{self.report_samples}": _negative_bound(
                bounds.weighted, self.report_samples, test.split, headline=True
            )
        }
        values |= self.evaluate(test, batches, seed)
        unit = f"nats per image, mean over the {test.split} images and {self.report_samples} samples each"
        return values | {"negative_elbo": Value(value=-bounds.elbo.mean().item(), unit=unit, label="−ELBO")}

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`corrupted`, `reconstruction` of it through the mean of q, and `prior` draws, pixel means [B, D] each."""
        x = self._seen(x, draws)
        corrupted = corrupt(x, self.corruption, knobs[self.level], draws, self.salt)
        prior = self.generate(len(x), draws)
        return {"input": x, "corrupted": corrupted, "reconstruction": self.denoise(corrupted), "prior": prior}

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """The mean of q(z1|x) [B, Z], and that of q(z2|z1) where z1 is its mean."""
        return dict(zip(self._numbered("z"), (layer.z for layer in self.infer(x, 1, None)), strict=True))

    @torch.no_grad()
    def spread(self, x: Tensor) -> dict[str, Tensor]:
        """The standard deviations [B, Z] of the posteriors whose means are `codes`."""
        layers = self.infer(x, 1, None)
        return dict(zip(self._numbered("z"), (torch.exp(layer.q.log_std) for layer in layers), strict=True))

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        """Pixel means [B, D] through the mean of q(z1|x), of x [B, D], which the caller has corrupted or not."""
        return self._pixels(self.up[0](x).mean)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Pixel means [B, D] for z [B, Z] of the topmost layer, through the mean of p(z1|z2) where there are two."""
        for conditional in self.down:
            z = conditional(z).mean
        return self._pixels(z)

    @torch.no_grad()
    def generate(self, rows: int, draws: Draws) -> Tensor:
        """Pixel means [B, D] of samples of the model, drawn from the top down."""
        z = draws.normal(rows, self.latent[-1])
        for conditional in self.down:
            z = conditional(z).draw(draws.normal(rows, self.latent[0]))
        return self._pixels(z)

    def _pixels(self, z: Tensor) -> Tensor:
        output = self.decoder(z)
        return torch.sigmoid(output) if self.bernoulli else output[:, : self.pixels]

    def _seen(self, x: Tensor, draws: Draws) -> Tensor:
        return (draws.uniform(*x.shape) < x).to(x.dtype) if self.binarise else x

    def _evaluated(self, test: Images, seed: int) -> tuple[Tensor, Draws]:
        """All test images [N, D], binarised once where training binarises, and the draws of two passes."""
        x = test.rows(slice(None))
        needed = 2 * len(x) * sum(self.latent), x.numel() * self.binarise
        draws = evaluation_draws(needed, seed, Stream.EVALUATE, 0, x.device)
        return self._seen(x, draws), draws

    def _numbered(self, name: str) -> list[str]:
        """The name for every stochastic layer: numbered, from the bottom up, where there are two."""
        return [name] if len(self.latent) == 1 else [f"{name}.{layer}" for layer in range(1, len(self.latent) + 1)]


class Layer(NamedTuple):
    """One stochastic layer of a pass."""

    q: Gaussian
    """What z was drawn from [R, Z]."""
    p: Gaussian
    """What the generative model says of it [R, Z]."""
    z: Tensor
    """[R, Z]."""


def log_ratio(layer: Layer) -> Tensor:
    """log q(z) - log p(z), nats [R]: a draw of the KL."""
    return (layer.q.log_density(layer.z) - layer.p.log_density(layer.z)).sum(1)


def _negative_bound(bound: Tensor, samples: int, split: str, headline: bool = False) -> Value:
    unit = f"nats per image, mean over the {split} images, {samples} importance samples each"
    return Value(value=-bound.mean().item(), unit=unit, headline=headline, label=f"−L{samples}")


def _repeat(rows: Tensor, samples: int) -> Tensor:
    """[B, …] to [R, …], the samples of an image next to each other."""
    return rows if samples == 1 else rows.repeat_interleave(samples, 0)


class _Make(NamedTuple):
    """What every part is made from."""

    random: np.random.RandomState
    precision: torch.dtype
    activation: str


class _Hidden(nn.Module):
    """Dense layers with an activation, [R, widths[0]] to [R, widths[-1]]."""

    def __init__(self, make: _Make, widths: list[int]) -> None:
        super().__init__()
        self.activation = {"tanh": torch.tanh, "relu": torch.relu, "softplus": softplus}[make.activation]
        pairs = itertools.pairwise(widths)
        self.weights = nn.ParameterList([glorot_uniform(*pair, make.random, make.precision) for pair in pairs])
        self.biases = nn.ParameterList([zeros(width) for width in widths[1:]])

    def forward(self, rows: Tensor) -> Tensor:
        for weight, bias in zip(self.weights, self.biases, strict=True):
            rows = self.activation(product(rows, weight) + bias)
        return rows


class _Conditional(nn.Module):
    """A Gaussian given rows, std = exp(linear); widths from the input over the hidden layers to the units."""

    def __init__(self, make: _Make, widths: list[int]) -> None:
        super().__init__()
        self.hidden = _Hidden(make, widths[:-1])
        # Mean and log std side by side, so that one product serves both.
        heads = [glorot_uniform(widths[-2], widths[-1], make.random, make.precision) for _ in range(2)]
        self.heads = nn.Parameter(side_by_side(*[head.data for head in heads]))
        self.heads_bias = zeros(2 * widths[-1])

    def forward(self, rows: Tensor) -> Gaussian:
        return Gaussian(*(product(self.hidden(rows), self.heads) + self.heads_bias).chunk(2, 1))
