"""Follows what is found in a run while its engine is at work, for programs beside it that end with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from laddertop.tui.watch.diagnoses.diagnoses import Diagnoses

LOOK = 1.0
"""Seconds between two looks at the journal."""
BEGINS = 60.0
"""Seconds that an engine has to begin."""


class Look(NamedTuple):
    """A run at one look."""

    state: RunState
    diagnoses: Diagnoses
    alive: bool
    """Whether its engine was still at work."""


def looks(run: RunFolder, since: float) -> Iterator[Look]:
    """A look at a run every second, from the start after `since` (seconds since 1970) on and after the end of the
    engine that made it once more."""
    events, metrics, state = EventReader(run.events_path), MetricsReader(run.path), RunState()
    diagnoses = Diagnoses(run, metrics)
    engine = None
    while True:
        alive = run.engine_alive()
        new = events.read_all()
        state.apply_all(new)
        metrics.poll()
        diagnoses.look(new)
        while not diagnoses.complete:
            diagnoses.look()
        if state.started and state.started.time >= since:
            begun_by = state.started.host, state.started.pid
            engine = engine or begun_by
            if begun_by != engine:
                return  # whoever follows that one is another process
            yield Look(state, diagnoses, alive)
        if not alive and (engine or time.time() - since > BEGINS):
            return
        time.sleep(LOOK)
