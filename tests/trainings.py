"""Trainings in the process of the test itself, by the engine's own loop."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal.events import EventWriter
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState


@contextlib.contextmanager
def stop_here() -> Iterator[Stop]:
    """What ends a training in this process; the signals of the test are given back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield Stop(foreground=False)
    for number, handler in before.items():
        signal.signal(number, handler)


def loop_here(run: RunFolder) -> None:
    """Every step of a new run, with what is recorded of it, and nothing of what follows a training."""
    with stop_here() as stop, EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        training.loop(stop)
        training.recorder.close()
