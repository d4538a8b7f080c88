"""Small curves, filled from below, and bars."""

from __future__ import annotations

import numpy as np

from tui.draw.cells import Cells, Ink
from tui.draw.chart import Scale, into_columns
from tui.draw.curve import Blocks

_LEVELS = np.array(list("▁▂▃▄▅▆▇█"))


def draw_sparkline(
    height: int, width: int, blocks: Blocks, steps: tuple[int, int], scale: Scale | None, ink: Ink = Ink.CURVE
) -> Cells:
    """The smoothed curve as a filled shape on a scale that may be shared with others; × where a value is not finite."""
    cells = Cells(height, width)
    at, binned = into_columns(blocks, *steps, width)
    if scale is None or not len(at):
        return cells
    finite = np.isfinite(binned.smooth)
    if finite.any():
        every = np.arange(at[0], at[-1] + 1)
        straight = np.interp(every, at[finite], binned.smooth[finite])
        levels = scale.rows(straight, height * len(_LEVELS)).astype(int) + 1
        for y in range(height):
            below = (height - 1 - y) * len(_LEVELS)
            filled = np.clip(levels - below, 0, len(_LEVELS))
            cells.chars[y, every] = np.where(filled, _LEVELS[np.maximum(filled - 1, 0)], " ")
        cells.inks[:, every] = ink
    for x in at[binned.bad]:
        cells.put(height - 1, int(x), "×", Ink.BAD)
    return cells


def bar(share: float, width: int) -> tuple[str, str]:
    """A share of 1 as a bar: its filled and its empty part, `width` columns together, in half columns."""
    halves = round(min(max(share, 0.0), 1.0) * 2 * width) if np.isfinite(share) else 0
    filled = "━" * (halves // 2) + "╸" * (halves % 2)
    return filled, "─" * (width - len(filled))
