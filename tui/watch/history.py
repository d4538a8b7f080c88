"""The metrics of a run gathered into the bins of an x axis: whole or zoomed, of any length, kept up to date.

Runs in the watcher's thread. A few hundred thousand records are read as they are; of more, the overview gives the
extremes, and only the records at the end of each bin are read for the moving average. What is appended later touches
the last bins only. N is a number of records, S one of curves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from laddertop.journal.events import Term
from laddertop.journal.metrics import MetricsReader, Stretch
from laddertop.journal.metrics_sums import BLOCK
from laddertop.tui.draw.axis import BINS, XAxis
from laddertop.tui.draw.bins import Average, Binned, empty_bins, ratio
from laddertop.tui.watch.record_sequence import Overviews, RecordSequence

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


def weights_of(terms: list[Term]) -> tuple[tuple[str, str], ...]:
    """The columns of those terms that have a weight, each with the column of its weight."""
    return tuple((term.name, term.weight) for term in terms if term.weight is not None)


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
        self._overviews = Overviews(reader)
        self._kept: tuple[list[Stretch], RecordSequence | None] = [], None
        self._gathered = _Gathered(Wanted(XAxis(0, 1), (), 0.0), [])
        self._gone = empty_bins(0)

    @property
    def complete(self) -> bool:
        """Whether nothing is left to be gathered by the next call of `all`."""
        return self._overviews.complete

    def all(self, wanted: Wanted) -> Curves:
        """Gathers everything afresh."""
        columns = [column.name for column in self._reader.columns]
        wanted = wanted._replace(names=tuple(n for n in wanted.names if n in columns or n == THROUGHPUT))
        kept, gone = self._reader.stretches()
        if kept != self._kept[0] or not self.complete:
            self._overviews.complete = True
            self._kept = kept, RecordSequence(self._overviews, kept) if kept else None
        self._gathered = _Gathered(wanted, columns)
        if self._kept[1] is not None:
            self._gathered.add_sequence(self._kept[1])
        self._gone = empty_bins(len(wanted.names))
        for stretch in gone:
            thrown_away = _Gathered(wanted, columns)
            thrown_away.add_sequence(RecordSequence(self._overviews, [stretch]))
            self._gone = _over(self._gone, thrown_away.binned)
        return self._curves()

    def more(self, records: np.ndarray) -> Curves:
        """Adds the records [N] that follow those gathered last."""
        self._gathered.add(records, self._gathered.last_time, self._gathered.average)
        return self._curves()

    def smoothed(self) -> dict[str, float]:
        """The moving averages at the newest record."""
        return self._gathered.smoothed()

    def _curves(self) -> Curves:
        gathered = self._gathered
        binned, gone = (Binned(*(array.copy() for array in bins)) for bins in (gathered.binned, self._gone))
        if THROUGHPUT in gathered.wanted.names:
            at = gathered.wanted.names.index(THROUGHPUT)
            _invert(binned, at)
            _invert(gone, at)
        return Curves(gathered.wanted, binned, gone, gathered.steps.copy(), gathered.times.copy())


class _Gathered:
    """Records in the bins of one axis."""

    def __init__(self, wanted: Wanted, columns: list[str]) -> None:
        curves = len(wanted.names)
        self.wanted = wanted
        self._names = columns
        self._columns = [columns.index(name) if name in columns else len(columns) for name in wanted.names]
        self._plain = np.array([not wanted.decay or name in wanted.plain for name in wanted.names], bool)
        # Records after the tail weigh less than a ten-thousandth.
        self._tail = min(int(np.log(1e-4) / np.log(wanted.decay)) + 1, TAIL_AT_MOST) if wanted.decay > 0 else 1
        self.binned = empty_bins(curves)
        self.average = Average(wanted.decay, curves)
        self._newest = np.full(curves, np.nan)
        self.steps, self.times = np.zeros(BINS, np.int64), np.zeros(BINS)
        """Step and time of the last record of each bin."""
        self.last_time = float("nan")

    def smoothed(self) -> dict[str, float]:
        """The moving averages at the newest record."""
        averages = np.where(self._plain, self._newest, self.average.now())
        values = dict(zip(self.wanted.names, averages.tolist(), strict=True))
        if THROUGHPUT in values:
            values[THROUGHPUT] = 1 / values[THROUGHPUT] if values[THROUGHPUT] > 0 else float("nan")
        return values

    def add_sequence(self, sequence: RecordSequence) -> None:
        """All records of a sequence into the bins, and the average at its end."""
        blocks, ends = sequence.blocks, sequence.ends
        if not len(blocks):
            return
        wanted, tail = self.wanted, self._tail
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
                self.add(*sequence.read(at, min(at + CHUNK, until)), average)
                at += CHUNK
            if coarse:
                self._add_blocks(sequence, blocks[split : last + 1], ends[split : last + 1])
        total = int(ends[-1])
        records, seconds = sequence.read(max(total - tail, 0), total)
        values = self._values(records, seconds)
        self.average.at_ends(values, np.zeros(1, np.int64))
        self._newest = values[-1].copy()
        self.last_time = float(records["time"][-1])

    def add(self, records: np.ndarray, before: float, average: Average) -> None:
        """Records [N] with the time before them, smoothed as what follows the points of `average`."""
        if not len(records):
            return
        at = self.wanted.axis.bins(self._x(records))
        starts = np.flatnonzero(np.diff(at, prepend=-2))
        values = self._values(records, before)
        smooth = average.at_ends(values, starts)
        finite = np.isfinite(values)
        own = np.where(finite, values, np.nan)
        taken = at[starts] >= 0
        ends = np.append(starts[1:], len(records)) - 1
        smooth[self._plain] = own[ends][:, self._plain].T
        self._newest = own[-1].copy()  # not a view that keeps all of them
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
        self.last_time = float(records["time"][-1])

    def _add_blocks(self, sequence: RecordSequence, blocks: np.ndarray, ends: np.ndarray) -> None:
        at = self.wanted.axis.bins(self._x(blocks))
        blocks, ends, at = blocks[at >= 0], ends[at >= 0], at[at >= 0]
        if not len(blocks):
            return
        starts = np.flatnonzero(np.diff(at, prepend=-2))
        last = np.append(starts[1:], len(blocks)) - 1
        smooth = self._tail_averages(sequence, ends[last])
        self._put(
            at[starts],
            np.fmin.reduceat(blocks["low"][:, self._columns], starts, axis=0).T,
            np.fmax.reduceat(blocks["high"][:, self._columns], starts, axis=0).T,
            np.logical_or.reduceat(
                (blocks["bad"][:, self._columns] > 0) & self._counts(blocks["high"]), starts, axis=0
            ).T,
            smooth,
            blocks["step"][last],
            blocks["time"][last],
        )

    def _tail_averages(self, sequence: RecordSequence, ends: np.ndarray) -> np.ndarray:
        """The moving averages [S, ends] at some ends, over the records just before each."""
        curves = len(self.wanted.names)
        tail = self._tail
        weights = self.wanted.decay ** np.arange(tail - 1, -1, -1.0)
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
            sums, counts = (np.matmul(weights, array).T for array in (values, finite))
            sums[self._plain], counts[self._plain] = newest.T[self._plain], 1
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
        bins = self.binned
        bins.low[:, at] = np.fmin(bins.low[:, at], low)
        bins.high[:, at] = np.fmax(bins.high[:, at], high)
        bins.bad[:, at] |= bad
        # A stretch without a finite value has no average of its own.
        bins.smooth[:, at] = np.where(np.isfinite(low), smooth, bins.smooth[:, at])
        bins.filled[:, at] = True
        self.steps[at], self.times[at] = steps, times

    def _x(self, records: np.ndarray) -> np.ndarray:
        if self.wanted.axis.unit == "time":
            return np.asarray(records["time"] - self.wanted.origin)
        return np.asarray(records["step"])

    def _counts(self, values: np.ndarray) -> np.ndarray:
        """Whether a value that is not finite is a fault, of all columns [N, columns] for each curve [N, S]."""
        counts = np.ones((len(values), len(self.wanted.names)), bool)
        for name, weight in self.wanted.weights:
            if name in self.wanted.names and weight in self._names:
                counts[:, self.wanted.names.index(name)] = values[:, self._names.index(weight)] != 0
        return counts

    def _values(self, records: np.ndarray, before: float) -> np.ndarray:
        values = np.empty((len(records), len(self._columns)))
        for curve, column in enumerate(self._columns):
            if column < records.dtype["values"].shape[0]:
                values[:, curve] = records["values"][:, column]
            else:
                times = records["time"]
                values[1:, curve], values[:1, curve] = times[1:] - times[:-1], times[:1] - before
        return values


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
