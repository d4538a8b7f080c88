"""laddertop: a terminal dashboard that steers the training of denoising autoencoders, VAEs and ladder networks.

`laddertop.tui` are the front ends, `laddertop.engine` trains, and `laddertop.journal`, a folder per run, is all that
stands between them. In a checkout they are the folders of the same names beside this one.

`laddertop.start` makes a run of any training loop.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laddertop.engine.loop.declared import Knobs, Terms
    from laddertop.engine.loop.loop import Draws, Evaluates, Loop, Saves


def start(
    name: str | None = None,
    *,
    steps: int,
    terms: Terms,
    knobs: Knobs | None = None,
    runs: str | Path | None = None,
    about: str = "",
    epoch_steps: int | None = None,
    device: str = "",
    resume: bool = False,
    saves: Saves | None = None,
    evaluates: Evaluates | None = None,
    draws: Draws | None = None,
) -> Loop:
    """A new run that the caller's own loop trains, in torch or without it; see docs/own-loop.md.

    `terms` are the terms of the cost: by name the knob that weights each, None where none does. `knobs` can be turned
    while it trains: by name their values. The run is called `name`, else by the date, in the folder `runs`, else where
    all runs are. `saves`, `evaluates` and `draws` are functions for what people may ask for: see `Loop.checkpoint`,
    `Loop.evaluated` and `Loop.images`. With `resume` a run of that name goes on, from its newest checkpoint.

    Raises ValueError when the name is taken, or what is declared can't be.
    """
    from laddertop.engine.loop.declared import knobs_of, terms_of
    from laddertop.engine.loop.loop import Loop
    from laddertop.journal.folder import RunFolder, create_run, runs_folder
    from laddertop.journal.own_loop import LoopSection
    from laddertop.journal.spec import parse

    folder = runs_folder(Path(runs) if runs is not None else None)
    turned = knobs_of(knobs or {})
    weighted = terms_of(terms, turned)
    told = {"recipe": "loop", "about": about, "steps": steps, "model": {"kind": "loop"}}
    spec = parse(told, "laddertop.start")
    if resume and name is not None and (folder / name).is_dir():
        run = RunFolder(folder / name)
        if not isinstance(run.spec.model, LoopSection):
            raise ValueError(f"{run.name} is trained by an engine; `laddertop resume {run.name}` goes on with it")
    else:
        run = create_run(folder, spec, name)
    can = {"saves": saves, "evaluates": evaluates, "draws": draws}
    return Loop(run, steps, weighted, turned, epoch_steps=epoch_steps, device=device, **can)  # type: ignore[arg-type]


def __getattr__(name: str) -> Any:
    """What a loop may declare itself with, loaded when it is asked for."""
    if name in ("Knob", "Term"):
        from laddertop.journal import events

        return getattr(events, name)
    if name == "Value":
        from laddertop.journal.value import Value

        return Value
    raise AttributeError(f"module 'laddertop' has no attribute {name!r}")
