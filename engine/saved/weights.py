"""The weights of a checkpoint as a safetensors file, which needs no laddertop and runs no code where it is read."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save

from laddertop.engine.saved.model import recorded
from laddertop.engine.training import checkpoint
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState


def write_weights(run: RunFolder, step: int | None, out: Path) -> int:
    """Writes every parameter by its name in the model, in float32, with run, recipe, step and the spec as metadata, and
    prints one JSON object: step, tensors and numbers written.

    `step` is that of the checkpoint, None the newest. Raises ValueError when there is none or it is damaged, OSError
    when the file can't be written.
    """
    saved = recorded(run, RunState(), step)
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.load(run.path, saved)["model"].items()}
    about = {"run": run.name, "recipe": run.spec.recipe, "step": str(saved.step), "spec": run.spec.model_dump_json()}
    out.write_bytes(save(tensors, about))
    numbers = sum(tensor.numel() for tensor in tensors.values())
    print(json.dumps({"step": saved.step, "tensors": len(tensors), "numbers": numbers}))
    return 0
