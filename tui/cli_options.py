"""Arguments and options that many commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run: its folder, its name, a beginning of it, or `last`.")]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", metavar="DIR", help="Folder of the runs (default: $LADDERTOP_RUNS, else checkpoints/)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait for the engine.")]
