"""Points of the plane in character cells: clouds of dots, classes as coloured digits, ways as arrows.

Shape letters: N points, H × W cells; a cell has 4 × 2 dots, which are about square. y grows upwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from laddertop.tui.draw.cells import Cells, Ink, class_ink
from laddertop.tui.draw.dots import braille

_ARROWS = "→↗↑↖←↙↓↘"
_SIGNS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Plane(NamedTuple):
    """The part of the plane that some cells show."""

    height: int
    width: int
    left: float
    """The x of the left edge."""
    top: float
    """The y of the upper edge."""
    across: float
    """Width of a cell."""
    down: float
    """Height of a cell."""

    def cells(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row and column of each point [N, 2] that lies inside, and which do."""
        return self._at(points, self.height, self.width, self.across, self.down)

    def dots(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same for dots."""
        return self._at(points, 4 * self.height, 2 * self.width, self.across / 2, self.down / 4)

    def point(self, row: int, column: int) -> tuple[float, float]:
        """The point in the middle of a cell."""
        return self.left + (column + 0.5) * self.across, self.top - (row + 0.5) * self.down

    def nearest(self, points: np.ndarray, row: int, column: int) -> int | None:
        """Which of the points [N, 2] lies nearest to a cell; None where there is no finite one."""
        at = (points - np.array(self.point(row, column))) / np.array([self.across, 2 * self.down])
        far = np.where(np.isfinite(at).all(1), (at**2).sum(1), np.inf)
        return int(far.argmin()) if np.isfinite(far).any() else None

    def _at(
        self, points: np.ndarray, rows: int, columns: int, across: float, down: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        finite = np.isfinite(points).all(1)
        safe = np.where(finite[:, None], points, 0)
        column = np.floor((safe[:, 0] - self.left) / across).astype(int)
        row = np.floor((self.top - safe[:, 1]) / down).astype(int)
        inside = finite & (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
        return row[inside], column[inside], inside


def plane_of(points: np.ndarray, height: int, width: int, square: bool = False) -> Plane:
    """The plane that shows all finite points [N, 2] with a little room; `square` keeps both axes on one scale."""
    height, width = max(height, 0), max(width, 0)
    finite = points[np.isfinite(points).all(1)] if len(points) else np.zeros((0, 2))
    low, high = (finite.min(0), finite.max(0)) if len(finite) else (np.full(2, -1.0), np.full(2, 1.0))
    middle, size = (low + high) / 2, np.maximum(high - low, 1e-6) * 1.06
    across, down = float(size[0]) / max(width, 1), float(size[1]) / max(height, 1)
    if square:
        across = max(across, down / 2)
        down = 2 * across
    return Plane(
        height, width, float(middle[0]) - across * width / 2, float(middle[1]) + down * height / 2, across, down
    )


def item_in_words(item: int, classes: np.ndarray) -> str:
    """An item with its class, where there are several [N]."""
    return f"item {item}" + (f", class {int(classes[item])}" if len(np.unique(classes)) > 1 else "")


def put_dots(cells: Cells, plane: Plane, points: np.ndarray, ink: int, ascii_only: bool = False) -> None:
    """Points [N, 2] as dots, over whatever stands there."""
    if ascii_only:
        row, column, _ = plane.cells(points)
        cells.chars[row, column] = "."
        cells.inks[row, column] = ink
        return
    dots = np.zeros((4 * plane.height, 2 * plane.width), bool)
    row, column, _ = plane.dots(points)
    dots[row, column] = True
    chars = braille(dots)
    drawn = chars != " "
    area = slice(0, plane.height), slice(0, plane.width)
    cells.chars[area] = np.where(drawn, chars, cells.chars[area])
    cells.inks[area] = np.where(drawn, ink, cells.inks[area])


def put_classes(cells: Cells, plane: Plane, points: np.ndarray, classes: np.ndarray) -> None:
    """Points [N, 2] as the digit of their class [N], in its colour; where several share a cell, that of the most."""
    row, column, inside = plane.cells(points)
    labels = classes[inside]
    if not len(labels):
        return
    counts = np.zeros((plane.height * plane.width, int(labels.max()) + 1), int)
    np.add.at(counts, (row * plane.width + column, labels), 1)
    for at in np.flatnonzero(counts.any(1)):
        label = int(counts[at].argmax())
        cells.put(int(at) // plane.width, int(at) % plane.width, _SIGNS[label % len(_SIGNS)], class_ink(label))


def put_arrows(cells: Cells, plane: Plane, start: np.ndarray, way: np.ndarray) -> None:
    """An arrow at each start [N, 2] in the direction of its way [N, 2]; strong ones are long, faint ones short, and
    where there is next to no way stands a dot."""
    row, column, inside = plane.cells(start)
    way = way[inside]
    length = np.hypot(way[:, 0], way[:, 1])
    longest = float(np.nanpercentile(length, 95)) if len(length) else 0.0
    turn = np.rint(np.arctan2(way[:, 1], way[:, 0]) / (np.pi / 4)).astype(int) % 8
    for y, x, eighth, size in zip(row.tolist(), column.tolist(), turn.tolist(), length.tolist(), strict=True):
        share = size / longest if longest > 0 else 0.0
        sign = _ARROWS[eighth] if share > 0.04 else "·"
        cells.put(y, x, sign, Ink.STRONG if share > 0.5 else Ink.TEXT if share > 0.2 else Ink.DIM)
