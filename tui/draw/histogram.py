"""A histogram as filled columns, with a density over it to be compared with.

Shape letters: L bins.
"""

from __future__ import annotations

import numpy as np

from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import tick

_LEVELS = np.array(list(" ▁▂▃▄▅▆▇█"))


def draw_histogram(
    height: int,
    width: int,
    counts: np.ndarray,
    edges: np.ndarray,
    density: np.ndarray | None = None,
    span: tuple[float, float] | None = None,
    roots: bool = False,
) -> Cells:
    """Counts [L] between edges [L + 1] in all but the last of the rows, which has the ends of the axis.

    `density` [W], one value per column of the picture and of unit area, is marked by dots on the histogram's scale;
    `span` are the ends of the axis, unless those of the edges are meant; `roots` draws roots of the counts, so that
    tails stay visible beside a peak.
    """
    cells = Cells(height, width)
    low, high = span or (float(edges[0]), float(edges[-1]))
    rows, total = height - 1, float(counts.sum())
    if rows < 1 or width < 4 or not total or not high > low:
        return cells
    shares = columns_of(counts, edges, low, high, width)
    if roots:
        shares = np.sqrt(shares)
    top = max(float(shares.max()), float(density.max()) if density is not None else 0.0)
    levels = np.ceil(shares / top * rows * 8 - 1e-9).astype(int)
    for y in range(rows):
        filled = np.clip(levels - (rows - 1 - y) * 8, 0, 8)
        cells.chars[y] = _LEVELS[filled]
        cells.inks[y] = Ink.CURVE
    if density is not None:
        at = np.clip(rows - 1 - np.floor(density / top * rows - 1e-9).astype(int), 0, rows - 1)
        for x, y in enumerate(at.tolist()):
            if density[x] > 0.01 * top:
                cells.put(y, x, "•", Ink.MARK)
    cells.put(rows, 0, tick(_rounded(low)), Ink.DIM)
    cells.right(rows, width, tick(_rounded(high)), Ink.DIM)
    if low < 0 < high and width >= 24:
        cells.put(rows, round(-low / (high - low) * width), "0", Ink.DIM)
    return cells


def columns_of(counts: np.ndarray, edges: np.ndarray, low: float, high: float, columns: int) -> np.ndarray:
    """The density of the counts [L], per unit of the axis, averaged over each of equal columns from low to high."""
    share = np.concatenate([[0.0], np.cumsum(counts) / max(float(counts.sum()), 1.0)])
    ends = np.linspace(low, high, columns + 1)
    return np.asarray(np.diff(np.interp(ends, edges, share)) / (high - low) * columns)


def _rounded(value: float) -> float:
    return float(f"{value:.2g}")
