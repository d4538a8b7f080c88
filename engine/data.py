"""The data sets, resident on the device: images as bytes, batches gathered where the model is.

Shape letters: N images, H height, W width, D = H·W pixels, B rows of a batch.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.randomness import Stream, permutation
from journal.files import user_cache
from journal.sections import DataSpec

DIGITS_TRAINING = 1437
"""Training images of the digits; the other 360 are the test set. The split is drawn once with seed 0."""


@dataclass(frozen=True)
class Images:
    """Labelled images on a device."""

    pixels: Tensor
    """uint8 [N, D]."""
    labels: Tensor
    """int64 [N]."""
    white: int
    """The byte that stands for 1.0."""

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, index: Tensor | slice) -> Tensor:
        """The images at `index` as float32 [B, D] in [0, 1]."""
        return self.pixels[index].float().div_(self.white)


@dataclass(frozen=True)
class Data:
    """A data set as a run sees it."""

    training: Images
    """What the training sees."""
    held_back: Images
    """What evaluations during training see: images held back from training if the spec says so, else the test set."""
    test: Images
    """The test set."""
    height: int
    """Rows of an image."""
    width: int
    """Columns of an image."""
    classes: int
    """Number of classes."""


def load(spec: DataSpec, device: torch.device) -> Data:
    """The data set of a spec, on `device`.

    Raises ValueError when it is absent and can't be downloaded, or when too much of it is to be held back.
    """
    match spec.name:
        case "digits":
            arrays, side, white = _digits(), 8, 16
        case "mnist":
            arrays, side, white = _mnist(Path(spec.root) if spec.root else default_root()), 28, 255

    def images(pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> Images:
        flat = torch.from_numpy(np.ascontiguousarray(pixels)).reshape(len(labels), side * side)
        return Images(flat.to(device), torch.from_numpy(labels.astype(np.int64)).to(device), white)

    training_pixels, training_labels, test_pixels, test_labels = arrays
    kept = len(training_labels) - spec.held_back
    if not spec.held_back and kept < spec.batch:
        raise ValueError(f"data.batch: {spec.batch} rows of {spec.name}, which has {kept} training images")
    if kept < spec.batch:
        raise ValueError(
            f"data.held_back: {spec.name} has {len(training_labels)} training images, {kept} would be left"
        )
    test = images(test_pixels, test_labels)
    return Data(
        training=images(training_pixels[:kept], training_labels[:kept]),
        held_back=images(training_pixels[kept:], training_labels[kept:]) if spec.held_back else test,
        test=test,
        height=side,
        width=side,
        classes=10,
    )


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
        self.rows = spec.batch
        """Unlabelled rows of a step."""
        self.epoch_steps = len(data.training) // spec.batch
        """Steps of one epoch; the rows that don't fill a batch wait for the next shuffle."""
        self.labelled = (
            draw_labelled(data.training.labels, spec.labels, data.classes, seed)
            if with_labels
            else torch.empty(0, dtype=torch.int64, device=data.training.labels.device)
        )
        """Training images that carry labels, int64 [N]."""
        self.labelled_rows = min(spec.labelled_batch, len(self.labelled))
        """Labelled rows of a step."""
        self._epoch = -1

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """The batch of the step after `step` completed ones: labelled images, their labels, unlabelled images.

        float32 [B, D] in [0, 1], int64 [B], float32 [B, D]. The labelled batches of an epoch repeat in the same order.
        """
        epoch, at = divmod(step, self.epoch_steps)
        if epoch != self._epoch:
            self._shuffle(epoch)
        training = self._data.training
        unlabelled = training.rows(self._order[at * self.rows : (at + 1) * self.rows])
        if not self.labelled_rows:
            return unlabelled[:0], training.labels[:0], unlabelled
        at %= len(self.labelled) // self.labelled_rows
        index = self._labelled_order[at * self.labelled_rows : (at + 1) * self.labelled_rows]
        return training.rows(index), training.labels[index], unlabelled

    def labelled_batches(self) -> list[Tensor]:
        """The labelled images in batches, in their drawn order: float32 [B, D] each."""
        count = len(self.labelled) // self.labelled_rows
        parts = self.labelled[: count * self.labelled_rows].view(count, self.labelled_rows)
        return [self._data.training.rows(part) for part in parts]

    def _shuffle(self, epoch: int) -> None:
        device = self.labelled.device
        order = permutation(self._seed, Stream.SHUFFLE, epoch, len(self._data.training))
        self._order = order.to(device)
        labelled = permutation(self._seed, Stream.SHUFFLE_LABELLED, epoch, len(self.labelled))
        self._labelled_order = self.labelled[labelled.to(device)]
        self._epoch = epoch


def default_root() -> Path:
    """Where data sets live unless the spec says otherwise: $LADDERTOP_DATA, else the per-user cache."""
    named = os.environ.get("LADDERTOP_DATA")
    return Path(named) if named else user_cache()


_Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def _digits() -> _Arrays:
    # The file is read where it lies: importing scikit-learn takes longer than the first thousand steps.
    package = importlib.util.find_spec("sklearn")
    assert package, "scikit-learn is a dependency"
    assert package.submodule_search_locations
    with gzip.open(Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    table = table[np.random.RandomState(0).permutation(len(table))]
    pixels, labels = table[:, :-1], table[:, -1]
    return pixels[:DIGITS_TRAINING], labels[:DIGITS_TRAINING], pixels[DIGITS_TRAINING:], labels[DIGITS_TRAINING:]


_MNIST_FILES = (
    ("train-images-idx3-ubyte", 60000 * 784),
    ("train-labels-idx1-ubyte", 60000),
    ("t10k-images-idx3-ubyte", 10000 * 784),
    ("t10k-labels-idx1-ubyte", 10000),
)


def _mnist(root: Path) -> _Arrays:
    folder = root / "MNIST" / "raw"
    if not all((folder / name).is_file() for name, _ in _MNIST_FILES):
        _download_mnist(root)
    parts = []
    for name, size in _MNIST_FILES:
        # An idx file is a header of 16 bytes (images) or 8 (labels) and the plain bytes.
        content = np.fromfile(folder / name, np.uint8)
        header = len(content) - size
        if header != (16 if size % 784 == 0 else 8):
            raise ValueError(
                f"{folder / name} is damaged: {len(content)} bytes; delete it and let it be downloaded again"
            )
        parts.append(content[header:].reshape(-1, 784) if header == 16 else content[header:])
    return parts[0], parts[1], parts[2], parts[3]


def _download_mnist(root: Path) -> None:
    from torchvision.datasets import MNIST  # takes longer to import than torch itself

    try:
        MNIST(str(root), download=True)
    except Exception as error:  # torchvision raises RuntimeError, URLError, HTTPError, OSError, gzip's and zlib's
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"no MNIST in {root} (looked for MNIST/raw/train-images-idx3-ubyte and its three neighbours), "
            f"and downloading it failed: {reason}. Name a folder that has it with --data-root or $LADDERTOP_DATA, "
            f"or train on the embedded digits: laddertop train ladder-digits"
        ) from None
