"""One step of training: draw, cost, gradients, update, record. Nothing here waits for the device.

Shape letters: T terms, K columns of the metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from laddertop.engine import ranks
from laddertop.engine.contract import Model, Projects, Stage, Staged, stage_at
from laddertop.engine.data import Batches
from laddertop.engine.randomness import Draws, Stream, counter_words, normals, uniforms
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.graph import Graph
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.projection import Projection


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
        """`compiled` fuses draws, costs, gradients and update at the first call, slowly; on a CUDA device a step is
        one graph of kernels, compiled or not.
        """
        self._model, self._optimizer, self._batches, self._seed = model, optimizer, batches, seed
        self._controls, self._names, self._effective = controls, controls.names, controls.effective
        self._counts = model.draws_needed(batches.labelled_rows, batches.rows)
        self._draws = Draws if ranks.count() == 1 else ranks.ShareOfDraws
        # What differs from step to step, beside the knobs: written here, so that a step is always the same work.
        self._key = torch.zeros(4, dtype=torch.int32, device=device)
        self._scalars = torch.zeros(3, device=device)
        # Of data on the host a batch is written, of data on the device which rows it has.
        self._given = [torch.zeros_like(part) for part in self._next(0)]
        self._cuda = device.type == "cuda"
        self.problem = ""
        """Why the step could not be compiled; it is then taken uncompiled."""
        # On a CUDA device the update stays out of what is compiled: torch's kernel takes all parameters in one launch.
        # On a CPU a bfloat16 step takes 1.2 to 1.6 times as long without one pass over casts and moments.
        self._take: Callable[..., Tensor] = self._computed
        self._differentiate: Callable[..., tuple[Tensor, ...]] = self._differentiated
        if compiled and self._cuda:
            self._differentiate = _compile(self._differentiated, _launch_less(model))
        elif compiled:
            self._take = _compile(self._computed)
        self._projection = Projection(model, optimizer) if isinstance(model, Projects) else None
        self._make_repeatable()
        self._stages = model.stages(batches.epoch_steps) if isinstance(model, Staged) else []
        self._stage: Stage | None = None
        self._trained = optimizer
        self._counted = [i for i, term in enumerate(model.terms) if not term.watched]

    def enter(self, step: int) -> Stage | None:
        """Goes over to the stage of the step after `step` completed ones; returns it if it was another before."""
        if not self._stages:
            return None
        number = stage_at(self._stages, step)
        stage = self._stages[number]
        if stage is self._stage:
            return None
        assert isinstance(self._model, Staged)
        self._model.stage, self._stage = number, stage
        self._trained = self._optimizer.part(stage.parameters)
        if step == stage.first:
            self._trained.forget()
        terms = self._model.terms
        self._counted = [i for i, term in enumerate(terms) if term.name in stage.terms]
        self._controls.resting = frozenset(t.weight for t in terms if t.weight and t.name not in stage.terms)
        self._make_repeatable()
        return stage

    def __call__(self, step: int, row: Tensor) -> None:
        """Takes the step after `step` completed ones and puts total, terms, knobs and gradient norm into `row` [K]."""
        self.enter(step)
        count = step + 1 - (self._stage.first if self._stage else 0)
        words = counter_words(self._seed, Stream.NORMALS, step) + counter_words(self._seed, Stream.UNIFORMS, step)
        self._key.copy_(torch.tensor(words, dtype=torch.int32), non_blocking=True)
        scalars = self._trained.scalars(count, self._controls.learning_rate)
        self._scalars.copy_(torch.tensor(scalars), non_blocking=True)
        for given, now in zip(self._given, self._next(step), strict=True):
            given.copy_(now, non_blocking=True)
        due = self._projection is not None and self._projection.due(step + 1)
        row.copy_(self._projecting() if due else self._work())

    def _next(self, step: int) -> tuple[Tensor, ...]:
        index = self._batches.index(step)
        if ranks.count() > 1:
            index = ranks.share(index[0]), ranks.share(index[1])
        return self._batches.gather(*index) if self._batches.training.on_host else index

    def _make_repeatable(self) -> None:
        whole = self._whole if ranks.count() == 1 else self._jointly

        def projecting() -> Tensor:
            assert self._projection is not None
            row = whole()
            self._projection()
            return row

        graph = self._cuda and ranks.count() == 1
        self._work: Callable[[], Tensor] = Graph(whole) if graph else whole
        self._projecting: Callable[[], Tensor] = Graph(projecting) if graph else projecting

    def _jointly(self) -> Tensor:
        with ranks.jointly():
            return self._whole()

    def _whole(self) -> Tensor:
        if self._batches.training.on_host:
            labelled, labels, x = self._given
        else:
            labelled, labels, x = self._batches.gather(*self._given)
        batch = labelled, labels, x, self._key, self._effective, self._scalars
        try:
            return self._take(*batch)
        except torch._dynamo.exc.TorchDynamoException as error:
            # Nothing has been computed yet: a broken compiler, or a user's code that it does not take, shows before the
            # first step.
            reason = str(getattr(error, "inner_exception", error)).strip().splitlines()
            self.problem = f"the step could not be compiled and is taken uncompiled: {reason[0] if reason else error}"
            self._take, self._differentiate = self._computed, self._differentiated
            return self._take(*batch)

    def _computed(
        self, labelled: Tensor, labels: Tensor, x: Tensor, key: Tensor, effective: Tensor, scalars: Tensor
    ) -> Tensor:
        costs, *gradients = self._differentiate(labelled, labels, x, key, effective)
        if ranks.count() > 1:
            costs, *gradients = ranks.mean([costs, *gradients])
        knobs = self._knobs(effective)
        update = self._trained.step_for_compiler if torch.compiler.is_compiling() else self._trained.step
        norm = update(gradients, knobs["lr"], knobs["clip"], scalars)
        return torch.cat([costs, effective, norm.view(1)])

    def _differentiated(
        self, labelled: Tensor, labels: Tensor, x: Tensor, key: Tensor, effective: Tensor
    ) -> tuple[Tensor, ...]:
        """The total and the terms [1 + T], and the gradient of the total with respect to every trained parameter."""
        terms, total = self._costs(labelled, labels, x, key, effective)
        gradients = torch.autograd.grad(total, self._trained.parameters)
        return torch.cat([total.detach().view(1), terms.detach()]), *gradients

    def _knobs(self, effective: Tensor) -> dict[str, Tensor]:
        return dict(zip(self._names, effective.unbind(), strict=True))

    def _costs(
        self, labelled: Tensor, labels: Tensor, x: Tensor, key: Tensor, effective: Tensor
    ) -> tuple[Tensor, Tensor]:
        knobs = self._knobs(effective)
        draws = self._draws(normals(self._counts[0], key[:2]), uniforms(self._counts[1], key[2:]))
        terms = self._model.costs(labelled, labels, x, draws, knobs)
        one = torch.ones((), device=x.device)
        weights = torch.stack([knobs[term.weight] if term.weight else one for term in self._model.terms])
        if len(self._counted) < len(weights):
            # The terms that rest are NaN, and 0·NaN is not 0.
            return terms, torch.stack([terms[i] * weights[i] for i in self._counted]).sum()
        return terms, (terms * weights).sum()


def _launch_less(model: Model) -> dict[str, Any]:
    """Options of the compiler for a CUDA device, where a small model's kernels are over sooner than launched."""
    # Sums over the rows of a batch are short, and one kernel is faster than the two of a split sum; those over maps are
    # long. What does not depend on each other shares a kernel.
    maps = any(parameter.dim() > 2 for parameter in model.parameters())
    return {"combo_kernels": True, "split_reductions": maps}


def _compile(function: Callable[..., Any], options: dict[str, Any] | None = None) -> Callable[..., Any]:
    import torch._dynamo
    import torch._inductor.config as inductor

    torch._dynamo.config.trace_autograd_ops = True  # the gradient is part of the graph
    inductor.deterministic = True  # kernels chosen by timing them round differently from one start to the next
    inductor.max_pointwise_cat_inputs = 0  # a fused cat becomes a loop full of conditions
    return torch.compile(function, fullgraph=True, dynamic=False, options=options)
