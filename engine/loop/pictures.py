"""Images of a loop as the samples panel takes them.

Shape letters: N items, H rows, W columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def as_rows(name: str, images: Any) -> npt.NDArray[np.uint8]:
    """Images as bytes [N, H, W], or [N, H, W, 3] for colour: from [N, H, W], [N, 1, H, W], [N, 3, H, W] or [N, H, W, 3]
    of numbers from 0 to 1, or of bytes.

    Raises ValueError that names the array for anything else.
    """
    array: npt.NDArray[Any] = np.asarray(images.detach().cpu() if hasattr(images, "detach") else images)
    if array.ndim == 4 and array.shape[1] in (1, 3) and array.shape[-1] != 3:
        array = array[:, 0] if array.shape[1] == 1 else array.transpose(0, 2, 3, 1)
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[-1] != 3) or not array.size:
        raise ValueError(f"images: {name} has the shape {list(array.shape)}; images are [N, H, W] or [N, 3, H, W]")
    if array.dtype == np.uint8:
        return array.astype(np.uint8)
    numbers = np.asarray(array, np.float32)
    if not np.isfinite(numbers).all():
        raise ValueError(f"images: {name} has pixels that are no numbers")
    whole: npt.NDArray[np.uint8] = np.rint(255 * numbers.clip(0, 1)).astype(np.uint8)
    return whole
