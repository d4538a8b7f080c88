"""What is shown in place of a screen that would not fit."""

from __future__ import annotations

from tui.draw.cells import Cells
from tui.layout import MIN_HEIGHT, MIN_WIDTH
from tui.panel import Panel


class TooSmall(Panel):
    """Says how large the terminal is and how large it must be."""

    def picture(self, height: int, width: int) -> Cells:
        """One line in the middle, cut where it must be."""
        cells = Cells(height, width)
        text = f"too small: have {width}×{height}, need {MIN_WIDTH}×{MIN_HEIGHT}"
        cells.put(height // 2, max((width - len(text)) // 2, 0), text)
        return cells
