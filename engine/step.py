"""One step of training: draw, cost, gradients, update, record. Nothing here waits for the device.

Shape letters: T terms, K columns of the metrics.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.build import Model
from engine.controls import Controls
from engine.data import Batches
from engine.optim import Adam
from engine.randomness import Draws, Stream, fill_normal, fill_uniform


class Step:
    """Everything a step needs, made once."""

    def __init__(
        self, model: Model, optimizer: Adam, controls: Controls, batches: Batches, seed: int, device: torch.device
    ) -> None:
        self._model, self._optimizer, self._batches, self._seed = model, optimizer, batches, seed
        normals, uniforms = model.draws_needed(batches.labelled_rows, batches.rows)
        self._normals = torch.empty(normals, device=device)
        self._uniforms = torch.empty(uniforms, device=device)
        self._effective = controls.effective
        self._knobs = controls.by_name()
        self._lr, self._clip = self._knobs["lr"], self._knobs["clip"]
        one = torch.ones((), device=device)
        self._weights = [self._knobs[term.weight] if term.weight else one for term in model.terms]

    def __call__(self, step: int, row: Tensor) -> None:
        """Takes the step after `step` completed ones and puts total, terms, knobs and gradient norm into `row` [K]."""
        if self._normals.numel():
            fill_normal(self._normals, self._seed, Stream.NORMALS, step)
        if self._uniforms.numel():
            fill_uniform(self._uniforms, self._seed, Stream.UNIFORMS, step)
        draws = Draws(self._normals, self._uniforms)
        terms = self._model.costs(*self._batches.at(step), draws, self._knobs)
        total = torch.dot(terms, torch.stack(self._weights))
        gradients = list(torch.autograd.grad(total, self._optimizer.parameters))
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        # The gradients are divided by norm / clip where that is more than 1.
        scale = torch.where(self._clip > 0, norm / self._clip, 0).clamp(min=1.0)
        self._optimizer.step(gradients, self._lr, scale)
        torch.cat([total.detach().view(1), terms.detach(), self._effective, norm.view(1)], out=row)
