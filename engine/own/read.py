"""Reading a user's own data for a training, as they were when its run was made: other data are refused.

Shape letters: N items, D numbers of an item.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from laddertop.engine.own.look import classes_of, opened, shape_of, test_count
from laddertop.engine.own.source import Part
from laddertop.journal.sections import DataSpec

Rows = npt.NDArray[Any]


def read(data: DataSpec) -> tuple[Rows, Rows, Rows, Rows]:
    """Training items [N, D], uint8 or float32, and their classes [N], test items and theirs.

    They lie in memory once: mapped from the file where that stores them as they are needed, else copied a block at a
    time. Raises ValueError when they are other data than the run was made with.
    """
    found = data.found
    assert found is not None, "a run is made of data that were looked at"
    source = opened(data)
    training, test = source.training, source.test
    total = found.training + (0 if test else found.test)
    if (training.image, training.items) != ((found.channels, found.height, found.width), total):
        raise ValueError(
            f"{data.name} is other data than the run was made with: {training.items} items of {shape_of(training)}, "
            f"and the run has {found.about}; put the old file back, or train a new run"
        )
    if (sha256 := source.sha256()) != found.sha256:
        raise ValueError(
            f"{data.name} is other data than the run was made with: its SHA-256 is {sha256[:16]}…, the run's "
            f"{found.sha256[:16]}…; put the old file back, or train a new run"
        )
    labels, tested, _ = classes_of(source)
    if labels is None:
        labels = np.zeros(training.items, np.int64)
    if test:
        return _whole(training), labels, _whole(test), np.zeros(test.items, np.int64) if tested is None else tested
    # Test items first, in the order that the seed gives: so both parts are mixed, however the file is sorted.
    order = np.random.RandomState(found.split_seed).permutation(training.items)
    drawn = test_count(training.items, data.test_share)
    apart, rest = order[:drawn], order[drawn:]
    parts = _split(training, np.argsort(order), drawn)
    return parts[1], labels[rest], parts[0], labels[apart]


def _kept(part: Part) -> np.dtype[Any]:
    """How the numbers lie in memory."""
    return np.dtype(np.float32 if part.dtype.kind == "f" else np.uint8)


def _whole(part: Part) -> Rows:
    """All items [N, D]."""
    if part.mapped and part.dtype == _kept(part):
        return part.mapped()
    return _split(part, np.arange(part.items), part.items)[0]


def _split(part: Part, places: npt.NDArray[np.int64], first: int) -> tuple[Rows, Rows]:
    """Puts item i at `places[i]`, of the first array [first, D] or, counted on, of the second."""
    width, kept = int(np.prod(part.image)), _kept(part)
    into = np.empty((first, width), kept), np.empty((part.items - first, width), kept)
    at = 0
    for block in part.blocks():
        where = places[at : at + len(block)]
        before = where < first
        into[0][where[before]] = block[before]
        into[1][where[~before] - first] = block[~before]
        at += len(block)
    return into
