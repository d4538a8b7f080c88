"""Arguments and options that many commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run: its folder, its name, a beginning of it, or `last`.")]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Folder of the runs (default: as settled, else checkpoints/)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the engine.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object per line on stdout.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return once the training has begun; it goes on by itself.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="Your words, kept with the command in the run.")]
Name = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the new run (default: date and recipe).")
]
Trust = Annotated[bool, typer.Option("--trust", help="Drive a run even if somebody else owns it or can write to it.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Only look: send no command, write nothing into a run.")]
SlowLink = Annotated[bool, typer.Option("--slow-link", help="Draw seldom, for a terminal that bytes reach slowly.")]
Pixels = Annotated[
    bool,
    typer.Option("--pixels", help="Draw images in pixels, in a terminal that knows kitty's graphics protocol."),
]
CheckpointStep = Annotated[
    int | None, typer.Option("--step", metavar="N", help="Step of the checkpoint (default: the newest one).")
]
