"""The commands that are about this machine and its user: config, doctor, completion."""

from __future__ import annotations

from typing import Annotated

import typer

from laddertop.tui.cli.options import Json, Runs

app = typer.Typer()


@app.command()
def config(json: Json = False) -> None:
    """Print the settings that hold, and where each comes from."""
    from laddertop.tui.cli.config import print_config

    raise typer.Exit(print_config(json))


@app.command()
def doctor(runs: Runs = None, json: Json = False) -> None:
    """Examine terminal, torch, folders and disk, with advice."""
    from laddertop.tui.cli.doctor import examine

    raise typer.Exit(examine(runs, json))


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the script that completes words in a shell."""
    from laddertop.tui.cli.completion import SCRIPTS

    if shell not in SCRIPTS:
        raise ValueError(f"there is a script for bash, zsh and fish (you gave {shell!r})")
    print(SCRIPTS[shell], end="")
