"""`export`: writes a run as what another program reads."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from laddertop.journal.damage import all_damages
from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder, find_run, runs_folder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from laddertop.tui.cli.place import check_place, written_whole
from laddertop.tui.cli.print import result, say
from laddertop.tui.export.formats import FORMATS, Asked, format_of
from laddertop.tui.steer.trust import driven


def export(
    runs: Path | None, text: str, to: str | None, out: Path, *, step: int | None, force: bool, trust: bool
) -> None:
    """Exports a run to the format called `to`, or that `out` ends like, and tells what is damaged of the run.

    What is of a checkpoint is of the one of `step`, or of the newest.

    Raises ValueError for a format that there is not, or whose package is not there, for a place that can't be written
    to or, without `force`, holds something, for a run that has nothing to export, and for a checkpoint of a stranger's
    run without `trust`; EngineError where the engine that reads it fails.
    """
    run = find_run(runs_folder(runs), text)
    name = format_of(to, out)
    chosen = FORMATS[name]
    if chosen.of_checkpoint:
        driven(run, trust)
    elif step is not None:
        raise ValueError(f"--step: {name} is of the whole run and not of a checkpoint; leave it out")
    if chosen.needs and find_spec(chosen.needs) is None:
        raise ValueError(
            f"{name} needs the package {chosen.needs}, which is not installed: pip install 'laddertop[{name}]'"
        )
    check_place(out)
    if out.exists() and not force:
        raise ValueError(f"--out: there is {out} already; take it away, name another, or overwrite it with --force")
    for problem in _damages(run):
        say(f"warning: {problem}")
    with written_whole(out) as path:
        held = chosen.write(run, path, Asked(step, say))
    result(f"wrote {out}: {held}")


def _damages(run: RunFolder) -> list[str]:
    alive = run.engine_alive()
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    metrics = MetricsReader(run.path)
    metrics.poll()
    return all_damages(run, state, metrics, alive)
