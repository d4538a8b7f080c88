"""Pictures made of several images or of points, and writing one as a PNG file.

Shape letters: R × C images on a sheet, H × W pixels of one, N points. Images are uint8 [H, W], or [H, W, 3] for colour.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

_GAP = 64
"""Light of the lines between images."""

_LARGE = 56
"""Pixels that an image on a sheet should have at least; small ones are enlarged by a whole number."""


def sheet(images: np.ndarray) -> np.ndarray:
    """Images [R, C, H, W …] side by side and below each other, enlarged, with lines of two pixels between them."""
    return _laid_out(images, max(1, -(-_LARGE // images.shape[3])), 2)


def tiles(images: np.ndarray) -> np.ndarray:
    """Images [R, C, H, W …] edge to edge, enlarged: parts of one picture."""
    return _laid_out(images, max(1, -(-_LARGE // images.shape[3])), 0)


def largest_sheet(images: np.ndarray, height: int, width: int) -> np.ndarray | None:
    """The same in at most height × width pixels, with lines of one pixel; each image enlarged by the largest whole
    number that they have room for. Where that is not even 1, as few rows as it takes stand side by side, in reading
    order; None where that does not help."""
    for beside in range(1, len(images) + 1):
        rows = -(-len(images) // beside)
        columns = beside * images.shape[1]
        times = min(((height + 1) // rows - 1) // images.shape[2], ((width + 1) // columns - 1) // images.shape[3])
        if times >= 1:
            missing = rows * beside - len(images)
            whole = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
            return _laid_out(whole.reshape(rows, columns, *images.shape[2:]), times, 1)
    return None


def _laid_out(images: np.ndarray, times: int, gap: int) -> np.ndarray:
    images = images.repeat(times, 2).repeat(times, 3)
    rows, columns, height, width = images.shape[:4]
    down, across = height + gap, width + gap
    whole = np.full((rows * down - gap, columns * across - gap, *images.shape[4:]), _GAP, np.uint8)
    for row in range(rows):
        for column in range(columns):
            y, x = row * down, column * across
            whole[y : y + height, x : x + width] = images[row, column]
    return whole


def squarely(images: np.ndarray) -> np.ndarray:
    """Images [N, H, W …] as R × C ones, about as many rows as columns; black where there are none left."""
    columns = int(np.ceil(np.sqrt(len(images))))
    rows = -(-len(images) // columns)
    padded = np.zeros((rows * columns, *images.shape[1:]), images.dtype)
    padded[: len(images)] = images
    return padded.reshape(rows, columns, *images.shape[1:])


def luminance(image: np.ndarray) -> np.ndarray:
    """An image in greys [H, W]; colours weigh as in ITU-R BT.601."""
    if image.ndim == 2:
        return image
    return np.asarray(np.rint(image @ np.array([0.299, 0.587, 0.114])), np.uint8)


def plane(
    points: list[tuple[np.ndarray, int]], arrows: tuple[np.ndarray, np.ndarray] | None = None, size: int = 480
) -> np.ndarray:
    """Clouds of points [N, 2], each in a light of its own, and arrows from some points by some ways [N, 2]; y grows
    upwards, the picture is square and holds every point."""
    clouds = [cloud for cloud, _ in points] + ([arrows[0]] if arrows else [])
    everything = np.concatenate([cloud.reshape(-1, 2) for cloud in clouds])
    extent = 1.05 * max(float(np.abs(everything[np.isfinite(everything).all(1)]).max(initial=0)), 1e-6)
    image = np.zeros((size, size), np.uint8)

    def put(xy: np.ndarray, light: int, wide: int = 1) -> None:
        at = np.rint((xy[np.isfinite(xy).all(1)] / extent + 1) / 2 * (size - 1)).astype(int)
        offsets = np.mgrid[-(wide // 2) : wide // 2 + 1, -(wide // 2) : wide // 2 + 1].reshape(2, -1).T
        at = (at[:, None] + offsets).reshape(-1, 2)
        at = at[((at >= 0) & (at < size)).all(1)]
        y, x = size - 1 - at[:, 1], at[:, 0]
        image[y, x] = np.maximum(image[y, x], light)

    for cloud, light in points:
        put(cloud.reshape(-1, 2), light, 3)
    if arrows:
        start, way = (part.reshape(-1, 2) for part in arrows)
        for share in np.linspace(0, 1, 2 * size):
            put(start + share * way, 110)
        put(start + way, 255, 3)
    return image


def png(image: np.ndarray) -> bytes:
    """An image as the content of a PNG file (ISO/IEC 15948), 8 bits a sample."""
    lines = np.pad(image.reshape(image.shape[0], -1), ((0, 0), (1, 0)))  # each begins with its filter, 0: none
    size = struct.pack(">IIBBBBB", image.shape[1], image.shape[0], 8, 0 if image.ndim == 2 else 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
