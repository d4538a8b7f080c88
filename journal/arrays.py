"""Files of named arrays: written whole, read without trusting what they say of themselves."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from laddertop.journal import inside

AT_MOST = 1 << 30
"""Bytes of all arrays of a file, unpacked."""


def load_arrays(folder: Path, name: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the file `name` in `folder`, by name; never an object that would have to be executed.

    Raises whatever zipfile, zlib and numpy do of a damaged file, and ValueError when it holds more than AT_MOST bytes.
    """
    with inside.reading(folder, name) as file:
        with zipfile.ZipFile(file) as parts:
            if sum(part.file_size for part in parts.infolist()) > AT_MOST:
                raise ValueError(f"its arrays have more than {AT_MOST >> 20} MiB")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            return {array: arrays[array] for array in arrays.files}
