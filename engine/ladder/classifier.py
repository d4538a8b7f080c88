"""A ladder network whose top layer is a softmax over classes: how well it classifies, as its authors measure it.

Shape letters: B rows, D pixels, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from laddertop.engine.data import Batches, Images
from laddertop.engine.ladder.layers import Layer
from laddertop.engine.ladder.network import LadderNetwork
from laddertop.journal.models import LabelledLadderSection
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

_ROWS = 1000
"""Test images that go through the clean encoder at once."""


class LadderClassifier(LadderNetwork):
    """The evaluation that ladder networks with labels share."""

    settled_by_evaluation = True

    def __init__(
        self, spec: Spec, layers: list[Layer], classes: int, precision: torch.dtype, top_scale: bool = True
    ) -> None:
        super().__init__(spec, layers, classes, precision, top_scale)
        assert isinstance(spec.model, LabelledLadderSection)
        self.statistics = spec.model.statistics
        """Whose batch statistics the clean encoder takes when it is evaluated."""

    def settle(self, batches: Batches) -> None:
        """Fixes the statistics of both encoders."""
        self._gather_clean(batches, self.statistics)
        self.gather_corrupted(batches)

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """Probabilities of the classes [B, C] for images [B, D]; `settle` comes first."""
        return torch.softmax(self.clean(x)[-1], 1)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """Test error of the clean encoder with fixed statistics, those of the labelled images as published."""
        self._gather_clean(batches, self.statistics)
        wrong, entropy = self._errors(test)
        return {
            "error_percent": Value(value=100 * wrong, unit="% of images", headline=True, label="error"),
            "cross_entropy": Value(value=entropy, unit="nats, mean over images"),
        }

    @torch.no_grad()
    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The test error with the statistics of the spec, and with either; the test images' denoising costs.

        The published numbers are those with the statistics of the labelled images, parameters of the last step.
        """
        values = self.evaluate(test, batches, seed)
        for statistics, images in (("labelled", "the labelled images"), ("training", "all training images")):
            self._gather_clean(batches, statistics)
            unit, label = f"% of images, statistics of {images}", f"error, {statistics} statistics"
            wrong, _ = self._errors(test)
            values[f"error_percent_{statistics}_statistics"] = Value(value=100 * wrong, unit=unit, label=label)
        self._gather_clean(batches, self.statistics)
        return {**values, **(self.denoising_costs(test, seed) if self.weighted else {})}

    def _gather_clean(self, batches: Batches, statistics: str) -> None:
        labelled = statistics == "labelled"
        every = (batches.at(step)[2] for step in range(batches.epoch_steps))
        self.gather(batches.labelled_batches() if labelled else every)

    def _errors(self, test: Images) -> tuple[float, float]:
        wrong = entropy = torch.zeros((), device=test.device)
        for start in range(0, len(test), _ROWS):
            part = slice(start, start + _ROWS)
            logits, labels = self.clean(test.rows(part))[-1], test.labels[part]
            wrong = wrong + (logits.argmax(1) != labels).sum()
            entropy = entropy + functional.cross_entropy(logits, labels, reduction="sum")
        return wrong.item() / len(test), entropy.item() / len(test)
