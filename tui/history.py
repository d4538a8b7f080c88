"""The metrics of a run gathered into the bins of an x axis: whole or zoomed, of any length, kept up to date.

Runs in the watcher's thread. A few hundred thousand records are read as they are; of more, the overview gives the
extremes, and only the records at the end of each bin are read for the moving average. What is appended later touches
the last bins only. N is a number of records, S one of curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from journal.metrics import MetricsReader, Stretch
from journal.metrics_overview import BLOCK, Overview, gather
from tui.draw.axis import BINS, XAxis
from tui.draw.bins import Average, Binned, empty_bins, ratio

THROUGHPUT = "throughput"
"""The curve of steps per second, which no column of the metrics holds."""
RECORDS_AT_MOST = 160_000
"""Records that are read as they are; of more the overview is taken."""
CHUNK = 1 << 15
"""Records that are read at once."""
TAIL_AT_MOST = 1024
"""Records at the end of a bin that its moving average is taken over when the overview is used."""


class Wanted(NamedTuple):
    """What the charts are to show."""

    axis: XAxis
    names: tuple[str, ...]
    """Columns of the metrics, or THROUGHPUT."""
    decay: float
    """Of the moving average, per step."""
    origin: float = 0.0
    """Seconds since 1970 where an axis of wall time begins."""
    weights: tuple[tuple[str, str], ...] = ()
    """Columns of terms with the columns of their weights: while its weight is 0, a term may be nan without fault."""
    plain: tuple[str, ...] = ()
    """Curves that are never smoothed: settings, which do not fluctuate."""


@dataclass(frozen=True)
class Curves:
    """What the charts show; nothing in it changes any more."""

    wanted: Wanted
    binned: Binned
    """S curves in the order of their names."""
    gone: Binned
    """The same of the steps that a resume threw away."""
    steps: np.ndarray
    """Step of the last record of each bin; 0 where there is none."""
    times: np.ndarray
    """Its time, in seconds since 1970."""

    def of(self, name: str) -> Binned:
        """One curve; an empty one when it was not asked for."""
        names = self.wanted.names
        return self.binned.of(names.index(name)) if name in names else empty_bins()

    def thrown_away(self, name: str) -> Binned:
        """One curve of what a resume threw away."""
        names = self.wanted.names
        return self.gone.of(names.index(name)) if name in names else empty_bins()


class History:
    """Gathers what is wanted of a run's metrics."""

    def __init__(self, reader: MetricsReader) -> None:
        self._reader = reader
        self._overviews: dict[int, Overview] = {}
        self._wanted: Wanted | None = None
        self._average = Average(0.0, 0)
        self._newest = np.empty(0)
        self._binned = self._gone = empty_bins(0)
        self._steps = self._times = np.zeros(BINS)
        self._last_time = float("nan")
        self._kept: tuple[list[Stretch], _Sequence | None] = [], None
        self.complete = True
        """Whether nothing is left to be gathered by the next call of `all`."""

    def all(self, wanted: Wanted) -> Curves:
        """Gathers everything afresh."""
        columns = [column.name for column in self._reader.columns]
        wanted = wanted._replace(names=tuple(n for n in wanted.names if n in columns or n == THROUGHPUT))
        self._wanted = wanted
        kept, gone = self._reader.stretches()
        kept, gone = self._reader.stretches()
        self._begin(len(wanted.names))
        if kept != self._kept[0] or not self.complete:
            self.complete = True
            self._kept = kept, _Sequence(self, kept) if kept else None
        if self._kept[1] is not None:
            self._gather(self._kept[1], wanted)
        kept_state = self._binned, self._average, self._newest, self._steps, self._times, self._last_time
        self._gone = empty_bins(len(wanted.names))
        for stretch in gone:
            self._begin(len(wanted.names))
            self._gather(_Sequence(self, [stretch]), wanted)
            self._gone = _over(self._gone, self._binned)
        self._binned, self._average, self._newest, self._steps, self._times, self._last_time = kept_state
        return self._curves()

    def more(self, records: np.ndarray) -> Curves:
        """Adds the records [N] that follow those gathered last."""
        assert self._wanted is not None
        self._add(records, self._last_time, self._average)
        return self._curves()

    def smoothed(self) -> dict[str, float]:
        """The moving averages at the newest record."""
        assert self._wanted is not None
        averages = np.where(self._plain(), self._newest, self._average.now())
        values = dict(zip(self._wanted.names, averages.tolist(), strict=True))
        if THROUGHPUT in values:
            values[THROUGHPUT] = 1 / values[THROUGHPUT] if values[THROUGHPUT] > 0 else float("nan")
        return values

    def _begin(self, curves: int) -> None:
        assert self._wanted is not None
        self._binned = empty_bins(curves)
        self._average = Average(self._wanted.decay, curves)
        self._newest = np.full(curves, np.nan)
        self._steps, self._times, self._last_time = np.zeros(BINS, np.int64), np.zeros(BINS), float("nan")

    def _curves(self) -> Curves:
        assert self._wanted is not None
        binned = Binned(*(array.copy() for array in self._binned))
        gone = self._gone
        if THROUGHPUT in self._wanted.names:
            at = self._wanted.names.index(THROUGHPUT)
            _invert(binned, at)
            gone = Binned(*(array.copy() for array in gone))
            _invert(gone, at)
        return Curves(self._wanted, binned, gone, self._steps.copy(), self._times.copy())

    def _gather(self, sequence: _Sequence, wanted: Wanted) -> None:
        """All records of a sequence into the bins, and the average at its end."""
        blocks, ends = sequence.blocks, sequence.ends
        if not len(blocks):
            return
        tail = self._tail(wanted.decay)
        share = wanted.axis.fractions(self._x(blocks))
        inside = np.flatnonzero(share >= 0)
        if len(inside):
            # One block more at the end: the first record beyond the axis lies somewhere in it.
            first, last = int(inside[0]), int(np.searchsorted(np.maximum.accumulate(share), 1.0, "right"))
            begin = int(ends[first - 1]) if first else 0
            end = int(ends[min(last, len(ends) - 1)])
            coarse = end - begin > RECORDS_AT_MOST
            # The first steps take much of a logarithmic axis; their bins are smaller than blocks.
            split = first + CHUNK // BLOCK if coarse and wanted.axis.log else first if coarse else last + 1
            average = Average(wanted.decay, len(wanted.names))
            at, until = max(begin - tail, 0), int(ends[min(split, len(ends)) - 1]) if split > first else 0
            while at < until:
                self._add(*sequence.read(at, min(at + CHUNK, until)), average)
                at += CHUNK
            if coarse:
                self._add_blocks(sequence, blocks[split : last + 1], ends[split : last + 1], tail)
        total = int(ends[-1])
        records, seconds = sequence.read(max(total - tail, 0), total)
        values = self._values(records, seconds)
        self._average.at_ends(values, np.zeros(1, np.int64))
        self._newest = values[-1]
        self._last_time = float(records["time"][-1])

    def _add(self, records: np.ndarray, before: float, average: Average) -> None:
        if not len(records):
            return
        assert self._wanted is not None
        at = self._wanted.axis.bins(self._x(records))
        starts = np.flatnonzero(np.diff(at, prepend=-2))
        values = self._values(records, before)
        smooth = average.at_ends(values, starts)
        finite = np.isfinite(values)
        own = np.where(finite, values, np.nan)
        taken = at[starts] >= 0
        ends = np.append(starts[1:], len(records)) - 1
        plain = self._plain()
        smooth[plain] = own[ends][:, plain].T
        self._newest = own[-1]
        ends = ends[taken]
        self._put(
            at[starts][taken],
            np.fmin.reduceat(own, starts, axis=0)[taken].T,
            np.fmax.reduceat(own, starts, axis=0)[taken].T,
            np.logical_or.reduceat(~finite & self._counts(records["values"]), starts, axis=0)[taken].T,
            smooth[:, taken],
            records["step"][ends],
            records["time"][ends],
        )
        self._last_time = float(records["time"][-1])

    def _add_blocks(self, sequence: _Sequence, blocks: np.ndarray, ends: np.ndarray, tail: int) -> None:
        assert self._wanted is not None
        at = self._wanted.axis.bins(self._x(blocks))
        blocks, ends, at = blocks[at >= 0], ends[at >= 0], at[at >= 0]
        if not len(blocks):
            return
        starts = np.flatnonzero(np.diff(at, prepend=-2))
        last = np.append(starts[1:], len(blocks)) - 1
        columns = self._columns()
        smooth = self._tail_averages(sequence, ends[last], tail)
        self._put(
            at[starts],
            np.fmin.reduceat(blocks["low"][:, columns], starts, axis=0).T,
            np.fmax.reduceat(blocks["high"][:, columns], starts, axis=0).T,
            np.logical_or.reduceat((blocks["bad"][:, columns] > 0) & self._counts(blocks["high"]), starts, axis=0).T,
            smooth,
            blocks["step"][last],
            blocks["time"][last],
        )

    def _tail_averages(self, sequence: _Sequence, ends: np.ndarray, tail: int) -> np.ndarray:
        """The moving averages [S, ends] at some ends, over the records just before each."""
        assert self._wanted is not None
        curves = len(self._wanted.names)
        weights = self._wanted.decay ** np.arange(tail - 1, -1, -1.0)
        averages = np.empty((curves, len(ends)))
        for first in range(0, len(ends), 64):
            some = ends[first : first + 64].tolist()
            values = np.full((len(some), tail, curves), np.nan, np.float32)
            for i, end in enumerate(some):
                own = self._values(*sequence.read(max(end - tail, 0), end))
                values[i, tail - len(own) :] = own
            newest = values[:, -1].copy()
            finite = np.isfinite(values)
            values[~finite] = 0
            sums, counts = (np.einsum("ets,t->se", array, weights) for array in (values, finite))
            sums[self._plain()], counts[self._plain()] = newest.T[self._plain()], 1
            averages[:, first : first + 64] = ratio(sums, counts)
        return averages

    def _put(
        self,
        at: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        bad: np.ndarray,
        smooth: np.ndarray,
        steps: np.ndarray,
        times: np.ndarray,
    ) -> None:
        """Into the bins `at`, on top of what they hold."""
        bins = self._binned
        bins.low[:, at] = np.fmin(bins.low[:, at], low)
        bins.high[:, at] = np.fmax(bins.high[:, at], high)
        bins.bad[:, at] |= bad
        # A stretch without a finite value has no average of its own.
        bins.smooth[:, at] = np.where(np.isfinite(low), smooth, bins.smooth[:, at])
        bins.filled[:, at] = True
        self._steps[at], self._times[at] = steps, times

    def _x(self, records: np.ndarray) -> np.ndarray:
        assert self._wanted is not None
        if self._wanted.axis.unit == "time":
            return np.asarray(records["time"] - self._wanted.origin)
        return np.asarray(records["step"])

    def _plain(self) -> np.ndarray:
        """Which curves are not smoothed."""
        assert self._wanted is not None
        return np.array([not self._wanted.decay or name in self._wanted.plain for name in self._wanted.names], bool)

    def _columns(self) -> list[int]:
        assert self._wanted is not None
        names = [column.name for column in self._reader.columns]
        return [names.index(name) if name in names else len(names) for name in self._wanted.names]

    def _counts(self, values: np.ndarray) -> np.ndarray:
        """Whether a value that is not finite is a fault, of all columns [N, columns] for each curve [N, S]."""
        assert self._wanted is not None
        counts = np.ones((len(values), len(self._wanted.names)), bool)
        columns = [column.name for column in self._reader.columns]
        for name, weight in self._wanted.weights:
            if name in self._wanted.names and weight in columns:
                counts[:, self._wanted.names.index(name)] = values[:, columns.index(weight)] != 0
        return counts

    def _values(self, records: np.ndarray, before: float) -> np.ndarray:
        values = np.empty((len(records), len(self._columns())))
        for curve, column in enumerate(self._columns()):
            if column < records.dtype["values"].shape[0]:
                values[:, curve] = records["values"][:, column]
            else:
                values[:, curve] = np.diff(records["time"], prepend=before)
        return values

    @staticmethod
    def _tail(decay: float) -> int:
        """Records after which the older ones weigh less than a ten-thousandth."""
        return min(int(np.log(1e-4) / np.log(decay)) + 1, TAIL_AT_MOST) if decay > 0 else 1

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


class _Sequence:
    """Stretches one after the other, as if they were one file."""

    def __init__(self, history: History, stretches: Sequence[Stretch]) -> None:
        self._history, self._stretches = history, stretches
        parts = [self._blocks_of(stretch) for stretch in stretches]
        self._offsets = np.cumsum([0] + [s.end - s.begin for s in stretches])
        self.blocks = np.concatenate([blocks for blocks, _ in parts])
        """Blocks of the overview, those at the ends of a stretch gathered from fewer records."""
        self.ends = np.concatenate([ends + offset for (_, ends), offset in zip(parts, self._offsets, strict=False)])
        """Number of records up to the end of each block."""

    def read(self, begin: int, end: int) -> tuple[np.ndarray, float]:
        """Records begin … end - 1 of the sequence, and the time of the one before them."""
        parts: list[np.ndarray] = []
        before = float("nan")
        for stretch, offset in zip(self._stretches, self._offsets.tolist(), strict=False):
            first, last = begin - offset + stretch.begin, end - offset + stretch.begin
            first, last = max(first, stretch.begin), min(last, stretch.end)
            if first < last:
                records, time = self._history.read(stretch, first, last)
                before = before if parts else time
                parts.append(records)
        return np.concatenate(parts), before

    def _blocks_of(self, stretch: Stretch) -> tuple[np.ndarray, np.ndarray]:
        whole = self._history.overview(stretch)
        first, last = -(-stretch.begin // BLOCK), min(stretch.end // BLOCK, len(whole))
        if stretch.end // BLOCK > len(whole):  # the rest comes at another time
            stretch = stretch._replace(end=max(last * BLOCK, stretch.begin))
        edges = [stretch.begin, *range(first * BLOCK, last * BLOCK + 1, BLOCK), stretch.end]
        parts: list[np.ndarray] = [whole[first:last]]
        for place, (begin, end) in ((0, edges[:2]), (len(parts) + 1, edges[-2:])):
            if first > last:
                begin, end = (stretch.begin, stretch.end) if place == 0 else (0, 0)
            if begin < end:
                records, before = self._history.read(stretch, begin, end)
                parts.insert(place, gather(records, before, len(records)))
        ends = np.unique(np.array([edge for edge in edges if stretch.begin < edge <= stretch.end], np.int64))
        return np.concatenate(parts), ends - stretch.begin


def _over(first: Binned, second: Binned) -> Binned:
    return Binned(
        np.fmin(first.low, second.low),
        np.fmax(first.high, second.high),
        first.bad | second.bad,
        np.where(np.isfinite(second.smooth), second.smooth, first.smooth),
        first.filled | second.filled,
    )


def _invert(bins: Binned, curve: int) -> None:
    """Seconds per step into steps per second; the first step of a start has none, which is no fault."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = 1 / bins.high[curve], 1 / bins.low[curve]
        smooth = 1 / bins.smooth[curve]
    for array, values in ((bins.low, low), (bins.high, high), (bins.smooth, smooth)):
        array[curve] = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    bins.bad[curve] = False
