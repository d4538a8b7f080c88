"""What the tests of several models do with a bench: train it, check its gradients, save it and load it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from laddertop.engine.training import checkpoint
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from laddertop.journal.checkpoints import newest
from laddertop.journal.events import Checkpointed, EventReader
from laddertop.journal.folder import RunFolder
from tests.engine.conftest import CPU, Bench


def train(bench: Bench, steps: int) -> list[dict[str, float]]:
    """Takes steps as an engine does; returns what was recorded in each, by column."""
    optimizer = make_optimizer(dict(bench.model.named_parameters()), bench.spec.optimizer)
    step = Step(bench.model, optimizer, bench.controls, bench.batches, bench.spec.seed, CPU)
    names = ["total", *(term.name for term in bench.model.terms), *bench.controls.names, "grad_norm"]
    row = torch.empty(len(names))
    recorded = []
    for i in range(steps):
        step.enter(i)
        bench.controls.prepare(i)
        step(i, row)
        bench.controls.advance()
        recorded.append(dict(zip(names, row.tolist(), strict=True)))
    return recorded


def gradients_are_right(bench: Bench, term: slice = slice(None), only: tuple[str, ...] = ()) -> bool:
    """Gradcheck of the costs of a float64 bench in all parameters, or in those named, along a random direction."""
    named = dict(bench.model.named_parameters())
    names = only or tuple(named)
    values = [named[name].detach().clone().requires_grad_() for name in names]
    labelled, labels, x = bench.batch()

    class Costs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = bench.model

        def forward(self) -> torch.Tensor:
            return self.model.costs(labelled, labels, x, bench.draws(), bench.knobs())[term]

    def costs(*parameters: torch.Tensor) -> Any:
        named = {f"model.{name}": value for name, value in zip(names, parameters, strict=True)}
        return torch.func.functional_call(Costs(), named, ())

    return torch.autograd.gradcheck(costs, values, atol=1e-6, fast_mode=True)


def last_weights(run: RunFolder, step: int) -> dict[str, torch.Tensor]:
    """The model's weights in the newest checkpoint that the events name, which must be that of `step`."""
    events = EventReader(run.events_path).read_all()
    last = newest(run.checkpoints([event for event in events if isinstance(event, Checkpointed)]))
    assert last is not None
    assert last.step == step
    found: dict[str, torch.Tensor] = torch.load(run.path / last.file, weights_only=True)["model"]
    return found


def reloaded(bench: Bench, folder: Path) -> Bench:
    """Another bench of the same spec and another seed, with the weights of the first out of a checkpoint."""
    optimizer = make_optimizer(dict(bench.model.named_parameters()), bench.spec.optimizer)
    saved = checkpoint.save(folder, 7, optimizer, bench.controls, "test")
    other = Bench(bench.spec.model_copy(update={"seed": bench.spec.seed + 1}))
    theirs = make_optimizer(dict(other.model.named_parameters()), other.spec.optimizer)
    assert checkpoint.restore(checkpoint.load(folder, saved), theirs, other.controls) == 7
    return other
