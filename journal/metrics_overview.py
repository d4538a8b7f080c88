"""The coarse overview of a metrics file: smallest, mean and largest value of every block of 256 records.

With it a run of ten million steps is opened and zoomed without reading its records. `metrics-0001.overview` stands
beside `metrics-0001.bin`, is written by the engine with the records, and may be absent, cut off or behind: what it
lacks is gathered from the records, and so is a block whose checksum does not fit it.

Shape letters: N records, B blocks, K columns of the metrics; column K of an overview is the time a step took.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from laddertop.journal import inside
from laddertop.journal.metrics_sums import BLOCK, block_sums, closing, entries, read_sums, sums_name


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
    """Writes the overview of a segment, and its checksums, while its records are written."""

    def __init__(self, folder: Path, segment: int, columns: int) -> None:
        names = overview_name(segment), sums_name(segment)
        for name in names:
            inside.remove(folder, name)
        self._file, self._sums = (inside.Appender(folder, name, new=True) for name in names)
        self._rest = np.empty(0, [("step", "<i8"), ("time", "<f8"), ("values", "<f4", (columns,))])
        self._before = float("nan")
        self._finished = False

    def add(self, records: npt.NDArray[np.void]) -> None:
        """Takes up the next records; the next `flush` writes the blocks that are whole."""
        records = np.concatenate([self._rest, records])
        whole = len(records) // BLOCK * BLOCK
        self._rest = records[whole:].copy()
        if whole:
            before, self._before = self._before, float(records["time"][whole - 1])
            blocks = gather(records[:whole], before)
            self._file.add(blocks.tobytes())
            self._sums.add(entries(records[:whole], blocks).tobytes())

    def finish(self) -> None:
        """Takes up that there will be no more records."""
        if not self._finished:
            self._finished = True
            self._sums.add(closing(self._rest).tobytes())

    def flush(self) -> None:
        """Writes what the disk has not taken so far. Raises OSError when it does not take all of it."""
        self._file.flush()
        self._sums.flush()

    def close(self) -> None:
        """Closes the files."""
        self._file.close()
        self._sums.close()


class Overview:
    """The blocks of one segment as they come; what its file lacks is gathered from the records."""

    GATHER_AT_ONCE = 2000
    """Blocks that are gathered in one go at most, so that a run without overviews fills up before one's eyes."""

    def __init__(self, folder: Path, segment: int, columns: int) -> None:
        self._folder, self._segment, self._name = folder, segment, overview_name(segment)
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
        data = data[: self._sound(data, width) * width]
        more = np.frombuffer(data, self.blocks.dtype)
        self.blocks = np.concatenate([self.blocks, more]) if len(self.blocks) else more

    def _sound(self, data: bytes, width: int) -> int:
        """How many of the blocks in `data` there are, up to one whose checksum does not fit."""
        whole = len(data) // width
        known = read_sums(self._folder, self._segment, len(self.blocks))
        if known is None:
            return whole
        found = block_sums(data[: whole * width], width)
        right = [said == one for said, one in zip(known["overview"].tolist(), found, strict=False)]
        return right.index(False) if False in right else whole
