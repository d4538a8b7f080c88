"""What a run can be exported to: a row per format, which help, errors and the command itself read.

What a format needs is imported once somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from laddertop.journal.folder import RunFolder


class Asked(NamedTuple):
    """What matters only where an engine reads a checkpoint for a format."""

    step: int | None
    """That of the checkpoint; None: the newest."""
    say: Callable[[str], None]
    """Takes what the engine has to say."""


class Format(NamedTuple):
    """A format that a run is exported to."""

    words: str
    """What is written, in words."""
    ending: str
    """What the names of its files end in."""
    write: Callable[[RunFolder, Path, Asked], str]
    """Writes a run to a path and returns what it holds, in words. Raises ValueError where it has nothing of it."""
    of_checkpoint: bool = False
    """Whether it is of one checkpoint, which an engine reads, and not of the whole run."""
    needs: str = ""
    """A package that laddertop does without otherwise; its extra has the name of the format."""


def _csv(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.steps import write_csv

    return write_csv(run, path)


def _parquet(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.steps import write_parquet

    return write_parquet(run, path)


def _html(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.report import write_html

    return write_html(run, path)


def _svg(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.charts import write_svg

    return write_svg(run, path)


def _png(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.samples import write_png

    return write_png(run, path)


def _gif(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.samples import write_gif

    return write_gif(run, path)


def _tensorboard(run: RunFolder, path: Path, _: Asked) -> str:
    from laddertop.tui.export.event_files import write_events

    return write_events(run, path)


def _safetensors(run: RunFolder, path: Path, asked: Asked) -> str:
    from laddertop.tui.draw.numbers import thousands
    from laddertop.tui.steer.saved import ask_saved

    step = [] if asked.step is None else [f"--step={asked.step}"]
    told = ask_saved(run, "weights", [str(path.absolute()), *step], asked.say)
    return f"{told['tensors']} tensors, {thousands(told['numbers'])} numbers, of step {told['step']}"


def _program(run: RunFolder, path: Path, asked: Asked, kind: str) -> str:
    from laddertop.tui.steer.saved import ask_saved

    step = [] if asked.step is None else [f"--step={asked.step}"]
    told = ask_saved(run, "program", [kind, str(path.absolute()), *step], asked.say)
    answers = ", ".join(f"{name} [N, {width}]" for name, width in told["answers"].items())
    return f"{answers}, of step {told['step']}"


FORMATS = {
    "csv": Format("every number of every step, as text", ".csv", _csv),
    "parquet": Format("the same as columns, for pandas, polars, DuckDB, …", ".parquet", _parquet, needs="pyarrow"),
    "html": Format("a report in one page: charts, interventions, evaluations, samples", ".html", _html),
    "svg": Format("the charts alone", ".svg", _svg),
    "png": Format("samples over the training as one picture", ".png", _png),
    "gif": Format("samples over the training as an animation", ".gif", _gif),
    "tensorboard": Format("the numbers, evaluations and samples", ".tfevents", _tensorboard, needs="tensorboard"),
    "safetensors": Format("the weights of a checkpoint", ".safetensors", _safetensors, True, "safetensors"),
    "onnx": Format("its model for ONNX runtimes", ".onnx", partial(_program, kind="onnx"), True, "onnxscript"),
    "pt2": Format("its model for torch.export.load", ".pt2", partial(_program, kind="pt2"), True),
}
"""Every format by its name."""


def format_of(name: str | None, path: Path) -> str:
    """The name of the format that is meant: the one that is named, else the one that a path ends like.

    Raises ValueError where there is none.
    """
    if name is None:
        name = next((n for n, one in FORMATS.items() if one.ending == path.suffix.lower()), None)
        if name is None:
            raise ValueError(f"{path.name} ends like no format; name one with --to: {', '.join(FORMATS)}")
    if name not in FORMATS:
        raise ValueError(f"--to: {', '.join(FORMATS)} (you gave {name!r})")
    return name
