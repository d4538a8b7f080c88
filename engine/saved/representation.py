"""How much of the classes a model's codes tell: a linear probe, and the classes of the nearest neighbours.

Shape letters: N training items, M items that are told apart, U units of the code.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from laddertop.engine.contract import Encodes
from laddertop.engine.data import Data, Images
from laddertop.journal.value import Value

TRAINED_ON = 10_000
"""Training items that the probe and the neighbours come from, at most: the first ones."""

NEIGHBOURS = 5
"""Neighbours that vote."""

_BATCH = 1000


def representation(model: Encodes, data: Data, images: Images) -> dict[str, Value]:
    """Shares of `images` whose class is found from each of the model's codes, and from the pixels for comparison.

    The model must be settled. Raises ValueError when there are no classes to find.
    """
    if data.classes < 2:
        raise ValueError("--representation: this data set has no classes that could be found from the codes")
    pixels, labels = data.training.pixels[:TRAINED_ON], data.training.labels[:TRAINED_ON]
    training = replace(data.training, pixels=pixels, labels=labels)
    if not torch.isin(images.labels, training.labels).all():
        raise ValueError(
            "--representation: these images are of other classes than the training images, which could not be found"
        )
    values = {}
    for name in [*model.codes(images.rows(slice(0, 2))), None]:
        what, label = (name, f"the code {name}") if name else ("pixels", "the pixels")
        x, other = (_features(model, name, part) for part in (training, images))
        for kind, share in {
            "linear_probe": linear_probe(x, training.labels.cpu().numpy(), other, images.labels.cpu().numpy()),
            "neighbours": neighbours(x, training.labels.cpu().numpy(), other, images.labels.cpu().numpy()),
        }.items():
            how = "logistic regression" if kind == "linear_probe" else f"vote of {NEIGHBOURS} nearest neighbours"
            unit = f"% of images, {how} on {label} of {len(training)} training images"
            values[f"{kind}.{what}"] = Value(value=100 * share, unit=unit, better="higher")
    return values


def linear_probe(
    x: npt.NDArray[np.float32],
    classes: npt.NDArray[np.int64],
    other: npt.NDArray[np.float32],
    other_classes: npt.NDArray[np.int64],
) -> float:
    """Share of `other` [M, U] whose class a logistic regression on x [N, U] finds.

    Units are scaled to variance 1 over x first; the regression is scikit-learn's with its default penalty.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(probe.fit(x, classes).score(other, other_classes))


def neighbours(
    x: npt.NDArray[np.float32],
    classes: npt.NDArray[np.int64],
    other: npt.NDArray[np.float32],
    other_classes: npt.NDArray[np.int64],
) -> float:
    """Share of `other` [M, U] whose class most of their nearest neighbours in x [N, U] have, by Euclidean distance."""
    from sklearn.neighbors import KNeighborsClassifier

    return float(KNeighborsClassifier(NEIGHBOURS).fit(x, classes).score(other, other_classes))


@torch.no_grad()
def _features(model: Encodes, code: str | None, images: Images) -> npt.NDArray[np.float32]:
    def features(x: Tensor) -> Tensor:
        return x if code is None else model.codes(x)[code].float()

    batches = [features(images.rows(slice(at, at + _BATCH))) for at in range(0, len(images), _BATCH)]
    found = torch.cat(batches).cpu().numpy()
    if not np.isfinite(found).all():
        raise ValueError("--representation: the codes are not finite: the training has diverged")
    return found
