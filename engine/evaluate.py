"""Evaluates the newest checkpoint of a run, apart from any training."""

from __future__ import annotations

import json

import torch

from engine import explore
from engine.saved import Saved
from journal.events import as_json
from journal.folder import RunFolder


def evaluate(run: RunFolder) -> int:
    """Prints one JSON object: run, step, split, and every value with its unit.

    Raises ValueError when there is no checkpoint, or when it is damaged.
    """
    saved = Saved(run)
    subject, step = saved.subject, saved.checkpoint.step
    with torch.no_grad():
        result = explore.evaluate(subject.model, subject.data.test, "test", subject.batches, subject.spec.seed, step)
    values = {name: as_json(value) for name, value in result.values.items()}
    error = {"error_percent": values["error_percent"]["value"]} if "error_percent" in values else {}
    print(json.dumps({"name": run.name, "step": step, "split": "test", **error, "values": values}))
    return 0
