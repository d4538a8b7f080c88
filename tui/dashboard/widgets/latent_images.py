"""What codes are decoded to: the code as it is changed, one unit taken through its range, the way from A to B."""

from __future__ import annotations

import numpy as np
from textual.geometry import Region

from laddertop.journal.explore import Interpolate, Traverse
from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.views.latent import BETWEEN, WALK, LatentView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.image import MODES, draw_image
from laddertop.tui.draw.numbers import setting
from laddertop.tui.draw.plane import plane_of, put_dots
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView

SIZES = ((28, 14), (20, 10), (16, 8), (14, 7), (12, 6), (10, 5), (8, 4))
"""Sizes of an image, width × height in cells, from large to small."""

_CORNERS = np.array([[-1.5, -1.5], [1.5, 1.5]])
"""What is shown of the plane at least where points are decoded."""


class Decoded(Panel):
    """The code that is looked at, decoded; the item's own beside or below it where that differs and there is room."""

    def __init__(self, view: RunView, latent: LatentView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.mode = MODES[0]
        self._latent = latent

    def picture(self, height: int, width: int) -> Cells:
        """The image as large as it may be."""
        latent = self._latent
        changed = len(latent.changes)
        cells = titled(height, width, f"A: item {latent.item}", f"{changed} changed" if changed else "its own code")
        got = latent.asking.got.get(WALK)
        if got is None:
            return cells
        words = Ink.WARN if latent.asking.waiting(WALK) else Ink.DIM
        caption = f"unit {latent.unit()}" + (
            f" = {latent.changes[u]:+.2f}" if (u := latent.unit()) in latent.changes else ""
        )
        cells.put(height - 1, 1, caption, words)
        _image(cells, 1, 1, got.arrays["image"], height - 2, width - 1, self.mode, self.ascii_only)
        return cells


class Strips(Panel):
    """A row of images for the traversal, one for the interpolation; only one of them where there is no more room."""

    def __init__(self, view: RunView, latent: LatentView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.mode = MODES[0]
        self.with_code = False
        """Whether the code that is looked at stands before the row."""
        self._latent = latent
        self._shown: list[tuple[Region, str]] = []
        """Where the images are, and what each is decoded from."""

    def told(self, row: int, column: int) -> str:
        """What an image is decoded from."""
        return next((words for region, words in self._shown if region.contains(column, row)), "")

    def picture(self, height: int, width: int) -> Cells:
        """Rows with their titles."""
        latent = self._latent
        if lacks := latent.lacks():
            cells = titled(height, width, "traversal and interpolation")
            cells.paste(1, 0, sentence(height - 1, width, lacks))
            return cells
        both = height >= 12
        self._shown = []
        cells = Cells(height, width)
        each = height // 2 if both else height
        if both or not latent.between:
            cells.paste(0, 0, self._traversal(0, each, width))
        if both or latent.between:
            top = each if both else 0
            cells.paste(top, 0, self._interpolation(top, height - top, width))
        return cells

    def _traversal(self, top: int, height: int, width: int) -> Cells:
        got = self._latent.asking.got.get(WALK)
        unit = self._latent.unit()
        title = "traversal" if unit is None else f"traversal of unit {unit}"
        under = self.under if self.under.startswith("unit") else ""
        cells = self.titled(height, width, title, "← → change it, ↑ ↓ another", under)
        if got is None or not isinstance(got.question, Traverse):
            return cells
        values = [setting(float(value)) for value in got.arrays["values"].round(2)]
        told = [f"unit {unit} = {value}" for value in values]
        waiting = self._latent.asking.waiting(WALK) is not None
        self._row(cells, top, got.arrays["images"][0], values, told, waiting)
        return cells

    def _interpolation(self, top: int, height: int, width: int) -> Cells:
        latent = self._latent
        got = latent.asking.got.get(BETWEEN)
        title = f"interpolation from A, item {latent.item}, to B, item {latent.other}"
        under = self.under if self.under.endswith(("A", "B")) else ""
        cells = self.titled(height, width, title, f"{sign('latent.other')}: A becomes B", under)
        if got is None or not isinstance(got.question, Interpolate):
            return cells
        count = len(got.arrays["images"])
        names = ["A", *(f"{i / (count - 1):.1f}" for i in range(1, count - 1)), "B"]
        told = ["A", *(f"{name} of the way from A to B" for name in names[1:-1]), "B"]
        self._row(cells, top, got.arrays["images"], names, told, latent.asking.waiting(BETWEEN) is not None)
        return cells

    def _row(
        self, cells: Cells, top: int, images: np.ndarray, names: list[str], told: list[str], waiting: bool
    ) -> None:
        """Images with their names above them, in cells that lie `top` rows below the upper end of the panel."""
        if images.ndim == 2:
            inner = Cells(cells.height - 1, cells.width - 2)
            plane = plane_of(np.concatenate([images, _CORNERS]), inner.height, inner.width, True)
            put_dots(inner, plane, images, Ink.CURVE, self.ascii_only)
            cells.paste(1, 1, inner)
            return
        walk = self._latent.asking.got.get(WALK)
        before = [walk.arrays["image"]] if self.with_code and walk else []
        shown = [*before, *images]
        room = (cells.width - 1 - len(before)) // len(shown) - 1
        width, height = next(((w, h) for w, h in SIZES if w <= room and h <= cells.height - 2), SIZES[-1])
        x = 1
        now = ["now"] * len(before)
        for i, (image, name, words) in enumerate(zip(shown, now + names, [""] * len(now) + told, strict=True)):
            cells.put(1, x, name[:width], Ink.WARN if waiting else Ink.DIM)
            cells.paste(2, x, draw_image(image, height, width, self.mode))
            self._shown.append((Region(x, top + 1, width, height + 1), words))
            x += width + 1 + (2 if before and i == 0 else 0)


def _image(cells: Cells, y: int, x: int, image: np.ndarray, height: int, width: int, mode: str, plain: bool) -> None:
    """An image in the room that there is; a point as a dot."""
    if image.ndim == 1:
        inner = Cells(height, width)
        put_dots(inner, plane_of(_CORNERS, height, width, True), image[None], Ink.CURVE, plain)
        cells.paste(y, x, inner)
        return
    w, h = next(((w, h) for w, h in SIZES if w <= width and h <= height), SIZES[-1])
    cells.paste(y, x, draw_image(image, h, w, mode))
