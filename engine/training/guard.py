"""What is done where somebody takes away, cuts or replaces a file that an engine writes to: it is noticed and told.

Whoever writes into a file that has no name any more loses all that he writes, without an error.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from laddertop.engine.training.disk import Disk
from laddertop.engine.training.recorder import Recorder
from laddertop.journal.events import EventWriter

EVERY = 0.5
"""Seconds between two looks."""


class Guard:
    """Looks after the files of events and numbers of one start."""

    def __init__(self, events: EventWriter, recorder: Recorder, disk: Disk, warn: Callable[[str], None]) -> None:
        """`warn` tells people what was found."""
        self.numbers_lost = False
        """Whether the numbers have to go on in a new start."""
        self._events, self._recorder, self._disk, self._warn = events, recorder, disk, warn
        self._next = 0.0

    def look(self) -> None:
        """Writes the events again where they are not as they were; asks for a new start where the numbers are not."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        if lost := self._events.file.lost():
            self._disk.takes(self._events.file.renew)
            self._warn(f"{lost} while the engine wrote to it; all that happened is written there again")
        if not self.numbers_lost and (lost := self._recorder.lost()):
            self.numbers_lost = True
            self._warn(
                f"{lost} while the engine wrote to it; what was in it is lost, and a new start goes on from here"
            )
