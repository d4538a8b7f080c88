"""Which rows carry labels, and which rows each step sees.

Shape letters: N images, D pixels, B rows of a batch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from laddertop.engine.data.images import Data
from laddertop.engine.randomness import Stream, permutation
from laddertop.journal.sections import DataSpec


def draw_labelled(labels: Tensor, count: int | str, classes: int, seed: int) -> Tensor:
    """Which training images carry labels: `count` of them, as many of every class, int64 [count].

    The first of each class in the order of numpy's RandomState(seed), as in the authors' code (Rasmus et al. 2015).
    Raises ValueError when a class has too few.
    """
    if count == "all":
        return torch.arange(len(labels), device=labels.device)
    assert isinstance(count, int)
    order = np.arange(len(labels))
    np.random.RandomState(seed).shuffle(order)
    shuffled = labels.cpu().numpy()[order]
    per_class = count // classes
    chosen = [order[shuffled == c][:per_class] for c in range(classes)]
    if min(map(len, chosen)) < per_class:
        raise ValueError(f"data.labels: {count} labels need {per_class} images of every class; some class has fewer")
    return torch.from_numpy(np.concatenate(chosen)).to(labels.device)


class Batches:
    """Which rows each step sees: a function of the seed and the step, so that any step can be asked for."""

    def __init__(self, spec: DataSpec, data: Data, seed: int, with_labels: bool) -> None:
        """`with_labels` also deals labelled rows, in an order of their own."""
        self._data, self._seed = data, seed
        self.training = data.training
        """Every training image."""
        self.rows = spec.batch
        """Unlabelled rows of a step."""
        self.epoch_steps = len(data.training) // spec.batch
        """Steps of one epoch; the rows that don't fill a batch wait for the next shuffle."""
        self.labelled = (
            draw_labelled(data.training.labels, spec.labels, data.classes, seed)
            if with_labels
            else torch.empty(0, dtype=torch.int64)
        ).to(data.training.pixels.device)
        """Training images that carry labels, int64 [N]."""
        self.labelled_rows = min(spec.labelled_batch, len(self.labelled))
        """Labelled rows of a step."""
        self._epoch = -1

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of the step after `step` completed ones: labelled images, their labels, unlabelled images.

        float32 [B, D] in [0, 1], int64 [B], float32 [B, D]. The labelled batches of an epoch repeat in the same order.
        """
        return self.gather(*self.index(step))

    def index(self, step: int) -> tuple[Tensor, Tensor]:
        """Which images that batch holds, labelled and unlabelled, int64 [B] each, where the pixels lie."""
        epoch, at = divmod(step, self.epoch_steps)
        if epoch != self._epoch:
            self._shuffle(epoch)
        unlabelled = self._order[at * self.rows : (at + 1) * self.rows]
        if not self.labelled_rows:
            return self._labelled_order, unlabelled
        at %= len(self.labelled) // self.labelled_rows
        return self._labelled_order[at * self.labelled_rows : (at + 1) * self.labelled_rows], unlabelled

    def gather(self, labelled: Tensor, unlabelled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of those images, as from `at`."""
        training = self._data.training
        x = training.rows(unlabelled)
        if not self.labelled_rows:
            return x[:0], training.labels[:0], x
        return training.rows(labelled), training.classes(labelled), x

    def labelled_batches(self) -> list[Tensor]:
        """The labelled images in the batches of the first epoch, in which classes are mixed: float32 [B, D] each."""
        count = len(self.labelled) // self.labelled_rows
        parts = self._shuffled_labelled(0)[: count * self.labelled_rows].view(count, self.labelled_rows)
        return [self._data.training.rows(part) for part in parts]

    def _shuffle(self, epoch: int) -> None:
        order = permutation(self._seed, Stream.SHUFFLE, epoch, len(self._data.training))
        self._order = order.to(self.labelled.device)
        self._labelled_order = self._shuffled_labelled(epoch)
        self._epoch = epoch

    def _shuffled_labelled(self, epoch: int) -> Tensor:
        order = permutation(self._seed, Stream.SHUFFLE_LABELLED, epoch, len(self.labelled))
        return self.labelled[order.to(self.labelled.device)]
