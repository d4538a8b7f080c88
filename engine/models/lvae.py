"""Variational autoencoders with several stochastic layers: deep VAE and ladder VAE.

(Sønderby et al. 2016, arXiv:1602.02282; what the paper leaves open as in the authors' code, casperkaae/LVAE.)

Both generate from the top down, p(z_L) p(z_{L-1}|z_L) … p(x|z_1). The deep VAE infers from the bottom up, z_1 from x,
z_2 from z_1. The ladder VAE goes up without sampling, and then down: what the layer above predicts of z_l is merged
with what the image says of it.

Shape letters: B images, S samples per image, R = B·S rows, D pixels, L stochastic layers, Z_l units of z_l, l = 1..L;
lists run from the bottom up, so that z_l is at l - 1. T terms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.parts.bounds import importance_bounds
from laddertop.engine.parts.distributions import Gaussian, bernoulli_cross_entropy, softplus, standard_gaussian
from laddertop.engine.parts.free_bits import FREE_BITS, free_bits
from laddertop.engine.parts.latent_units import latent_units
from laddertop.engine.parts.layers import (
    EPSILON,
    glorot_normal,
    glorot_uniform,
    normalise,
    ones,
    product,
    side_by_side,
    zeros,
)
from laddertop.engine.randomness import Draws, Stream
from laddertop.engine.randomness import draws as drawn
from laddertop.journal.declared import model_knobs
from laddertop.journal.events import Term, TermLayer
from laddertop.journal.models import LvaeSpec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

FLOOR = 1e-5
"""Smallest variance a head gives; it keeps densities finite while β = 0 asks for no variance at all."""

Statistics = Literal["batch", "settle", "settled"]
"""Batch normalisation takes its statistics from the rows themselves, or does so and keeps them, or takes the kept."""


def merge(one: Gaussian, other: Gaussian) -> Gaussian:
    """Two beliefs in one, weighted by their precisions: the product of the two densities, normalised (eqs. 18, 19)."""
    precision, other_precision = torch.exp(-2 * one.log_std), torch.exp(-2 * other.log_std)
    both = precision + other_precision
    return Gaussian((one.mean * precision + other.mean * other_precision) / both, -0.5 * torch.log(both))


class Layers(NamedTuple):
    """The stochastic layers of one pass, from the bottom up."""

    q: list[Gaussian]
    """What z_l is drawn from: q(z_l|x, z_{l+1}) of the ladder VAE, q(z_l|z_{l-1}) of the deep VAE."""
    p: list[Gaussian]
    """The generative p(z_l|z_{l+1}), N(0, 1) at the top."""
    z: list[Tensor]
    """z_l [R, Z_l]."""


class Lvae(nn.Module):
    """1 to 5 stochastic layers, an MLP from each to the next, and a Bernoulli decoder."""

    settled_by_evaluation = True

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        """Initial weights are Glorot's, drawn by numpy's RandomState(spec.seed): encoder first, from the bottom up."""
        super().__init__()
        model, pixels = spec.model, inputs.pixels
        assert isinstance(model, LvaeSpec)
        self.pixels, self.latent, self.seed = pixels, model.latent, spec.seed
        self.binarise = spec.data.binarise == "dynamic"
        self.ladder = model.inference == "ladder"
        self.mc_samples, self.iw_samples, self.report_samples = (
            model.mc_samples,
            model.iw_samples,
            spec.evaluate.samples,
        )

        make = _Make(model, np.random.RandomState(spec.seed), precision)
        latent, hidden = model.latent, model.hidden
        from_below = [pixels, *(hidden if self.ladder else latent)]
        separate = self.ladder and model.top_down == "separate"
        layers, lower = range(len(latent)), range(len(latent) - 1)
        self.up = nn.ModuleList(_Conditional(make, from_below[i], hidden[i], latent[i]) for i in layers)
        # Down from z_{l+1} leads an MLP as wide as the one that leads up to it. Where the ladder VAE's inference has
        # parameters of its own on the way down, these have that width, and the generative ones that of the layer below.
        self.down = nn.ModuleList(
            _Conditional(make, latent[i + 1], hidden[i if separate else i + 1], latent[i]) for i in lower
        )
        self.top_down = nn.ModuleList(
            _Conditional(make, latent[i + 1], hidden[i + 1], latent[i]) for i in lower if separate
        )
        self.pixel_mlp = _Mlp(make, latent[0], hidden[0])
        self.output = glorot_normal(hidden[0], pixels, make.random, precision)
        self.output_bias = zeros(pixels)

        nats = "nats per image, mean over the batch"
        self.terms = [Term(name="reconstruction", label="reconstruction", unit=nats, weight=None)]
        for i in layers:
            label = f"KL q(z{i + 1}) ‖ p(z{i + 1}{f'|z{i + 2}' if i in lower else ''})"
            layer = TermLayer(index=i + 1, name=f"z{i + 1}", units=latent[i], code=f"z{i + 1}")
            self.terms.append(Term(name=f"kl.{i + 1}", label=label, unit=nats, weight="beta", layer=layer))
        if self.iw_samples > 1:
            label = "KL of the importance weights to equal ones"
            self.terms.append(Term(name="importance", label=label, unit=nats, weight=None))
        self.free_bits = model.free_bits is not None
        self.terms += [FREE_BITS] * self.free_bits
        self.knobs = model_knobs(spec)

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        samples = self.mc_samples * self.iw_samples
        return rows * samples * sum(self.latent), rows * self.pixels * self.binarise

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """Reconstruction and a KL term per stochastic layer [T] for x [B, D], nats per image; no labels are used.

        The KL terms are Monte-Carlo estimates log q(z) - log p(z), as in the authors' code. With k importance samples,
        of weights w = p(x|z) (p(z)/q(z))^β and shares s = w / Σ w, these terms are means weighted by s, and the last
        term is Σ s log(k·s): the sum of all is then the bound -log (1/k) Σ w. Free bits come last.
        """
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).to(x.dtype)
        samples = self.mc_samples * self.iw_samples
        terms = self._log_ratios(x, self.infer(x, samples, draws, "batch"), "batch")
        if self.iw_samples == 1:
            costs = terms.mean((1, 2))
            if not self.free_bits:
                return costs
            return torch.cat([costs, free_bits(costs[1:], knobs["free_bits"]).view(1)])
        terms = terms.view(*terms.shape[:2], self.mc_samples, self.iw_samples)
        log_share = torch.log_softmax(-terms[0] - knobs["beta"] * terms[1:].sum(0), -1)
        share = torch.exp(log_share)
        unequal = (share * (log_share + math.log(self.iw_samples))).sum(-1).mean()
        return torch.cat([(share * terms).sum(-1).mean((1, 2)), unequal.view(1)])

    def infer(self, x: Tensor, samples: int, draws: Draws | None, statistics: Statistics) -> Layers:
        """The stochastic layers of x [B, D], `samples` times each; without draws every z is the mean of its q."""

        def sample(q: Gaussian) -> Tensor:
            if draws is None:
                return q.mean
            return q.draw(draws.normal(len(x), samples, q.mean.shape[1]).flatten(0, 1))

        return (self._up_and_down if self.ladder else self._up)(x, samples, sample, statistics)

    def _up(self, x: Tensor, samples: int, sample: _Sample, statistics: Statistics) -> Layers:
        """The deep VAE: q(z_1|x) q(z_2|z_1) …, and the generative model on what was drawn."""
        q: list[Gaussian] = []
        z: list[Tensor] = []
        for conditional in self.up:
            given = conditional(z[-1] if z else x, statistics)
            q.append(given if z else _repeat_both(given, samples))
            z.append(sample(q[-1]))
        p = [conditional(above, statistics) for conditional, above in zip(self.down, z[1:], strict=True)]
        return Layers(q, [*p, standard_gaussian(z[-1])], z)

    def _up_and_down(self, x: Tensor, samples: int, sample: _Sample, statistics: Statistics) -> Layers:
        """The ladder VAE: d_l = MLP(d_{l-1}) from d_0 = x, no draws; then q(z_L|x) and down."""
        image, d = [], x
        for conditional in cast("Iterable[_Conditional]", self.up):
            d = conditional.mlp(d, statistics)
            image.append(_repeat_both(conditional.heads(d, statistics), samples))
        q = [image[-1]]
        z = [sample(q[0])]
        p = [standard_gaussian(z[0])]
        for i in reversed(range(len(self.down))):
            p.insert(0, self.down[i](z[0], statistics))
            q.insert(0, merge(image[i], self.top_down[i](z[0], statistics) if self.top_down else p[0]))
            z.insert(0, sample(q[0]))
        return Layers(q, p, z)

    def _log_ratios(self, x: Tensor, layers: Layers, statistics: Statistics) -> Tensor:
        """-log p(x|z_1), then log q(z_l) - log p(z_l) for l = 1..L, nats [1 + L, B, S]."""
        samples = len(layers.z[0]) // len(x)
        logits = self._logits(layers.z[0], statistics)
        kl = [(q.log_density(z) - p.log_density(z)).sum(1) for q, p, z in zip(*layers, strict=True)]
        terms = torch.stack([bernoulli_cross_entropy(_repeat(x, samples), logits).sum(1), *kl])
        return terms.view(-1, len(x), samples)

    def _logits(self, z: Tensor, statistics: Statistics) -> Tensor:
        """Logits of p(x|z_1) [R, D] for z_1 [R, Z_1]; the output is not normalised."""
        return product(self.pixel_mlp(z, statistics), self.output) + self.output_bias

    @torch.no_grad()
    def settle(self, batches: Batches) -> None:
        """Takes the statistics of every batch normalisation from all training images at once, and keeps them.

        As in the authors' code: the training set, freshly binarised, passes in one batch with one draw of every z.
        (Their `deterministic` switches the normalisation alone; z is drawn, as in the passes that use the statistics.)
        """
        x, draws = self._seen(batches.training, self.seed, _SETTLE)
        self._log_ratios(x, self.infer(x, 1, draws, "settle"), "settle")

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The negative lower bound L_1 on test images, its terms, and each unit's KL and active units; settles first.

        A unit's KL is closed in form between q and p of a drawn pass, and averaged over the images. In the deep VAE,
        whose p(z_l|z_{l+1}) sees z_l through z_{l+1}, that differs from the term of the bound, except at the top.
        """
        self.settle(batches)
        x, draws = self._seen(test, seed, _TEST)
        layers = self.infer(x, 1, draws, "settled")
        terms = self._log_ratios(x, layers, "settled").mean((1, 2)).tolist()
        nats = f"nats per image, mean over the {test.split} images"
        unit = f"{nats}, 1 sample each"
        values = {"negative_elbo": Value(value=sum(terms), unit=unit, headline=True, label="−ELBO")}
        values |= {term.name: Value(value=v, unit=nats) for term, v in zip(self.terms, terms, strict=False)}
        _, draws = self._seen(test, seed, _AGAIN)
        again = self.infer(x, 1, draws, "settled").q
        values |= latent_units(layers.q, layers.p, again, [f".{i}" for i in range(1, len(self.latent) + 1)], test.split)
        return values

    @torch.no_grad()
    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """What the paper reports: `evaluate`, L_1 on the training images, and L_k on test; takes minutes to hours."""
        values = self.evaluate(test, batches, seed)
        x, draws = self._seen(batches.training, seed, _TRAINING)
        terms = self._log_ratios(x, self.infer(x, 1, draws, "settled"), "settled").mean((1, 2))
        nats = "nats per image, mean over the training images, 1 sample each"
        training = Value(value=terms.sum().item(), unit=nats, label="−ELBO training")
        x, _ = self._seen(test, seed, _TEST)
        bound = importance_bounds(self.log_weights, (sum(self.latent), 0), x, self.report_samples, seed).weighted
        nats = f"nats per image, mean over the {test.split} images, {self.report_samples} importance samples each"
        samples = self.report_samples
        tightest = Value(value=-bound.mean().item(), unit=nats, headline=True, label=f"−L{samples}")
        return {f"negative_l{samples}": tightest, "negative_elbo_training": training} | values

    def log_weights(self, x: Tensor, samples: int, draws: Draws) -> Tensor:
        """log p(x, z) / q(z|x) [B, S] for x [B, D] and `samples` draws of z each; needs `settle` before."""
        return -self._log_ratios(x, self.infer(x, samples, draws, "settled"), "settled").sum(0)

    def _seen(self, images: Images, seed: int, use: int) -> tuple[Tensor, Draws]:
        """All images as the model sees them [N, D], binarised where training binarises, and draws for one pass."""
        x = images.rows(slice(None))
        draws = drawn((len(x) * sum(self.latent), x.numel() * self.binarise), seed, Stream.EVALUATE, use, x.device)
        return (draws.uniform(*x.shape) < x).to(x.dtype) if self.binarise else x, draws

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """The means of q(z_l) [B, Z_l] with the means of the other layers, z1 first; needs `settle` before."""
        layers = self.infer(x, 1, None, "settled")
        return {f"z{layer}": z for layer, z in enumerate(layers.z, 1)}

    @torch.no_grad()
    def spread(self, x: Tensor) -> dict[str, Tensor]:
        """The standard deviations [B, Z_l] of the posteriors whose means are `codes`; needs `settle` before."""
        layers = self.infer(x, 1, None, "settled")
        return {f"z{layer}": torch.exp(q.log_std) for layer, q in enumerate(layers.q, 1)}

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        """Pixel means [B, D] of x [B, D] through the means of every layer; needs `settle` before."""
        return torch.sigmoid(self._logits(self.infer(x, 1, None, "settled").z[0], "settled"))

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Pixel means [B, D] for z_L [B, Z_L], through the means of the layers below; needs `settle` before."""
        return self._generate(z, None, "settled")

    @torch.no_grad()
    def generate(self, rows: int, draws: Draws) -> Tensor:
        """Pixel means [B, D] of samples of the model, drawn layer by layer; needs `settle` before."""
        return self._generate(draws.normal(rows, self.latent[-1]), draws, "settled")

    def _generate(self, z: Tensor, draws: Draws | None, statistics: Statistics) -> Tensor:
        for conditional in reversed(self.down):
            p = conditional(z, statistics)
            z = p.mean if draws is None else p.draw(draws.normal(*p.mean.shape))
        return torch.sigmoid(self._logits(z, statistics))

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`reconstruction` through the means of every layer, and samples of the `prior`, pixel means [B, D].

        While training goes on there are no settled statistics: these rows are normalised with their own.
        """
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).to(x.dtype)
        reconstruction = torch.sigmoid(self._logits(self.infer(x, 1, None, "batch").z[0], "batch"))
        prior = self._generate(draws.normal(len(x), self.latent[-1]), draws, "batch")
        return {"input": x, "reconstruction": reconstruction, "prior": prior}


_Sample = Callable[[Gaussian], Tensor]

_TEST, _TRAINING, _SETTLE, _AGAIN = range(4)
"""What the draws of an evaluation are for."""


def _repeat(rows: Tensor, samples: int) -> Tensor:
    """[B, …] to [R, …], the samples of an image next to each other."""
    return rows if samples == 1 else rows.repeat_interleave(samples, 0)


def _repeat_both(given: Gaussian, samples: int) -> Gaussian:
    return Gaussian(_repeat(given.mean, samples), _repeat(given.log_std, samples))


class _Make(NamedTuple):
    """What every part is made from."""

    model: LvaeSpec
    random: np.random.RandomState
    precision: torch.dtype


class _Dense(nn.Module):
    """rows W + b, or with batch normalisation γ·BN(rows W) + β (Ioffe & Szegedy 2015)."""

    def __init__(self, weight: nn.Parameter, bias: Tensor, batch_norm: bool) -> None:
        """β starts at 0, whatever the bias."""
        super().__init__()
        self.weight = weight
        self.bias = zeros(len(bias)) if batch_norm else nn.Parameter(bias)
        self.gamma = ones(len(bias)) if batch_norm else None
        self.settled: tuple[Tensor, Tensor] | None = None
        """Mean and 1/√(variance + ε) of rows W over all training images."""

    def forward(self, rows: Tensor, statistics: Statistics) -> Tensor:
        rows = product(rows, self.weight)
        if self.gamma is None:
            return rows + self.bias
        if statistics == "settle":
            variance, mean = torch.var_mean(rows, 0, correction=0)
            self.settled = mean, torch.rsqrt(variance + EPSILON)
        if statistics == "batch":
            return self.gamma * normalise(rows) + self.bias
        assert self.settled, "settle comes first"
        return self.gamma * ((rows - self.settled[0]) * self.settled[1]) + self.bias


class _Mlp(nn.Module):
    """Dense layers of the same width with leaky ReLUs."""

    def __init__(self, make: _Make, inputs: int, width: int) -> None:
        super().__init__()
        self.leak = make.model.leak
        widths = [inputs, *[width] * make.model.dense]
        self.dense = nn.ModuleList(
            _Dense(
                glorot_normal(*pair, make.random, make.precision, math.sqrt(2)),
                torch.zeros(width),
                make.model.batch_norm,
            )
            for pair in itertools.pairwise(widths)
        )

    def forward(self, rows: Tensor, statistics: Statistics) -> Tensor:
        for dense in self.dense:
            rows = functional.leaky_relu(dense(rows, statistics), self.leak)
        return rows


class _Heads(nn.Module):
    """Mean and variance side by side, so that one product serves both; the softplus is the variance, not its log."""

    def __init__(self, make: _Make, inputs: int, latent: int) -> None:
        super().__init__()
        init = glorot_uniform if make.model.inference == "ladder" else glorot_normal
        weights = [init(inputs, latent, make.random, make.precision).data for _ in range(2)]
        # Without batch normalisation variances start around softplus(1) = 1.31.
        bias = side_by_side(torch.zeros(latent), torch.ones(latent))
        self.dense = _Dense(nn.Parameter(side_by_side(*weights)), bias, make.model.batch_norm)

    def forward(self, rows: Tensor, statistics: Statistics) -> Gaussian:
        mean, variance = self.dense(rows, statistics).chunk(2, 1)
        return Gaussian(mean, 0.5 * torch.log(softplus(variance) + FLOOR))


class _Conditional(nn.Module):
    """A Gaussian given rows: MLP and heads."""

    def __init__(self, make: _Make, inputs: int, width: int, latent: int) -> None:
        super().__init__()
        self.mlp = _Mlp(make, inputs, width)
        self.heads = _Heads(make, width, latent)

    def forward(self, rows: Tensor, statistics: Statistics) -> Gaussian:
        given: Gaussian = self.heads(self.mlp(rows, statistics), statistics)
        return given
