"""Runs a command of the user's for whatever is found in a training: `python -m laddertop.tui.export.on_finding RUN`.

A process of its own beside the engine, which reads the journal as every front end does and holds no training up. The
command comes from options, environment or settings of whoever starts the engine, never from a run's folder, which may
be a stranger's; what was found reaches it on standard input alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from laddertop.journal.folder import RunFolder
from laddertop.journal.settings import held
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.following import looks
from laddertop.tui.watch.summary import finding_as_json


def follow(run: RunFolder, command: str, since: float) -> None:
    """Runs a command for everything that is found in the start of a run after `since` (seconds since 1970), until its
    engine is not at work any more."""
    told_of: set[tuple[str, str, int]] = set()
    running: list[subprocess.Popen[bytes]] = []
    for state, diagnoses, _ in looks(run, since):
        for found in (*diagnoses.past(), *diagnoses.standing()):
            known = (*found.key, found.found)
            if known not in told_of and state.started and found.found > state.started.step:
                told_of.add(known)
                running = [process for process in running if process.poll() is None]
                running.append(_run(command, told(run, found)))


def told(run: RunFolder, found: Finding) -> dict[str, Any]:
    """What a command is told of a finding."""
    text = f"{run.name}: {found.name} since step {found.since}: {found.sees}"
    about = {"event": "finding", "text": text, "name": run.name, "folder": str(run.path.absolute())}
    return about | {"recipe": run.spec.recipe, "finding": finding_as_json(found)}


def _run(command: str, about: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Starts a command, which is waited for by nobody; what it is told is written before it begins."""
    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(about).encode())
        file.seek(0)
        return subprocess.Popen(["/bin/sh", "-c", command], stdin=file, start_new_session=True)


if __name__ == "__main__":
    os.nice(10)
    follow(RunFolder(Path(sys.argv[1])), str(held("on-finding").value), float(sys.argv[2]))
