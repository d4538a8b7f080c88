"""The arrays `x`, `y`, `x_test` and `y_test` of an .npz file, read a block at a time, or mapped where they are stored
as they are.

Shape letters: N items, C channels, H height, W width, B items of a block.
"""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from laddertop.engine.own.source import BLOCK, Part, Source, sha256_of

NAMES = ("x", "y", "x_test", "y_test")
"""The arrays: training items and their labels, test items and theirs; `x` must be there."""

_SAVE = "save them with numpy.savez(file, x=…, y=…, x_test=…, y_test=…)"


class Array(NamedTuple):
    """Where an array lies in its file."""

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    columns_first: bool
    """Whether the first index runs fastest (Fortran's order)."""
    head: int
    """Bytes before the numbers."""
    plain: int | None
    """Byte of the file at which the numbers begin; none: they are compressed."""

    @property
    def place(self) -> str:
        """As errors name it."""
        return f"{self.path}, array {self.name}"


def open_npz(path: Path) -> Source:
    """The data in a file. Raises ValueError when it is no such file, or when arrays are missing or have no shape that
    can be trained on."""
    with _reading(path), zipfile.ZipFile(path) as file:
        there = {info.filename.removesuffix(".npy"): info for info in file.infolist()}
        if "x" not in there:
            raise ValueError(f"{path} has no array x, only {', '.join(list(there)[:8]) or 'nothing'}; {_SAVE}")
        arrays = {name: _array(path, file, there[name]) for name in NAMES if name in there}
    for labels, items in (("y", "x"), ("y_test", "x_test")):
        if labels in arrays and items not in arrays:
            raise ValueError(f"{path} has an array {labels}, and no array {items} that it belongs to")
    if "x_test" in arrays and ("y" in arrays) != ("y_test" in arrays):
        lacks, has = ("y_test", "y") if "y" in arrays else ("y", "y_test")
        raise ValueError(f"{path} has an array {has}, and no array {lacks}; add it, or leave both out")
    training = _part(arrays["x"], arrays.get("y"))
    test = _part(arrays["x_test"], arrays.get("y_test")) if "x_test" in arrays else None
    return Source(training, test, partial(sha256_of, path))


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} can't be read as an .npz file: {error}; save it anew with numpy.savez") from None
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror or error}") from None


def _array(path: Path, file: zipfile.ZipFile, info: zipfile.ZipInfo) -> Array:
    name = info.filename.removesuffix(".npy")
    with file.open(info) as member:
        try:
            version = np.lib.format.read_magic(member)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, columns_first, dtype = read(member)
        except ValueError as error:
            raise ValueError(f"{path}, array {name} can't be read: {error}; save it anew with numpy.savez") from None
        head = member.tell()
    if dtype.hasobject:
        raise ValueError(f"{path}, array {name} holds Python objects; give it a dtype of numbers, as with .astype")
    if info.file_size != head + math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{path}, array {name} has {info.file_size} bytes, too few or many for {shape}; save it anew")
    plain = None
    if info.compress_type == zipfile.ZIP_STORED:
        with path.open("rb") as raw:
            raw.seek(info.header_offset + 26)
            before = raw.read(4)
        plain = info.header_offset + 30 + int.from_bytes(before[:2], "little") + int.from_bytes(before[2:], "little")
        plain += head
    return Array(path, name, shape, dtype, columns_first, head, plain)


def _part(items: Array, labels: Array | None) -> Part:
    image, turn = _image(items)
    part = Part(
        place=items.place,
        items=items.shape[0],
        image=image,
        dtype=items.dtype,
        blocks=partial(_blocks, items, turn),
        item=f"{items.place}, {items.name}[{{}}]".format,
        labels=None if labels is None else _labels(labels, items),
        label=f"{labels.place}, {labels.name}[{{}}]".format if labels else str,
    )
    as_it_lies = items.plain is not None and not turn and not items.columns_first
    return part._replace(mapped=partial(_mapped, items)) if as_it_lies else part


def _image(array: Array) -> tuple[tuple[int, int, int], bool]:
    """The shape (C, H, W) of an item, and whether the channels have to be turned to the front."""
    shape = array.shape
    if array.dtype.kind not in "fb" and array.dtype != np.uint8:
        raise ValueError(
            f"{array.place} holds {array.dtype}; save bytes (uint8) for grey values 0…255, or floats for other numbers"
        )
    if len(shape) < 2 or 0 in shape:
        raise ValueError(f"{array.place} has the shape {shape}; items are rows (N, D) or images (N, H, W)")
    match shape[1:]:
        case (int(width),):
            return (1, 1, width), False
        case (int(height), int(width)):
            return (1, height, width), False
        case (int(height), int(width), 1 | 3 as channels):
            return (channels, height, width), channels == 3
        case (1 | 3 as channels, int(height), int(width)):
            return (channels, height, width), False
    raise ValueError(
        f"{array.place} has the shape {shape}; images are (N, H, W), in colour (N, H, W, 3) or (N, 3, H, W), and rows "
        "of numbers (N, D)"
    )


def _labels(array: Array, items: Array) -> npt.NDArray[Any]:
    if array.shape not in ((items.shape[0],), (items.shape[0], 1)):
        raise ValueError(
            f"{array.place} has the shape {array.shape}; for the {items.shape[0]} items of {items.name} it has to be "
            f"({items.shape[0]},)"
        )
    with _reading(array.path), zipfile.ZipFile(array.path) as file, file.open(f"{array.name}.npy") as member:
        return np.asarray(np.lib.format.read_array(member, allow_pickle=False)).reshape(-1)


def _blocks(array: Array, turn: bool) -> Iterator[npt.NDArray[Any]]:
    count = array.shape[0]
    with _reading(array.path), zipfile.ZipFile(array.path) as file, file.open(f"{array.name}.npy") as member:
        if array.columns_first:
            whole = np.lib.format.read_array(member, allow_pickle=False)
            yield from (_rows(block, turn) for block in np.array_split(whole, max(whole.nbytes // BLOCK, 1)))
            return
        member.read(array.head)
        bytes_each = math.prod(array.shape[1:]) * array.dtype.itemsize
        at_once = max(BLOCK // bytes_each, 1)
        for first in range(0, count, at_once):
            block = _read(member, min(at_once, count - first) * bytes_each)
            yield _rows(np.frombuffer(block, array.dtype).reshape(-1, *array.shape[1:]), turn)


def _read(member: IO[bytes], size: int) -> bytes:
    block = member.read(size)
    if len(block) != size:
        raise EOFError("it ends too early")
    return block


def _rows(block: npt.NDArray[Any], turn: bool) -> npt.NDArray[Any]:
    return (block.transpose(0, 3, 1, 2) if turn else block).reshape(len(block), -1)


def _mapped(array: Array) -> npt.NDArray[Any]:
    assert array.plain is not None
    with _reading(array.path):
        shape = (array.shape[0], math.prod(array.shape[1:]))
        # Mapped for this process alone: nothing that is written to it reaches the file.
        return np.memmap(array.path, array.dtype, "c", array.plain, shape)
