"""Images in character cells: in few greys, in colour, or in one ink.

Shape letters: H × W pixels of the image, h × w cells of the picture, C channels. A cell is about twice as high as wide,
so an image keeps its shape at w = 2 · h · W / H.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from laddertop.tui.draw.cells import GREY_LEVELS, Cells, Ink, colour, grey
from laddertop.tui.draw.dots import braille
from laddertop.tui.draw.pixels import TERMINAL
from laddertop.tui.draw.sheet import luminance

MODES = ("quadrants", "half blocks", "braille", "ramp")
"""Ways to draw an image, the first two in greys, the others in one colour; ramp is ASCII."""
SQUARES = {"quadrants": (2, 1), "half blocks": (2, 1), "braille": (4, 2), "ramp": (1, 0.5)}
"""Square pixels that each of them has in a cell: below each other, side by side."""
PIXELS = "pixels"
"""Another way, where the user says that the terminal can do it."""

_QUADRANTS = np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"))
_RAMP = np.array(list(" .:-=+*#%@"))
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])


def usable_modes(plain: bool, coloured: bool) -> tuple[str, ...]:
    """The modes that a terminal can show, the best first: no greys without colour, ASCII only where it is plain."""
    pixels = (PIXELS,) if TERMINAL.on else ()
    return MODES[3:] if plain else pixels + MODES if coloured else MODES[2:]


SIDES = (56, 48, 40, 32, 28, 24, 20, 16, 14, 12, 10, 8, 6, 4)
"""Widths in cells that an image may take; it is half as high."""


def size_for(pixels: int, height: int, width: int) -> tuple[int, int]:
    """Height and width in cells of the largest image of so many pixels across that fits; a whole multiple or part of
    them, unless that would make it much smaller."""
    fitting = [side for side in SIDES if side <= width and side // 2 <= height] or [SIDES[-1]]
    whole = [side for side in fitting if side % pixels == 0 or pixels % side == 0]
    side = whole[0] if whole and whole[0] >= 0.7 * fitting[0] else fitting[0]
    return side // 2, side


def draw_image(image: np.ndarray, height: int, width: int, mode: str) -> Cells:
    """A uint8 image (H, W), or (H, W, 3) for colour, in height × width cells, drawn in one of MODES, or in PIXELS;
    those of one ink show the luminance of a colour image."""
    if mode == PIXELS:
        return TERMINAL.place(image, height, width)
    cells = Cells(height, width)
    if image.ndim == 3 and mode in MODES[:2]:
        _coloured(cells, image, 2 if mode == "quadrants" else 1)
        return cells
    image = luminance(image)
    if mode == "quadrants":
        _quadrants(cells, image)
    elif mode == "half blocks":
        levels = _quantised(resized(image, 2 * height, width))
        top, bottom = levels[0::2], levels[1::2]
        cells.chars[:] = np.where(top == bottom, " ", "▀")
        cells.inks[:] = grey(np.where(top == bottom, 0, top), bottom)
    elif mode == "braille":
        # Dark noise would sprinkle dots over the background, so it takes a tenth of white to set any.
        light = resized(image, 4 * height, 2 * width) / 255
        threshold = np.tile((_BAYER + 0.5) / 16, (height, -(-width // 2)))[:, : 2 * width]
        cells.chars[:] = braille(light > 0.1 + 0.85 * threshold)
    else:
        light = resized(image, height, width) / 256
        cells.chars[:] = _RAMP[(light * len(_RAMP)).astype(int)]
    if mode in MODES[2:]:
        cells.inks[:] = Ink.TEXT
    return cells


def resized(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The image averaged over the areas of rows × columns new pixels, float64."""
    return np.asarray(_areas(image.shape[0], rows) @ image @ _areas(image.shape[1], columns).T)


def _quadrants(cells: Cells, image: np.ndarray) -> None:
    height, width = cells.height, cells.width
    halves = resized(image, 2 * height, 2 * width).reshape(height, 2, width, 2)
    pixels = halves.transpose(0, 2, 1, 3).reshape(height, width, 4)
    low, high = pixels.min(2), pixels.max(2)
    light = pixels > ((low + high) / 2)[:, :, None]
    count = light.sum(2)
    ink = _quantised((pixels * light).sum(2) / np.maximum(count, 1))
    paper = _quantised((pixels * ~light).sum(2) / np.maximum(4 - count, 1))
    flat = (ink == paper) | (count == 0)
    paper = np.where(flat, _quantised(pixels.mean(2)), paper)
    cells.chars[:] = np.where(flat, " ", _QUADRANTS[(light * np.array([1, 2, 4, 8])).sum(2)])
    cells.inks[:] = grey(np.where(flat, 0, ink), paper)


def _coloured(cells: Cells, image: np.ndarray, across: int) -> None:
    """Each cell in two colours: its pixels, 2 × across, split by their light; half blocks are split above and below."""
    height, width = cells.height, cells.width
    channels = [resized(image[:, :, c], 2 * height, across * width) for c in range(3)]
    pixels = np.stack(channels, -1).reshape(height, 2, width, across, 3)
    pixels = pixels.transpose(0, 2, 1, 3, 4).reshape(height, width, 2 * across, 3)
    light = pixels @ np.array([0.299, 0.587, 0.114])
    upper = light > (light.min(2, keepdims=True) + light.max(2, keepdims=True)) / 2
    if across == 1:
        upper = np.broadcast_to(np.array([True, False]), upper.shape)
    count = upper.sum(2)[:, :, None]
    ink = _cube((pixels * upper[..., None]).sum(2) / np.maximum(count, 1))
    paper = _cube((pixels * ~upper[..., None]).sum(2) / np.maximum(2 * across - count, 1))
    flat = (ink == paper) | (count[:, :, 0] == 0)
    paper = np.where(flat, _cube(pixels.mean(2)), paper)
    weights = np.array([1, 2, 4, 8]) if across == 2 else np.array([3, 12])
    cells.chars[:] = np.where(flat, " ", _QUADRANTS[(upper * weights).sum(2)])
    cells.inks[:] = colour(np.where(flat, 0, ink), paper)


def _cube(rgb: np.ndarray) -> np.ndarray:
    """The nearest colours of the palette's cube, whose six levels are 0, 95, 135, …, 255."""
    levels = np.where(rgb < 47.5, 0, np.where(rgb < 115, 1, np.rint((rgb - 55) / 40))).astype(np.int64)
    return np.asarray(levels @ np.array([36, 6, 1]))


def _quantised(light: np.ndarray) -> np.ndarray:
    """Values 0 … 255 as GREY_LEVELS levels."""
    return np.clip(np.rint(light / 255 * (GREY_LEVELS - 1)), 0, GREY_LEVELS - 1).astype(np.int64)


@lru_cache(32)
def _areas(old: int, new: int) -> np.ndarray:
    """Matrix (new, old) that averages `old` pixels into `new` ones by the areas they share."""
    edges = np.arange(new + 1) * old / new
    pixel = np.arange(old)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.maximum(shared, 0) * new / old)
