"""A disk that takes nothing for a while holds a training up and does not end it.

All that a training writes it writes at its start and between two steps. What the disk refuses because it is full, over
a quota, read-only or failing is tried again until it is taken: the training stands still meanwhile, and then goes on as
if nothing had been, with every record written once.
"""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable
from typing import TypeVar

from laddertop.engine.training.stop import Stop
from laddertop.journal import commands, inside
from laddertop.journal.events import Event, EventWriter
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState

PASSES = inside.NO_ROOM | {errno.EFBIG, errno.EIO, errno.EROFS}
"""Errors that may pass: no room, files that may not grow any more, a disk that fails or became read-only."""
AGAIN = 1.0
"""Seconds between two tries."""
LOOK = 0.05
"""Seconds between two looks whether somebody wants the training to stop."""

_T = TypeVar("_T")


class Disk:
    """The disk that a training writes to."""

    def __init__(self, run: RunFolder, state: RunState, stop: Stop | None = None) -> None:
        """Of `run`, whose `state` is kept up to date. Without a `stop` what the disk refuses is an error."""
        self.stop = stop
        """What ends the waiting."""
        self.story = ""
        """What is to be recorded of the last time that the disk took nothing; empty when all of it is."""
        self._run, self._state = run, state
        run.prepare_waiting()

    def takes(
        self, write: Callable[[], _T], rest: Callable[[], _T] | None = None, passing: frozenset[int] = PASSES
    ) -> _T:
        """What `write` returns, once the disk takes it; later tries write the `rest`, where there is such a thing.

        Raises OSError for an error that is not among those that are `passing`, and where a stop is wanted.
        """
        try:
            return write()
        except OSError as error:
            if self.stop is None or error.errno not in passing:
                raise
            refused = error
        since = time.monotonic()
        _say(f"{refused}; the training waits, and goes on once the disk takes what it writes")
        with self._run.waiting():
            while True:
                self._wait(self.stop, refused)
                try:
                    taken = (rest or write)()
                    break
                except OSError as error:
                    if error.errno not in passing:
                        raise
                    refused = error
        self.story = f"the disk took nothing for {time.monotonic() - since:.0f} s ({refused}); the training waited"
        _say(self.story)
        return taken

    def tell(self, events: EventWriter, event: Event) -> None:
        """Records what happened, once the disk takes it, and brings the state up to date."""
        self.takes(lambda: events.append(event), events.flush)
        self._state.apply(event)

    def _wait(self, stop: Stop, refused: OSError) -> None:
        """Until the next try. Raises OSError, which says what is lost, when a stop is wanted."""
        until = time.monotonic() + AGAIN
        while time.monotonic() < until:
            if who := stop.reason or self._told_to_stop():
                raise OSError(
                    refused.errno,
                    f"{refused.strerror}; stopped ({who}) while the training waited for the disk: what came after the "
                    "newest checkpoint is not saved",
                    refused.filename,
                )
            time.sleep(LOOK)

    def _told_to_stop(self) -> str:
        """Who asks for a stop in the inbox, whose commands are otherwise left until the training goes on."""
        with contextlib.suppress(OSError, ValueError):
            for _, command in commands.pending(self._run.path):
                if isinstance(command, commands.Command) and (command.action, command.segment) == (
                    "stop",
                    self._state.segment,
                ):
                    return f"told to by {command.by}"
        return ""


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # what is printed goes to the same disk
        print(f"laddertop: {text}", flush=True)
