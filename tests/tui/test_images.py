"""Images in cells."""

from __future__ import annotations

import numpy as np
import pytest

from laddertop.tui.draw.cells import GREY_LEVELS, Ink, grey
from laddertop.tui.draw.image import MODES, draw_image, resized


@pytest.fixture
def half() -> np.ndarray:
    """The left half white, the right half black."""
    image = np.zeros((8, 8), np.uint8)
    image[:, :4] = 255
    return image


def test_resizing_averages_over_areas() -> None:
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    np.testing.assert_allclose(resized(image, 2, 2), [[2.5, 4.5], [10.5, 12.5]])
    np.testing.assert_allclose(resized(image, 3, 4).mean(), image.mean())
    np.testing.assert_allclose(resized(image, 8, 8)[::2, ::2], image)


def test_half_blocks_carry_two_greys_a_cell() -> None:
    image = np.zeros((4, 4), np.uint8)
    image[0] = 255
    cells = draw_image(image, 2, 4, "half blocks")
    assert cells.text() == "▀▀▀▀\n"
    assert (cells.inks[0] == grey(GREY_LEVELS - 1, 0)).all()
    assert (cells.inks[1] == grey(0, 0)).all()


def test_quadrants_split_a_cell_where_the_image_does() -> None:
    image = np.zeros((4, 8), np.uint8)
    image[:, :3] = 255
    cells = draw_image(image, 2, 4, "quadrants")
    assert "".join(cells.chars[0]) == " ▌  "
    assert cells.inks[0].tolist() == [
        grey(0, GREY_LEVELS - 1),
        grey(GREY_LEVELS - 1, 0),
        grey(0, 0),
        grey(0, 0),
    ]


def test_braille_and_ramp_use_one_ink(half: np.ndarray) -> None:
    assert draw_image(half, 2, 4, "braille").text() == "⣿⣿\n⣿⣿"
    assert draw_image(half, 2, 4, "ramp").text() == "@@\n@@"
    assert (draw_image(half, 2, 4, "braille").inks == Ink.TEXT).all()


def test_the_ramp_is_ascii_and_rises_with_the_light() -> None:
    image = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (4, 1))
    text = draw_image(image, 1, 40, "ramp").text()
    assert text.isascii()
    order = [" .:-=+*#%@".index(c) for c in text]
    assert order == sorted(order)
    assert order[-1] == 9


def test_braille_dithering_keeps_the_brightness_in_order() -> None:
    dots = [
        sum(
            bin(ord(c) - 0x2800).count("1")
            for c in draw_image(np.full((28, 28), v, np.uint8), 7, 14, "braille").text()
            if ord(c) > 0x2800
        )
        for v in (0, 64, 128, 192, 255)
    ]
    assert dots == sorted(dots)
    assert dots[0] == 0
    assert dots[-1] == 7 * 14 * 8


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_draws_every_size(mode: str) -> None:
    rng = np.random.default_rng(0)
    for height, width in ((1, 1), (4, 8), (7, 14), (14, 28)):
        for shape in ((8, 8), (28, 28), (32, 20)):
            cells = draw_image(rng.integers(0, 256, shape).astype(np.uint8), height, width, mode)
            assert (cells.height, cells.width) == (height, width)
