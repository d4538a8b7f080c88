"""The numbers of every step: fixed-width binary records, one file per segment, append-only, NaN stays NaN.

Shape letters: N records, K columns. A record is `step` (int64, steps completed), `time` (float64, seconds since 1970)
and K float32 values. `metrics.json` names the columns; `metrics-0001.bin` holds the first segment, and so on: a resume
begins a new segment at the step after its checkpoint, and the steps of older segments beyond it are thrown away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from journal.events import Column
from journal.files import write_atomically

READ_AT_MOST = 16 << 20
"""Bytes that one poll takes up at most."""


def record_type(columns: int) -> np.dtype[np.void]:
    """The record of a step with `columns` values."""
    return np.dtype([("step", "<i8"), ("time", "<f8"), ("values", "<f4", (columns,))])


def segment_path(folder: Path, segment: int) -> Path:
    """The metrics file of a segment, counted from 1."""
    return folder / f"metrics-{segment:04d}.bin"


def write_columns(folder: Path, columns: list[Column]) -> None:
    """Names the columns of a run's metrics; done once, before the first record."""
    write_atomically(folder / "metrics.json", json.dumps([c.model_dump() for c in columns], indent=1).encode())


def read_columns(folder: Path) -> list[Column]:
    """The columns of a run's metrics; empty before the engine named them."""
    try:
        return [Column(**column) for column in json.loads((folder / "metrics.json").read_bytes())]
    except FileNotFoundError:
        return []


class MetricsWriter:
    """Appends records to one segment; the engine holds the only one."""

    def __init__(self, folder: Path, segment: int, columns: int) -> None:
        """Begins `segment` of the run in `folder`. Raises FileExistsError when it was begun before."""
        self._type = record_type(columns)
        self._file = segment_path(folder, segment).open("xb")

    def append(self, steps: npt.ArrayLike, times: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Writes N records: steps [N], times [N], values [N, K]; readers see them at once."""
        records = np.empty(len(np.asarray(steps)), self._type)
        records["step"], records["time"], records["values"] = steps, times, values
        self._file.write(records.tobytes())
        self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


@dataclass
class _Segment:
    number: int
    records: npt.NDArray[np.void]
    """Whole records seen so far, mapped from the file."""


class MetricsReader:
    """Reads a run's metrics as they are written: the history as trained, without steps that a resume threw away."""

    def __init__(self, folder: Path) -> None:
        """Reads the run in `folder`, which may not have metrics yet."""
        self._folder = folder
        self._segments: list[_Segment] = []
        self.columns: list[Column] = []
        """The columns; empty until the engine named them."""
        self._index: dict[str, int] = {}

    def poll(self) -> bool:
        """Takes up what was written since the last poll; true when there was anything."""
        if not self.columns:
            self.columns = read_columns(self._folder)
            self._index = {column.name: i for i, column in enumerate(self.columns)}
            if not self.columns:
                return False
        width = record_type(len(self.columns))
        news = False
        number = max(1, len(self._segments))
        while (path := segment_path(self._folder, number)).exists():
            size = path.stat().st_size // width.itemsize
            known = len(self._segments[number - 1].records) if number <= len(self._segments) else 0
            if size > known or number > len(self._segments):
                records = np.memmap(path, width, "r", shape=(size,)) if size else np.empty(0, width)
                self._segments[number - 1 : number] = [_Segment(number, records)]
                news = news or size > known
            number += 1
        return news

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """Steps completed at each record [N]."""
        parts = [part["step"] for part in self.kept()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Seconds since 1970 at each record [N]."""
        parts = [part["time"] for part in self.kept()]
        return np.concatenate(parts) if parts else np.empty(0, np.float64)

    def values(self, name: str) -> npt.NDArray[np.float32]:
        """One column [N]. Raises KeyError for an unknown one."""
        parts = [part["values"][:, self._index[name]] for part in self.kept()]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def last(self) -> dict[str, float]:
        """The newest record by column name; empty when there is none."""
        for part in reversed(self.kept()):
            if len(part):
                return dict(zip(self._index, part["values"][-1].tolist(), strict=True))
        return {}

    def last_step(self) -> int:
        """Steps completed at the newest record; 0 when there is none."""
        return next((int(part["step"][-1]) for part in reversed(self.kept()) if len(part)), 0)

    @property
    def thrown_away(self) -> list[tuple[int, int]]:
        """First and last step of every stretch that a resume threw away."""
        gone = []
        for segment, kept in zip(self._segments, self.kept(), strict=True):
            if len(kept) < len(segment.records):
                gone.append((int(segment.records["step"][len(kept)]), int(segment.records["step"][-1])))
        return gone

    def kept(self) -> list[npt.NDArray[np.void]]:
        """The records as they lie on disk, an array per segment, without what a later segment threw away."""
        # Steps rise by one within a segment, so what a later segment repeats is found by its first step.
        kept: list[npt.NDArray[np.void]] = []
        first_of_later = None
        for segment in reversed(self._segments):
            records = segment.records
            if first_of_later is not None:
                records = records[: np.searchsorted(records["step"], first_of_later)]
            if len(segment.records):
                first = int(segment.records["step"][0])
                first_of_later = first if first_of_later is None else min(first, first_of_later)
            kept.append(records)
        return kept[::-1]
