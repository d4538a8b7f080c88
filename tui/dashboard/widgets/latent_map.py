"""The map of the codes: each test item as the digit of its class, with the two that are looked at."""

from __future__ import annotations

import numpy as np

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.views.latent import LatentView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.plane import Plane, item_in_words, plane_of, put_classes, put_dots
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.watch.run_view import RunView


class LatentMap(Panel):
    """Two dimensions of the latent space."""

    def __init__(self, view: RunView, latent: LatentView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._latent = latent
        self._plane: Plane | None = None

    def picture(self, height: int, width: int) -> Cells:
        """The items, the way from A to B, and where the changed code lies."""
        latent = self._latent
        points = latent.points()
        parts = (latent.layer(), "codes" if points is None else f"codes of {len(points)} items")
        name = " · ".join(word for word in parts if word)
        cells = self.titled(height, width, name, latent.shares())
        if points is None or height < 4:
            words = latent.asking.problems.get("codes", "") or "asking the model for its codes"
            cells.paste(1, 0, sentence(height - 1, width, words))
            return cells
        inner = Cells(height - 1, width - 2)
        self._plane = plane = plane_of(points, height - 1, width - 2)
        classes = latent.classes()
        if latent.decodes():
            ends = points[[latent.item, latent.other]]
            put_dots(
                inner,
                plane,
                ends[0] + np.linspace(0, 1, 200)[:, None] * (ends[1] - ends[0]),
                Ink.FAINT,
                self.ascii_only,
            )
        if len(np.unique(classes)) > 1:
            put_classes(inner, plane, points, classes)
        else:
            put_dots(inner, plane, points, Ink.CURVE, self.ascii_only)
        if latent.decodes():
            self._letter(inner, plane, points[latent.other], "B", Ink.MARK)
        self._letter(inner, plane, points[latent.item], "A", Ink.KEY)
        code = latent.code()
        if latent.axes == "first" and latent.changes and code is not None and len(code) > 1:
            self._letter(inner, plane, code[:2], "@", Ink.KEY)
        cells.paste(1, 1, inner)
        return cells

    def item_at(self, row: int, column: int) -> int | None:
        """The item nearest to a cell of the panel; None before there is a map."""
        points = self._latent.points()
        return None if self._plane is None or points is None else self._plane.nearest(points, row - 1, column - 1)

    def told(self, row: int, column: int) -> str:
        """The nearest item, which a click takes."""
        item = self.item_at(row, column)
        return "" if item is None else item_in_words(item, self._latent.classes())

    @staticmethod
    def _letter(cells: Cells, plane: Plane, point: np.ndarray, letter: str, ink: Ink) -> None:
        rows, columns, inside = plane.cells(np.asarray(point)[None])
        if inside.any():
            cells.put(int(rows[0]), int(columns[0]), letter, ink)
