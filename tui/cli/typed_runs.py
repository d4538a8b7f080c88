"""The commands that are about whole runs: show, fork, roll back, replay, compare, export, rename, note, archive, …"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from laddertop.tui.cli.open import show_dashboard
from laddertop.tui.cli.options import (
    Best,
    CheckpointStep,
    Detach,
    Json,
    JsonLines,
    Name,
    Note,
    Run,
    Runs,
    Timeout,
    Trust,
    heard,
)
from laddertop.tui.export.formats import FORMATS

app = typer.Typer()


@app.command()
def show(
    run: Run,
    once: Annotated[bool, typer.Option("--once", help="Print one frame of the dashboard as text, instead.")] = False,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Show where a run stands."""
    if once and json:
        raise ValueError("--once prints a screen, --json what is behind it; leave out one of them")
    if once:
        from laddertop.tui.cli.open import print_frame

        print_frame(runs, run)
        return
    from laddertop.tui.cli.show import print_run

    print_run(runs, run, json)


@app.command()
def evaluate(
    run: Run,
    step: CheckpointStep = None,
    best: Best = False,
    split: Annotated[str, typer.Option(metavar="NAME", help="test, held_back or training.")] = "test",
    quick: Annotated[bool, typer.Option("--quick", help="Measure what a training does, within seconds.")] = False,
    representation: Annotated[bool, typer.Option("--representation", help="Also score the codes.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Let the running training do it, quickly, and record it in the run.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="With --now: how long to wait for the training.")
    ] = 30,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Evaluate a checkpoint: what its model's paper reports."""
    if split not in ("test", "held_back", "training"):
        raise ValueError(f"--split: test, held_back or training (you gave {split!r})")
    options = [f"--split={split}", *(["--quick"] if quick else []), *(["--representation"] if representation else [])]
    if now:
        if options != ["--split=test"] or best or step is not None:
            raise ValueError("--now evaluates as the training itself does; leave out --step, --split and the like")
        from laddertop.tui.cli.steer import ask

        ask(runs, run, "evaluate", trust=trust, timeout=timeout, as_json=json)
        return
    from laddertop.tui.cli.best import chosen_step
    from laddertop.tui.cli.show import evaluate_saved

    step = chosen_step(runs, run, step, best)
    options += [f"--step={step}"] if step is not None else []
    evaluate_saved(runs, run, options, trust=trust, as_json=json)


@app.command()
@heard
def fork(
    run: Run,
    knobs: Annotated[
        list[str] | None, typer.Argument(metavar="KNOB=VALUE", help="What the new run does differently: lr=1e-3, …")
    ] = None,
    step: CheckpointStep = None,
    best: Best = False,
    epochs: Annotated[float | None, typer.Option(metavar="N", help="Length of the new run in epochs.")] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Length of the new run in steps.")] = None,
    name: Name = None,
    runs: Runs = None,
    trust: Trust = False,
    detach: Detach = False,
    json: JsonLines = False,
) -> None:
    """Train a new run from a checkpoint of another."""
    from laddertop.tui.cli.best import chosen_step
    from laddertop.tui.cli.keep import fork as fork_run

    if epochs is not None and steps is not None:
        raise ValueError("give the length of the run either with --epochs or with --steps")
    length = [f"{key}={value}" for key, value in (("epochs", epochs), ("steps", steps)) if value is not None]
    step = chosen_step(runs, run, step, best)
    raise typer.Exit(
        fork_run(
            runs, run, step=step, knobs=knobs or [], length=length, name=name, trust=trust, detach=detach, as_json=json
        )
    )


@app.command()
def rollback(
    run: Run,
    step: CheckpointStep = None,
    note: Note = "",
    runs: Runs = None,
    trust: Trust = False,
    timeout: Timeout = 60,
    json: Json = False,
) -> None:
    """Send a run back to a checkpoint; it trains on from there."""
    from laddertop.tui.cli.keep import roll_back

    raise typer.Exit(roll_back(runs, run, step=step, note=note, trust=trust, timeout=timeout, as_json=json))


@app.command()
def replay(
    run: Run,
    train: Annotated[
        bool, typer.Option("--train", help="Train it again as a new run, with the same interventions, and compare.")
    ] = False,
    name: Name = None,
    runs: Runs = None,
    trust: Trust = False,
    json: JsonLines = False,
) -> None:
    """Play a run again on its screen, or train it again."""
    if train:
        from laddertop.tui.cli.replay import train_again

        raise typer.Exit(train_again(runs, run, name, trust=trust, as_json=json))
    if json or trust or name is not None:
        raise ValueError("--name, --trust and --json go with --train")
    show_dashboard(runs, run, replay=True)


@app.command()
def compare(
    runs_compared: Annotated[list[str] | None, typer.Argument(metavar="RUN RUN...", help="Two runs or more.")] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="WORD", help="Every run with that tag; may be given again.")
    ] = None,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Print what runs came to and what their specs differ in."""
    from laddertop.tui.cli.compare import compare as compare_runs

    compare_runs(runs, runs_compared or [], group or [], json)


@app.command()
def export(
    run: Run,
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="What to write.")],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FORMAT", help=f"{', '.join(FORMATS)} (default: what PATH ends like)."),
    ] = None,
    step: CheckpointStep = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    runs: Runs = None,
    trust: Trust = False,
) -> None:
    """Write a run as what other programs read."""
    from laddertop.tui.cli.export import export as export_run

    export_run(runs, run, to, out, step=step, force=force, trust=trust)


@app.command()
def rename(
    run: Run,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    runs: Runs = None,
    trust: Trust = False,
) -> None:
    """Give a run another name."""
    from laddertop.tui.cli.keep import rename as rename_run

    rename_run(runs, run, name, trust)


@app.command()
def note(
    run: Run,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="Your words; '' takes them away; none: print them.")
    ] = None,
    runs: Runs = None,
    trust: Trust = False,
) -> None:
    """Keep a line of yours about a run."""
    from laddertop.tui.cli.keep import note as note_run

    note_run(runs, run, text, trust)


@app.command()
def tag(
    run: Run,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="Tags; none: print those it has.")
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Take them away instead.")] = False,
    runs: Runs = None,
    trust: Trust = False,
) -> None:
    """Give a run tags, to find and compare runs by."""
    from laddertop.tui.cli.keep import tag as tag_run

    tag_run(runs, run, words or [], not off, trust)


Several = Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs, each as everywhere; all of them or none.")]


@app.command()
def archive(
    several: Several,
    back: Annotated[bool, typer.Option("--back", help="Take them back instead.")] = False,
    runs: Runs = None,
    trust: Trust = False,
) -> None:
    """Put runs away, out of the lists."""
    from laddertop.tui.cli.keep import archive as archive_run

    archive_run(runs, several, not back, trust)


@app.command()
def delete(
    several: Several,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    runs: Runs = None,
    trust: Trust = False,
) -> None:
    """Delete runs and all that they hold (asks first)."""
    from laddertop.tui.cli.keep import delete as delete_run

    delete_run(runs, several, yes, trust)
