"""The command that is about many runs of one recipe: sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from laddertop.tui.cli.options import Json, Runs, Trust

app = typer.Typer()


@app.command()
def sweep(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE|SWEEP", help="A recipe or a TOML file to begin one with, or one to print.")
    ],
    join: Annotated[
        bool, typer.Option("--join", help="Work at a sweep that is there, beside others or after them.")
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Ask all workers of a sweep that is there to stop in good order.")
    ] = False,
    add: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Add N settings to a sweep with --search, else N seeds.")
    ] = None,
    pin: Annotated[
        bool | None, typer.Option("--pin/--no-pin", help="Keep a sweep on top of the list of runs, or no longer.")
    ] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=A,B,…", help="Train every one of these values; with another --grid all pairs."),
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=A..B[:log]", help="Draw values between A and B, near those that did well."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="With --search: how many settings are drawn (20).")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Train every setting with N seeds.")] = 1,
    prune: Annotated[
        bool, typer.Option("--prune", help="Stop runs that are worse than the median of the others at the same step.")
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Device of the runs that this worker begins: cuda:0, or several: cuda:0,1."),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Runs of this worker side by side (1, or one on each device)."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of a recipe, for all of them.")
    ] = None,
    data: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="Data set, as with `train`.")] = None,
    data_root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that holds the data set in torchvision's layout.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the sweep, and tag of its runs (default: date and recipe)."),
    ] = None,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Train many runs of a recipe, by as many workers as join."""
    from laddertop.tui.cli import sweep as many

    begins = bool(grid or search or seeds > 1 or settings or data or data_root or name or trials or prune)
    asks = stop or add is not None or pin is not None
    if begins and (join or asks):
        rest = "leave out all that would begin another one" if asks else "with --join leave out all but --at-once"
        raise ValueError(f"what a sweep varies was said when it began; {rest}")
    if asks and join:
        raise ValueError("--stop, --add and --pin are asked of a sweep without working at it; leave out --join")
    if asks:
        many.ask(recipe, runs, stop=stop, add=add, pin=pin, trust=trust, as_json=json)
        raise typer.Exit
    if not join:
        raise typer.Exit(
            many.sweep(
                recipe,
                seeds=seeds,
                grid=grid or [],
                search=search or [],
                trials=trials,
                prune=prune,
                settings=settings or [],
                data=data,
                data_root=data_root,
                name=name,
                runs=runs,
                device=device,
                at_once=at_once,
                as_json=json,
            )
        )
    raise typer.Exit(many.join(recipe, runs, device, at_once, trust=trust, as_json=json))
