"""`sample`, `denoise`, `inpaint`, `interpolate`, `traverse`, `manifold`, `field`, `errors`: what a model can do."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from laddertop.tui.cli.options import Best, Json, Run, Runs, Timeout, Trust, with_options

app = typer.Typer()

Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write a picture (.png) or the arrays (.npz).")]
Step = Annotated[
    int | None, typer.Option("--step", metavar="N", help="Ask the checkpoint of step N, not the newest state.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of what is drawn for the answer.")]
Item = Annotated[
    list[int] | None, typer.Option("--item", metavar="N", help="A test item, counted from 0; give it again for more.")
]


@dataclass
class Asked:
    """Whom something is asked, and where the answer goes: the options of every command here."""

    run: Run
    step: Step = None
    out: Out = None
    timeout: Timeout = 60
    runs: Runs = None
    trust: Trust = False
    json: Json = False

    def show(self, question: Mapping[str, object]) -> None:
        """Asks a question given as plain values, and shows the answer."""
        from laddertop.tui.cli.explore import show

        show(
            self.runs,
            self.run,
            question,
            self.step,
            out=self.out,
            trust=self.trust,
            timeout=self.timeout,
            as_json=self.json,
        )


def _asks(command: Callable[..., None]) -> Callable[..., None]:
    """Adds a command: the run first, the options of its own, then those of every one, which it gets as an `Asked`."""
    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    run, *shared = inspect.signature(Asked, eval_str=True).parameters.values()

    def typed(**words: Any) -> None:
        command(Asked(**{one.name: words.pop(one.name) for one in (run, *shared)}), **words)

    return app.command(command.__name__, help=command.__doc__)(with_options(typed, [run, *own, *shared]))


@_asks
def sample(
    ask: Asked,
    rows: Annotated[int, typer.Option(metavar="N", help="How many.")] = 16,
    seed: Seed = 0,
    best: Best = False,
) -> None:
    """Draw samples from a run's model."""
    from laddertop.tui.cli.best import chosen_step

    ask.step = chosen_step(ask.runs, ask.run, ask.step, best)
    ask.show({"kind": "sample", "rows": rows, "seed": seed})


@_asks
def denoise(
    ask: Asked,
    item: Item = None,
    corruption: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="none, gaussian, masking or salt_and_pepper (default: the run's)."),
    ] = None,
    level: Annotated[
        float | None, typer.Option(metavar="X", help="Standard deviation or probability (default: the run's).")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Corrupt test items and let a run's model reconstruct them."""
    ask.show({"kind": "denoise", "items": item, "corruption": corruption, "level": level, "seed": seed})


@_asks
def inpaint(
    ask: Asked,
    item: Item = None,
    missing: Annotated[str, typer.Option(metavar="PART", help="left, right, top, bottom, box or random.")] = "right",
    share: Annotated[float, typer.Option(metavar="X", help="Share of the pixels that random misses.")] = 0.5,
    steps: Annotated[int, typer.Option(metavar="N", help="Steps of filling in.")] = 30,
    seed: Seed = 0,
) -> None:
    """Let a run's model fill in what is missing from test items."""
    ask.show({"kind": "inpaint", "items": item, "missing": missing, "share": share, "steps": steps, "seed": seed})


@_asks
def interpolate(
    ask: Asked,
    item: Item = None,
    steps: Annotated[int, typer.Option(metavar="N", help="Images, with both ends.")] = 11,
) -> None:
    """Walk from the code of one test item to that of another."""
    ask.show({"kind": "interpolate", "items": item, "steps": steps})


@_asks
def traverse(
    ask: Asked,
    item: Annotated[int, typer.Option("--item", metavar="N", help="The test item whose code is changed.")] = 0,
    unit: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="A unit to change; give it again for more (default: those that vary most)."),
    ] = None,
    low: Annotated[float, typer.Option(metavar="X", help="First value of a unit.")] = -3,
    high: Annotated[float, typer.Option(metavar="X", help="Last value of a unit.")] = 3,
    steps: Annotated[int, typer.Option(metavar="N", help="Values of a unit.")] = 9,
) -> None:
    """Change single units of a test item's code."""
    ask.show({"kind": "traverse", "item": item, "units": unit, "low": low, "high": high, "steps": steps})


@_asks
def manifold(
    ask: Asked,
    lines: Annotated[int, typer.Option(metavar="N", help="Images across and up.")] = 20,
) -> None:
    """Decode the plane of a code of two units."""
    ask.show({"kind": "manifold", "lines": lines})


@_asks
def field(
    ask: Asked,
    lines: Annotated[int, typer.Option(metavar="N", help="Grid lines per axis.")] = 21,
    extent: Annotated[float, typer.Option(metavar="X", help="The grid spans ± this much.")] = 1.6,
    seed: Seed = 0,
) -> None:
    """Show where a model of points in the plane moves a point."""
    ask.show({"kind": "field", "lines": lines, "extent": extent, "seed": seed})


@_asks
def errors(
    ask: Asked,
    rows: Annotated[int, typer.Option(metavar="N", help="Items that are told wrongly, at most.")] = 100,
) -> None:
    """Show which test items a run's model tells wrongly."""
    from laddertop.tui.cli.errors import show

    show(ask.runs, ask.run, rows, ask.step, out=ask.out, trust=ask.trust, timeout=ask.timeout, as_json=ask.json)
