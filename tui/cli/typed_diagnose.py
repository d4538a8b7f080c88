"""The command that says what goes wrong in a run, and the list of what there is to train."""

from __future__ import annotations

from typing import Annotated

import typer

from laddertop.tui.cli.options import Json, Run, Runs

app = typer.Typer()


@app.command()
def diagnose(run: Run, runs: Runs = None, json: Json = False) -> None:
    """Say what goes wrong in a run, and what helps."""
    from laddertop.tui.cli.diagnose import diagnose as diagnose_run

    diagnose_run(runs, run, json)


@app.command()
def recipes(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]",
            help="A recipe, shown whole; else words that name, sentence, model or data hold.",
        ),
    ] = None,
    keys: Annotated[bool, typer.Option("--keys", help="List every key that --set takes, instead.")] = False,
    json: Json = False,
) -> None:
    """List the recipes that come with laddertop."""
    from laddertop.tui.cli.recipes import print_keys, print_recipes

    if keys and text:
        raise ValueError("--keys lists every key; leave out the TEXT, or --keys")
    if keys:
        print_keys(json)
    else:
        print_recipes(" ".join(text or []), json)
