"""Data that tests take from scikit-learn. It is loaded when it is asked for: that takes seconds, and each of several
workers reads every file of tests."""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def digits() -> Any:
    """The 1797 handwritten digits of 8×8 pixels, from 0 to 16."""
    from sklearn.datasets import load_digits

    return load_digits()


@cache
def iris() -> Any:
    """150 irises of three species, four numbers each."""
    from sklearn.datasets import load_iris

    return load_iris()
