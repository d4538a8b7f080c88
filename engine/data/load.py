"""Loading a data set by its name: embedded, generated, or from the files that torchvision downloads.

Shape letters: N items, D numbers per item.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from engine.data.images import Data, Images
from engine.data.points import points
from engine.randomness import Stream, counter_key
from journal.files import user_cache
from journal.sections import DataSpec

DIGITS_TRAINING = 1437
"""Training images of the digits; the other 360 are the test set. The split is drawn once with seed 0."""


class Arrays(NamedTuple):
    """A data set before it goes to a device."""

    training: npt.NDArray[Any]
    """[N, …]: uint8 images or float32 rows."""
    training_labels: npt.NDArray[Any]
    """Classes [N]."""
    test: npt.NDArray[Any]
    """As `training`."""
    test_labels: npt.NDArray[Any]
    """As `training_labels`."""
    shape: tuple[int, int, int]
    """Channels, height, width."""
    classes: int
    """Number of classes; 1 where there are none."""
    white: int
    """The byte that stands for 1.0; 1 for float32 rows."""


def load(spec: DataSpec, device: torch.device) -> Data:
    """The data set of a spec, on `device`.

    Raises ValueError when it is absent and can't be downloaded, or when too much of it is to be held back.
    """
    arrays = _arrays(spec)
    if spec.binarise == "fixed":
        white = arrays.white
        arrays = arrays._replace(training=_drawn(arrays.training, white, 0), test=_drawn(arrays.test, white, 1))
    total = len(arrays.training_labels)
    kept = total - spec.held_back
    if not spec.held_back and kept < spec.batch:
        raise ValueError(f"data.batch: {spec.batch} rows of {spec.name}, which has {kept} training images")
    if kept < spec.batch:
        raise ValueError(f"data.held_back: {spec.name} has {total} training images, {kept} would be left")

    def images(pixels: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Images:
        if spec.binarise == "threshold":
            pixels = ((pixels > arrays.white / 2) * arrays.white).astype(np.uint8)
        flat = torch.from_numpy(np.ascontiguousarray(pixels)).reshape(len(labels), -1)
        return Images(flat.to(device), torch.from_numpy(labels.astype(np.int64)).to(device), arrays.white)

    test = images(arrays.test, arrays.test_labels)
    channels, height, width = arrays.shape
    return Data(
        training=images(arrays.training[:kept], arrays.training_labels[:kept]),
        held_back=images(arrays.training[kept:], arrays.training_labels[kept:]) if spec.held_back else test,
        test=test,
        height=height,
        width=width,
        classes=arrays.classes,
        channels=channels,
        points=arrays.shape == (1, 1, 2),
    )


def _drawn(pixels: npt.NDArray[np.uint8], white: int, counter: int) -> npt.NDArray[np.uint8]:
    # Every pixel black or white, white with its grey value as probability; the same draw in every run.
    random = np.random.Generator(np.random.PCG64(counter_key(0, Stream.BINARISE, counter)))
    return (random.random(pixels.shape, np.float32) * white < pixels).astype(np.uint8) * np.uint8(white)


def _arrays(spec: DataSpec) -> Arrays:
    match spec.name:
        case "digits":
            return Arrays(*_digits(), (1, 8, 8), 10, white=16)
        case "mnist":
            return Arrays(*_mnist(Path(spec.root) if spec.root else default_root()), (1, 28, 28), 10, white=255)
        case "swiss_roll" | "spiral" | "moons" | "circles" | "mixture":
            x, labels, test, test_labels, classes = points(spec.name)
            return Arrays(x, labels, test, test_labels, (1, 1, 2), classes, white=1)


def default_root() -> Path:
    """Where data sets live unless the spec says otherwise: $LADDERTOP_DATA, else the per-user cache."""
    named = os.environ.get("LADDERTOP_DATA")
    return Path(named) if named else user_cache()


_FourArrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def _digits() -> _FourArrays:
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


def _mnist(root: Path) -> _FourArrays:
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
