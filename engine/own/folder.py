"""A folder of images, as torchvision's ImageFolder reads it: a folder per class, or images alone. Where it has folders
`train` and `test`, each is a part.

Shape letters: C channels, H height, W width, D = C·H·W numbers of an image, B images of a block.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from laddertop.engine.own.source import BLOCK, Part, Source, sha256_of
from laddertop.journal.sections import DataSpec

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".tif", ".tiff", ".webp")
"""How the names of image files end, in small or large letters."""

_GREY = ("1", "L", "LA", "La")
_COLOUR = ("P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "LAB")
"""Modes of PIL with a byte per channel, without and with colour."""


class Files(NamedTuple):
    """The image files of a part."""

    folder: Path
    """Where they lie."""
    files: list[Path]
    """In torchvision's order."""
    classes: list[str] | None
    """The folder of each; none: they lie there without classes."""


def open_folder(path: Path, data: DataSpec) -> Source:
    """The images in a folder. Raises ValueError when there are none, or when they have no common size and get none."""
    try:
        apart = {"train", "test"} <= set(_folders(path))
        parts = [_files(path / name) for name in ("train", "test")] if apart else [_files(path)]
    except OSError as error:
        raise ValueError(f"{error.filename or path} can't be read: {error.strerror or error}") from None
    if apart and (parts[0].classes is None) != (parts[1].classes is None):
        has, lacks = parts if parts[0].classes else parts[::-1]
        raise ValueError(f"{has.folder} has a folder per class, and {lacks.folder} has none; make them alike")
    every = [file for part in parts for file in part.files]
    image = _image(path, every, data)
    training, *test = [_part(part, image) for part in parts]
    return Source(training, test[0] if test else None, partial(_sha256, path, every))


def _folders(path: Path) -> list[str]:
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_dir())


def _files(path: Path) -> Files:
    alone = sorted(file for file in path.iterdir() if _is_image(file.name))
    below = {name: found for name in _folders(path) if (found := _below(path / name))}
    if alone and below:
        raise ValueError(f"{path} has both images and folders of images ({', '.join(list(below)[:3])}); take one out")
    if not alone and not below:
        raise ValueError(f"{path} holds no images ({', '.join(ENDINGS)}), nor do its folders")
    if alone or len(below) == 1:
        return Files(path, alone or next(iter(below.values())), None)
    return Files(path, [f for files in below.values() for f in files], [n for n, files in below.items() for _ in files])


def _below(path: Path) -> list[Path]:
    walked = sorted(os.walk(path, followlinks=True))
    return [Path(folder, name) for folder, _, names in walked for name in sorted(names) if _is_image(name)]


def _is_image(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and name[0] != "."


def _image(path: Path, files: list[Path], data: DataSpec) -> tuple[int, int, int]:
    """The shape (C, H, W) that all get: that of the run, where there is one, else by the keys and the files."""
    if data.found:
        return data.found.channels, data.found.height, data.found.width
    sizes, grey = Counter[tuple[int, int]](), True
    first: dict[tuple[int, int], Path] = {}
    for file in files:
        with _opened(file) as image:
            size = (image.height, image.width)
            grey &= image.mode in _GREY
        sizes[size] += 1
        first.setdefault(size, file)
    if data.size is None and len(sizes) > 1:
        told = [f"{h}×{w} ({first[h, w].relative_to(path)})" for (h, w), _ in sizes.most_common(2)]
        more = f" and {len(sizes) - 2} more sizes" if len(sizes) > 2 else ""
        raise ValueError(
            f"{path} has images of {' and '.join(told)}{more}; give them one size, such as --set data.size=64"
        )
    height, width = next(iter(sizes)) if data.size is None else data.sides
    return 1 if data.colour == "off" or (grey and data.colour == "auto") else 3, height, width


def _opened(file: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _broken(file, error) from None
    if image.mode not in (*_GREY, *_COLOUR):
        raise ValueError(f"{file} has more than a byte per channel (PIL calls it {image.mode}); save it with one")
    return image


def _broken(file: Path, error: Exception) -> ValueError:
    words = str(error) or type(error).__name__
    return ValueError(f"{file} can't be read as an image: {words}; mend it, or take it out")


def _part(part: Files, image: tuple[int, int, int]) -> Part:
    return Part(
        place=str(part.folder),
        items=len(part.files),
        image=image,
        dtype=np.dtype(np.uint8),
        blocks=partial(_blocks, part.files, image),
        item=lambda i: str(part.files[i]),
        labels=None if part.classes is None else np.array(part.classes),
        label=lambda i: f"the class of {part.files[i]}",
    )


def _blocks(files: list[Path], image: tuple[int, int, int]) -> Iterator[npt.NDArray[Any]]:
    at_once = max(BLOCK // int(np.prod(image)), 1)
    for first in range(0, len(files), at_once):
        yield np.stack([_pixels(file, image) for file in files[first : first + at_once]])


def _pixels(file: Path, image: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
    """The bytes [D] of an image; one of another size is scaled to cover that of all, and its middle cut out."""
    channels, height, width = image
    with _opened(file) as opened:
        try:
            converted = opened.convert("L" if channels == 1 else "RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise _broken(file, error) from None
    if converted.size != (width, height):
        converted = _fitted(converted, height, width)
    pixels = np.asarray(converted)
    return (pixels if channels == 1 else pixels.transpose(2, 0, 1)).reshape(-1)


def _fitted(image: Image.Image, height: int, width: int) -> Image.Image:
    # As torchvision's Resize and CenterCrop.
    across, down = image.size
    if height * across >= width * down:
        size = max(int(height * across / down), width), height
    else:
        size = width, max(int(width * down / across), height)
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    scaled = image.resize(size, Image.Resampling.BILINEAR)
    return scaled.crop((left, top, left + width, top + height))


def _sha256(path: Path, files: list[Path]) -> str:
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{sha256_of(file)} {os.fspath(file.relative_to(path))}\n".encode(errors="surrogateescape"))
    return whole.hexdigest()
