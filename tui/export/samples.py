"""The samples of a run over its training, as pictures: a row of the fixed test items per thing made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from laddertop.journal.events import EventReader, Sampled
from laddertop.journal.folder import RunFolder
from laddertop.journal.samples import read_samples
from laddertop.journal.state import RunState
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.draw.sheet import plane, sheet

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES = 8
"""Samplings that one picture shows at most, evenly over the training."""
FRAMES = 500
"""Those of an animation."""
FRAME, LAST_FRAME = 250, 2000
"""Milliseconds that they are shown."""
CAPTION = 18
"""Rows above what was sampled that tell its step."""


class Picture(NamedTuple):
    """What was sampled at one step."""

    step: int
    rows: list[str]
    """What is shown, from above; for points of the plane from dark to light."""
    image: np.ndarray
    """uint8 [H, W], or [H, W, 3] for colour."""


def write_png(run: RunFolder, path: Path) -> str:
    """Writes some samplings below each other, each with its step, as one picture.

    Returns what it holds, in words. Raises ValueError where nothing was sampled that can be read.
    """
    from PIL import Image

    found = _found(run, PICTURES)
    images = [_captioned(one, *_size(found)) for one in found]
    width, height = images[0].size
    whole = Image.new(images[0].mode, (width, height * len(images)))
    for at, image in enumerate(images):
        whole.paste(image, (0, at * height))
    whole.save(path, "PNG")
    return _held(found)


def write_gif(run: RunFolder, path: Path) -> str:
    """Writes an animation with a sampling a frame, which begins again and again.

    Returns what it holds, in words. Raises as `write_png` does.
    """
    found = _found(run, FRAMES)
    first, *others = [_captioned(one, *_size(found)) for one in found]
    durations = [*[FRAME] * len(others), LAST_FRAME]
    first.save(path, "GIF", save_all=True, append_images=others, duration=durations, loop=0)
    return _held(found)


def pictures(run: RunFolder, events: Sequence[Sampled], most: int) -> list[Picture]:
    """The samples of some `events` of a run, evenly over them where there are more than `most`; those whose files can't
    be read are left out."""
    chosen = np.unique(np.linspace(0, len(events) - 1, min(most, len(events))).round().astype(int)).tolist()
    found = []
    for event in (events[at] for at in chosen):
        try:
            arrays = read_samples(run.path, event.file)
        except ValueError:
            continue
        rows = [name for name in event.rows if name in arrays]
        if rows and len({arrays[name].shape[1:] for name in rows}) == 1 and all(_is_shown(arrays[n]) for n in rows):
            found.append(Picture(event.step, rows, _picture([arrays[name] for name in rows])))
    return found


def _is_shown(array: np.ndarray) -> bool:
    """Whether an array is of images or of points: a file may be anybody's."""
    if array.ndim == 2:
        return array.shape[1] == 2 and array.dtype.kind == "f"
    return array.size > 0 and array.dtype == np.uint8 and (array.ndim == 3 or array.shape[3:] == (3,))


def _picture(rows: list[np.ndarray]) -> np.ndarray:
    if rows[0].ndim == 2:
        lights = np.linspace(90, 255, len(rows)).astype(int).tolist()
        return plane(list(zip(rows, lights, strict=True)))
    items = max(map(len, rows))
    padded = [np.concatenate([row, np.zeros((items - len(row), *row.shape[1:]), row.dtype)]) for row in rows]
    return sheet(np.stack(padded))


def _found(run: RunFolder, most: int) -> list[Picture]:
    found = pictures(run, RunState().apply_all(EventReader(run.events_path).read_all()).samplings, most)
    if not found:
        raise ValueError(
            f"{run.name} has no samples that can be shown; while it trains `laddertop refresh {run.name}` asks for some"
        )
    return found


def _size(found: list[Picture]) -> tuple[int, int]:
    """Width and height that hold every picture."""
    return max(one.image.shape[1] for one in found), max(one.image.shape[0] for one in found)


def _captioned(one: Picture, width: int, height: int) -> Image:
    from PIL import Image, ImageDraw

    image = Image.fromarray(one.image)
    framed = Image.new(image.mode, (width, height + CAPTION))
    framed.paste(image, (0, CAPTION))
    words = f"step {thousands(one.step)}: {', '.join(one.rows)}"
    ImageDraw.Draw(framed).text((2, 2), words, fill="white")
    return framed


def _held(found: list[Picture]) -> str:
    return f"{len(found)} {'sampling' if len(found) == 1 else 'samplings'}, steps {found[0].step} to {found[-1].step}"
