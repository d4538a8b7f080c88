"""Sheets of images, pictures of points, and PNG files that others read."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest
from PIL import Image

from laddertop.tui.cli.explore import preview
from laddertop.tui.draw.sheet import largest_sheet, luminance, plane, png, sheet, squarely, tiles

_STRETCH = r"\x1b\[38;5;(\d+);48;5;(\d+)m([^\x1b]*)\x1b\[0m"


@pytest.mark.parametrize("shape", [(5, 9), (7, 3, 3), (1, 1)])
def test_a_png_is_read_by_others_as_it_was_meant(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    theirs = Image.open(io.BytesIO(png(image)))
    theirs.load()
    assert np.array_equal(np.asarray(theirs), image)


def test_a_sheet_holds_every_image_enlarged_with_lines_between() -> None:
    images = np.random.default_rng(0).integers(65, 256, (2, 3, 8, 8)).astype(np.uint8)
    whole = sheet(images)
    assert whole.shape == (2 * 58 - 2, 3 * 58 - 2)
    for row in range(2):
        for column in range(3):
            part = whole[row * 58 : row * 58 + 56, column * 58 : column * 58 + 56]
            assert np.array_equal(part[::7, ::7], images[row, column])
    assert (whole[56:58] == 64).all()
    assert sheet(np.zeros((1, 2, 32, 32, 3), np.uint8)).shape == (64, 130, 3)


@pytest.mark.parametrize(("lines", "times"), [(24, 1), (40, 2), (80, 4)])
def test_a_terminal_shows_every_pixel_of_small_images_as_large_as_all_others(
    monkeypatch: pytest.MonkeyPatch, lines: int, times: int
) -> None:
    for name, value in {"COLUMNS": "160", "LINES": str(lines), "TERM": "xterm-256color", "FORCE_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    images = np.random.default_rng(0).integers(0, 256, (4, 4, 8, 8)).astype(np.uint8)
    rows = [
        [(char, int(ink), int(paper)) for ink, paper, text in re.findall(_STRETCH, line) for char in text]
        for line in preview(images).splitlines()
    ]
    assert len(rows) <= lines - 3
    # Each cell is two pixels, one above the other.
    greys = {" ": lambda ink, paper: (paper, paper), "▀": lambda ink, paper: (ink, paper)}
    greys["▄"] = lambda ink, paper: (paper, ink)
    cells = np.array([[greys[char](ink, paper) for char, ink, paper in row] for row in rows])
    pixels = cells.transpose(0, 2, 1).reshape(2 * len(rows), -1)
    step = 8 * times + 1
    assert pixels.shape == (-(-(4 * step - 1) // 2) * 2, 4 * step - 1)
    level = 232 + np.rint(images / 255 * 15).astype(int) * 23 // 15
    for row, column in np.ndindex(4, 4):
        shown = pixels[row * step : row * step + 8 * times, column * step : column * step + 8 * times]
        assert np.array_equal(shown, level[row, column].repeat(times, 0).repeat(times, 1))


def test_rows_that_are_too_many_for_the_room_stand_side_by_side_in_reading_order() -> None:
    images = np.random.default_rng(0).integers(65, 256, (10, 3, 8, 8)).astype(np.uint8)
    whole = largest_sheet(images, 42, 80)
    assert whole is not None
    assert whole.shape == (4 * 9 - 1, 9 * 9 - 1)
    for row, column in np.ndindex(10, 3):
        y, x = row // 3 * 9, (row % 3 * 3 + column) * 9
        assert np.array_equal(whole[y : y + 8, x : x + 8], images[row, column])
    assert largest_sheet(images, 200, 80).shape == (10 * 17 - 1, 3 * 17 - 1)  # type: ignore[union-attr]
    assert largest_sheet(images, 8, 8) is None


def test_images_stand_squarely_none_lost() -> None:
    images = np.arange(1, 8, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    grid = squarely(images)
    assert grid.shape == (3, 3, 2, 2)
    assert grid[:, :, 0, 0].ravel().tolist() == [1, 2, 3, 4, 5, 6, 7, 0, 0]


def test_luminance_of_grey_is_grey() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(luminance(np.repeat(levels[None, :, None], 3, 2))[0], levels)


def test_points_and_arrows_stand_where_they_belong() -> None:
    points = np.array([[1.0, 1.0], [-1.0, -1.0], [np.nan, 0.0]])
    image = plane([(points, 200)], size=101)
    # x to the right, y upwards; what is not a number is nowhere.
    expected = np.zeros((101, 101), np.uint8)
    expected[1:4, 97:100] = expected[97:100, 1:4] = 200
    assert np.array_equal(image, expected)
    image = plane([(points[:2], 50)], (np.array([[-1.0, 0.0]]), np.array([[2.0, 0.0]])), size=101)
    assert image[50, 98] == 255
    assert (image[50, 4:97] == 110).all()


def test_tiles_are_enlarged_and_lie_edge_to_edge() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8)).astype(np.uint8)
    whole = tiles(images)
    assert whole.shape == (2 * 56, 3 * 56)
    assert np.array_equal(whole[56::7, 112::7], images[1, 2])
