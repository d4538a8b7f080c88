"""The commands of the dashboard and of a training: open, new, attach, train, resume, runs, set, pause, …"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from laddertop.journal.actions import ACTIONS, Action
from laddertop.tui.cli.open import show_dashboard
from laddertop.tui.cli.options import (
    Babysit,
    Detach,
    EarlyStop,
    Json,
    JsonLines,
    KeepBest,
    Name,
    Note,
    Nproc,
    OnDivergence,
    Pixels,
    ReadOnly,
    Run,
    Runs,
    SlowLink,
    Timeout,
    Trust,
    heard,
)

app = typer.Typer()


@app.command("open")
def open_dashboard(
    runs: Runs = None,
    slow_link: SlowLink = False,
    read_only: ReadOnly = False,
    trust: Trust = False,
    pixels: Pixels = False,
) -> None:
    """Open the dashboard with the list of runs."""
    show_dashboard(runs, slow_link=slow_link, read_only=read_only, trust=trust, pixels=pixels)


@app.command()
def new(runs: Runs = None, slow_link: SlowLink = False, pixels: Pixels = False) -> None:
    """Open the dashboard with the form for a new run."""
    show_dashboard(runs, form=True, slow_link=slow_link, pixels=pixels)


@app.command()
def attach(
    run: Run = "last",
    runs: Runs = None,
    slow_link: SlowLink = False,
    read_only: ReadOnly = False,
    trust: Trust = False,
    pixels: Pixels = False,
) -> None:
    """Open the dashboard with a run: live, finished or crashed."""
    show_dashboard(runs, run, slow_link=slow_link, read_only=read_only, trust=trust, pixels=pixels)


@app.command()
@heard
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe (see `recipes`) or a TOML file.")],
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Data set: digits, mnist, moons, …, or ./mine.npz (docs/data.md)."),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that holds the data set in torchvision's layout.")
    ] = None,
    labels: Annotated[str | None, typer.Option(metavar="N|all", help="Labelled training images.")] = None,
    epochs: Annotated[
        float | None, typer.Option(metavar="N", help="Length in passes over the training images.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Length in steps, instead of epochs.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of everything random.")] = None,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Train N runs with N seeds, side by side.")
    ] = 1,
    at_once: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Seeds side by side (default: one per core that memory allows, or per GPU)."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:N or mps; with --seeds also cuda:0,1.")
    ] = None,
    precision: Annotated[str | None, typer.Option(metavar="NAME", help="auto, fp32 or bf16.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of a recipe; see `recipes --keys`.")
    ] = None,
    on_divergence: OnDivergence = None,
    early_stop: EarlyStop = None,
    keep_best: KeepBest = None,
    babysit: Babysit = None,
    nproc: Nproc = None,
    name: Name = None,
    runs: Runs = None,
    detach: Detach = False,
    json: JsonLines = False,
) -> None:
    """Train a new run without the dashboard."""
    if epochs is not None and steps is not None:
        raise ValueError("give the length of the run either with --epochs or with --steps")
    from laddertop.tui.cli.train import train as train_run

    flags = {
        "data.labels": labels,
        "epochs": epochs,
        "steps": steps,
        "seed": seed,
        "precision": precision,
        "policy.on_divergence": on_divergence,
        "policy.early_stop": early_stop,
        "policy.keep_best": keep_best,
        "policy.babysit": babysit,
    }
    chosen = [f"{key}={value}" for key, value in flags.items() if value is not None] + (settings or [])
    raise typer.Exit(
        train_run(
            recipe,
            settings=chosen,
            data=data,
            data_root=data_root,
            name=name,
            runs=runs,
            seeds=seeds,
            at_once=at_once,
            nproc=nproc,
            device=device,
            detach=detach,
            as_json=json,
        )
    )


@app.command()
@heard
def resume(
    run: Run,
    runs: Runs = None,
    trust: Trust = False,
    nproc: Nproc = None,
    detach: Detach = False,
    json: JsonLines = False,
) -> None:
    """Go on with a run from its newest checkpoint."""
    from laddertop.tui.cli.train import resume as resume_run

    raise typer.Exit(resume_run(runs, run, trust=trust, nproc=nproc, detach=detach, as_json=json))


@app.command("runs")
def list_runs(
    runs: Runs = None,
    archived: Annotated[bool, typer.Option("--all", help="Also those that were put away with `archive`.")] = False,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="WORD", help="Only those with that tag; all, if given again.")
    ] = None,
    json: Json = False,
) -> None:
    """List the runs, newest first."""
    from laddertop.tui.cli.show import print_runs

    print_runs(runs, archived, tag or [], json)


@app.command("set")
def set_knobs(
    run: Run,
    settings: Annotated[
        list[str], typer.Argument(metavar="KNOB=VALUE", help="noise=off, lr=1e-3, noise.std=0.2 (every layer), …")
    ],
    note: Note = "",
    runs: Runs = None,
    trust: Trust = False,
    timeout: Timeout = 30,
    json: Json = False,
) -> None:
    """Change knobs of a running training."""
    _ask(runs, run, "set", note, trust, timeout, json, settings)


def _command(action: Action) -> Callable[..., None]:
    def ask(
        run: Run,
        note: Note = "",
        runs: Runs = None,
        trust: Trust = False,
        timeout: Timeout = 30,
        json: Json = False,
    ) -> None:
        _ask(runs, run, action, note, trust, timeout, json)

    return ask


def _ask(
    runs: Path | None,
    run: str,
    action: Action,
    note: str,
    trust: bool,
    timeout: float,
    json: bool,
    settings: list[str] | None = None,
) -> None:
    from laddertop.tui.cli.steer import ask

    ask(runs, run, action, settings=settings, note=note, trust=trust, timeout=timeout, as_json=json)


for _name, _about in ACTIONS.items():
    if _about.typed:
        app.command(_about.typed, help=_about.help)(_command(_name))
