"""`sample`, `denoise`, `inpaint`, `interpolate`, `traverse`, `manifold`, `field`, `errors`: what a model can do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from laddertop.tui.cli.options import Best, Json, Run, Runs, Timeout, Trust

app = typer.Typer()

Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a picture (.png) or the arrays (.npz).")]
Step = Annotated[
    int | None, typer.Option("--step", metavar="N", help="Ask the checkpoint of step N, not the newest state.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of what is drawn for the answer.")]
Item = Annotated[
    list[int] | None, typer.Option("--item", metavar="N", help="A test item, counted from 0; give it again for more.")
]


@app.command()
def sample(
    run: Run,
    rows: Annotated[int, typer.Option(metavar="N", help="How many.")] = 16,
    seed: Seed = 0,
    step: Step = None,
    best: Best = False,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Draw samples from a run's model."""
    from laddertop.tui.cli.best import chosen_step

    step = chosen_step(runs, run, step, best)
    _show(runs, run, {"kind": "sample", "rows": rows, "seed": seed}, step, out, trust, timeout, json)


@app.command()
def denoise(
    run: Run,
    item: Item = None,
    corruption: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="none, gaussian, masking or salt_and_pepper (default: the run's)."),
    ] = None,
    level: Annotated[
        float | None, typer.Option(metavar="X", help="Standard deviation or probability (default: the run's).")
    ] = None,
    seed: Seed = 0,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Corrupt test items and let a run's model reconstruct them."""
    question = {"kind": "denoise", "items": item, "corruption": corruption, "level": level, "seed": seed}
    _show(runs, run, question, step, out, trust, timeout, json)


@app.command()
def inpaint(
    run: Run,
    item: Item = None,
    missing: Annotated[str, typer.Option(metavar="PART", help="left, right, top, bottom, box or random.")] = "right",
    share: Annotated[float, typer.Option(metavar="X", help="Share of the pixels that random misses.")] = 0.5,
    steps: Annotated[int, typer.Option(metavar="N", help="Steps of filling in.")] = 30,
    seed: Seed = 0,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Let a run's model fill in what is missing from test items."""
    question = {"kind": "inpaint", "items": item, "missing": missing, "share": share, "steps": steps, "seed": seed}
    _show(runs, run, question, step, out, trust, timeout, json)


@app.command()
def interpolate(
    run: Run,
    item: Item = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Images, with both ends.")] = 11,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Walk from the code of one test item to that of another."""
    _show(runs, run, {"kind": "interpolate", "items": item, "steps": steps}, step, out, trust, timeout, json)


@app.command()
def traverse(
    run: Run,
    item: Annotated[int, typer.Option("--item", metavar="N", help="The test item whose code is changed.")] = 0,
    unit: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="A unit to change; give it again for more (default: those that vary most)."),
    ] = None,
    low: Annotated[float, typer.Option(metavar="X", help="First value of a unit.")] = -3,
    high: Annotated[float, typer.Option(metavar="X", help="Last value of a unit.")] = 3,
    steps: Annotated[int, typer.Option(metavar="N", help="Values of a unit.")] = 9,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Change single units of a test item's code."""
    question = {"kind": "traverse", "item": item, "units": unit, "low": low, "high": high, "steps": steps}
    _show(runs, run, question, step, out, trust, timeout, json)


@app.command()
def manifold(
    run: Run,
    lines: Annotated[int, typer.Option(metavar="N", help="Images across and up.")] = 20,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Decode the plane of a code of two units."""
    _show(runs, run, {"kind": "manifold", "lines": lines}, step, out, trust, timeout, json)


@app.command()
def field(
    run: Run,
    lines: Annotated[int, typer.Option(metavar="N", help="Grid lines per axis.")] = 21,
    extent: Annotated[float, typer.Option(metavar="X", help="The grid spans ± this much.")] = 1.6,
    seed: Seed = 0,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Show where a model of points in the plane moves a point."""
    question = {"kind": "field", "lines": lines, "extent": extent, "seed": seed}
    _show(runs, run, question, step, out, trust, timeout, json)


@app.command()
def errors(
    run: Run,
    rows: Annotated[int, typer.Option(metavar="N", help="Items that are told wrongly, at most.")] = 100,
    step: Step = None,
    out: Out = None,
    timeout: Timeout = 60,
    runs: Runs = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Show which test items a run's model tells wrongly."""
    from laddertop.tui.cli.errors import show

    show(runs, run, rows, step, out=out, trust=trust, timeout=timeout, as_json=json)


def _show(
    runs: Path | None,
    run: str,
    question: Mapping[str, object],
    step: int | None,
    out: Path | None,
    trust: bool,
    timeout: float,
    json: bool,
) -> None:
    from laddertop.tui.cli.explore import show

    show(runs, run, question, step, out=out, trust=trust, timeout=timeout, as_json=json)
