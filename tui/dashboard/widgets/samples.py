"""The samples: fixed test items as input, corrupted, reconstruction and error; and draws from the model, if it can."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from textual.geometry import Region

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.image import MODES, draw_image
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.draw.plane import plane_of, put_dots
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.draw.sheet import luminance
from laddertop.tui.watch.run_view import RunView

SIZES = tuple((w, w // 2) for w in (56, 48, 40, 32, 28, 24, 20, 16, 14, 12, 10, 8))
"""Sizes of an image in cells, width × height, from large to small."""
GALLERY = 14
"""Height of the largest that is chosen without being asked for."""

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
        self.zoom = 0
        """How many sizes larger the images are than they would be."""
        self.first = 0
        """The item that is shown first."""
        self.coloured = True
        """Whether colour images are shown in colour, or in their luminance."""
        self.sampling: tuple[dict[str, np.ndarray], int] | None = None
        """The images of another step instead of the newest, with the step."""
        self.at_once = 1
        """How many items there was room for."""
        self._shown: list[tuple[Region, int, str]] = []
        """Where the images are, with the item and the kind of each."""
        self._drawn: tuple[object, ...] | None = None
        self._images: dict[str, np.ndarray] | None = None
        self._picture = Cells(0, 0)

    def next_mode(self, modes: tuple[str, ...]) -> None:
        """Go on to the next way to draw images among those that the terminal can show."""
        at = modes.index(self.mode) if self.mode in modes else -1
        self.mode = modes[(at + 1) % len(modes)]
        self.update()

    def item_at(self, row: int, column: int) -> int | None:
        """The item that an image in a cell is of."""
        return next((item for region, item, _ in self._shown if region.contains(column, row)), None)

    def told(self, row: int, column: int) -> str:
        """Item, kind and step of an image."""
        step = thousands((self.sampling or (None, self.view.images_step))[1])
        found = ((item, kind) for region, item, kind in self._shown if region.contains(column, row))
        return next((f"item {item}, {kind}, step {step}" for item, kind in found), "")

    def picture(self, height: int, width: int) -> Cells:
        """Drawn again only when there are new samples, or another size or mode."""
        images, step = self.sampling or (self.view.images, self.view.images_step)
        wanted = (
            height,
            width,
            self.mode,
            self.chosen,
            self.zoom,
            self.first,
            self.coloured,
            self.under,
            step,
            "" if images else self._none_yet(),
        )
        if wanted != self._drawn or images is not self._images:
            self._picture = self._draw(images, step, height, width)
            self._drawn, self._images = wanted, images
        return self._picture

    def _draw(self, images: dict[str, np.ndarray], step: int, height: int, width: int) -> Cells:
        rows = with_error(images)
        self._shown = []
        points = {name: array for name, array in images.items() if array.ndim == 2 and len(array)}
        if points and not rows:
            return self._scatter(points, step, height, width)
        aside = f"step {thousands(step)} · {self.mode}" if rows else ""
        cells = self.titled(height, width, "samples", aside)
        if not rows:
            cells.paste(1, 0, sentence(height - 1, width, self._none_yet()))
            return cells
        items = min(map(len, rows.values()))
        pixels = next(iter(rows.values())).shape[2]
        grid = fitting_grid(len(rows), items, pixels, height - 2, width, self.zoom)
        self.at_once = max(grid.across * grid.down, 1)
        first = min(self.first, max(items - 1, 0))
        for place in range(min(items - first, grid.across * grid.down)):
            item = first + place
            down, across = divmod(place, grid.across)
            y = 2 + down * (grid.height + 1)
            x = 1 + across * (len(rows) * (grid.width + 1) + 2)
            for name, shown in rows.items():
                if down == 0:
                    cells.put(1, x, _HEADINGS.get(name, name)[: grid.width], Ink.DIM)
                image = shown[item] if self.coloured else luminance(shown[item])
                cells.paste(y, x, draw_image(image, grid.height, grid.width, self.mode))
                self._shown.append((Region(x, y, grid.width, grid.height), item, name))
                x += grid.width + 1
        return cells

    def _none_yet(self) -> str:
        """Why there is nothing to see."""
        coming = self.view.status() in ("starting", "training", "paused")
        ours = self.view.spec.model.ours
        first = "the first are taken before the first step" if ours else "a loop of its own shows them by run.images"
        return self.view.problem or (f"no samples yet: {first}" if coming else "no samples were recorded")

    def _scatter(self, points: dict[str, np.ndarray], step: int, height: int, width: int) -> Cells:
        """Points of the plane, each kind beside the other on one scale, the input dim behind them."""
        cells = titled(height, width, "samples", f"step {thousands(step)}", self.chosen)
        behind = points.get("input")
        each = (width - 1) // len(points) - 1
        everything = np.concatenate([behind if behind is not None else np.zeros((0, 2)), *points.values()])
        plane = plane_of(_without_outliers(everything), height - 2, each, square=True)
        for i, (name, cloud) in enumerate(points.items()):
            part = Cells(height - 2, each)
            if behind is not None and name != "input":
                put_dots(part, plane, behind, Ink.FAINT, self.ascii_only)
            put_dots(part, plane, cloud, Ink.DIM if name == "input" else Ink.CURVE, self.ascii_only)
            x = 1 + i * (each + 1)
            cells.put(1, x, name[:each], Ink.DIM)
            cells.paste(2, x, part)
        return cells


def with_error(images: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows to show, the absolute error of the reconstruction after it; what was not corrupted is no row."""
    rows: dict[str, np.ndarray] = {}
    for name, images_of_row in images.items():
        if name == "corrupted" and "input" in images and np.array_equal(images_of_row, images["input"]):
            continue
        if images_of_row.ndim >= 3 and len(images_of_row):
            rows[name] = images_of_row
            if name == "reconstruction" and "input" in images:
                rows["error"] = np.abs(images_of_row.astype(np.int16) - images["input"]).astype(np.uint8)
    return rows


def fitting_grid(kinds: int, items: int, pixels: int, height: int, width: int, zoom: int = 0) -> Grid:
    """Items in a grid, the kinds of images of one item side by side: the largest images that leave room for four
    items, else for two, else for one; or so many sizes larger as `zoom` says. `pixels` is the width of an image."""
    # Small images are enlarged in steps of half their size, so that their pixels stay about alike.
    sizes = [(w, h) for w, h in SIZES if pixels > w or 2 * w % pixels == 0] or [*SIZES[-1:]]
    grids = [Grid(w, h, (width + 1) // (kinds * (w + 1) + 2), (height + 1) // (h + 1)) for w, h in sizes]
    shown = [i for i, grid in enumerate(grids) if grid.across * grid.down]
    if not shown:
        return grids[-1]
    for enough in (4, 2, 1):
        for i in shown:
            large = grids[i].height > GALLERY
            if not large and grids[i].across * grids[i].down >= min(enough, items):
                return grids[min(max(i - zoom, shown[0]), shown[-1])]
    return grids[shown[-1]]


def _without_outliers(points: np.ndarray) -> np.ndarray:
    """The points but for the few far out, which would leave the others no room."""
    finite = np.asarray(points[np.isfinite(points).all(1)])
    if not len(finite):
        return finite
    low, high = np.percentile(finite, (0.5, 99.5), axis=0)
    inside: np.ndarray = finite[((finite >= low) & (finite <= high)).all(1)]
    return inside
