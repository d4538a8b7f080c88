"""A chart of one or more curves: smoothed lines over their raw range, what is planned, ticks, gaps, markers, a cursor.

Chart area: H × W cells, that is 4·H × 2·W dots (one dot a cell in ASCII). Left of it stands a gutter with the ticks of
the y axis, below it one row with those of the x axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.dots import braille, columns_between
from laddertop.tui.draw.markers import GUTTER, Marker, put_markers
from laddertop.tui.draw.numbers import percent, setting, thousands, tick
from laddertop.tui.draw.scale import Bounds, Kind, Part, Scale, early_bins, left_out, scale_for
from laddertop.tui.draw.text import columns, fit

INKS = (Ink.CURVE, Ink.SECOND, Ink.GOOD, Ink.WARN, Ink.MARK, Ink.BAD, Ink.SEVENTH, Ink.EIGHTH)
"""Of the curves of one chart, in their order."""
DOTTED = 2
"""Of so many columns of dots one is drawn of what is planned."""
APART = 16
"""Columns between two letters along a curve."""


class Line(NamedTuple):
    """One curve of a chart."""

    binned: Binned
    gone: Binned | None = None
    """The same of steps that a resume threw away."""
    planned: Binned | None = None
    """The same of steps that are still to come, which is drawn as dots."""

    @property
    def whole(self) -> Binned:
        """What was recorded and what is planned: what the y axis has to hold."""
        if self.planned is None:
            return self.binned
        low, high = (np.fmin(self.binned.low, self.planned.low), np.fmax(self.binned.high, self.planned.high))
        return self.binned._replace(low=low, high=high, filled=self.binned.filled | self.planned.filled)


class Look(NamedTuple):
    """How a chart is drawn."""

    kind: Kind = "log"
    part: Part = "settled"
    """Which values the y axis has to hold."""
    ascii_only: bool = False
    colourless: bool = False
    """Letters along several curves tell them apart."""
    cursor: float | None = None
    """A position of the x axis with a line through it."""
    bounds: Bounds | None = None
    """Of the y axis, where they are set."""


def draw_chart(
    height: int, width: int, lines: Sequence[Line], axis: XAxis, look: Look, markers: Sequence[Marker] = ()
) -> Cells:
    """The chart with its axes in height × width cells."""
    cells = Cells(height, width)
    plot_height, plot_width = height - 1, width - GUTTER
    if plot_height < 1 or plot_width < 4:
        return cells
    scale = _scale(lines, look)
    _x_axis(cells, axis)
    if scale is None:
        text = "no finite value here" if any(line.whole.filled.any() for line in lines) else "no steps here yet"
        cells.put(plot_height // 2, GUTTER + max((plot_width - len(text)) // 2, 0), text, Ink.DIM)
    else:
        own = _plot(cells, lines, scale, look)
        _y_axis(cells, scale)
        if len(lines) > 1:
            if look.colourless or look.ascii_only:
                _letters_along(cells, own)
            _letters(cells, lines, scale)
    put_markers(cells, axis, markers)
    _bad_ticks(cells, lines)
    if look.cursor is not None and (x := axis.place(look.cursor, plot_width)) is not None:
        for y in range(plot_height):
            if cells.chars[y, GUTTER + x] == " ":
                cells.put(y, GUTTER + x, "┆", Ink.STRONG)
        cells.put(plot_height, GUTTER + x, "▲", Ink.STRONG)
    return cells


def put_reading(cells: Cells, told: Sequence[str]) -> None:
    """What is told of the position with the cursor, on the x axis beside it: as many parts, the first ones, as there is
    room for."""
    row = cells.chars[-1:].ravel().tolist()
    if not told or "▲" not in row:
        return
    x = row.index("▲")
    room = max(x, cells.width - x) - 2
    parts = [told[0]]
    for part in told[1:]:
        parts += [part] if columns(" · ".join([*parts, part])) <= room else []
    text = fit(" · ".join(parts), room)
    if x + columns(text) + 2 <= cells.width:
        end = cells.put(cells.height - 1, x + 1, f"{text} ", Ink.STRONG)
        beside = range(end, cells.width)
    else:
        beside = range(cells.right(cells.height - 1, x, f" {text}", Ink.STRONG) - 1, GUTTER, -1)
    for at in beside:
        # What is left of the label of a tick is no number.
        if not (row[at].isalnum() or row[at] in ".:"):
            break
        cells.put(cells.height - 1, at, "─", Ink.DIM)


def draw_curve(height: int, width: int, binned: Binned, ascii_only: bool = False) -> Cells:
    """The smoothed curve alone, without axes, as high as it goes; × where a value is not finite. Where there is room
    for it, first steps that lie far off are left beyond the edge."""
    cells = Cells(height, width)
    late = binned.smooth[early_bins(binned) :]
    late = late[np.isfinite(late)]
    if height < 1 or width < 1 or not len(late):
        return cells
    low, high = float(late.min()), float(late.max())
    middle = (low - max(abs(low), 1e-9), high + max(abs(high), 1e-9))
    scale = Scale(*((low, high) if low < high else middle), kind="log" if 0 < low < high else "linear")
    tall, wide = (1, 1) if ascii_only else (4, 2)
    dots = _line(within_range(binned.columns(wide * width), wide), scale, tall * height)
    cells.chars[:] = np.where(dots, "*", " ") if ascii_only else braille(dots)
    cells.inks[:] = Ink.CURVE
    for x in np.flatnonzero(binned.columns(width).bad):
        cells.put(height - 1, int(x), "×", Ink.BAD)
    return cells


def clipped(lines: Sequence[Line], look: Look) -> int:
    """How many bins hold values beyond the edges of the chart, where bounds are set or outliers clipped."""
    scale = _scale(lines, look)
    if scale is None or (look.part != "clipped" and look.bounds is None):
        return 0
    with np.errstate(invalid="ignore"):
        return sum(int(((b.low < scale.low) | (b.high > scale.high)).sum()) for b, *_ in lines)


def kind_in_words(lines: Sequence[Line], look: Look) -> str:
    """The kind of the y axis as it is drawn."""
    scale = _scale(lines, look)
    return look.kind if scale is None or scale.kind == look.kind else f"{scale.kind} (not positive)"


def left_out_in_words(lines: Sequence[Line], steps: Sequence[np.ndarray], look: Look) -> str:
    """What the y axis leaves out; empty where it leaves out nothing. `steps` are those at the ends of the bins [L]."""
    if look.bounds is not None:
        shown = sum(int(np.isfinite(line.binned.low).sum()) for line in lines)
        beyond = clipped(lines, look)
        words = f"y {setting(look.bounds[0])} … {setting(look.bounds[1])}"
        return f"{words}, {percent(beyond / shown)} beyond" if beyond else words
    if look.part == "clipped":
        return f"clipped: {clipped(lines, look)} outliers"
    ahead = any(line.planned is not None for line in lines)
    if look.part == "whole" or ahead or not left_out([line.binned for line in lines], look.kind):
        return ""
    first = max(int(own[early_bins(line.binned)]) for line, own in zip(lines, steps, strict=True))
    return f"y from step {thousands(first)} on"


def letter(curve: int) -> str:
    """What names a curve of a chart of several: a, b, c …"""
    return chr(ord("a") + curve % 26)


def _scale(lines: Sequence[Line], look: Look) -> Scale | None:
    # The first steps of a setting that moves are no outliers of it.
    part = "whole" if look.part == "settled" and any(line.planned is not None for line in lines) else look.part
    return scale_for([line.whole for line in lines], look.kind, part, look.bounds)


def _plot(cells: Cells, lines: Sequence[Line], scale: Scale, look: Look) -> list[np.ndarray]:
    """Draws the curves; returns the cells (H, W) that each of them goes through."""
    height, width = cells.height - 1, cells.width - GUTTER
    tall, wide = (1, 1) if look.ascii_only else (4, 2)
    area = slice(0, height), slice(GUTTER, cells.width)
    behind = np.zeros((tall * height, wide * width), bool)
    drawn, ahead = np.zeros_like(behind), np.zeros_like(behind)
    inks = np.full((height, width), Ink.FAINT, np.uint16)
    through: list[np.ndarray] = []
    for i, (binned, gone, planned) in enumerate(lines):
        if gone is not None and gone.filled.any():
            behind |= _line(gone.columns(wide * width), scale, tall * height)
        if planned is not None:
            ahead |= _line(planned.columns(wide * width), scale, tall * height)
        columns = within_range(binned.columns(wide * width), wide)
        # Ranges of several curves would hide one another.
        if len(lines) == 1:
            behind |= columns_between(
                scale.rows(columns.low, tall * height), scale.rows(columns.high, tall * height), tall * height
            )
        own = _line(columns, scale, tall * height)
        drawn |= own
        through.append(np.asarray(own.reshape(height, tall, width, wide).any(axis=(1, 3))))
        inks[through[-1]] = INKS[i % len(INKS)]
    ahead[:, np.arange(wide * width) % DOTTED > 0] = False
    over, coming = (dots.reshape(height, tall, width, wide).any(axis=(1, 3)) for dots in (drawn, ahead))
    inks[coming & ~over] = Ink.DIM
    if look.ascii_only:
        cells.chars[area] = np.where(over, "*", np.where(coming, ".", np.where(behind, ":", " ")))
    else:
        cells.chars[area] = np.where(over, braille(drawn), np.where(coming, braille(ahead), braille(behind)))
    cells.inks[area] = inks
    return through


def within_range(columns: Binned, reach: int) -> Binned:
    """The same with each smoothed value inside the raw range of its column and of `reach` columns on either side: an
    average that lags behind a steep fall is no value that the run ever had there. Where these columns hold but one
    value there is no range, and the average stays as it is."""
    count = columns.low.shape[0]
    sides = np.arange(-reach, reach + 1)
    near = np.arange(count)[:, None] + sides
    outside = (near < 0) | (near >= count)
    near = np.clip(near, 0, count - 1)
    low = np.fmin.reduce(np.where(outside, np.nan, columns.low[near]), axis=1)
    high = np.fmax.reduce(np.where(outside, np.nan, columns.high[near]), axis=1)
    inside = np.fmin(np.fmax(columns.smooth, low), high)
    ranges = np.isfinite(columns.smooth) & (low < high)
    return columns._replace(smooth=np.where(ranges, inside, columns.smooth))


def _line(columns: Binned, scale: Scale, rows: int) -> np.ndarray:
    """The dots of the smoothed curve: unbroken between columns that hold points, with a gap where such a column holds
    no finite value."""
    filled = np.flatnonzero(columns.filled)
    count = columns.filled.shape[0]
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    heights = scale.rows(columns.smooth, rows)
    finite = filled[np.isfinite(heights[filled])]
    if len(finite):
        every = np.arange(finite[0], finite[-1] + 1)
        straight = np.rint(np.interp(every, finite, heights[finite]))
        # Columns next to a gap on its way to the following finite point stay empty too.
        bad = np.isnan(heights[filled])
        after = np.searchsorted(filled, every, side="left")
        before = np.maximum(np.searchsorted(filled, every, side="right") - 1, 0)
        straight[bad[after] | bad[before]] = np.nan
        previous = np.concatenate([straight[:1], straight[:-1]])
        previous = np.where(np.isfinite(previous), previous, straight)
        # A step up or down is drawn in the later column, up to the row next to the one before.
        low[every] = np.where(previous < straight, previous + 1, straight)
        high[every] = np.where(previous > straight, previous - 1, straight)
    return columns_between(low, high, rows)


def _y_axis(cells: Cells, scale: Scale) -> None:
    height = cells.height - 1
    cells.chars[:height, GUTTER - 1] = "│"
    cells.inks[:height, GUTTER - 1] = Ink.DIM
    for value in scale.ticks(max((height + 1) // 2, 2)):
        y = height - 1 - int(scale.rows(np.array([value]), 4 * height)[0]) // 4
        if cells.chars[y, GUTTER - 1] != "┤":
            cells.right(y, GUTTER - 1, tick(value), Ink.DIM)
            cells.put(y, GUTTER - 1, "┤", Ink.DIM)


def _x_axis(cells: Cells, axis: XAxis) -> None:
    y, width = cells.height - 1, cells.width - GUTTER
    cells.put(y, GUTTER - 1, "└" + "─" * width, Ink.DIM)
    free = GUTTER
    for value, label in axis.ticks(max(width // 12, 3)):
        x = axis.place(value, width)
        if x is not None and GUTTER + x >= free and GUTTER + x + len(label) + 1 < cells.width:
            cells.put(y, GUTTER + x, label if value == axis.first else "┴" + label, Ink.DIM)
            free = GUTTER + x + len(label) + 2


def _letters(cells: Cells, lines: Sequence[Line], scale: Scale) -> None:
    """The letter of each curve at its newest end; those that would fall on one another stand side by side."""
    height, width = cells.height - 1, cells.width - GUTTER
    taken: set[tuple[int, int]] = set()
    for i, (binned, *_) in enumerate(lines):
        columns = binned.columns(width)
        found = np.flatnonzero(np.isfinite(columns.smooth))
        if len(found):
            end = min(GUTTER + int(found[-1]) + 1, cells.width - 1)
            y = height - 1 - int(scale.rows(columns.smooth[found[-1:]], height)[0])
            free = (x for x in (*range(end, cells.width), *range(end, GUTTER, -1)) if (y, x) not in taken)
            x = next(free, end)
            taken.add((y, x))
            cells.put(y, x, letter(i), INKS[i % len(INKS)])


def _letters_along(cells: Cells, through: Sequence[np.ndarray]) -> None:
    """The letter of each curve on the curve itself, again and again, each in columns of its own."""
    for i, own in enumerate(through):
        for x in range(i * APART // len(through), own.shape[1], APART):
            rows = np.flatnonzero(own[:, x])
            if len(rows):
                cells.put(int(rows[0]), GUTTER + x, letter(i), INKS[i % len(INKS)])


def _bad_ticks(cells: Cells, lines: Sequence[Line]) -> None:
    for binned, *_ in lines:
        for x in np.flatnonzero(binned.columns(cells.width - GUTTER).bad):
            cells.put(cells.height - 1, GUTTER + int(x), "×", Ink.BAD)
