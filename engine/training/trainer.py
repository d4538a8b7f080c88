"""What every rank trains with: data, model, optimizer, controls and the step, made from a spec."""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine import ranks
from laddertop.engine.build import build, run_length
from laddertop.engine.contract import Follows
from laddertop.engine.data import Batches, load
from laddertop.engine.training import checkpoint
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.device import choose_compile, choose_device, choose_precision, choose_threads
from laddertop.engine.training.room import check_room
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from laddertop.journal.events import Checkpointed
from laddertop.journal.folder import RunFolder


class Trainer:
    """A model with its initial weights, or those of a checkpoint, and all that it takes to train it on."""

    def __init__(self, run: RunFolder) -> None:
        """Loads the data and builds the model. Raises ValueError when data or device are not as the spec says."""
        self.run, self.spec = run, (spec := run.spec)
        self.device = choose_device(spec.device)
        self.data = load(spec.data, self.device)
        self.batches = Batches(spec.data, self.data, spec.seed, with_labels=spec.model.labelled)
        ranks.check_divides("data.batch", self.batches.rows)
        ranks.check_divides("data.labelled_batch", self.batches.labelled_rows)
        self.steps = run_length(spec, self.batches.epoch_steps)
        self.compiled, self.note = choose_compile(spec.compile, self.steps, self.device)
        self.precision = choose_precision(spec.precision, self.device, self.compiled)
        check_room(spec, self.device, self.compiled)
        self.model = build(spec, self.data.inputs, self.device, self.precision, run.path)
        choose_threads(spec.threads, self.model, self.device)
        self.optimizer = make_optimizer(dict(self.model.named_parameters()), spec.optimizer)
        self.controls = Controls(spec, self.model.knobs, self.batches.epoch_steps, self.steps, self.device)
        if isinstance(self.model, Follows):
            self.model.follow(self.controls.by_name())
        self.take_step = Step(
            self.model, self.optimizer, self.controls, self.batches, spec.seed, self.device, self.compiled
        )
        self.step = 0
        """Steps completed."""

    def restore(self, saved: Checkpointed) -> None:
        """The weights, and the state of what trains them, as a checkpoint has them. Raises ValueError when it can't be
        used."""
        content = checkpoint.load(self.run.path, saved)
        with checkpoint.fitting(self.run.path, saved):
            self.step = checkpoint.restore(content, self.optimizer, self.controls)

    def advance(self, row: Tensor) -> None:
        """Takes the next step, and puts its numbers into `row` [K], the columns of the metrics."""
        self.controls.prepare(self.step)
        self.take_step(self.step, row)
        self.controls.advance()
        self.step += 1

    @property
    def precision_in_words(self) -> str:
        """Precision of the matrix products: bf16 or fp32."""
        return "bf16" if self.precision is torch.bfloat16 else "fp32"
