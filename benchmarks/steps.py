"""Our step as the training loop takes it, on random images: what is in them does not change its time."""

from __future__ import annotations

from collections.abc import Callable

import torch

from laddertop.engine.build import build
from laddertop.engine.data import Batches, Data, Images
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from laddertop.journal.spec import Spec


def random_data(device: torch.device, spec: Spec, images: int = 2000) -> Data:
    """Random images of the size of MNIST's, or of CIFAR-10's where the spec names that."""
    channels, side = (3, 32) if spec.data.name == "cifar10" else (1, 28)
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (images, channels * side * side), dtype=torch.uint8, generator=random)
    part = Images(pixels.to(device), (torch.arange(images) % 10).to(device), 255)
    return Data(part, part, part, height=side, width=side, classes=10, channels=channels)


class OurStep:
    """A model of a spec and its training, one step after the other."""

    def __init__(self, spec: Spec, device: torch.device, compiled: bool, precision: torch.dtype) -> None:
        """`compiled` and `precision` are those of the step, whatever the spec says."""
        data = random_data(device, spec)
        batches = Batches(spec.data, data, 1, with_labels=spec.model.labelled)
        self.model = build(spec, data.inputs, device, precision)
        self.optimizer = make_optimizer(dict(self.model.named_parameters()), spec.optimizer)
        self._controls = Controls(spec, self.model.knobs, batches.epoch_steps, 100_000, device)
        self._step = Step(self.model, self.optimizer, self._controls, batches, 1, device, compiled)
        self.width = 2 + len(self.model.terms) + len(self._controls.names)
        """Columns of a row."""
        self.row = torch.empty(self.width, device=device)
        """Where a step that is not recorded puts its numbers."""
        self.taken = 0

    def take(self, into: Callable[[], torch.Tensor] | None = None) -> None:
        """The next step."""
        self._step.enter(self.taken)
        self._controls.prepare(self.taken)
        self._step(self.taken, into() if into else self.row)
        self._controls.advance()
        self.taken += 1
