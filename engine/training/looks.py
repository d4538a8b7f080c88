"""Looking at what a model has learnt: evaluations, the fixed test items for the sample panel, and what a model can do
beyond being trained.

Shape letters: B rows, D pixels, C classes, U units of the main representation, S steps.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from engine.build import Model
from engine.data import Batches, Data, Images
from engine.randomness import Draws, Stream, draws
from journal.events import Evaluated, Sampled
from journal.samples import write_samples

_BATCH = 100
"""Rows that pass through the model for the sample panel, so that batch statistics mean something."""

_POINTS = 1000
"""Points of the plane that pass through the model for the sample panel: they are looked at as a cloud."""


@runtime_checkable
class Settles(Protocol):
    """A model whose inference needs fixed statistics; what stands below is asked of it only once it has them."""

    def settle(self, batches: Batches) -> None:
        """Computes the statistics from the training or labelled images, as its paper does, and keeps them."""


@runtime_checkable
class Encodes(Protocol):
    """A model with representations."""

    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [B, D], the representations by name [B, units], bottom first, the main one last; nothing is drawn."""


@runtime_checkable
class Spreads(Protocol):
    """A model whose representations are means of posteriors."""

    def spread(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [B, D], the standard deviations of the posteriors whose means `codes` gives, by the same names."""


@runtime_checkable
class Gates(Protocol):
    """A model whose decoder has lateral connections."""

    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [B, D], how much each layer lets through: ∂ẑ/∂z~ by layer [B, units], the input's under x."""


@runtime_checkable
class Decodes(Protocol):
    """A model with a way back from its main representation."""

    def decode(self, z: Tensor) -> Tensor:
        """Pixel means [B, D] for codes z [B, U]."""


@runtime_checkable
class Denoises(Protocol):
    """A model that reconstructs what it is given."""

    def denoise(self, x: Tensor) -> Tensor:
        """Pixel means [B, D] for x [B, D], which the caller has corrupted or not; nothing is drawn."""


@runtime_checkable
class Generates(Protocol):
    """A model that can be sampled from."""

    def generate_draws_needed(self, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of `generate`."""

    def generate(self, rows: int, draws: Draws) -> Tensor:
        """Pixel means [B, D] of that many samples."""


@runtime_checkable
class Fills(Protocol):
    """A model with a way of its own to fill in what is missing; others repeat `denoise`."""

    def fill_draws_needed(self, rows: int, steps: int) -> tuple[int, int]:
        """Normal and uniform draws of `fill`."""

    def fill(self, x: Tensor, known: Tensor, steps: int, draws: Draws) -> Tensor:
        """Pixel means [S, B, D] after each step of a chain that starts at x [B, D]; those of `known` [D] stay."""


@runtime_checkable
class Classifies(Protocol):
    """A model that tells classes apart."""

    def classify(self, x: Tensor) -> Tensor:
        """Probabilities [B, C] for x [B, D]."""


def evaluate(model: Model, images: Images, split: str, batches: Batches, seed: int, step: int) -> Evaluated:
    """Measures the model on `images`, with draws of their own; the training does not notice."""
    began = time.perf_counter()
    values = model.evaluate(images, batches, seed)
    return Evaluated(step=step, split=split, values=values, seconds=time.perf_counter() - began)


def sample(
    folder: Path, model: Model, data: Data, knobs: dict[str, Tensor], items: int, seed: int, step: int
) -> Sampled:
    """Passes the first test images through the model, with the same draws every time, and writes them down."""
    items = _POINTS if data.points else items
    x = data.test.rows(slice(0, max(_BATCH, items)))
    drawn = draws(model.draws_needed(0, len(x)), seed, Stream.SAMPLE, 0, x.device)
    shown = {"input": x, **model.reconstruct(x, drawn, knobs)}
    rows = {
        name: data.pictures(image[:items])
        for name, image in shown.items()
        if torch.isfinite(image[:items]).all()  # what is not a number is no black picture
    }
    file = write_samples(folder, step, rows)
    return Sampled(step=step, file=file, rows=list(rows))
