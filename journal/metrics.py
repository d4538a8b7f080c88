"""The numbers of every step: fixed-width binary records, one file per segment, append-only, NaN stays NaN.

Shape letters: N records, K columns. A record is `step` (int64, steps completed), `time` (float64, seconds since 1970)
and K float32 values. `metrics.json` names the columns; `metrics-0001.bin` holds the first segment, and so on: a resume
begins a new segment at the step after its checkpoint, and the steps of older segments beyond it are thrown away.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from laddertop.journal import inside
from laddertop.journal.events import Column, Knob, Term
from laddertop.journal.metrics_overview import OverviewWriter

SEGMENT_FILE = re.compile(r"metrics-[0-9]{4,9}\.bin")
"""Names of the metrics files of segments."""


@cache
def record_type(columns: int) -> np.dtype[np.void]:
    """The record of a step with `columns` values."""
    return np.dtype([("step", "<i8"), ("time", "<f8"), ("values", "<f4", (columns,))])


@cache
def segment_name(segment: int) -> str:
    """The name of the metrics file of a segment, counted from 1."""
    return f"metrics-{segment:04d}.bin"


def segments_on_disk(folder: Path) -> list[int]:
    """The numbers of the segments whose metrics files are there, or what stands in their place, sorted."""
    return sorted(int(name[8:-4]) for name in inside.names(folder, "", SEGMENT_FILE))


def segment_size(folder: Path, segment: int) -> int | None:
    """Bytes of a segment's metrics file; None when there is none. Raises ValueError when it is no plain file."""
    try:
        file = inside.open_file(folder, segment_name(segment))
    except FileNotFoundError:
        return None
    try:
        return os.fstat(file).st_size
    finally:
        os.close(file)


def columns_of(terms: Iterable[Term], knobs: Iterable[Knob]) -> list[Column]:
    """The columns that every run has: the weighted total, every raw term, every knob's effective value."""
    return [
        Column(name="total", label="total cost", unit="weighted sum of the terms"),
        *(Column(name=term.name, label=term.label, unit=term.unit) for term in terms),
        *(Column(name=knob.name, label=knob.label, unit=knob.unit) for knob in knobs),
    ]


def write_columns(folder: Path, columns: list[Column]) -> None:
    """Names the columns of a run's metrics; done once, before the first record."""
    inside.write(folder, "metrics.json", json.dumps([c.model_dump() for c in columns], indent=1).encode(), durable=True)


def read_columns(folder: Path) -> list[Column]:
    """The columns of a run's metrics; empty before the engine named them. Raises ValueError when that is damaged."""
    return list(_named_columns(folder))


def count_columns(folder: Path) -> int:
    """How many columns a run's metrics have; 0 before the engine named them. Raises ValueError when that is damaged."""
    return len(_named_columns(folder))


def _named_columns(folder: Path) -> tuple[Column, ...]:
    file = f"{folder}/metrics.json"
    try:
        data = inside.read(folder, "metrics.json")
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} can't be read: {error}; no number of the run can be read without it") from None
    try:
        return _columns_in(data)
    except ValidationError as error:
        said = error.errors()[0]
        why = f"can't be read: {said['msg']}" if said["type"] == "json_invalid" else "names no columns"
        raise ValueError(f"{file} {why}; no number of the run can be read without it") from None


@lru_cache(maxsize=64)
def _columns_in(data: bytes) -> tuple[Column, ...]:
    """The columns that a file names; runs of one recipe name the same ones. Raises ValidationError."""
    return _columns().validate_json(data)


@cache
def _columns() -> TypeAdapter[tuple[Column, ...]]:
    return TypeAdapter(tuple[Column, ...])


class MetricsWriter:
    """Appends records to one segment; the engine holds the only one."""

    def __init__(self, folder: Path, segment: int, columns: int) -> None:
        """Begins `segment` of the run in `folder`.

        Raises FileExistsError when it was begun before, and OSError when the disk has no room; then it is not begun.
        """
        self._type = record_type(columns)
        self._file = inside.Appender(folder, segment_name(segment), new=True)
        self.problem = ""
        """Why overview and checksums, which readers can do without, are not written any more."""
        self._overview: OverviewWriter | None = None
        try:
            with self._noting_problems():
                self._overview = OverviewWriter(folder, segment, columns)
        except OSError:
            self._file.close()
            inside.remove(folder, segment_name(segment))
            raise

    @contextlib.contextmanager
    def _noting_problems(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in inside.NO_ROOM:
                raise
            self.problem = f"overview and checksums of the metrics are written no further, charts open slower: {error}"

    def append(self, steps: npt.ArrayLike, times: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Writes N records: steps [N], times [N], values [N, K]; readers see them at once.

        Raises OSError when the disk does not take them; what it did not take goes first the next time.
        """
        records = np.empty(len(np.asarray(steps)), self._type)
        records["step"], records["time"], records["values"] = steps, times, values
        self._file.add(records.tobytes())
        if self._overview:
            self._overview.add(records)
        self.flush()

    def finish(self) -> None:
        """Says that there will be no more records. Raises as `append` does."""
        if self._overview:
            self._overview.finish()
        self.flush()

    def flush(self) -> None:
        """Writes what the disk has not taken so far. Raises as `append` does."""
        # The numbers before their checksums: what has one is there.
        self._file.flush()
        if self._overview and not self.problem:
            with self._noting_problems():
                self._overview.flush()

    def lost(self) -> str:
        """What became of the file behind the back of who writes to it, in words; empty where it is in order."""
        return self._file.lost()

    def close(self) -> None:
        """Closes the files."""
        self._file.close()
        if self._overview:
            self._overview.close()


@dataclass
class _Segment:
    number: int
    records: npt.NDArray[np.void]
    """Whole records seen so far, mapped from the file."""


class Stretch(NamedTuple):
    """A part of a segment."""

    segment: int
    """Number of the segment."""
    begin: int
    """Its first record."""
    end: int
    """The record after its last."""


class MetricsReader:
    """Reads a run's metrics as they are written: the history as trained, without steps that a resume threw away."""

    def __init__(self, folder: Path) -> None:
        """Reads the run in `folder`, which may not have metrics yet."""
        self.folder = folder
        """The run folder."""
        self._segments: list[_Segment] = []
        self.columns: list[Column] = []
        """The columns; empty until the engine named them."""
        self._index: dict[str, int] = {}
        self._at_least = 0
        """Segments that there were at first."""

    def poll(self) -> bool:
        """Takes up what was written since the last poll; true when there was anything."""
        if not self.columns:
            self.columns = read_columns(self.folder)
            self._index = {column.name: i for i, column in enumerate(self.columns)}
            if not self.columns:
                return False
            # One that is gone takes none of the later ones with it.
            self._at_least = max(segments_on_disk(self.folder), default=0)
        width = record_type(len(self.columns))
        news = False
        number = max(1, len(self._segments))
        while (bytes_ := segment_size(self.folder, number)) is not None or number < self._at_least:
            size = (bytes_ or 0) // width.itemsize
            known = len(self._segments[number - 1].records) if number <= len(self._segments) else 0
            # What is no longer in a file must not be touched where it was mapped.
            if size != known or number > len(self._segments):
                records = self._mapped(number, width, size) if size else np.empty(0, width)
                self._segments[number - 1 : number] = [_Segment(number, records)]
                news = news or size != known
            number += 1
        return news

    def _mapped(self, number: int, width: np.dtype[np.void], size: int) -> npt.NDArray[np.void]:
        with inside.reading(self.folder, segment_name(number)) as file:
            whole = mmap(file.fileno(), size * width.itemsize, access=ACCESS_READ)
        return np.frombuffer(whole, width)

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

    def read(self, segment: int, begin: int, end: int) -> npt.NDArray[np.void]:
        """The records begin … end - 1 of a segment, read afresh, so that long runs don't fill the memory."""
        dtype = record_type(len(self.columns))
        file = inside.open_file(self.folder, segment_name(segment))
        try:
            data = os.pread(file, max(end - begin, 0) * dtype.itemsize, begin * dtype.itemsize)
        finally:
            os.close(file)
        return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)

    def end(self) -> tuple[int, int]:
        """Number of the newest segment that holds records, and how many; 0, 0 without any."""
        return next(((s.number, len(s.records)) for s in reversed(self._segments) if len(s.records)), (0, 0))

    @property
    def segments(self) -> int:
        """The number of the newest segment; 0 without any."""
        return len(self._segments)

    @property
    def width(self) -> int:
        """Bytes of a record; 0 before the engine named the columns."""
        return record_type(len(self.columns)).itemsize if self.columns else 0

    def span(self, segment: int) -> tuple[int, int]:
        """First and last step of a segment; 0, 0 when it holds none."""
        if not 0 < segment <= len(self._segments) or not len(self._segments[segment - 1].records):
            return 0, 0
        steps = self._segments[segment - 1].records["step"]
        return int(steps[0]), int(steps[-1])

    def between(self, segment: int, first: int, last: int) -> npt.NDArray[np.void]:
        """The records of the steps first … last of a segment, thrown away or not."""
        records = self._segments[segment - 1].records
        return self.read(segment, _position(records, first), _position(records, last + 1))

    def stretches(self) -> tuple[list[Stretch], list[Stretch]]:
        """The records that make the history as trained, oldest first, and those that resumes threw away."""
        kept, gone = [], []
        for segment, part in zip(self._segments, self.kept(), strict=True):
            kept.append(Stretch(segment.number, 0, len(part)))
            gone.append(Stretch(segment.number, len(part), len(segment.records)))
        return [s for s in kept if s.end > s.begin], [s for s in gone if s.end > s.begin]

    def records(self) -> list[npt.NDArray[np.void]]:
        """Every record as it lies on disk, an array per segment, thrown away or not."""
        return [segment.records for segment in self._segments]

    def take(self, other: MetricsReader, cut: Callable[[npt.NDArray[np.void]], npt.NDArray[np.void]]) -> None:
        """Takes up what another reader of the run knows, of each segment what `cut` leaves, instead of reading."""
        self.columns, self._index = other.columns, other._index
        found = [_Segment(segment.number, cut(segment.records)) for segment in other._segments]
        # A segment counts from its first record on.
        self._segments = found[: max((s.number for s in found if len(s.records)), default=0)]

    def kept(self) -> list[npt.NDArray[np.void]]:
        """The records as they lie on disk, an array per segment, without what a later segment threw away."""
        # Steps rise by one within a segment, so what a later segment repeats is found by its first step.
        kept: list[npt.NDArray[np.void]] = []
        first_of_later = None
        for segment in reversed(self._segments):
            records = segment.records
            if first_of_later is not None:
                records = records[: _position(records, first_of_later)]
            if len(segment.records):
                first = int(segment.records["step"][0])
                first_of_later = first if first_of_later is None else min(first, first_of_later)
            kept.append(records)
        return kept[::-1]


def _position(records: npt.NDArray[np.void], step: int) -> int:
    """Index of the first record at `step` or later. Looks at few records, however many there are."""
    if not len(records):
        return 0
    at = min(max(step - int(records["step"][0]), 0), len(records))
    if (at == len(records) or records["step"][at] >= step) and (at == 0 or records["step"][at - 1] < step):
        return at
    return bisect_left(range(len(records)), step, key=lambda i: int(records["step"][i]))
