"""Evaluates a checkpoint of a run, apart from any training: what the model's paper reports."""

from __future__ import annotations

import json
import time

import torch

from laddertop.engine.contract import Encodes
from laddertop.engine.saved.model import Saved
from laddertop.engine.saved.representation import representation
from laddertop.journal.folder import RunFolder
from laddertop.journal.record import as_json


@torch.no_grad()
def evaluate(run: RunFolder, step: int | None, split: str, quick: bool, represent: bool) -> int:
    """Prints one JSON object: run, step, split, seconds, and every value with its unit.

    `step` is that of the checkpoint, None the newest; `split` is test, held_back or training; `quick` measures what a
    training does; `represent` also scores the codes. Raises ValueError when there is no such checkpoint or split, or
    when the checkpoint is damaged, and refuses what it can before anything that takes long.
    """
    if split == "held_back" and not run.spec.data.held_back:
        raise ValueError(f"--split: {run.name} holds no images back; set data.held_back when you train")
    saved = Saved(run, step)
    subject, seed = saved.subject, saved.subject.spec.seed
    data, model = subject.data, subject.model
    images = {"test": data.test, "held_back": data.held_back, "training": data.training}[split]
    began = time.perf_counter()
    subject.settle()
    if represent and not isinstance(model, Encodes):
        raise ValueError(f"--representation: a {subject.spec.model.called} has no codes")
    codes = representation(model, data, images) if represent and isinstance(model, Encodes) else {}
    measure = model.evaluate if quick else model.report
    values = measure(images, subject.batches, seed) | codes
    told = {name: as_json(value) for name, value in values.items()}
    error = {"error_percent": told["error_percent"]["value"]} if "error_percent" in told else {}
    head = {"name": run.name, "step": saved.checkpoint.step, "split": split.replace("_", " ")}
    print(json.dumps({**head, **error, "seconds": time.perf_counter() - began, "values": told}))
    return 0
