"""What a training looks at once in a while: an evaluation, and the fixed test items for the sample panel."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import Tensor

from laddertop.engine.contract import Model
from laddertop.engine.data import Batches, Data, Images
from laddertop.engine.explore.activity import activity
from laddertop.engine.randomness import Stream, draws
from laddertop.journal.events import Evaluated, Sampled
from laddertop.journal.samples import write_samples

_BATCH = 100
"""Rows that pass through the model for the sample panel, so that batch statistics mean something."""

_POINTS = 1000
"""Points of the plane that pass through the model for the sample panel: they are looked at as a cloud."""


def due(step: int, every: int) -> bool:
    """Whether what is done every so many steps is done at a step; never with 0, and not before the first step."""
    return every > 0 and step > 0 and step % every == 0


def evaluate(model: Model, images: Images, split: str, batches: Batches, seed: int, step: int) -> Evaluated:
    """Measures the model on `images`, with draws of their own; the training does not notice."""
    began = time.perf_counter()
    values = model.evaluate(images, batches, seed)
    layers = activity(model, images)
    return Evaluated(step=step, split=split, values=values, seconds=time.perf_counter() - began, layers=layers)


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
