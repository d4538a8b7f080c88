"""What a user's data are before they are read: where the items lie, of which shape and kind.

Shape letters: N items, C channels, H height, W width, D = C·H·W numbers of an item, B items of a block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK = 1 << 24
"""Bytes that are looked at and copied at once."""


class Part(NamedTuple):
    """The training or the test items."""

    place: str
    """Where they lie, as errors name it: ./mine.npz, array x."""
    items: int
    """N."""
    image: tuple[int, int, int]
    """Shape of an item, (C, H, W); of a row of numbers (1, 1, D)."""
    dtype: np.dtype[Any]
    """Kind of the numbers in the data: uint8, bool, or floats."""
    blocks: Callable[[], Iterator[npt.NDArray[Any]]]
    """Gives all items in their order, [B, D] at a time, channels slowest. May raise ValueError."""
    item: Callable[[int], str]
    """What errors call an item."""
    labels: npt.NDArray[Any] | None = None
    """Whole numbers or words [N]; none: there are no labels."""
    label: Callable[[int], str] = "label {}".format
    """What errors call the label of an item."""
    number: Callable[[int], str] = lambda i: ""
    """What errors say of a number of an item behind its name."""
    mapped: Callable[[], npt.NDArray[Any]] | None = None
    """Gives them as they lie in the file, [N, D], mapped into memory; none: they can't be."""


class Source(NamedTuple):
    """A user's data."""

    training: Part
    """All items where there is no test part."""
    test: Part | None
    """The test items, where the data say which those are."""
    sha256: Callable[[], str]
    """Reads it all, and gives the checksum."""


def sha256_of(path: Path) -> str:
    """The checksum of a file. Raises ValueError when it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
