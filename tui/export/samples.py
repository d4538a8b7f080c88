"""The samples of a run over its training, as pictures: a row of the fixed test items per thing made of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from laddertop.journal.folder import RunFolder
from laddertop.journal.samples import read_samples
from laddertop.journal.state import RunState
from laddertop.tui.draw.sheet import plane, sheet


class Picture(NamedTuple):
    """What was sampled at one step."""

    step: int
    rows: list[str]
    """What is shown, from above; for points of the plane from dark to light."""
    image: np.ndarray
    """uint8 [H, W], or [H, W, 3] for colour."""


def pictures(run: RunFolder, state: RunState, most: int) -> list[Picture]:
    """The samples of a run, evenly over its training where there are more than `most`; those whose files can't be read
    are left out."""
    events = state.samplings
    chosen = np.unique(np.linspace(0, len(events) - 1, min(most, len(events))).round().astype(int)).tolist()
    found = []
    for event in (events[at] for at in chosen):
        try:
            arrays = read_samples(run.path, event.file)
        except ValueError:
            continue
        rows = [name for name in event.rows if name in arrays]
        if rows and len({arrays[name].shape[1:] for name in rows}) == 1:
            found.append(Picture(event.step, rows, _picture([arrays[name] for name in rows])))
    return found


def _picture(rows: list[np.ndarray]) -> np.ndarray:
    if rows[0].ndim == 2:
        lights = np.linspace(90, 255, len(rows)).astype(int).tolist()
        return plane(list(zip(rows, lights, strict=True)))
    items = max(map(len, rows))
    padded = [np.concatenate([row, np.zeros((items - len(row), *row.shape[1:]), row.dtype)]) for row in rows]
    return sheet(np.stack(padded))
