"""Loading a data set by its name: embedded, generated, from the files that torchvision downloads, or the user's own.

Shape letters: N items, D numbers per item.
"""

from __future__ import annotations

import gzip
import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from laddertop.engine.data.files import FILES, from_files
from laddertop.engine.data.images import Data, Images
from laddertop.engine.data.points import GENERATED, points
from laddertop.engine.data.spread import spread_of
from laddertop.engine.data.whiten import fit_whitening
from laddertop.engine.randomness import Stream, counter_key
from laddertop.journal.sections import DataSpec
from laddertop.journal.start import data_root, has_files

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
    white: int
    """The byte that stands for 1.0; 1 for float32 rows."""


class Changed(NamedTuple):
    """What is done to items before a model sees them; see Data."""

    light: Callable[[torch.Tensor], torch.Tensor] | None = None
    prepare: Callable[[torch.Tensor], torch.Tensor] | None = None
    restore: Callable[[torch.Tensor], torch.Tensor] | None = None


def load(spec: DataSpec, device: torch.device, room: int | None = None) -> Data:
    """The data set of a spec, for `device`: on it where its items take `room` bytes at most, else on the host. Without
    `room` half of the memory that is free on a GPU, and all of the host's, which the other devices share.

    Raises ValueError when it is absent and can't be downloaded, when it is damaged, when it is other data than the run
    was made with, or when too much of it is to be held back.
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

    items = spec.facts.training + spec.facts.test
    taken = items * math.prod(spec.facts[:3]) * (4 if spec.as_floats else 1)
    on_host = taken > (_room(device) if room is None else room)
    where = torch.device("cpu") if on_host else device
    whitening = fit_whitening(arrays.training[:kept]) if spec.whiten else None
    scale = spread_of(torch.from_numpy(arrays.training[:kept])) if spec.standardise else None

    def images(pixels: npt.NDArray[Any], labels: npt.NDArray[Any], split: str) -> Images:
        if spec.binarise == "threshold":
            pixels = (pixels > arrays.white / 2) * np.uint8(arrays.white)
        flat = torch.from_numpy(np.ascontiguousarray(pixels)).reshape(len(labels), -1)
        classes = torch.from_numpy(labels.astype(np.int64)).to(device)
        if whitening:
            return Images(whitening.whiten(flat).to(where), classes, 1, split, on_host)
        if scale:
            return Images(scale.standardise(flat).to(where), classes, 1, split, on_host)
        return Images(flat.to(where), classes, arrays.white, split, on_host)

    training = images(arrays.training[:kept], arrays.training_labels[:kept], "training")
    changed = Changed()
    if whitening:
        changed = Changed(whitening.light, whitening.whiten, whitening.light)
    elif scale:
        changed = Changed(None, scale.standardise, scale.restore)
    if spec.real and not whitening and not spec.points:
        changed = changed._replace(light=spread_of(training.pixels.cpu()).light)
    test = images(arrays.test, arrays.test_labels, "test")
    shape = spec.facts
    return Data(
        training=training,
        held_back=images(arrays.training[kept:], arrays.training_labels[kept:], "held-back")
        if spec.held_back
        else test,
        test=test,
        height=shape.height,
        width=shape.width,
        classes=shape.classes,
        channels=shape.channels,
        points=spec.points,
        **changed._asdict(),
    )


def _room(device: torch.device) -> float:
    return torch.cuda.mem_get_info(device)[0] / 2 if device.type == "cuda" else math.inf


def _drawn(pixels: npt.NDArray[np.uint8], white: int, counter: int) -> npt.NDArray[np.uint8]:
    # Every pixel black or white, white with its grey value as probability; the same draw in every run.
    random = np.random.Generator(np.random.PCG64(counter_key(0, Stream.BINARISE, counter)))
    return (random.random(pixels.shape, np.float32) * white < pixels).astype(np.uint8) * np.uint8(white)


def _arrays(spec: DataSpec) -> Arrays:
    if spec.own:
        from laddertop.engine.own import read  # with PIL, which others have no use for

        return Arrays(*read(spec), white=spec.found.white if spec.found else 1)
    return LOADERS[spec.name](spec.name, data_root(spec) if has_files(spec) else Path())


def _digits(name: str, root: Path) -> Arrays:
    # The file is read where it lies: importing scikit-learn takes longer than the first thousand steps.
    package = importlib.util.find_spec("sklearn")
    assert package, "scikit-learn is a dependency"
    assert package.submodule_search_locations
    with gzip.open(Path(package.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    table = table[np.random.RandomState(0).permutation(len(table))]
    pixels, labels = table[:, :-1], table[:, -1]
    parts = pixels[:DIGITS_TRAINING], labels[:DIGITS_TRAINING], pixels[DIGITS_TRAINING:], labels[DIGITS_TRAINING:]
    return Arrays(*parts, white=16)


def _files(name: str, root: Path) -> Arrays:
    return Arrays(*from_files(name, root), white=255)


def _points(name: str, root: Path) -> Arrays:
    return Arrays(*points(name), white=1)


LOADERS: dict[str, Callable[[str, Path], Arrays]] = {
    "digits": _digits,
    **dict.fromkeys(FILES, _files),
    **dict.fromkeys(GENERATED, _points),
}
"""How each data set is loaded, from its name and the folder where data sets live; may raise ValueError."""
