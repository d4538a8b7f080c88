"""The samples: fixed test items as input, corrupted, reconstruction and error; and draws from the model, if it can."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tui.draw.cells import Cells, Ink
from tui.draw.image import MODES, draw_image
from tui.draw.numbers import thousands
from tui.panel import Panel, titled
from tui.run_view import RunView

SIZES = ((28, 14), (20, 10), (16, 8), (14, 7), (12, 6), (10, 5), (8, 4))
"""Sizes of an image in cells, width × height, that are tried from large to small."""


_HEADINGS = {"corrupted": "corrupt.", "reconstruction": "reconst."}


class Grid(NamedTuple):
    """Size of an image in cells, and how many items stand side by side and below each other."""

    width: int
    height: int
    across: int
    down: int


class Samples(Panel):
    """Whether it looks right."""

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.mode = MODES[0]
        self._drawn: tuple[object, ...] | None = None
        self._images: dict[str, np.ndarray] | None = None
        self._picture = Cells(0, 0)

    def next_mode(self, modes: tuple[str, ...]) -> None:
        """Go on to the next way to draw images among those that the terminal can show."""
        at = modes.index(self.mode) if self.mode in modes else -1
        self.mode = modes[(at + 1) % len(modes)]
        self.update()

    def picture(self, height: int, width: int) -> Cells:
        """Drawn again only when there are new samples, or another size or mode."""
        wanted = (height, width, self.mode, self.chosen)
        if wanted != self._drawn or self.view.images is not self._images:
            self._picture = self._draw(height, width)
            self._drawn, self._images = wanted, self.view.images
        return self._picture

    def _draw(self, height: int, width: int) -> Cells:
        rows = with_error(self.view.images)
        aside = f"step {thousands(self.view.images_step)} · {self.mode}" if rows else ""
        cells = titled(height, width, "samples", aside, self.chosen)
        if not rows:
            cells.put(height // 2, max((width - 14) // 2, 0), "no samples yet", Ink.DIM)
            return cells
        items = min(map(len, rows.values()))
        pixels = next(iter(rows.values())).shape[2]
        grid = fitting_grid(len(rows), items, pixels, height - 2, width)
        for item in range(min(items, grid.across * grid.down)):
            down, across = divmod(item, grid.across)
            y = 2 + down * (grid.height + 1)
            x = 1 + across * (len(rows) * (grid.width + 1) + 2)
            for name, images in rows.items():
                if down == 0:
                    cells.put(1, x, _HEADINGS.get(name, name)[: grid.width], Ink.DIM)
                cells.paste(y, x, draw_image(images[item], grid.height, grid.width, self.mode))
                x += grid.width + 1
        return cells


def with_error(images: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows to show, the absolute error of the reconstruction after it."""
    rows: dict[str, np.ndarray] = {}
    for name, images_of_row in images.items():
        if images_of_row.ndim == 3 and len(images_of_row):
            rows[name] = images_of_row
            if name == "reconstruction" and "input" in images:
                rows["error"] = np.abs(images_of_row.astype(np.int16) - images["input"]).astype(np.uint8)
    return rows


def fitting_grid(kinds: int, items: int, pixels: int, height: int, width: int) -> Grid:
    """Items in a grid, the kinds of images of one item side by side: the largest images that leave room for four
    items, else for two, else for one. `pixels` is the width of an image."""
    # Small images are enlarged by whole numbers only, so that their pixels stay alike.
    sizes = [(w, h) for w, h in SIZES if pixels > w or w % pixels == 0] or SIZES[-1:]
    grids = [Grid(w, h, (width + 1) // (kinds * (w + 1) + 2), (height + 1) // (h + 1)) for w, h in sizes]
    for enough in (4, 2, 1):
        for grid in grids:
            if grid.across * grid.down >= min(enough, items):
                return grid
    return grids[-1]
