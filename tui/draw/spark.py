"""Curves one row high, and bars."""

from __future__ import annotations

import numpy as np

from tui.draw.cells import Cells, Ink
from tui.draw.chart import Scale, into_columns
from tui.draw.curve import Blocks

_LEVELS = np.array(list("▁▂▃▄▅▆▇█"))


def draw_sparkline(
    width: int, blocks: Blocks, steps: tuple[int, int], scale: Scale | None, ink: Ink = Ink.CURVE
) -> Cells:
    """The smoothed curve in one row on a scale that may be shared with others; × where a value is not finite."""
    cells = Cells(1, width)
    at, binned = into_columns(blocks, *steps, width)
    if scale is None or not len(at):
        return cells
    finite = np.isfinite(binned.smooth)
    if finite.any():
        every = np.arange(at[0], at[-1] + 1)
        straight = np.interp(every, at[finite], binned.smooth[finite])
        cells.chars[0, every] = _LEVELS[scale.rows(straight, len(_LEVELS)).astype(int)]
        cells.inks[0, every] = ink
    for x in at[binned.bad]:
        cells.put(0, int(x), "×", Ink.BAD)
    return cells


def bar(share: float, width: int) -> tuple[str, str]:
    """A share of 1 as a bar: its filled and its empty part, `width` columns together, in half columns."""
    halves = round(min(max(share, 0.0), 1.0) * 2 * width) if np.isfinite(share) else 0
    filled = "━" * (halves // 2) + "╸" * (halves % 2)
    return filled, "─" * (width - len(filled))
