"""What a training looks at once in a while: an evaluation, and the fixed test items for the sample panel."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import Tensor

from laddertop.engine.build import Model
from laddertop.engine.contract import Encodes
from laddertop.engine.data import Batches, Data, Images
from laddertop.engine.models.unsupervised_ladder import UnsupervisedLadder
from laddertop.engine.parts.latent_units import ACTIVE
from laddertop.engine.randomness import Stream, draws
from laddertop.journal.events import Activity, Evaluated, Sampled
from laddertop.journal.samples import write_samples

_BATCH = 100
"""Rows that pass through the model for the sample panel, so that batch statistics mean something."""

_ITEMS = 500
"""Images over which the activity of units is measured."""

_POINTS = 1000
"""Points of the plane that pass through the model for the sample panel: they are looked at as a cloud."""


def evaluate(model: Model, images: Images, split: str, batches: Batches, seed: int, step: int) -> Evaluated:
    """Measures the model on `images`, with draws of their own; the training does not notice."""
    began = time.perf_counter()
    values = model.evaluate(images, batches, seed)
    layers = activity(model, images)
    return Evaluated(step=step, split=split, values=values, seconds=time.perf_counter() - began, layers=layers)


@torch.no_grad()
def activity(model: Model, images: Images) -> dict[str, Activity]:
    """What the units of each layer do with the first images. Nothing of a model without representations, or whose
    evaluation leaves it without the statistics that these need."""
    if not isinstance(model, Encodes) or isinstance(model, UnsupervisedLadder):
        return {}
    layers = {}
    for name, code in model.codes(images.rows(slice(0, _ITEMS))).items():
        variance = code.float().var(0, correction=0)
        if torch.isfinite(variance).all():
            active, sd = int((variance > ACTIVE).sum()), variance.mean().sqrt().item()
            layers[name] = Activity(units=len(variance), active=active, sd=sd)
    return layers


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
