"""The records of several segments one after the other, as if they were one file, with the overview of all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from laddertop.journal.metrics import MetricsReader, Stretch
from laddertop.journal.metrics_overview import Overview, gather
from laddertop.journal.metrics_sums import BLOCK


class Overviews:
    """The overviews of a run's segments, as far as they are known."""

    def __init__(self, reader: MetricsReader) -> None:
        self._reader = reader
        self._overviews: dict[int, Overview] = {}
        self.complete = True
        """Whether every overview that was asked for reaches to its segment's end; set it before asking."""

    def overview(self, stretch: Stretch) -> np.ndarray:
        """The whole blocks of a stretch's segment so far."""
        known = self._overviews.get(stretch.segment)
        if known is None:
            width = len(self._reader.columns)
            known = self._overviews[stretch.segment] = Overview(self._reader.folder, stretch.segment, width)
        done = known.catch_up(stretch.end, lambda begin, end: self._reader.read(stretch.segment, begin, end))
        self.complete = self.complete and done
        return known.blocks

    def read(self, stretch: Stretch, begin: int, end: int) -> tuple[np.ndarray, float]:
        """Records begin … end - 1 of a segment, and the time of the one before them."""
        records = self._reader.read(stretch.segment, max(begin - 1, 0), end)
        return (records[1:], float(records["time"][0])) if begin else (records, float("nan"))


class RecordSequence:
    """Stretches one after the other, as if they were one file."""

    def __init__(self, overviews: Overviews, stretches: Sequence[Stretch]) -> None:
        self._overviews, self._stretches = overviews, stretches
        found = [self._blocks_of(stretch) for stretch in stretches]
        self._offsets = np.cumsum([0] + [s.end - s.begin for s in stretches])
        self.blocks = np.concatenate([part for parts, _ in found for part in parts])
        """Blocks of the overview, those at the ends of a stretch gathered from fewer records."""
        self.ends = np.concatenate([ends + offset for (_, ends), offset in zip(found, self._offsets, strict=False)])
        """Number of records up to the end of each block."""

    def read(self, begin: int, end: int) -> tuple[np.ndarray, float]:
        """Records begin … end - 1 of the sequence, and the time of the one before them."""
        parts: list[np.ndarray] = []
        before = float("nan")
        for stretch, offset in zip(self._stretches, self._offsets.tolist(), strict=False):
            first, last = begin - offset + stretch.begin, end - offset + stretch.begin
            first, last = max(first, stretch.begin), min(last, stretch.end)
            if first < last:
                records, time = self._overviews.read(stretch, first, last)
                before = before if parts else time
                parts.append(records)
        return parts[0] if len(parts) == 1 else np.concatenate(parts), before

    def _blocks_of(self, stretch: Stretch) -> tuple[list[np.ndarray], np.ndarray]:
        """Blocks of a stretch in parts, and the number of its records up to the end of each block."""
        whole = self._overviews.overview(stretch)
        first, last = -(-stretch.begin // BLOCK), min(stretch.end // BLOCK, len(whole))
        if stretch.end // BLOCK > len(whole):  # the rest comes at another time
            stretch = stretch._replace(end=max(last * BLOCK, stretch.begin))
        begin, end = stretch.begin, stretch.end
        # A stretch may lie within one block.
        head, tail = min(first * BLOCK, end), max(first, last) * BLOCK
        parts = [self._gathered(stretch, begin, head), whole[first:last], self._gathered(stretch, tail, end)]
        ends = np.unique(np.concatenate([[head], np.arange(first * BLOCK, last * BLOCK + 1, BLOCK), [end]]))
        return [part for part in parts if part is not None], ends[ends > begin] - begin

    def _gathered(self, stretch: Stretch, begin: int, end: int) -> np.ndarray | None:
        """One block of the records begin … end - 1; None without any."""
        if begin >= end:
            return None
        records, before = self._overviews.read(stretch, begin, end)
        return gather(records, before, len(records))
