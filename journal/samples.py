"""The fixed test items as the model sees them: one compressed array file per sampling.

Shape letters: N items, H rows, W columns. An array is uint8 [N, H, W], black 0, white 255, with a last dimension of
red, green and blue [N, H, W, 3] for colour; or float32 [N, 2] for points of the plane.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from laddertop.journal import inside
from laddertop.journal.arrays import load_arrays


def write_samples(folder: Path, step: int, rows: dict[str, npt.NDArray[Any]]) -> str:
    """Writes the arrays of one sampling and returns the file's name relative to `folder`."""
    name = f"samples/step-{step:09d}.npz"
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **rows)
    inside.make_folder(folder, "samples")
    inside.write(folder, name, buffer.getvalue())
    return name


def read_samples(folder: Path, name: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of one sampling, by name. Raises ValueError when the file is missing or damaged."""
    try:
        return load_arrays(folder, name)
    except Exception as error:  # zipfile, zlib and numpy each raise their own kinds for a damaged file
        raise ValueError(f"{name} is no readable sample file: {error}") from None
