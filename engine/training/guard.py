"""What is done where somebody takes away, cuts or replaces a file that an engine writes to: it is noticed and told.

Whoever writes into a file that has no name any more loses all that he writes, without an error; and whoever holds a
lock on one keeps nobody out.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from laddertop.engine.training.disk import Disk
from laddertop.engine.training.recorder import Recorder
from laddertop.journal.events import EventWriter
from laddertop.journal.files import Lock

EVERY = 0.5
"""Seconds between two looks."""


class TakenOverError(Exception):
    """Another engine holds the run: this one may write nothing more."""


class Guard:
    """Looks after the lock of a run, where there is one, and the files of events and numbers of one start."""

    def __init__(
        self, events: EventWriter, recorder: Recorder, disk: Disk, lock: Lock | None, warn: Callable[[str], None]
    ) -> None:
        """`warn` tells people what was found."""
        self.numbers_lost = False
        """Whether the numbers have to go on in a new start."""
        self._events, self._recorder, self._disk, self._lock, self._warn = events, recorder, disk, lock, warn
        self._next = 0.0

    def look(self) -> None:
        """Locks the run again where the lock is lost, writes the events again where they are not as they were, and asks
        for a new start where the numbers are not.

        Raises TakenOverError where another engine has the lock meanwhile.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        if self._lock and (lost := self._lock.lost()):
            self._lock_again(self._lock, lost)
        if lost := self._events.file.lost():
            self._disk.takes(self._events.file.renew)
            self._warn(f"{lost} while the engine wrote to it; all that happened is written there again")
        if not self.numbers_lost and (lost := self._recorder.lost()):
            self.numbers_lost = True
            self._warn(
                f"{lost} while the engine wrote to it; what was in it is lost, and a new start goes on from here"
            )

    def _lock_again(self, lock: Lock, lost: str) -> None:
        try:
            again = lock.again()
        except (OSError, ValueError) as error:
            self._warn(f"{lost} under the engine that held it, and can't be locked again, which is tried on: {error}")
            return
        if not again:
            raise TakenOverError(
                f"{lost} under the engine that held it, and another engine trains the run meanwhile: this one ends and "
                "writes nothing more"
            )
        self._warn(f"{lost} under the engine that held it; the run is locked again, and nobody else began to train it")
