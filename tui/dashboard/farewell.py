"""What is left on the terminal when the dashboard has given it back: where a run stands, and the way back to it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from laddertop.journal.folder import runs_folder
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.draw.text import harmless

if TYPE_CHECKING:
    from laddertop.tui.dashboard.views.run_row import RunRow
    from laddertop.tui.watch.run_view import RunView


def of_run(view: RunView) -> str:
    """Where a run stands, and below it the command that shows it again, whole in a line to be copied."""
    run, end = view.run, view.state.end
    return _line(run.name, view.status(), view.step, end, run.path.parent)


def of_list(rows: Sequence[RunRow], runs: Path) -> str:
    """The runs of a folder that are at work, the `rows`: one in a line of its own, several counted; nothing where none
    is."""
    if len(rows) == 1:
        return _line(rows[0].name, rows[0].status, rows[0].step, rows[0].steps, runs)
    return f"{len(rows)} runs go on\nback to them: {harmless(f'laddertop open{_folder(runs)}')}" if rows else ""


def _line(name: str, status: str, step: int, end: int, runs: Path) -> str:
    reached = f"step {thousands(step)}" + (f" of {thousands(end)}" if end else "")
    again = harmless(f"laddertop attach {shlex.quote(name)}{_folder(runs)}")
    return f"{harmless(f'{name}: {status}, {reached}')}\nback to it: {again}"


def _folder(runs: Path) -> str:
    """The option that names a folder of runs, where it is not the one that is looked into without it."""
    return "" if runs.absolute() == runs_folder().absolute() else f" --runs {shlex.quote(str(runs))}"
