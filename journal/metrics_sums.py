"""Checksums of the numbers of a segment: so that a bit that flipped is told, and no wrong number shown for a right one.

`metrics-0001.sums` holds an entry for every block of 256 records of `metrics-0001.bin`, and once the segment is closed
one for the records after the last whole block, which may be none. Runs of before have no such file, and a segment whose
engine was killed has no last entry: nothing is said of records without one.

Shape letters: B blocks.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from laddertop.journal import inside

BLOCK = 256
"""Records of a block."""

ENTRY = np.dtype([("records", "<u4"), ("sum", "<u4"), ("overview", "<u4")])
"""A block: how many records it has, the CRC-32 of their bytes, and that of its block in the overview."""


def sums_name(segment: int) -> str:
    """The name of the checksums of a segment, counted from 1."""
    return f"metrics-{segment:04d}.sums"


def entries(records: npt.NDArray[np.void], overview: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The entries of whole blocks [B] of records [B * BLOCK], with their blocks in the overview [B]."""
    made = np.empty(len(overview), ENTRY)
    made["records"] = BLOCK
    made["sum"] = block_sums(records.tobytes(), BLOCK * records.dtype.itemsize)
    made["overview"] = block_sums(overview.tobytes(), overview.dtype.itemsize)
    return made


def closing(records: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """The entry of what comes after the last whole block."""
    return np.array([(len(records), zlib.crc32(records.tobytes()), 0)], ENTRY)


def block_sums(data: bytes, size: int) -> list[int]:
    """The CRC-32 of every `size` bytes, the last of which may be fewer."""
    whole = memoryview(data)
    return [zlib.crc32(whole[at : at + size]) for at in range(0, len(data), size)]


def read_sums(folder: Path, segment: int, begin: int = 0) -> npt.NDArray[np.void] | None:
    """The entries of a segment from `begin` on, as far as they are there; none where there is no file.

    Raises ValueError when it is no plain file, OSError when it can't be read.
    """
    try:
        with inside.reading(folder, sums_name(segment)) as file:
            file.seek(begin * ENTRY.itemsize)
            data = file.read()
    except FileNotFoundError:
        return None
    return np.frombuffer(data[: len(data) // ENTRY.itemsize * ENTRY.itemsize], ENTRY)
