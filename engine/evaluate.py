"""Evaluates the newest checkpoint of a run on the test set, apart from any training."""

from __future__ import annotations

import json

import torch

from engine import checkpoint, explore
from engine.build import build, choose_device, choose_threads
from engine.data import Batches, load
from journal.events import EventReader, as_json
from journal.folder import RunFolder
from journal.state import RunState


def evaluate(run: RunFolder) -> int:
    """Prints one JSON object: run, step, split, and every value with its unit.

    Raises ValueError when there is no checkpoint, or when it is damaged.
    """
    spec = run.spec
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    saved = checkpoint.newest(run.path, state.checkpoints)
    if saved is None:
        raise ValueError(f"{run.name} has no checkpoint yet; ask for one with `laddertop checkpoint {run.name}`")
    content = checkpoint.load(run.path, saved)
    device = choose_device(spec.device)
    data = load(spec.data, device)
    batches = Batches(spec.data, data, spec.seed, with_labels=spec.model.labelled)
    assert state.started, "a checkpoint is recorded after a start"
    # In the precision it is trained in, so that the numbers are those of the training's own evaluations.
    precision = torch.bfloat16 if state.started.precision == "bf16" else torch.float32
    model = build(spec, data, device, precision)
    choose_threads(spec.threads, model, device)
    model.load_state_dict(content["model"])
    with torch.no_grad():
        result = explore.evaluate(model, data.test, "test", batches, spec.seed, saved.step)
    values = {name: as_json(value) for name, value in result.values.items()}
    error = {"error_percent": values["error_percent"]["value"]} if "error_percent" in values else {}
    print(json.dumps({"name": run.name, "step": saved.step, "split": "test", **error, "values": values}))
    return 0
