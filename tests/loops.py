"""What a loop of one's own left behind, for the tests of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from laddertop.journal.events import Event, EventReader
from laddertop.journal.metrics import MetricsReader
from tests import PATIENCE


def events_of(run: Path) -> list[Event]:
    return EventReader(run / "events.jsonl").read_all()


def of(kind: type, run: Path) -> list:
    return [event for event in events_of(run) if isinstance(event, kind)]


def numbers(run: Path) -> MetricsReader:
    reader = MetricsReader(run)
    reader.poll()
    return reader


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)
