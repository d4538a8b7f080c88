"""A ladder network whose top layer is a softmax over classes: how well it classifies, as its authors measure it.

Shape letters: B rows, D pixels, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engine.data import Batches, Images
from engine.ladder_network import LadderNetwork
from journal.events import Value

_ROWS = 1000
"""Test images that go through the clean encoder at once."""


class LadderClassifier(LadderNetwork):
    """The evaluation that ladder networks with labels share."""

    def settle(self, batches: Batches) -> None:
        """Fixes the statistics: of the clean encoder those of the labelled images alone, as published."""
        self.gather(batches.labelled_batches())
        self.gather_corrupted(batches)

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """Probabilities of the classes [B, C] for images [B, D]; `settle` comes first."""
        return torch.softmax(self.clean(x)[-1], 1)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """Test error of the clean encoder with the statistics of the labelled images."""
        self.gather(batches.labelled_batches())
        wrong, entropy = self._errors(test)
        return {
            "error_percent": Value(value=100 * wrong, unit="% of images"),
            "cross_entropy": Value(value=entropy, unit="nats, mean over images"),
        }

    @torch.no_grad()
    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The test error as published and with the statistics of all training images; the test images' denoising costs.

        The published numbers are `error_percent`: statistics of the labelled images, parameters of the last step.
        """
        values = self.evaluate(test, batches, seed)
        self.gather(batches.at(step)[2] for step in range(batches.epoch_steps))
        unit = "% of images, statistics of all training images"
        values["error_percent_all_statistics"] = Value(value=100 * self._errors(test)[0], unit=unit)
        self.gather(batches.labelled_batches())
        return {**values, **(self.denoising_costs(test, seed) if self.weighted else {})}

    def _errors(self, test: Images) -> tuple[float, float]:
        wrong = entropy = torch.zeros((), device=test.pixels.device)
        for start in range(0, len(test), _ROWS):
            part = slice(start, start + _ROWS)
            logits, labels = self.clean(test.rows(part))[-1], test.labels[part]
            wrong = wrong + (logits.argmax(1) != labels).sum()
            entropy = entropy + functional.cross_entropy(logits, labels, reduction="sum")
        return wrong.item() / len(test), entropy.item() / len(test)
