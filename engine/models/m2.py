"""The semi-supervised VAE M2 (Kingma, Mohamed, Rezende & Welling 2014, arXiv:1406.5298).

An image is made from a class y and from z, which is all else about it: p(y) = 1/C, p(z) = N(0, I), and p(x|y,z) of
black and white pixels (eq. 2). Inference is q(y|x) q(z|x,y), a classifier and a Gaussian (eq. 4). The bounds, in nats:

    labelled     -log p(x,y) ≤ L(x,y) = -log p(x|y,z) - log p(y) + D(q(z|x,y) ‖ p(z)),  z drawn from q     (eq. 6)
    unlabelled   -log p(x)   ≤ U(x)   = Σ_y q(y|x) L(x,y) - H(q(y|x))                                      (eq. 7)
    cost         J^α = Σ L(x,y) + Σ U(x) + α · mean of -log q(y|x) over the labelled images           (eqs. 8 and 9)

with α = 0.1·N; here J^α is divided by N, the number of training images, and the prior N(0, I) of all weights is added,
as in the authors' code (dpkingma/nips14-ssl), whose are the initial values, too.

A labelled image has all of its y at its label, so in both bounds the part of y is the divergence of what is believed of
it from p(y): log C of a labelled image, D(q(y|x) ‖ p(y)) of any other.

Shape letters: A labelled rows, B unlabelled rows, R rows, D pixels, C classes, Z units of z, H hidden units.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.parts.distributions import (
    Gaussian,
    bernoulli_cross_entropy,
    gaussian_kl_to_standard,
    softplus,
    standard_gaussian,
)
from laddertop.engine.parts.latent_units import latent_units
from laddertop.engine.parts.layers import product, weight, zeros
from laddertop.engine.randomness import Draws, Stream
from laddertop.engine.randomness import draws as evaluation_draws
from laddertop.journal.declared import model_knobs
from laddertop.journal.events import Term, TermLayer
from laddertop.journal.models import M2Spec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

_ROWS = 500
"""Test images that are evaluated at a time, each with every class."""


class M2(nn.Module):
    """Classifier q(y|x), encoder q(z|x,y) and decoder p(x|y,z), perceptrons all three."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        """Initial weights are N(0, init_std²), by numpy's RandomState(spec.seed); biases start at 0."""
        super().__init__()
        model = spec.model
        assert isinstance(model, M2Spec)
        self.pixels, self.classes, self.latent = inputs.pixels, inputs.classes, model.latent
        self.binarise = spec.data.binarise == "dynamic"
        self.images = spec.data.facts.training - spec.data.held_back
        """N."""
        labels = spec.data.labels
        self.share = 1.0 if labels == "all" else int(labels) / self.images
        """Share of the training images that carry labels."""
        make = _Make(np.random.RandomState(spec.seed), precision, model.activation, model.init_std)
        up, down = model.hidden, model.hidden[::-1]
        self.classifier = _Dense(make, [self.pixels, *up, self.classes])
        self.encoder = _Joint(make, [self.pixels, *up, 2 * self.latent], self.classes)
        self.decoder = _Joint(make, [self.latent, *down, self.pixels], self.classes)

        nats = "nats per image, mean over labelled and unlabelled"
        layer = TermLayer(index=1, name="z", units=self.latent, code="z")
        self.terms = [
            Term(name="reconstruction", label="reconstruction", unit=nats, weight=None),
            Term(name="kl", label="KL q(z|x,y) ‖ p(z)", unit=nats, weight="beta", layer=layer),
            Term(name="kl_y", label="KL q(y|x) ‖ p(y)", unit=nats, weight=None),
            Term(name="class", label="labelled cross-entropy", unit="nats, mean over labelled rows", weight="alpha"),
            Term(name="weights", label="prior of the weights", unit="nats per image", weight=None),
        ]
        self.knobs = model_knobs(spec)

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step: a z of each labelled row, and one of each class for all others."""
        pixels = (labelled_rows + rows) * self.pixels
        return (labelled_rows + rows * self.classes) * self.latent, pixels * self.binarise

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The terms of J^α / N: labelled [A, D] with labels int64 [A] stand for all labelled images, x [B, D] for all
        without labels, each mean with their share."""
        labelled, x = self._seen(labelled, draws), self._seen(x, draws)
        known = self.one_hot(labels)
        reconstruction, kl = self.parts(labelled, known, draws.normal(len(labelled), self.latent))
        log_q = torch.log_softmax(self.classifier(labelled), 1)
        of_labelled = torch.stack([reconstruction.mean(), kl.mean(), torch.full_like(kl[0], math.log(self.classes))])
        of_others = torch.stack([part.mean() for part in self.unlabelled(x, draws)])
        together = self.share * of_labelled + (1 - self.share) * of_others
        # -log N(θ; 0, I) of all weights, without its constant: half of their squares.
        weights = [part.to(known.dtype) for part in self.parameters() if part.dim() == 2]
        prior = 0.5 / self.images * torch.stack([part.square().sum() for part in weights]).sum()
        return torch.stack([*together.unbind(), -(known * log_q).sum(1).mean(), prior])

    def parts(self, x: Tensor, y: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """-log p(x|y,z) and D(q(z|x,y) ‖ p(z)), nats [...], of x [..., D], one-hot y [..., C], and z drawn by the noise
        [..., Z]: L(x,y) without its log C (eq. 6)."""
        q = self.posterior(x, y)
        logits = self.decoder(q.draw(noise), y)
        reconstruction = bernoulli_cross_entropy(x.expand_as(logits), logits).sum(-1)
        return reconstruction, gaussian_kl_to_standard(*q).sum(-1)

    def unlabelled(self, x: Tensor, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
        """The parts of U(x), nats [B] of x [B, D], whose sum it is (eq. 7): the reconstruction and the KL of z in the
        mean over q(y|x), and D(q(y|x) ‖ p(y)) = log C - H(q(y|x))."""
        log_q = torch.log_softmax(self.classifier(x), 1)
        q = torch.exp(log_q)
        every = torch.eye(self.classes, dtype=x.dtype, device=x.device)
        reconstruction, kl = self.parts(x[:, None], every, draws.normal(len(x), self.classes, self.latent))
        return (q * reconstruction).sum(1), (q * kl).sum(1), math.log(self.classes) + (q * log_q).sum(1)

    def posterior(self, x: Tensor, y: Tensor) -> Gaussian:
        """q(z|x,y) [..., Z] of x [..., D] and one-hot y [..., C]; the second head is the log variance."""
        mean, log_variance = self.encoder(x, y).chunk(2, -1)
        return Gaussian(mean, 0.5 * log_variance)

    def one_hot(self, labels: Tensor) -> Tensor:
        """y [R, C] of labels int64 [R]."""
        return (labels[:, None] == torch.arange(self.classes, device=labels.device)).to(self.encoder.bias.dtype)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The error of q(y|x) on test images as they are; U and its parts, with one draw of z for every class, on
        images that are binarised where training binarises; and what the units of z carry with the likeliest class."""
        wrong = entropy = torch.zeros((), device=test.device)
        sums = torch.zeros(3, device=test.device)
        q = Gaussian(*sums.new_empty(2, len(test), self.latent).unbind())
        for block, start in enumerate(range(0, len(test), _ROWS)):
            part = slice(start, start + _ROWS)
            grey, labels = test.rows(part), test.labels[part]
            draws = evaluation_draws(self.draws_needed(0, len(grey)), seed, Stream.EVALUATE, block, grey.device)
            logits = self.classifier(grey)
            wrong = wrong + (logits.argmax(1) != labels).sum()
            entropy = entropy + functional.cross_entropy(logits, labels, reduction="sum")
            x = self._seen(grey, draws)
            sums += torch.stack([one.sum() for one in self.unlabelled(x, draws)])
            q.mean[part], q.log_std[part] = self._likeliest(x)[0]
        of_test = f"mean over the {test.split} images"
        reconstruction, kl, kl_y = (sums / len(test)).tolist()
        nats = f"nats per image, {of_test}"
        values = {
            "error_percent": Value(
                value=100 * wrong.item() / len(test), unit="% of images", headline=True, label="error"
            ),
            "cross_entropy": Value(value=entropy.item() / len(test), unit="nats, mean over images"),
            "negative_elbo": Value(value=reconstruction + kl + kl_y, unit=f"{nats}, without labels", label="−ELBO"),
            "reconstruction": Value(value=reconstruction, unit=nats),
            "kl": Value(value=kl, unit=nats),
            "kl_y": Value(value=kl_y, unit=nats, label="KL of the class"),
        }
        return values | latent_units([q], [standard_gaussian(q.mean)], [q], [""], test.split)

    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The same as `evaluate`: the paper reports the test error."""
        return self.evaluate(test, batches, seed)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`reconstruction`, and samples of the `prior`, of the classes in turn, pixel means [B, D] each."""
        x = self._seen(x, draws)
        return {"input": x, "reconstruction": self.denoise(x), "prior": self.generate(len(x), draws)}

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """Probabilities q(y|x) [R, C] for x [R, D]."""
        return torch.softmax(self.classifier(x), 1)

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """The mean of q(z|x,y) [R, Z] for x [R, D] and the likeliest y."""
        return {"z": self._likeliest(x)[0].mean}

    @torch.no_grad()
    def spread(self, x: Tensor) -> dict[str, Tensor]:
        """The standard deviations [R, Z] of the posteriors whose means are `codes`."""
        return {"z": torch.exp(self._likeliest(x)[0].log_std)}

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        """Pixel means [R, D] of x [R, D], which the caller has corrupted or not, through its likeliest class and the
        mean of its z; nothing is drawn."""
        q, y = self._likeliest(x)
        return torch.sigmoid(self.decoder(q.mean, y))

    @torch.no_grad()
    def generate(self, rows: int, draws: Draws) -> Tensor:
        """Pixel means [R, D] of samples: z is drawn, the classes come in turn."""
        z = draws.normal(rows, self.latent)
        return torch.sigmoid(self.decoder(z, self.one_hot(torch.arange(rows, device=z.device) % self.classes)))

    def _likeliest(self, x: Tensor) -> tuple[Gaussian, Tensor]:
        """q(z|x,y) [R, Z] of the y [R, C] that q(y|x) finds likeliest, and that."""
        y = self.one_hot(self.classifier(x).argmax(1))
        return self.posterior(x, y), y

    def _seen(self, x: Tensor, draws: Draws) -> Tensor:
        return (draws.uniform(*x.shape) < x).to(x.dtype) if self.binarise else x


class _Make:
    """What every part is made from."""

    def __init__(self, random: np.random.RandomState, precision: torch.dtype, activation: str, std: float) -> None:
        self.activation = {"tanh": torch.tanh, "relu": torch.relu, "softplus": softplus}[activation]
        self._random, self._precision, self._std = random, precision, std

    def weight(self, inputs: int, outputs: int) -> nn.Parameter:
        """Initial weights [inputs, outputs]."""
        return weight((inputs, outputs), self._precision, lambda shape: self._random.normal(0.0, self._std, shape))


class _Dense(nn.Module):
    """A perceptron, [..., widths[0]] to [..., widths[-1]]: its output is linear."""

    def __init__(self, make: _Make, widths: list[int]) -> None:
        super().__init__()
        self.activation = make.activation
        self.weights = nn.ParameterList([make.weight(*pair) for pair in itertools.pairwise(widths)])
        self.biases = nn.ParameterList([zeros(width) for width in widths[1:]])

    def forward(self, rows: Tensor) -> Tensor:
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for matrix, bias in hidden:
            rows = self.activation(product(rows, matrix) + bias)
        out: Tensor = product(rows, last[0]) + last[1]
        return out


class _Joint(nn.Module):
    """A perceptron of two inputs [..., widths[0]] and [..., C]. Each is multiplied by its own part of the first weights
    before the two are added: of rows that are seen with every class, once."""

    def __init__(self, make: _Make, widths: list[int], classes: int) -> None:
        super().__init__()
        self.activation = make.activation
        self.weight, self.of_class = make.weight(*widths[:2]), make.weight(classes, widths[1])
        self.bias = zeros(widths[1])
        self.above = _Dense(make, widths[1:])

    def forward(self, rows: Tensor, y: Tensor) -> Tensor:
        joint = product(rows, self.weight) + product(y, self.of_class) + self.bias
        out: Tensor = self.above(self.activation(joint))
        return out
