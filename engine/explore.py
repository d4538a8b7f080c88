"""Looking at what a model has learnt: evaluations, and the fixed test items for the sample panel.

Shape letters: N items, H height, W width, D = H·W pixels.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch
from torch import Tensor

from engine.build import Model
from engine.data import Batches, Data, Images
from engine.randomness import Draws, Stream, fill_normal, fill_uniform
from journal.events import Evaluated, Sampled
from journal.samples import write_samples

_BATCH = 100
"""Rows that pass through the model for the sample panel, so that batch statistics mean something."""


def evaluate(model: Model, images: Images, split: str, batches: Batches, seed: int, step: int) -> Evaluated:
    """Measures the model on `images`, with draws of their own; the training does not notice."""
    began = time.perf_counter()
    rows, pixels = images.pixels.shape
    # One normal draw per pixel serves every model: no latent layer is wider than its image.
    draws = _draws(rows * pixels, rows * pixels, seed, Stream.EVALUATE, images.pixels.device)
    labelled = batches.labelled_batches() if batches.labelled_rows else []
    values = model.evaluate(images, labelled, draws)
    return Evaluated(step=step, split=split, values=values, seconds=time.perf_counter() - began)


def sample(
    folder: Path, model: Model, data: Data, knobs: dict[str, Tensor], items: int, seed: int, step: int
) -> Sampled:
    """Passes the first test images through the model, with the same draws every time, and writes them down."""
    x = data.test.rows(slice(0, max(_BATCH, items)))
    draws = _draws(*model.draws_needed(0, len(x)), seed, Stream.SAMPLE, x.device)
    shown = {"input": x, **model.reconstruct(x, draws, knobs)}
    rows = {
        name: (image[:items].clamp(0, 1).nan_to_num(0) * 255).round().to(torch.uint8).cpu().numpy()
        for name, image in shown.items()
    }
    shape = (items, data.height, data.width)
    file = write_samples(folder, step, {name: image.reshape(shape) for name, image in rows.items()})
    return Sampled(step=step, file=file, rows=list(rows))


def _draws(normals: int, uniforms: int, seed: int, stream: Stream, device: torch.device) -> Draws:
    return Draws(
        fill_normal(torch.empty(normals, device=device), seed, stream, 0),
        fill_uniform(torch.empty(uniforms, device=device), seed, stream, 1),
    )
