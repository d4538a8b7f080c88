"""Arguments and options that many commands take."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from laddertop.journal.settings import SETTINGS, TRUSTED

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run: its folder, its name, a beginning of it, or `last`.")]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Folder of the runs (default: as settled, else checkpoints/)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the engine.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object per line on stdout.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return once the training has begun; it goes on by itself.")]
Nproc = Annotated[
    int | None,
    typer.Option(
        "--nproc", metavar="N", min=1, max=64, help="Processes that share every batch (default: as before, 1)."
    ),
]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Your words, kept with the command in the run.")]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the new run (default: date and recipe).")
]


def _trusting(trust: bool) -> bool:
    """Tells the engines that this process starts whether they may run code that a run keeps."""
    if trust:
        os.environ[TRUSTED] = "all"
    else:
        os.environ.pop(TRUSTED, None)
    return trust


Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        callback=_trusting,
        help="Drive a run even if somebody else owns it or can write to it, and run the code that it keeps.",
    ),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Only look: send no command, write nothing into a run.")]
SlowLink = Annotated[bool, typer.Option("--slow-link", help="Draw seldom, for a terminal that bytes reach slowly.")]
Pixels = Annotated[
    bool,
    typer.Option("--pixels", help="Draw images in pixels, in a terminal that knows kitty's graphics protocol."),
]
CheckpointStep = Annotated[
    int | None, typer.Option("--step", metavar="N", help="Step of the checkpoint (default: the newest one).")
]
Best = Annotated[
    bool, typer.Option("--best", help="The checkpoint that was evaluated best (see --keep-best of `train`).")
]
OnDivergence = Annotated[
    str | None,
    typer.Option("--on-divergence", metavar="WHAT", help="Where the cost diverges: stop, pause or rollback."),
]
EarlyStop = Annotated[
    str | None,
    typer.Option("--early-stop", metavar="KEY:N", help="Stop after N evaluations without a better value KEY."),
]
KeepBest = Annotated[
    str | None, typer.Option("--keep-best", metavar="KEY", help="Save and keep what was evaluated best, by value KEY.")
]
Babysit = Annotated[
    str | None,
    typer.Option("--babysit", metavar="[KIND,…]", help="Send the remedies of findings: of all safe ones, or of these."),
]
OnEnd = Annotated[
    str | None, typer.Option("--on-end", metavar="CMD", help="Run a shell command at the end, the run's JSON on stdin.")
]
OnDiverge = Annotated[str | None, typer.Option("--on-diverge", metavar="CMD", help="Run one when the cost diverges.")]
OnBest = Annotated[str | None, typer.Option("--on-best", metavar="CMD", help="Run one at every new best evaluation.")]
OnFinding = Annotated[
    str | None, typer.Option("--on-finding", metavar="CMD", help="Run one when a diagnosis finds something.")
]

Tensorboard = Annotated[
    Path | None,
    typer.Option("--tensorboard", metavar="DIR", help="Write the numbers for TensorBoard there while it trains."),
]


def with_value(words: list[str]) -> list[str]:
    """A command line in which `--babysit` has a value where it was typed alone: of an option Typer knows either that it
    takes one or that it takes none."""
    if "--babysit" not in words:
        return words
    from laddertop.journal.policies import SAFE  # by which pydantic comes

    at = words.index("--babysit")
    alone = at + 1 == len(words) or words[at + 1].startswith("-")
    return [*words[:at], f"--babysit={SAFE}", *words[at + 1 :]] if alone else words


def _write_live(folder: Path | None) -> None:
    """Has the engines that this process starts followed into a folder for TensorBoard, if there is one.

    Raises ValueError where TensorBoard's package is missing, OSError where nothing can be written to the folder.
    """
    if folder is None:
        return
    from importlib.util import find_spec

    if find_spec("tensorboard") is None:
        raise ValueError(
            "--tensorboard needs the package tensorboard, which is not installed: pip install 'laddertop[tensorboard]'"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"--tensorboard: the folder {folder} can't be written to; name another")
    os.environ[SETTINGS["tensorboard"].variable] = str(folder.absolute())


def _send_word(**commands: str | None) -> None:
    """Hands commands, by their settings with _ for -, to the engines that this process starts; None: as settled.

    In the environment, as nobody else reads that, while everybody sees the words of a process.
    """
    for name, command in commands.items():
        if command is not None:
            os.environ[SETTINGS[name.replace("_", "-")].variable] = command


def heard(command: Callable[..., None]) -> Callable[..., None]:
    """A command that trains, with the options of who hears of it, before its last one, which is --json."""
    *own, last = inspect.signature(command, eval_str=True).parameters.values()
    shared = inspect.signature(_who_hears, eval_str=True).parameters.values()

    @wraps(command)
    def typed(**words: Any) -> None:
        _who_hears(**{one.name: words.pop(one.name) for one in shared})
        command(**words)

    return with_options(typed, [*own, *shared, last])


def with_options(typed: Callable[..., None], options: Iterable[inspect.Parameter]) -> Callable[..., None]:
    """A function of any words as typer is to see it: with those options, in their order."""
    named = [one.replace(kind=one.KEYWORD_ONLY) for one in options]
    typed.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    return typed


def _who_hears(
    on_end: OnEnd = None,
    on_diverge: OnDiverge = None,
    on_best: OnBest = None,
    on_finding: OnFinding = None,
    tensorboard: Tensorboard = None,
) -> None:
    _send_word(on_end=on_end, on_diverge=on_diverge, on_best=on_best, on_finding=on_finding)
    _write_live(tensorboard)
