"""Looking at a user's own data, once, when a run is made of them: what they are, and whether they can be trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from laddertop.engine.own.folder import open_folder
from laddertop.engine.own.npz import open_npz
from laddertop.engine.own.source import Part, Source
from laddertop.engine.own.table import open_table
from laddertop.journal.sections import LARGEST_ITEM, WIDEST, DataSpec, FoundData

TABLES = (".csv", ".parquet")
"""How names of tables end."""
MOST_NAMES = 10_000
"""Classes that may have words for names, which the run keeps."""


def look(data: DataSpec, seed: int) -> FoundData:
    """What is found in the file that `data` names; where it has no test part, `seed` draws one.

    Reads it all. Raises ValueError that says what is wrong, where, and what to do.
    """
    source = opened(data)
    training, test = source.training, source.test
    channels, height, width = training.image
    if test and test.image != training.image:
        raise ValueError(f"{test.place} has items of {shape_of(test)}, {training.place} of {shape_of(training)}")
    if height > WIDEST or width > LARGEST_ITEM:
        raise ValueError(f"{training.place} has items of {shape_of(training)}; make them smaller")
    if test is None and training.items < 2:
        raise ValueError(f"{training.place} has one item; a training needs more")
    spread = _spread([training, *([test] if test else [])])
    labels, _, names = classes_of(source)
    drawn = 0 if test else test_count(training.items, data.test_share)
    return FoundData(
        channels=channels,
        height=height,
        width=width,
        classes=int(labels.max()) + 1 if labels is not None else 1,
        training=training.items - drawn,
        test=test.items if test else drawn,
        floats=training.dtype.kind == "f",
        white=255 if training.dtype == np.uint8 and spread.high > 1 else 1,
        low=spread.low,
        high=spread.high,
        split_seed=None if test else seed,
        names=names,
        sha256=source.sha256(),
    )


def opened(data: DataSpec) -> Source:
    """The data that a spec names, none of them read. Raises ValueError when they are absent or of another kind."""
    path = Path(data.name)
    if not path.exists():
        raise ValueError(f"data.name: there is no {path}; name a file of yours, or a data set as `--data mnist`")
    if data.label is not None and path.suffix not in TABLES:
        raise ValueError(f"data.label: {path} is no table, which has columns; leave it out")
    if path.is_dir():
        return open_folder(path, data)
    table = path.suffix in TABLES
    if data.colour != "auto" or (data.size is not None and not table):
        raise ValueError(f"data.size and data.colour are for a folder of images, and {path} is a file; leave them out")
    if table:
        return open_table(path, data)
    if path.suffix != ".npz":
        raise ValueError(f"data.name: {path} is none of .npz, .csv, .parquet and a folder of images")
    return open_npz(path)


def shape_of(part: Part) -> str:
    """The shape of its items, in words."""
    channels, height, width = part.image
    if height == 1:
        return f"{channels * width} numbers"
    return f"{height}×{width}{' in colour' if channels == 3 else ''}"


def test_count(count: int, share: float) -> int:
    """How many of so many items are drawn for the test set: one at least, and not all."""
    return min(max(round(count * share), 1), count - 1)


class _Range(NamedTuple):
    low: float
    high: float


def _spread(parts: list[Part]) -> _Range:
    """The smallest and the largest number. Raises ValueError that names an item with one that is none."""
    lows, highs = [], []
    if parts[-1].dtype != parts[0].dtype:
        raise ValueError(f"{parts[-1].place} holds {parts[-1].dtype}, {parts[0].place} {parts[0].dtype}; make them one")
    for part in parts:
        first = 0
        for block in part.blocks():
            if block.dtype.kind == "f" and not (sound := np.isfinite(block).all(1)).all():
                row = int(np.argmin(sound))
                at = int(np.argmin(np.isfinite(block[row])))
                value = block[row][at]
                what = "NaN" if np.isnan(value) else "an infinite number"
                where = f"{part.item(first + row)}{part.number(at)}"
                raise ValueError(f"{where} holds {what}; replace it, or leave the item out")
            lows.append(float(block.min()))
            highs.append(float(block.max()))
            first += len(block)
    low, high = min(lows), max(highs)
    if max(-low, high) > np.finfo(np.float32).max:
        raise ValueError(f"{parts[0].place} has numbers up to {max(-low, high):g}, which float32 doesn't hold")
    return _Range(low, high)


def classes_of(source: Source) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int64] | None, list[str] | None]:
    """The classes of the training and the test items, from 0 on, and the names of those that have words.

    Raises ValueError that names a label that is none.
    """
    training, test = source.training, source.test
    if training.labels is None:
        return None, None, None
    names = None
    if training.labels.dtype.kind in "US":
        names = [str(name) for name in np.unique(training.labels.astype(str))]
        if len(names) > min(MOST_NAMES, training.items // 2):
            raise ValueError(f"{training.place}: {training.items} items are too few for {len(names)} classes")
    numbered = _numbered(training, names)
    there = np.unique(numbered)
    if len(there) <= int(there[-1]):
        missing = next(i for i in range(len(there)) if there[i] != i)
        raise ValueError(
            f"{training.label(0)} and on: no item has the label {missing}, and labels reach to {there[-1]}; number the "
            "classes 0, 1, 2, … without gaps"
        )
    if len(there) == 1:
        raise ValueError(f"{training.label(0)} and on: all labels are the same; leave them out, or give others")
    tested = _numbered(test, names) if test else None
    if test and tested is not None and int(tested.max()) > int(there[-1]):
        raise ValueError(
            f"{test.label(int(np.argmax(tested)))} is {tested.max()}, a class that no training item has; take it out, "
            "or give it training items"
        )
    return numbered, tested, names


def _numbered(part: Part, names: list[str] | None) -> npt.NDArray[np.int64]:
    labels: Any = part.labels
    assert labels is not None
    if names is not None:
        words = labels.astype(str)
        places = np.searchsorted(names, words).clip(max=len(names) - 1)
        strange = np.asarray(names)[places] != words
        if strange.any():
            row = int(np.argmax(strange))
            raise ValueError(f"{part.label(row)} is {str(words[row])!r}, a class that no training item has")
        return np.asarray(places, np.int64)
    if labels.dtype.kind not in "iub":
        raise ValueError(f"{part.label(0)} and on hold {labels.dtype}; labels are whole numbers from 0 on, or words")
    if (labels.astype(np.int64) < 0).any():
        row = int(np.argmax(labels < 0))
        raise ValueError(f"{part.label(row)} is {labels[row]}; labels count from 0: leave out the items that have none")
    return np.asarray(labels, np.int64)
