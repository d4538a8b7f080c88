"""Waiting for the engine of a new run to begin."""

from __future__ import annotations

import time

from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState
from laddertop.tui.steer.keeping import delete

LOOK_EVERY = 0.1
"""Seconds between two looks at the journal."""
PATIENCE = 30.0
"""Seconds within which an engine takes hold of its run."""


class Beginning:
    """A new run, until its engine has begun or is gone."""

    def __init__(self, run: RunFolder) -> None:
        self._run, self._reader, self._state = run, EventReader(run.events_path), RunState()
        self._seen, self._until = False, time.monotonic() + PATIENCE

    def look(self) -> str | None:
        """None while it is waited for; empty once it has begun; else why it could not begin.

        Of a run that could not begin nothing is kept, unless its engine refers to what it printed. Reads files, so it
        is called in a thread.
        """
        alive = self._run.engine_alive()
        self._seen = self._seen or alive
        self._state.apply_all(self._reader.read_all())
        if self._state.started is not None:
            return ""
        ended = self._state.ended
        if alive or not (self._seen or ended or time.monotonic() > self._until):
            return None
        # Whatever else happened to it, its own screen tells.
        if ended is None or not ended.detail or self._run.console_path.name in ended.detail:
            return ""
        delete(self._run)
        return ended.detail
