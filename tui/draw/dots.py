"""Dots to braille characters, 2 × 4 dots a cell; and the same at one dot a cell for ASCII."""

from __future__ import annotations

import numpy as np

_WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], np.uint16)


def braille(dots: np.ndarray) -> np.ndarray:
    """Characters (H, W) for dots (4·H, 2·W); cells without dots are blanks."""
    height, width = dots.shape[0] // 4, dots.shape[1] // 2
    blocks = dots.reshape(height, 4, width, 2).astype(np.uint16)
    codes = np.einsum("hawb,ab->hw", blocks, _WEIGHTS)
    return np.where(codes, codes.astype(np.uint32) + 0x2800, ord(" ")).astype("<u4").view("<U1")


def columns_between(low: np.ndarray, high: np.ndarray, height: int) -> np.ndarray:
    """Dots (height, columns), set from row `low` to row `high` of each column, rows counted from the bottom.

    A column whose bound is nan stays empty.
    """
    rows = np.arange(height - 1, -1, -1)[:, None]
    with np.errstate(invalid="ignore"):
        return (rows >= low[None]) & (rows <= high[None])
