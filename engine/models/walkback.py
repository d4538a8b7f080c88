"""Generative stochastic network and the autoencoder trained with walkback (Bengio et al. 2013, arXiv:1306.1091 and
arXiv:1305.6663), as in the authors' code (github.com/yaoli/GSN).

A Markov chain alternates between the layers. One transition updates the odd layers from their neighbours, then the even
ones; the image is layer 0. Hidden layers are s(input from below + input from above + b), from the second one up with
Gaussian noise before and after s. The image's update gives pixel means p; the next image of the chain is drawn from
Bernoulli(p) and corrupted again. With one hidden layer a transition is: corrupt, encode, decode, draw.

Walkback: a training step follows the chain for N transitions from a corrupted training image, and its cost is the sum
of the cross-entropies of all p to that image. Gradients flow through the hidden layers, not through what is drawn.

Initial values: weights uniform on ±√(6 / (inputs + outputs)), tied in both directions; biases 0; hidden layers 0.

Shape letters: B rows, D pixels, D_k units of layer k (D_0 = D), K hidden layers, N transitions.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import Tensor, nn

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.parts.corruption import corrupt, draws_needed
from laddertop.engine.parts.distributions import bernoulli_cross_entropy
from laddertop.engine.parts.layers import glorot_uniform, product, zeros
from laddertop.engine.randomness import Draws, Stream
from laddertop.engine.randomness import draws as evaluation_draws
from laddertop.journal.declared import level_of, model_knobs
from laddertop.journal.events import Term
from laddertop.journal.models import GsnSpec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

BURN_IN = 20
"""Transitions from a random image before the first sample."""

_ROWS = 1000
"""Test images that are evaluated at a time."""


class Gsn(nn.Module):
    """The chain of a spec; a state is the list of its layers, [B, D_k] each, image first."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        super().__init__()
        assert isinstance(spec.model, GsnSpec)
        self.noise = spec.noise
        self.binarise = spec.data.binarise == "dynamic"
        self.activation = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[spec.model.activation]
        self.widths = [inputs.pixels, *spec.model.hidden]
        self.walkback = spec.model.walkback
        random = np.random.RandomState(spec.seed)
        self.W = nn.ParameterList(
            [glorot_uniform(*pair, random, precision) for pair in itertools.pairwise(self.widths)]
        )
        self.b = nn.ParameterList([zeros(width) for width in self.widths])

        unit = "nats per pixel, mean over the batch"
        self.terms = [
            Term(name=f"walkback.{n}", label=f"walkback step {n}", unit=unit, weight=None)
            for n in range(1, self.walkback + 1)
        ]
        self.knobs = model_knobs(spec)
        self.level = level_of(spec.noise)

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        normals, uniforms = self._chain_draws(rows, self.walkback)
        return normals, uniforms + rows * self.widths[0] * self.binarise

    def _chain_draws(self, rows: int, transitions: int) -> tuple[int, int]:
        """What a chain takes: noise in the hidden layers, and for each transition an image, drawn and corrupted."""
        normals, uniforms = draws_needed(self.noise.kind, rows * self.widths[0])
        hidden = 2 * rows * sum(self.widths[2:])
        return transitions * (normals + hidden), transitions * (uniforms + rows * self.widths[0])

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The cross-entropy of each transition's pixel means to x [B, D], nats per pixel [N]; no labels are used."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).to(x.dtype)
        chain = self._chain(self._corrupted(x, draws, knobs), self.walkback, draws, knobs)
        return torch.stack([bernoulli_cross_entropy(x, logits).mean() for logits in chain])

    def _chain(
        self, x: Tensor, transitions: int, draws: Draws, knobs: dict[str, Tensor], known: Tensor | None = None
    ) -> list[Tensor]:
        """Logits of the pixel means [B, D] of each transition, from the image x and hidden layers 0.

        Where `known` (bool, [D]) the image stays x.
        """
        state = [x, *(x.new_zeros(len(x), width) for width in self.widths[1:])]
        chain: list[Tensor] = []
        for n in range(transitions):
            if n > 0:
                drawn = self._drawn(chain[-1], draws, knobs)
                state[0] = drawn if known is None else torch.where(known, x, drawn)
            self._update_hidden(state, draws, knobs)
            chain.append(self._entering(state, 0))
        return chain

    def _update_hidden(self, state: list[Tensor], draws: Draws, knobs: dict[str, Tensor]) -> None:
        """Updates the hidden layers of a state in place: odd ones, then even ones.

        An even layer hears of odd ones only, as the image does, so these updates are as good as at the same time.
        """

        def noise(rows: Tensor) -> Tensor:
            return rows + knobs["noise.hidden"] * draws.normal(*rows.shape)

        for k in [*range(1, len(state), 2), *range(2, len(state), 2)]:
            entering = self._entering(state, k)
            state[k] = self.activation(entering) if k == 1 else noise(self.activation(noise(entering)))

    def _entering(self, state: list[Tensor], k: int) -> Tensor:
        """What layer k gets from its neighbours, and its bias [B, D_k]."""
        total: Tensor = self.b[k]
        if k > 0:
            total = total + product(state[k - 1], self.W[k - 1])
        if k + 1 < len(state):
            total = total + product(state[k + 1], self.W[k].t())
        return total

    def _drawn(self, logits: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The next image of the chain: drawn from Bernoulli(sigmoid(logits)), then corrupted [B, D]."""
        image = (draws.uniform(*logits.shape) < torch.sigmoid(logits)).to(logits.dtype)
        return self._corrupted(image, draws, knobs)

    def _corrupted(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        return corrupt(x, self.noise.kind, knobs[self.level], draws, self.noise.salt)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The training's costs on test images, with noise: after the first transition, and after the last, as the
        authors' code prints it."""
        sums = torch.zeros(self.walkback, device=test.device)
        knobs = self._as_set(test.device)
        none = test.labels[:0]
        for block, start in enumerate(range(0, len(test), _ROWS)):
            x = test.rows(slice(start, start + _ROWS))
            draws = evaluation_draws(self.draws_needed(0, len(x)), seed, Stream.EVALUATE, block, x.device)
            sums += len(x) * self.costs(x[:0], none, x, draws, knobs)
        means = (sums / len(test)).tolist()
        unit = f"nats per pixel, mean over the {test.split} images, corrupted"
        return {
            "last_step": Value(value=means[-1], unit=f"{unit}, after {self.walkback} walkback steps", headline=True),
            "first_step": Value(value=means[0], unit=f"{unit}, after the first step"),
        }

    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The same as `evaluate`. The papers' Parzen estimates are left out: they don't measure a model's quality."""
        return self.evaluate(test, batches, seed)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`corrupted`, and the pixel means after the first and after the last transition, pixels [B, D] each."""
        if self.binarise:
            x = (draws.uniform(*x.shape) < x).to(x.dtype)
        corrupted = self._corrupted(x, draws, knobs)
        chain = [torch.sigmoid(logits) for logits in self._chain(corrupted, self.walkback, draws, knobs)]
        shown = {"input": x, "corrupted": corrupted, "reconstruction": chain[0]}
        return {**shown, "walkback": chain[-1]} if self.walkback > 1 else shown

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """Hidden layers for x [B, D], bottom first, [B, D_k] each: one pass up from hidden layers at 0, no noise."""
        codes = {}
        for k in range(1, len(self.widths)):
            x = self.activation(product(x, self.W[k - 1]) + self.b[k])
            codes[f"hidden.{k}"] = x
        return codes

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        """Pixel means [B, D] of the transition from x [B, D] with hidden layers at 0, nothing drawn."""
        first = self.activation(product(x, self.W[0]) + self.b[1])
        return torch.sigmoid(product(first, self.W[0].t()) + self.b[0])

    @torch.no_grad()
    def generate(self, rows: int, draws: Draws) -> Tensor:
        """Pixel means [B, D] of consecutive transitions of one chain.

        It starts at an image of coin flips and is left to itself for BURN_IN transitions first; the authors start at a
        test image.
        """
        knobs = self._as_set(self.b[0].device)
        start = self._drawn(self.b[0].new_zeros(1, self.widths[0]), draws, knobs)
        chain = self._chain(start, BURN_IN + rows, draws, knobs)
        return torch.sigmoid(torch.cat(chain[BURN_IN:]))

    @torch.no_grad()
    def fill(self, x: Tensor, known: Tensor, steps: int, draws: Draws) -> Tensor:
        """Pixel means [S, B, D] of S transitions from x [B, D]; where `known` (bool, [D]) they and the chain stay x.

        As the authors fill in: the known pixels are put back, uncorrupted, after every transition.
        """
        knobs = self._as_set(x.device)
        chain = torch.stack(self._chain(x, steps, draws, knobs, known))
        return torch.where(known, x, torch.sigmoid(chain))

    def _as_set(self, device: torch.device) -> dict[str, Tensor]:
        """The knobs of the noise as the spec sets them."""
        return {knob.name: torch.tensor(knob.value, device=device) for knob in self.knobs}
