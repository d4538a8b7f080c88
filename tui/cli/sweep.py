"""`sweep`: many runs of a recipe, by as many workers as there are; and what came of them.

Optuna, the package behind the queue, is loaded by nothing else.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from laddertop.journal.commands import sender
from laddertop.journal.folder import RunFolder, new_name, runs_folder
from laddertop.tui.cli.print import json_result, result, say, table, terminal_width
from laddertop.tui.cli.train import chosen
from laddertop.tui.steer.placing import devices_named
from laddertop.tui.steer.trust import driven
from laddertop.tui.sweep.asked import ask_to_add, ask_to_stop, keep_pinned
from laddertop.tui.sweep.plan import find_sweep, is_sweep, planned


def sweep(
    text: str,
    *,
    seeds: int,
    grid: list[str],
    search: list[str],
    trials: int | None,
    prune: bool,
    settings: list[str],
    data: str | None,
    data_root: Path | None,
    name: str | None,
    runs: Path | None,
    device: str | None,
    at_once: int | None,
    as_json: bool,
) -> int:
    """Begins a sweep of the recipe `text` and works at it to its end; a sweep that is there already is printed.

    Returns the exit status. Raises ValueError when something of it is wrong, before anything is made.
    """
    needs_optuna()
    folder = runs_folder(runs)
    begins = grid or search or seeds > 1 or settings or data or data_root or name or trials or prune or device
    if not begins and (is_sweep(Path(text)) or is_sweep(folder / text)):
        print_sweep(find_sweep(folder, text), as_json)
        return 0
    devices = devices_named(device) if device else []
    spec = chosen(text, data, data_root, [*(f"device={first}" for first in devices[:1]), *settings])
    plan = planned(spec, name or new_name(spec), seeds=seeds, grid=grid, search=search, trials=trials, prune=prune)
    from laddertop.tui.sweep.queue import create

    made = create(folder, plan)
    say(f"{plan.settings * seeds} runs; `laddertop sweep --join {made}` works at them, too, where it sees that folder")
    return work_at(made, devices, at_once, as_json)


def join(text: str, runs: Path | None, device: str | None, at_once: int | None, *, trust: bool, as_json: bool) -> int:
    """Works at a sweep that is there, beside others or after them, to its end, and returns the exit status.

    Raises ValueError when there is none, or when it is a stranger's without `trust`.
    """
    needs_optuna()
    folder = driven(RunFolder(find_sweep(runs_folder(runs), text)), trust).path
    return work_at(folder, devices_named(device) if device else [], at_once, as_json)


def ask(
    text: str, runs: Path | None, *, stop: bool, add: int | None, pin: bool | None, trust: bool, as_json: bool
) -> None:
    """Asks something of a sweep that is there: of its workers to stop, to have more runs, or to stand on top of a list.

    Raises ValueError when there is none, when it is a stranger's without `trust`, or when so much can't be added.
    """
    folder = driven(RunFolder(find_sweep(runs_folder(runs), text)), trust).path
    done, by = [], sender("command line")
    if pin is not None:
        keep_pinned(folder, pin)
        done.append(f"{folder.name} {'stands on top of the list of runs' if pin else 'is pinned no longer'}")
    if add is not None:
        ask_to_add(folder, add, by)
        done.append(f"added to {folder.name}; its workers take it up, or whoever joins next")
    if stop:
        ask_to_stop(folder, by)
        done.append(f"the workers of {folder.name} stop in good order; whoever joins next goes on")
    if as_json:
        json_result({"name": folder.name, "folder": str(folder), "asked": done})
    else:
        for words in done:
            result(words)


def work_at(folder: Path, devices: list[str], at_once: int | None, as_json: bool) -> int:
    """Works at the sweep in a folder to its end, `at_once` runs at a time or one on each of some devices, prints what
    came of it, and returns the exit status."""
    from laddertop.tui.sweep.queue import Queue, mend
    from laddertop.tui.sweep.worker import work

    mend(folder)
    status = work(Queue(folder), at_once or max(len(devices), 1), say, devices)
    if not status:
        print_sweep(folder, as_json)
    return status


def print_sweep(folder: Path, as_json: bool) -> None:
    """Where a sweep stands."""
    from laddertop.tui.sweep.queue import Queue
    from laddertop.tui.sweep.table import lines, outcome, slices

    queue = Queue(folder)
    told = outcome(queue)
    if as_json:
        json_result(told)
        return
    head, rows, wrong = lines(told)
    by_key = slices(told, queue.plan)
    below = ["", *table(by_key, width=terminal_width())] if by_key else []
    for line in (head, *table(rows, width=terminal_width()), *below, *wrong):
        result(line)


def needs_optuna() -> None:
    """Raises ValueError where the package behind the queue is missing."""
    if find_spec("optuna") is None:
        raise ValueError("sweep needs the package optuna, which is not installed: pip install 'laddertop[sweep]'")
