"""`train` and `resume` without a dashboard: in the foreground until the run ends, or detached.

What follows a training is imported once its engine is on its way, so that both load at the same time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder, create_run, find_run, new_name, runs_folder
from laddertop.journal.sections import SETS, is_path
from laddertop.journal.settings import look as settled
from laddertop.journal.spec import Spec, load_recipe, override
from laddertop.journal.start import doubts
from laddertop.journal.state import RunState
from laddertop.tui.cli.print import json_result, result, say
from laddertop.tui.steer.engine_process import EngineProcess, removed_unless_begun
from laddertop.tui.steer.looking import offered_data, startable
from laddertop.tui.steer.placing import devices_named
from laddertop.tui.steer.trust import driven


def train(
    recipe: str,
    *,
    data: str | None,
    data_root: Path | None,
    settings: list[str],
    name: str | None,
    runs: Path | None,
    seeds: int,
    at_once: int | None,
    nproc: int | None,
    device: str | None,
    detach: bool,
    as_json: bool,
) -> int:
    """Makes a new run of a recipe with some key=value `settings`, or one per seed, trains it, returns the exit status.
    `device` may name several for the seeds, such as cuda:0,1.

    Raises ValueError when the recipe or a setting is wrong, it can't be trained here, or the run can't be made.
    """
    if seeds > 1 and nproc:
        raise ValueError("give either --seeds, whose runs are side by side, or --nproc, whose processes share one run")
    devices = devices_named(device) if device else []
    if len(devices) > 1 == seeds:
        raise ValueError(f"--device {device}: one run has one device; with --seeds N the runs are spread over several")
    settings = [*(f"device={first}" for first in devices[:1]), *settings]
    spec = chosen(recipe, data, data_root, settings)
    if detach or seeds > 1:
        # A training in the foreground tells it of itself.
        for words in doubts(spec):
            say(f"warning: {words}")
    if seeds > 1:
        from laddertop.tui.cli.seeds import train_seeds, train_seeds_in_background

        name = name or new_name(spec)
        if not detach:
            return train_seeds(spec, runs_folder(runs), name, seeds, at_once, devices[1:] and devices, as_json=as_json)
        typed = [*(word for word in sys.argv[1:] if word != "--detach"), "--name", name]
        return train_seeds_in_background(spec, runs_folder(runs), name, seeds, typed, as_json=as_json)
    run = create_run(runs_folder(runs), spec, name)
    with removed_unless_begun(run):
        if detach:
            return train_in_background(run, as_json, ranks=nproc)
        return train_in_foreground(run, as_json, nproc)


def chosen(recipe: str, data: str | None, data_root: Path | None, settings: list[str]) -> Spec:
    """The spec of a recipe with some key=value `settings`, and with what is found in the user's own data and model.

    Raises ValueError when the recipe or a setting is wrong, or it can't be trained here.
    """
    if problems := settled()[1]:
        # A mistyped folder or device would train elsewhere than was meant.
        raise ValueError(f"nothing is trained before the settings are right: {problems[0]}")
    if data is not None:
        # A folder of one's own needs no / where it is meant for a command.
        if not is_path(data) and data not in SETS:
            data = f"./{data}" if Path(data).exists() else offered_data(data)
        settings = [f"data.name={json.dumps(data)}", *settings]
    if data_root is not None:
        settings = [_root(data_root), *settings]
    spec = override(load_recipe(recipe), settings)
    if spec.data.root is not None:
        # A resume may come from another folder.
        spec = override(spec, [_root(Path(spec.data.root).expanduser().absolute())])
    spec = startable(spec)
    if spec.data.found:
        say(f"{spec.data.name}: {spec.data.found.about}")
    return spec


def resume(runs: Path | None, text: str, *, trust: bool, nproc: int | None, detach: bool, as_json: bool) -> int:
    """Goes on with a run from its newest checkpoint and returns the exit status.

    Raises ValueError when its spec is damaged, when it has nothing left to do, or when it is a stranger's without
    `trust`.
    """
    run = driven(find_run(runs_folder(runs), text), trust)
    _ = run.spec
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    if state.status(run.engine_alive()) == "finished":
        raise ValueError(f"{run.name} finished its {state.steps} steps; there is nothing to resume")
    if detach:
        return train_in_background(run, as_json, ranks=nproc)
    return train_in_foreground(run, as_json, nproc)


def _root(folder: Path) -> str:
    return f"data.root={json.dumps(str(folder))}"


def train_in_background(run: RunFolder, as_json: bool, back_to: int | None = None, ranks: int | None = None) -> int:
    """Starts an engine for a run, from the checkpoint of step `back_to` if that is given, and leaves it at work."""
    engine = EngineProcess(run, back_to=back_to, ranks=ranks)
    try:
        engine.wait_until_started(say)
    except KeyboardInterrupt:
        engine.process.terminate()
        raise
    if as_json:
        from laddertop.tui.watch.summary import summary

        json_result(summary(run), indent=None)
    else:
        result(run.name)
        say(f"training in the background; watch it with `laddertop attach {run.name}`")
    return 0


def train_in_foreground(run: RunFolder, as_json: bool, ranks: int | None = None) -> int:
    """Trains a run until its engine is gone."""
    engine = EngineProcess(run, foreground=True, ranks=ranks)
    from laddertop.tui.cli.foreground import watch

    return watch(engine, as_json)
