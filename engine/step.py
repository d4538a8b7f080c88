"""One step of training: draw, cost, gradients, update, record. Nothing here waits for the device.

Shape letters: T terms, K columns of the metrics.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

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
        self,
        model: Model,
        optimizer: Adam,
        controls: Controls,
        batches: Batches,
        seed: int,
        device: torch.device,
        compiled: bool = False,
    ) -> None:
        """`compiled` makes one kernel graph of costs, gradients and update at the first call, which takes a while."""
        self._model, self._optimizer, self._batches, self._seed = model, optimizer, batches, seed
        normals, uniforms = model.draws_needed(batches.labelled_rows, batches.rows)
        self._normals = torch.empty(normals, device=device)
        self._uniforms = torch.empty(uniforms, device=device)
        self._names, self._effective = controls.names, controls.effective
        self._scalars = torch.empty(2)
        self._take: Callable[..., Tensor] = _compile(self._compiled_step) if compiled else self._eager_step
        self._compiled = compiled

    def __call__(self, step: int, row: Tensor) -> None:
        """Takes the step after `step` completed ones and puts total, terms, knobs and gradient norm into `row` [K]."""
        if self._normals.numel():
            fill_normal(self._normals, self._seed, Stream.NORMALS, step)
        if self._uniforms.numel():
            fill_uniform(self._uniforms, self._seed, Stream.UNIFORMS, step)
        batch = self._batches.at(step)
        if self._compiled:
            self._scalars[0], self._scalars[1] = self._optimizer.scalars(step + 1)
            scalars = self._scalars.to(row.device, non_blocking=True)
            row.copy_(self._take(*batch, self._normals, self._uniforms, self._effective, scalars))
        else:
            row.copy_(self._take(*batch, step + 1))

    def _eager_step(self, labelled: Tensor, labels: Tensor, x: Tensor, count: int) -> Tensor:
        terms, total, knobs = self._costs(labelled, labels, x, self._normals, self._uniforms, self._effective)
        gradients = list(torch.autograd.grad(total, self._optimizer.parameters))
        norm = self._optimizer.step(gradients, knobs["lr"], knobs["clip"], count)
        return torch.cat([total.detach().view(1), terms.detach(), self._effective, norm.view(1)])

    def _compiled_step(
        self,
        labelled: Tensor,
        labels: Tensor,
        x: Tensor,
        normals: Tensor,
        uniforms: Tensor,
        effective: Tensor,
        scalars: Tensor,
    ) -> Tensor:
        terms, total, knobs = self._costs(labelled, labels, x, normals, uniforms, effective)
        gradients = list(torch.autograd.grad(total, self._optimizer.parameters))
        norm = self._optimizer.step_for_compiler(gradients, knobs["lr"], knobs["clip"], scalars)
        return torch.cat([total.detach().view(1), terms.detach(), effective, norm.view(1)])

    def _costs(
        self, labelled: Tensor, labels: Tensor, x: Tensor, normals: Tensor, uniforms: Tensor, effective: Tensor
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        knobs = dict(zip(self._names, effective.unbind(), strict=True))
        terms = self._model.costs(labelled, labels, x, Draws(normals, uniforms), knobs)
        one = torch.ones((), device=x.device)
        weights = torch.stack([knobs[term.weight] if term.weight else one for term in self._model.terms])
        return terms, (terms * weights).sum(), knobs


def _compile(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    # What was compiled once is found again: minutes become seconds.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "laddertop" / "compiled"
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache))
    import torch._dynamo
    import torch._inductor.config as inductor

    torch._dynamo.config.trace_autograd_ops = True  # the gradient is part of the graph
    inductor.max_pointwise_cat_inputs = 0  # a fused cat becomes a loop full of conditions
    return torch.compile(function, fullgraph=True, dynamic=False)
