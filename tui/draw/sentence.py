"""A sentence in place of a picture."""

from __future__ import annotations

from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.text import columns


def sentence(height: int, width: int, text: str, ink: int = Ink.DIM) -> Cells:
    """A sentence in the middle of otherwise empty cells, on as many lines as it takes."""
    cells = Cells(height, width)
    lines = [""]
    for word in text.split():
        if lines[-1] and columns(lines[-1]) + 1 + columns(word) > max(width - 4, 10):
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    y = max((height - len(lines)) // 2, 0)
    for i, line in enumerate(lines[:height]):
        cells.put(y + i, max((width - columns(line)) // 2, 0), line, ink)
    return cells
