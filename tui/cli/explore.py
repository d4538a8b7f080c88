"""Asks what the explore commands ask, and prints the answer: as a picture in the terminal, a file, or JSON."""

from __future__ import annotations

import io
import math
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from laddertop.journal import record
from laddertop.journal.explore import Answer, AnyQuestion, question_from
from laddertop.journal.files import write_atomically
from laddertop.journal.folder import find_run, runs_folder
from laddertop.tui.cli.place import check_place
from laddertop.tui.cli.print import json_result, result
from laddertop.tui.draw.cells import GREY_LEVELS, Cells, Ink
from laddertop.tui.draw.image import SQUARES, draw_image
from laddertop.tui.draw.sheet import largest_sheet, luminance, plane, png, sheet, squarely, tiles
from laddertop.tui.steer.explorer import answered
from laddertop.tui.steer.trust import driven


def show(
    runs: Path | None,
    text: str,
    question: Mapping[str, object],
    step: int | None,
    *,
    out: Path | None,
    trust: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Asks a run, or its checkpoint of `step`, a question given as plain values; what is None takes its default.

    Raises ValueError in one sentence for what can't be asked and for a stranger's run without `trust`, EngineError when
    nobody answers.
    """
    asked = _question(question)
    check_out(out, "a picture")
    if out is None and not as_json and not sys.stdout.isatty():
        raise ValueError(
            "there is no terminal to show a picture on; name a file: --out picture.png or --out arrays.npz"
        )
    answer = answered(driven(find_run(runs_folder(runs), text), trust), asked, timeout, step)
    if out is not None:
        write_atomically(out, npz(answer) if out.suffix == ".npz" else png(picture(answer)), mode=0o644)
    if as_json:
        shapes = {name: {"dtype": str(a.dtype), "shape": list(a.shape)} for name, a in answer.arrays.items()}
        head = record.as_json(answer.head)
        told = {key: head[key] for key in ("kind", "step", "checkpoint", "seconds")}
        json_result({**told, "file": str(out) if out else None, "arrays": shapes})
        return
    if sys.stdout.isatty():
        print(preview(pictures(answer)), flush=True)
    result(f"{legend(answer)}; {origin(answer, out)}")


def check_out(out: Path | None, png: str) -> None:
    """Raises ValueError where an answer can't be written to `out`; `png` is what a .png would hold."""
    if out is None:
        return
    if out.suffix not in (".png", ".npz"):
        raise ValueError(f"--out: {out.name} ends neither in .png ({png}) nor in .npz (the arrays)")
    check_place(out)


def origin(answer: Answer, out: Path | None) -> str:
    """Which step an answer is about, whom it comes from, and where it was written to."""
    where = f"from {answer.head.checkpoint}" if answer.head.checkpoint else "from the training"
    return f"step {answer.head.step}, {where}" + (f"; wrote {out}" if out else "")


def picture(answer: Answer) -> np.ndarray:
    """An answer as one image; `legend` says what is where."""
    shown = pictures(answer)
    return sheet(shown) if shown.ndim > 3 else shown


def pictures(answer: Answer) -> np.ndarray:
    """What an answer shows: its images [R, C, H, W …], or a picture of points [H, W]."""
    arrays = answer.arrays
    match answer.head.kind:
        case "sample" if arrays["samples"].ndim == 2:
            return plane([(arrays["samples"], 255)])
        case "sample":
            return squarely(arrays["samples"])
        case "denoise" if arrays["input"].ndim == 2:
            start = arrays["corrupted"]
            return plane([(arrays["input"], 160)], (start, arrays["reconstruction"] - start))
        case "denoise":
            return np.stack([arrays["input"], arrays["corrupted"], arrays["reconstruction"]], 1)
        case "inpaint" if arrays["input"].ndim == 2:
            return plane([(arrays["frames"], 110), (arrays["frames"][-1], 255)])
        case "inpaint":
            return np.concatenate([arrays["input"][:, None], _some(arrays["frames"]).swapaxes(0, 1)], 1)
        case "interpolate" | "traverse" | "manifold" if arrays["images"].shape[-1] == 2:
            return plane([(arrays["images"], 255)])
        case "interpolate":
            return np.asarray(arrays["images"][None])
        case "traverse":
            return np.asarray(arrays["images"])
        case "manifold":
            return tiles(arrays["images"])
        case _:
            clouds = [(arrays["data"], 70)] + ([(arrays["samples"], 160)] if "samples" in arrays else [])
            return plane(clouds, (arrays["x"], arrays["shift"]))


def legend(answer: Answer) -> str:
    """What the picture shows, in words."""
    arrays = answer.arrays
    match answer.head.kind:
        case "sample":
            return f"{len(arrays['samples'])} samples"
        case "denoise":
            return "input, corrupted, reconstruction of each item"
        case "inpaint":
            steps = ", ".join(str(step) for step in _shown(len(arrays["frames"])))
            return f"input of each item, then steps {steps}"
        case "interpolate":
            return f"{len(arrays['images'])} steps from one item to the other"
        case "traverse":
            values = arrays["values"]
            units = ", ".join(str(unit) for unit in arrays["units"])
            return f"from above unit {units}, each from {values[0]:g} to {values[-1]:g}"
        case "manifold":
            left, right, bottom, top = *arrays["codes"][0, [0, -1], 0], *arrays["codes"][[-1, 0], 0, 1]
            return f"unit 0 from {left:.3g} to {right:.3g} across, unit 1 from {bottom:.3g} to {top:.3g} up"
    return (
        f"data (dark), arrows to where a point is moved, longest {np.linalg.norm(arrays['shift'], axis=-1).max():.3g}"
    )


def preview(shown: np.ndarray) -> str:
    """What `pictures` returns as lines for the terminal that standard output is. Images that there is room for are
    enlarged by a whole number, so that each of their pixels is as large as all others; what is larger is averaged."""
    from rich.console import Console

    size = shutil.get_terminal_size()
    coloured = Console().color_system in ("256", "truecolor") and "NO_COLOR" not in os.environ
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    mode = ("quadrants" if coloured else "braille") if unicode else "ramp"
    down, across = SQUARES[mode]
    rows, columns = size.lines - 3, size.columns
    whole = largest_sheet(shown, rows * down, int(columns * across)) if shown.ndim > 3 else None
    if whole is not None:
        light = luminance(whole)
        height, width = math.ceil(light.shape[0] / down), math.ceil(light.shape[1] / across)
        light = np.pad(light, ((0, height * down - light.shape[0]), (0, int(width * across) - light.shape[1])))
    else:
        light = luminance(sheet(shown) if shown.ndim > 3 else shown)
        width = max(min(columns, -(-light.shape[1] // 2), 2 * rows * light.shape[1] // light.shape[0]), 1)
        height = max(width * light.shape[0] // (2 * light.shape[1]), 1)
    cells = draw_image(light, height, width, mode)
    return "\n".join(_line(cells, y) for y in range(cells.height))


def _line(cells: Cells, y: int) -> str:
    text = ""
    for stretch, ink in cells.runs(y):
        if ink < Ink.GREYS:
            text += stretch
        else:
            light, paper = (232 + level * 23 // (GREY_LEVELS - 1) for level in divmod(ink - Ink.GREYS, GREY_LEVELS))
            text += f"\x1b[38;5;{light};48;5;{paper}m{stretch}\x1b[0m"
    return text


def _question(given: Mapping[str, object]) -> AnyQuestion:
    if given["kind"] == "interpolate" and given["items"] is not None and len(given["items"]) != 2:  # type: ignore[arg-type]
        raise ValueError("--item: interpolate goes from one item to another, give --item twice")
    try:
        return question_from({key: value for key, value in given.items() if value is not None})
    except ValueError as error:
        name, _, words = str(error).partition(": ")
        option = {"items": "item", "units": "unit"}.get(name, name)
        raise ValueError(f"--{option}: {words}") from None


def npz(answer: Answer) -> bytes:
    """The arrays of an answer as a file of numpy."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, step=np.array(answer.head.step), **answer.arrays)
    return buffer.getvalue()


def _shown(frames: int) -> list[int]:
    """Frames of a chain that a picture shows: the start, then as many steps as before doubled, and the end."""
    return sorted({0, *(2**i for i in range(7) if 2**i < frames), frames - 1})


def _some(frames: np.ndarray) -> np.ndarray:
    return frames[_shown(len(frames))]
