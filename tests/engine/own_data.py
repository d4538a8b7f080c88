"""A user's own data as the tests make them: images of an odd size with three classes that can be told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from laddertop.engine.own import look
from laddertop.journal.sections import DataSpec
from laddertop.journal.spec import Spec, parse


def bars(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images of 13×7, bytes [N, 13, 7], that are bright in the columns of their class, and the classes [N], sorted."""
    random = np.random.default_rng(seed)
    labels = np.sort(np.arange(count) % 3)
    bright = np.arange(7) // 3 == labels[:, None]
    return (random.integers(0, 60, (count, 13, 7)) + 180 * bright[:, None]).astype(np.uint8), labels


def found_in(path: Path, seed: int = 1, **more: object) -> DataSpec:
    """The section of a spec for the data at `path`, once they were looked at."""
    data = DataSpec.model_validate({"name": str(path), "batch": 10, **more})
    return DataSpec.model_validate({**data.model_dump(), "found": look(data, seed).model_dump()})


def with_data(spec: Spec, data: DataSpec) -> Spec:
    """The spec with other data."""
    return parse({**spec.model_dump(), "data": data.model_dump()}, "the test")
