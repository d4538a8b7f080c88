"""laddertop: a terminal dashboard that steers the training of denoising autoencoders, VAEs and ladder networks.

`laddertop.tui` are the front ends, `laddertop.engine` trains, and `laddertop.journal`, a folder per run, is all that
stands between them. In a checkout they are the folders of the same names beside this one.

`laddertop.start` makes a run of any training loop, `laddertop.train` trains a recipe, and `laddertop.load` gives the
model of a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from laddertop.engine.loop.declared import Knobs, Terms
    from laddertop.engine.loop.loop import Draws, Evaluates, Loop, Saves
    from laddertop.engine.saved.trained import Trained


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
    if name is not None and (folder / name).is_dir():
        if not resume:
            raise ValueError(
                f"there is a run {name} in {folder} already; start another name, or none, which "
                f"makes one up, or go on with it by resume=True"
            )
        run = RunFolder(folder / name)
        if not isinstance(run.spec.model, LoopSection):
            raise ValueError(f"{run.name} is trained by an engine; `laddertop resume {run.name}` goes on with it")
    else:
        run = create_run(folder, spec, name)
    can = {"saves": saves, "evaluates": evaluates, "draws": draws}
    return Loop(run, steps, weighted, turned, epoch_steps=epoch_steps, device=device, **can)  # type: ignore[arg-type]


def load(run: str | Path = "last", *, runs: str | Path | None = None, step: int | None = None) -> Trained:
    """The model of a run as it was saved last, or after a step: its folder, its name, a beginning of it, or `last`.

    Raises ValueError when there is no such run or checkpoint, or it can't be used.
    """
    from laddertop.engine.saved.trained import Trained
    from laddertop.journal.folder import find_run, runs_folder
    from laddertop.tui.steer.engine_process import for_an_engine

    folder = runs_folder(Path(runs) if runs is not None else None)
    return Trained(for_an_engine(find_run(folder, str(run))), step)


def train(
    recipe: str,
    settings: Mapping[str, object] = {},
    *,
    name: str | None = None,
    runs: str | Path | None = None,
) -> Trained:
    """Trains a new run of a recipe, or of a recipe file, in an engine of its own, and returns its model once it is
    over; meanwhile it can be watched and steered. `settings` are those of `--set`, by dotted key. An interrupt
    stops it.

    Raises ValueError when a setting is wrong or it can't be trained here, RuntimeError when the training failed.
    """
    from laddertop.engine.saved.trained import Trained
    from laddertop.journal.folder import create_run, runs_folder
    from laddertop.journal.spec import load_recipe, override
    from laddertop.tui.steer.engine_process import EngineError, EngineProcess, removed_unless_begun
    from laddertop.tui.steer.looking import startable

    told = [f"{key}={_typed(value)}" for key, value in settings.items()]
    spec = startable(override(load_recipe(recipe), told))
    run = create_run(runs_folder(Path(runs) if runs is not None else None), spec, name)
    try:
        with removed_unless_begun(run):
            engine = EngineProcess(run, foreground=True)
            with engine.process:  # an interrupt closes its standard input, at which it saves and stops
                engine.process.wait()
            engine.news()
            if engine.process.returncode:
                raise engine.failure()
    except EngineError as error:
        raise RuntimeError(str(error)) from None
    return Trained(run)


def _typed(value: object) -> str:
    """A setting as the command line takes it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return json.dumps(value) if isinstance(value, list | str) else str(value)


def __getattr__(name: str) -> Any:
    """What a loop may declare itself with, loaded when it is asked for."""
    if name in ("Knob", "Term"):
        from laddertop.journal import events

        return getattr(events, name)
    if name == "Value":
        from laddertop.journal.value import Value

        return Value
    raise AttributeError(f"module 'laddertop' has no attribute {name!r}")
