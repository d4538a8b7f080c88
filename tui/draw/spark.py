"""Small curves, filled from below, and bars."""

from __future__ import annotations

import numpy as np

from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.scale import Scale

_LEVELS = np.array(list("▁▂▃▄▅▆▇█"))


def draw_sparkline(height: int, width: int, binned: Binned, scale: Scale | None, ink: Ink = Ink.CURVE) -> Cells:
    """The smoothed curve as a filled shape on a scale that may be shared with others; × where a value is not finite."""
    cells = Cells(height, width)
    if scale is None or not width:
        return cells
    columns = binned.columns(width)
    finite = np.flatnonzero(np.isfinite(columns.smooth))
    if len(finite):
        every = np.arange(finite[0], finite[-1] + 1)
        straight = np.interp(every, finite, columns.smooth[finite])
        levels = scale.rows(straight, height * len(_LEVELS)).astype(int) + 1
        for y in range(height):
            below = (height - 1 - y) * len(_LEVELS)
            filled = np.clip(levels - below, 0, len(_LEVELS))
            cells.chars[y, every] = np.where(filled, _LEVELS[np.maximum(filled - 1, 0)], " ")
        cells.inks[:, every] = ink
    for x in np.flatnonzero(columns.bad):
        cells.put(height - 1, int(x), "×", Ink.BAD)
    return cells


def bar(share: float, width: int) -> tuple[str, str]:
    """A share of 1 as a bar: its filled and its empty part, `width` columns together, in half columns."""
    halves = round(min(max(share, 0.0), 1.0) * 2 * width) if np.isfinite(share) else 0
    filled = "━" * (halves // 2) + "╸" * (halves % 2)
    return filled, "─" * (width - len(filled))


def trend(values: np.ndarray, width: int) -> str:
    """A curve in one row of `width` characters, logarithmic where all values are positive; × for what is no number."""
    if not len(values) or width < 1:
        return ""
    finite = np.isfinite(values)
    heights = np.log(values) if (values[finite] > 0).all() and finite.any() else values
    low, high = (float(heights[finite].min()), float(heights[finite].max())) if finite.any() else (0.0, 0.0)
    chars = []
    for part in np.array_split(heights, min(width, len(heights))):
        if not np.isfinite(part).all():
            chars.append("×")
        else:
            at = (float(part.mean()) - low) / (high - low) if high > low else 0.0
            chars.append(str(_LEVELS[round(at * (len(_LEVELS) - 1))]))
    return "".join(chars)
