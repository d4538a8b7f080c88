"""The engines that a front end has started: to train a new run, to go on with one, to send one back.

No textual here. Every call reads files and may start a process; it is made in a thread, so that no key waits for a
disk.
"""

from __future__ import annotations

import threading
from pathlib import Path

from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState
from laddertop.tui.steer.engine_process import EngineProcess
from laddertop.tui.steer.priority import FullPriority


class Engines:
    """Starts them, and knows those that have not ended."""

    def __init__(self) -> None:
        self._at_full_priority = FullPriority()
        self._engines: dict[Path, EngineProcess] = {}
        self._lock = threading.Lock()

    def step_back(self) -> None:
        """Lower the priority of this thread and of those that it starts from now on, but not that of engines."""
        self._at_full_priority.step_back()

    def start(self, run: RunFolder, back_to: int | None = None) -> None:
        """Start one that trains `run` on from its newest checkpoint, or from the one of step `back_to`.

        Raises ValueError when an engine is at work in the run or on its way, or when the run has come to its end;
        OSError when no process can be started.
        """
        with self._lock:
            before = self._engines.get(run.path)
            if before is not None and before.process.poll() is None and not run.engine_alive():
                raise ValueError(f"the engine of {run.name} is still starting; try again in a moment")
            if back_to is None:
                state = RunState().apply_all(EventReader(run.events_path).read_all())
                if state.ended is not None and state.ended.reason == "finished" and not run.engine_alive():
                    raise ValueError(f"{run.name} finished its {state.steps} steps; there is nothing to resume")
            self._engines[run.path] = self._at_full_priority(EngineProcess, run, back_to=back_to)

    def reap(self) -> list[str]:
        """Forget those that ended; says why, of each that ended before it began to train."""
        told = []
        with self._lock:
            for path, engine in list(self._engines.items()):
                if engine.process.poll() is None:
                    continue
                del self._engines[path]
                try:
                    engine.news()
                    if not engine.started:
                        told.append(f"no training of {engine.run.name}: {engine.obituary()}")
                except OSError:  # the run was deleted meanwhile
                    continue
        return told
