"""Points, classes, arrows and histograms in cells; colour images; sizes of images."""

from __future__ import annotations

import math

import numpy as np
import pytest

from laddertop.tui.draw.cells import CUBE, Cells, Ink, class_ink, colour
from laddertop.tui.draw.histogram import columns_of, draw_histogram
from laddertop.tui.draw.image import draw_image, size_for
from laddertop.tui.draw.plane import Plane, plane_of, put_arrows, put_classes, put_dots

UNIT = Plane(10, 20, left=0.0, top=10.0, across=1.0, down=1.0)
"""One cell a unit, y from 10 at the top to 0."""


def test_a_plane_holds_every_finite_point_and_y_grows_upwards() -> None:
    points = np.array([[-3.0, 1.0], [5.0, 2.0], [0.0, -7.0], [np.nan, 0.0], [np.inf, 1.0]])
    for square in (False, True):
        plane = plane_of(points, 12, 30, square)
        rows, columns, inside = plane.cells(points)
        assert inside.tolist() == [True, True, True, False, False]
        assert rows[1] < rows[0] < rows[2]
        assert columns[0] < columns[2] < columns[1]
    assert plane.down == 2 * plane.across
    assert plane_of(np.zeros((0, 2)), 0, 0).width == 0


def test_a_cell_and_its_point_agree() -> None:
    plane = plane_of(np.random.default_rng(0).normal(size=(50, 2)), 9, 31)
    for row in range(9):
        for column in range(31):
            rows, columns, inside = plane.cells(np.array([plane.point(row, column)]))
            assert inside.all()
            assert (rows[0], columns[0]) == (row, column)


def test_dots_lie_where_their_points_do() -> None:
    cells = Cells(10, 20)
    put_dots(cells, UNIT, np.array([[0.1, 9.9], [19.9, 0.1], [25.0, 5.0]]), Ink.CURVE)
    assert cells.chars[0, 0] == "⠁"
    assert cells.chars[9, 19] == "⢀"
    assert (cells.chars != " ").sum() == 2
    put_dots(cells, UNIT, np.array([[3.5, 4.5]]), Ink.CURVE, ascii_only=True)
    assert cells.chars[5, 3] == "."


def test_a_cell_shows_the_class_of_the_most_points_in_its_colour() -> None:
    cells = Cells(10, 20)
    points = np.array([[2.5, 8.5], [2.6, 8.4], [2.4, 8.6], [7.5, 1.5]])
    put_classes(cells, UNIT, points, np.array([4, 7, 7, 1]))
    assert cells.chars[1, 2] == "7"
    assert cells.inks[1, 2] == class_ink(7)
    assert cells.chars[8, 7] == "1"
    assert (cells.chars != " ").sum() == 2


@pytest.mark.parametrize("eighth", range(8))
def test_an_arrow_points_where_its_way_goes(eighth: int) -> None:
    cells = Cells(10, 20)
    angle = eighth * math.pi / 4
    put_arrows(cells, UNIT, np.array([[5.5, 5.5]]), np.array([[math.cos(angle), math.sin(angle)]]))
    assert cells.chars[4, 5] == "→↗↑↖←↙↓↘"[eighth]


def test_arrows_fade_with_their_length_and_end_in_a_dot() -> None:
    cells = Cells(10, 20)
    start = np.array([[x + 0.5, 5.5] for x in range(4)])
    put_arrows(cells, UNIT, start, np.array([[1.0, 0], [0.3, 0], [0.1, 0], [0.001, 0]]))
    assert "".join(cells.chars[4, :4]) == "→→→·"
    assert cells.inks[4, :3].tolist() == [Ink.STRONG, Ink.TEXT, Ink.DIM]


def test_the_columns_of_a_histogram_are_a_density() -> None:
    counts, edges = np.histogram(np.random.default_rng(0).normal(size=100_000), 40, range=(-4, 4))
    for columns in (7, 40, 93):
        density = columns_of(counts, edges, -4, 4, columns)
        assert density.sum() * 8 / columns == pytest.approx(1)
    x = (np.arange(40) + 0.5) / 5 - 4
    np.testing.assert_allclose(
        columns_of(counts, edges, -4, 4, 40), np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi), atol=0.02
    )
    # Counts that reach less far leave the rest of the axis empty.
    assert columns_of(counts, edges, -8, 8, 40)[:8].sum() == 0


def test_a_histogram_is_as_high_as_its_counts_and_bears_the_density() -> None:
    counts, edges = np.array([0, 1, 4, 2]), np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    cells = draw_histogram(5, 4, counts, edges)
    assert [(cells.chars[:4, x] == "█").sum() for x in range(4)] == [0, 1, 4, 2]
    assert cells.text().endswith("0  4")
    rooted = draw_histogram(5, 4, counts, edges, roots=True)
    assert [(rooted.chars[:4, x] == "█").sum() for x in range(4)] == [0, 2, 4, 2]
    marked = draw_histogram(5, 4, counts, edges, np.full(4, 0.25))
    assert (marked.inks[:4] == Ink.MARK).sum() == 4
    assert draw_histogram(5, 40, np.zeros(4), edges).text().strip() == ""


def test_colour_is_kept_in_half_blocks_and_quadrants_and_becomes_light_elsewhere() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :, 0] = 255
    image[2:, :, 2] = 255
    red, blue = 5 * 36, 5
    for mode in ("half blocks", "quadrants"):
        cells = draw_image(image, 1, 2, mode)
        upper = "".join(cells.chars[0]) == "▀▀"
        assert upper or "".join(cells.chars[0]) == "▄▄"
        assert (cells.inks == (colour(red, blue) if upper else colour(blue, red))).all()
    assert draw_image(image, 2, 2, "ramp").text() == "::\n.."
    flat = draw_image(np.full((4, 4, 3), 255, np.uint8), 2, 4, "quadrants")
    assert (flat.chars == " ").all()
    assert (flat.inks == colour(0, CUBE - 1)).all()


def test_images_take_whole_multiples_where_these_are_not_much_smaller() -> None:
    assert size_for(28, 20, 60) == (14, 28)
    assert size_for(28, 30, 60) == (28, 56)
    assert size_for(28, 12, 26) == (12, 24)  # 14 × 7 would be half as large
    assert size_for(8, 18, 39) == (16, 32)
    assert size_for(8, 1, 2) == (2, 4)
