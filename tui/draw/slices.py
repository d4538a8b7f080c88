"""Slices of a sweep as text: for every key that varies, what its values came to, one small plot beside the other.

What is best is lowest or highest, as the objective has it; nothing is turned round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.text import columns, fit

NARROWEST = 22
"""Columns of a plot, at least."""
LOWEST = 4
"""Rows of all of it, at least: the key, two of points, the values."""
_MARGIN = 8
"""Columns of the axis of what they came to."""


class Point(NamedTuple):
    """What a value of a key came to in a run."""

    at: float
    """Where on the axis of the key the value lies, from 0 to 1."""
    came_to: float
    sign: str
    ink: int
    rank: int
    """Of several points in one cell the one of the highest rank is seen."""


class Slice(NamedTuple):
    """One key."""

    key: str
    ticks: Sequence[tuple[float, str]]
    """Places on its axis with their words; where there is no room for all, the first stay."""
    points: Sequence[Point]


def draw_slices(height: int, width: int, slices: Sequence[Slice], measure: str = "", first: int = 0) -> Cells:
    """As many of the slices as have room, from number `first` on, with one axis for all of what they came to, the
    `measure`."""
    cells = Cells(height, width)
    values = [point.came_to for one in slices for point in one.points if math.isfinite(point.came_to)]
    if height < LOWEST or not slices:
        return cells
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    shown = slices[first : first + in_row(width, len(slices))]
    rows = height - 2
    cells.right(0, _MARGIN - 1, fit(measure, _MARGIN - 1), Ink.DIM)
    if values:
        cells.right(1, _MARGIN - 1, number(high), Ink.DIM)
        if high > low:
            cells.right(rows, _MARGIN - 1, number(low), Ink.DIM)
    each = (width - _MARGIN) // max(len(shown), 1)
    for place, one in enumerate(shown):
        _draw(cells, _MARGIN + place * each, each - 2, rows, one, (low, high))
    hidden = len(slices) - len(shown)
    if hidden > 0:
        cells.right(0, width, f" {hidden} more", Ink.DIM)
    return cells


def in_row(width: int, there: int) -> int:
    """How many slices have room side by side."""
    return max(1, min(there, (width - _MARGIN) // NARROWEST))


def _draw(cells: Cells, left: int, width: int, rows: int, one: Slice, bounds: tuple[float, float]) -> None:
    low, high = bounds
    cells.put(0, left, fit(one.key, width), Ink.STRONG)
    for y in range(1, rows + 1):
        cells.put(y, left, "│", Ink.FAINT)
    for point in sorted(one.points, key=lambda point: point.rank):
        if math.isfinite(point.came_to):
            share = (high - point.came_to) / (high - low) if high > low else 0.0
            cells.put(1 + round(share * (rows - 1)), _column(left, width, point.at), point.sign, point.ink)
    taken: list[tuple[int, int]] = []
    for at, word in one.ticks:
        x = min(max(_column(left, width, at) - columns(word) // 2, left), left + width - columns(word))
        end = x + columns(word)
        if x >= left and all(end < begins or x > ends for begins, ends in taken):
            taken.append((x, end))
            cells.put(rows + 1, x, word, Ink.DIM)


def _column(left: int, width: int, at: float) -> int:
    return left + 1 + round(min(max(at, 0.0), 1.0) * (width - 2))
