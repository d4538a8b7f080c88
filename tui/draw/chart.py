"""A chart of one curve: the smoothed line over the raw minimum–maximum envelope, ticks, gaps, and event markers.

Chart area: H × W cells, that is 4·H × 2·W dots (one dot a cell in ASCII). Left of it stands a gutter with the ticks of
the y axis, below it one row with those of the x axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tui.draw.cells import Cells, Ink
from tui.draw.curve import Blocks, reduce_at
from tui.draw.dots import braille, columns_between
from tui.draw.numbers import tick
from tui.draw.ticks import linear_bounds, linear_ticks, log_bounds, log_ticks

GUTTER = 6


class Marker(NamedTuple):
    """Something that happened at a step."""

    step: int
    label: str


class Scale(NamedTuple):
    """The y axis."""

    low: float
    high: float
    log: bool

    def rows(self, values: np.ndarray, height: int) -> np.ndarray:
        """Values as rows 0 … height - 1 counted from the bottom, rounded and clipped; nan stays nan."""
        low, high = (np.log(self.low), np.log(self.high)) if self.log else (self.low, self.high)
        with np.errstate(invalid="ignore", divide="ignore"):
            at = (np.log(values) if self.log else values) - low
        return np.asarray(np.clip(np.rint(at / (high - low) * (height - 1)), 0, height - 1))


def scale_for(curves: Sequence[Blocks], log: bool) -> Scale | None:
    """A scale that holds all the curves; None without finite values; linear when a value is not positive."""
    lows = [float(np.nanmin(b.low)) for b in curves if np.isfinite(b.low).any()]
    highs = [float(np.nanmax(b.high)) for b in curves if np.isfinite(b.high).any()]
    if not lows:
        return None
    low, high = min(lows), max(highs)
    if log and low > 0:
        return Scale(*log_bounds(low, high), log=True)
    return Scale(*linear_bounds(low, high), log=False)


def into_columns(blocks: Blocks, first: int, last: int, columns: int) -> tuple[np.ndarray, Blocks]:
    """Column numbers that hold points between the steps `first` and `last`, rising, and one block for each."""
    begin, end = np.searchsorted(blocks.steps, [first, last + 1])
    blocks = Blocks(*(a[begin:end] for a in blocks))
    if not len(blocks.steps):
        return np.zeros(0, np.int64), blocks
    at = (blocks.steps - first) * columns // max(last - first + 1, 1)
    starts = np.flatnonzero(np.diff(at, prepend=-1))
    return at[starts], reduce_at(blocks, starts)


def draw_chart(
    height: int,
    width: int,
    blocks: Blocks,
    steps: tuple[int, int],
    log: bool = True,
    markers: Sequence[Marker] = (),
    ascii_only: bool = False,
    line: Ink = Ink.CURVE,
) -> Cells:
    """The chart with its axes in height × width cells; `steps` are the ends of the x axis."""
    cells = Cells(height, width)
    plot_height, plot_width = height - 1, width - GUTTER
    scale = scale_for([blocks], log)
    if plot_height < 1 or plot_width < 4:
        return cells
    if scale is None:
        _x_axis(cells, steps)
        text = "no finite value yet" if len(blocks.steps) else "waiting for the first step"
        cells.put(plot_height // 2, GUTTER + max((plot_width - len(text)) // 2, 0), text, Ink.DIM)
    else:
        _plot(cells, blocks, steps, scale, ascii_only, line)
        _x_axis(cells, steps)
        _y_axis(cells, scale)
    _markers(cells, steps, markers)
    _bad_ticks(cells, blocks, steps)
    return cells


def _plot(cells: Cells, blocks: Blocks, steps: tuple[int, int], scale: Scale, ascii_only: bool, ink: Ink) -> None:
    height, width = cells.height - 1, cells.width - GUTTER
    tall, wide = (1, 1) if ascii_only else (4, 2)
    rows, columns = tall * height, wide * width
    at, binned = into_columns(blocks, *steps, columns)
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    low[at], high[at] = scale.rows(binned.low, rows), scale.rows(binned.high, rows)
    envelope = columns_between(low, high, rows)
    line = columns_between(*_joined(at, scale.rows(binned.smooth, rows), columns), rows)
    area = slice(0, height), slice(GUTTER, cells.width)
    if ascii_only:
        cells.chars[area] = np.where(line, "*", np.where(envelope, ":", " "))
        drawn: np.ndarray = line
    else:
        drawn = np.asarray(line.reshape(height, 4, width, 2).any(axis=(1, 3)))
        cells.chars[area] = np.where(drawn, braille(line), braille(envelope))
    cells.inks[area] = np.where(drawn, ink, Ink.FAINT)


def _joined(at: np.ndarray, rows: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest row of an unbroken line in every column: straight between columns that hold points, with a
    gap where such a column holds no finite value."""
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    finite = np.isfinite(rows)
    if not finite.any():
        return low, high
    every = np.arange(at[0], at[-1] + 1)
    straight = np.rint(np.interp(every, at[finite], rows[finite]))
    # Columns next to a gap on its way to the following finite point stay empty too.
    owner = np.searchsorted(at, every, side="left")
    broken = ~finite[owner] | ~finite[np.maximum(np.searchsorted(at, every, side="right") - 1, 0)]
    straight[broken] = np.nan
    before = np.concatenate([straight[:1], straight[:-1]])
    before = np.where(np.isfinite(before), before, straight)
    # A step up or down is drawn in the later column, up to the row next to the one before.
    low[every] = np.where(before < straight, before + 1, straight)
    high[every] = np.where(before > straight, before - 1, straight)
    return low, high


def _y_axis(cells: Cells, scale: Scale) -> None:
    height = cells.height - 1
    for y in range(height):
        cells.put(y, GUTTER - 1, "│", Ink.DIM)
    ticks = (log_ticks if scale.log else linear_ticks)(scale.low, scale.high, max((height + 1) // 2, 2))
    for value in ticks:
        y = height - 1 - int(scale.rows(np.array([value]), 4 * height)[0]) // 4
        if cells.chars[y, GUTTER - 1] != "┤":
            cells.right(y, GUTTER - 1, tick(value), Ink.DIM)
            cells.put(y, GUTTER - 1, "┤", Ink.DIM)


def _x_axis(cells: Cells, steps: tuple[int, int]) -> None:
    y, width = cells.height - 1, cells.width - GUTTER
    cells.put(y, GUTTER - 1, "└" + "─" * width, Ink.DIM)
    free = GUTTER
    for value in linear_ticks(steps[0], steps[1], max(width // 14, 2)):
        x = GUTTER + _column(int(value), steps, width)
        label = tick(value)
        if x >= free and x + len(label) + 1 < cells.width:
            at_end = value == steps[0]
            cells.put(y, x, label if at_end else "┴" + label, Ink.DIM)
            free = x + len(label) + 2


def _markers(cells: Cells, steps: tuple[int, int], markers: Sequence[Marker]) -> None:
    """A line from top to bottom through empty cells for each marker; labels where there is room, the newest first."""
    left = cells.width
    for marker in reversed(markers):
        if not steps[0] <= marker.step <= steps[1]:
            continue
        x = GUTTER + _column(marker.step, steps, cells.width - GUTTER)
        for y in range(cells.height - 1):
            if cells.chars[y, x] == " ":
                cells.put(y, x, "│", Ink.FAINT)
        if x >= left:
            continue
        after, before = f"▼{marker.label} ", f" {marker.label}▼"
        if x + len(after) <= left:
            cells.put(0, x, after, Ink.MARK)
            left = x
        elif x + 1 - len(before) >= GUTTER:
            cells.put(0, x + 1 - len(before), before, Ink.MARK)
            left = x + 1 - len(before)
        else:
            cells.put(0, x, "▼", Ink.MARK)
            left = x


def _bad_ticks(cells: Cells, blocks: Blocks, steps: tuple[int, int]) -> None:
    at, binned = into_columns(blocks, *steps, cells.width - GUTTER)
    for x in at[binned.bad]:
        cells.put(cells.height - 1, GUTTER + int(x), "×", Ink.BAD)


def _column(step: int, steps: tuple[int, int], columns: int) -> int:
    return min((step - steps[0]) * columns // max(steps[1] - steps[0] + 1, 1), columns - 1)
