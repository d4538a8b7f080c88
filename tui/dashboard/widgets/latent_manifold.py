"""The plane of a code of two units, decoded on a grid (Kingma & Welling 2013, figure 4)."""

from __future__ import annotations

import numpy as np

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.views.latent import MANIFOLD, LatentView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.image import MODES, draw_image
from laddertop.tui.draw.plane import plane_of, put_dots
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.draw.sheet import tiles
from laddertop.tui.watch.run_view import RunView

_WIDTH, _HEIGHT = 6, 3
"""Cells that an image on the plane has at least."""


def lines_in(height: int, width: int) -> int:
    """How many images across and up a panel of height × width cells has room for."""
    return min(max(min((height - 1) // _HEIGHT, width // _WIDTH), 2), 30)


class ManifoldPlane(Panel):
    """The images edge to edge: the first unit from left to right, the second from the bottom up."""

    def __init__(self, view: RunView, latent: LatentView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.mode = MODES[0]
        self._latent = latent
        self._taken = (0, 0)
        """Rows and columns of cells that the images take."""

    def picture(self, height: int, width: int) -> Cells:
        """All images, as large as there is room for; points as dots."""
        asking = self._latent.asking
        got = asking.got.get(MANIFOLD)
        scale = "quantiles of the prior" if self._latent.has_prior() else "range of the codes"
        cells = self.titled(height, width, "manifold of units 0 and 1", scale)
        if got is None or height < 4:
            words = asking.problems.get(MANIFOLD, "") or "asking the model for the plane of its two units"
            cells.paste(1, 0, sentence(height - 1, width, words))
            return cells
        images = got.arrays["images"]
        if images.shape[-1] == 2:
            inner = Cells(height - 1, width - 2)
            points = images.reshape(-1, 2)
            put_dots(inner, plane_of(points, height - 1, width - 2, True), points, Ink.CURVE, self.ascii_only)
            cells.paste(1, 1, inner)
            return cells
        whole = tiles(images)
        wide = 2 * whole.shape[1] / whole.shape[0]  # a cell is twice as high as wide
        rows = max(min(height - 1, int((width - 1) / wide)), 1)
        self._taken = (rows, int(rows * wide))
        cells.paste(1, 1, draw_image(whole, *self._taken, self.mode))
        return cells

    def code_at(self, row: int, column: int) -> np.ndarray | None:
        """The code [2] of the image at a cell of the panel; None where there is none."""
        got = self._latent.asking.got.get(MANIFOLD)
        rows, columns = self._taken
        if got is None or not (1 <= row <= rows and 1 <= column <= columns):
            return None
        codes = got.arrays["codes"]
        return np.asarray(codes[(row - 1) * len(codes) // rows, (column - 1) * len(codes) // columns])

    def told(self, row: int, column: int) -> str:
        """The code of the image, which a click takes."""
        code = self.code_at(row, column)
        return "" if code is None else f"unit 0 = {code[0]:+.2f}, unit 1 = {code[1]:+.2f}"
