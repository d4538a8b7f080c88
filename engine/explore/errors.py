"""What a classifier gets wrong, over all test items.

Shape letters: N items, C classes, B bins of confidence.
"""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine.contract import Classifies
from laddertop.engine.data import Images

BINS = 15
"""Of confidence, as in Guo et al. 2017."""
_ROWS = 1000


@torch.no_grad()
def told(model: Classifies, test: Images) -> Tensor:
    """The probabilities [N, C] of the classes of every item."""
    return torch.cat([model.classify(test.rows(slice(at, at + _ROWS))) for at in range(0, len(test), _ROWS)]).float()


def confusion(probabilities: Tensor, labels: Tensor) -> Tensor:
    """How many items of each class (rows) are told to be of each class (columns), int64 [C, C]."""
    classes = probabilities.shape[1]
    return torch.bincount(labels * classes + probabilities.argmax(1), minlength=classes**2).view(classes, classes)


def calibration(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Of the items in each of B equal bins of confidence, the largest probability: how many, the mean confidence, and
    the share told rightly [B, 3]; zeros where there are none. Guo et al. 2017 (1706.04599), section 2."""
    confidence, told = probabilities.double().max(1)
    bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1  # each bin with its upper end, as published
    sums = torch.zeros(BINS, 3, dtype=torch.float64, device=probabilities.device)
    sums.index_add_(0, bins, torch.stack([torch.ones_like(confidence), confidence, (told == labels).double()], 1))
    return torch.cat([sums[:, :1], sums[:, 1:] / sums[:, :1].clamp(min=1)], 1)


def worst(probabilities: Tensor, labels: Tensor) -> Tensor:
    """The items that are told wrongly, what the model was most confident of first."""
    confidence, told = probabilities.max(1)
    order = confidence.argsort(descending=True, stable=True)
    return order[(told != labels)[order]]
