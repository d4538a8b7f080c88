"""The coarse overview of a metrics file: smallest, mean and largest value of every block of 256 records.

With it a run of ten million steps is opened and zoomed without reading its records. `metrics-0001.overview` stands
beside `metrics-0001.bin`, is written by the engine with the records, and may be absent, cut off or behind: what it
lacks is gathered from the records.

Shape letters: N records, B blocks, K columns of the metrics; column K of an overview is the time a step took.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from laddertop.journal import inside

BLOCK = 256
"""Records of a block."""


def overview_type(columns: int) -> np.dtype[np.void]:
    """A block of metrics with `columns` values: step and time of its last record; per column the smallest, mean and
    largest finite value (nan when there is none) and the number of values that are not finite."""
    more = (columns + 1,)
    fields = [("step", "<i8"), ("time", "<f8"), ("low", "<f4", more), ("mean", "<f4", more), ("high", "<f4", more)]
    return np.dtype([*fields, ("bad", "<u2", more)])


def overview_name(segment: int) -> str:
    """The name of the overview of a segment, counted from 1."""
    return f"metrics-{segment:04d}.overview"


def gather(records: npt.NDArray[np.void], before: float, size: int = BLOCK) -> npt.NDArray[np.void]:
    """The blocks of `size` records each [B]; N is a multiple of `size`; `before` is the time of the record
    before them, nan when there is none."""
    columns = records.dtype["values"].shape[0]
    blocks = np.empty(len(records) // size, overview_type(columns))
    seconds = np.diff(records["time"], prepend=before).astype(np.float32)
    values = np.concatenate([records["values"], seconds[:, None]], 1).reshape(-1, size, columns + 1)
    finite = np.isfinite(values)
    count = finite.sum(1)
    blocks["step"], blocks["time"] = records["step"][size - 1 :: size], records["time"][size - 1 :: size]
    blocks["low"] = np.where(finite, values, np.inf).min(1)
    blocks["high"] = np.where(finite, values, -np.inf).max(1)
    with np.errstate(invalid="ignore"):
        blocks["mean"] = np.where(finite, values, 0).sum(1, dtype=np.float64) / np.where(count, count, np.nan)
    for name in ("low", "high"):
        blocks[name][count == 0] = np.nan
    blocks["bad"] = size - count
    return blocks


class OverviewWriter:
    """Writes the overview of a segment while its records are written."""

    def __init__(self, folder: Path, segment: int, columns: int) -> None:
        name = overview_name(segment)
        inside.remove(folder, name)
        self._file = inside.Appender(folder, name, new=True)
        self._rest = np.empty(0, [("step", "<i8"), ("time", "<f8"), ("values", "<f4", (columns,))])
        self._before = float("nan")

    def append(self, records: npt.NDArray[np.void]) -> None:
        """Takes up the next records and writes the blocks that are whole.

        Raises OSError when the disk does not take them; what it did not take goes first the next time.
        """
        records = np.concatenate([self._rest, records])
        whole = len(records) // BLOCK * BLOCK
        self._rest = records[whole:].copy()
        if whole:
            before, self._before = self._before, float(records["time"][whole - 1])
            self._file.append(gather(records[:whole], before).tobytes())

    def flush(self) -> None:
        """Writes what the disk has not taken so far."""
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class Overview:
    """The blocks of one segment as they come; what its file lacks is gathered from the records."""

    GATHER_AT_ONCE = 2000
    """Blocks that are gathered in one go at most, so that a run without overviews fills up before one's eyes."""

    def __init__(self, folder: Path, segment: int, columns: int) -> None:
        self._folder, self._name = folder, overview_name(segment)
        self.blocks = np.empty(0, overview_type(columns))
        """The whole blocks so far [B]."""

    def catch_up(self, count: int, read: Callable[[int, int], npt.NDArray[np.void]]) -> bool:
        """Takes up the blocks of the segment's first `count` records, which `read(begin, end)` reads where the file
        lacks them; false when some are left for another time."""
        wanted = count // BLOCK
        self._take_up(wanted - len(self.blocks))
        have = len(self.blocks)
        if have < wanted:
            until = min(wanted, have + self.GATHER_AT_ONCE)
            records = read(max(have * BLOCK - 1, 0), until * BLOCK)
            before = float(records["time"][0]) if have else float("nan")
            self.blocks = np.concatenate([self.blocks, gather(records[have > 0 :], before)])
            return until == wanted
        return True

    def _take_up(self, blocks: int) -> None:
        if blocks <= 0:
            return
        width = self.blocks.dtype.itemsize
        try:
            with inside.reading(self._folder, self._name) as file:
                file.seek(len(self.blocks) * width)
                data = file.read(blocks * width)
        except FileNotFoundError:
            return
        more = np.frombuffer(data[: len(data) // width * width], self.blocks.dtype)
        self.blocks = np.concatenate([self.blocks, more]) if len(self.blocks) else more
