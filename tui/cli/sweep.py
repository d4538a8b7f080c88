"""`sweep`: many runs of a recipe, by as many workers as there are; and what came of them.

Optuna, the package behind the queue, is loaded by nothing else.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from laddertop.journal.folder import RunFolder, new_name, runs_folder
from laddertop.tui.cli.print import json_result, result, say, table, terminal_width
from laddertop.tui.cli.train import chosen
from laddertop.tui.steer.trust import driven
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
    at_once: int,
    as_json: bool,
) -> int:
    """Begins a sweep of the recipe `text` and works at it to its end; a sweep that is there already is printed.

    Returns the exit status. Raises ValueError when something of it is wrong, before anything is made.
    """
    needs_optuna()
    folder = runs_folder(runs)
    begins = grid or search or seeds > 1 or settings or data or data_root or name or trials or prune
    if not begins and (is_sweep(Path(text)) or is_sweep(folder / text)):
        print_sweep(find_sweep(folder, text), as_json)
        return 0
    spec = chosen(text, data, data_root, settings)
    plan = planned(spec, name or new_name(spec), seeds=seeds, grid=grid, search=search, trials=trials, prune=prune)
    from laddertop.tui.sweep.queue import create

    made = create(folder, plan)
    say(f"{plan.settings * seeds} runs; `laddertop sweep --join {made}` works at them, too, where it sees that folder")
    return work_at(made, at_once, as_json)


def join(text: str, runs: Path | None, at_once: int, *, trust: bool, as_json: bool) -> int:
    """Works at a sweep that is there, beside others or after them, to its end, and returns the exit status.

    Raises ValueError when there is none, or when it is a stranger's without `trust`.
    """
    needs_optuna()
    folder = driven(RunFolder(find_sweep(runs_folder(runs), text)), trust).path
    return work_at(folder, at_once, as_json)


def work_at(folder: Path, at_once: int, as_json: bool) -> int:
    """Works at the sweep in a folder to its end, prints what came of it, and returns the exit status."""
    from laddertop.tui.sweep.queue import Queue, mend
    from laddertop.tui.sweep.worker import work

    mend(folder)
    status = work(Queue(folder), at_once, say)
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
