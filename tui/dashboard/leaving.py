"""How the dashboard ends that is told to from outside: by a signal, or by the loss of its terminal."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from functools import partial

from textual.app import App

PATIENCE = 3.0
"""Seconds that the dashboard has for leaving cleanly once it was told to."""


def leave_on_signals(app: App[None]) -> None:
    """SIGHUP and SIGTERM end the dashboard cleanly, even while its loop waits for a terminal that nobody reads."""
    loop = asyncio.get_running_loop()

    def leave(number: int, _: object) -> None:
        _insist(number)
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))

    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)


def leave_without_terminal(app: App[None]) -> None:
    """Ends the dashboard when its terminal is gone, which textual does not notice; to be called now and then."""
    watched = select.poll()
    watched.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]
    if watched.poll(0):
        _insist(signal.SIGHUP)
        app.exit(return_code=128 + signal.SIGHUP)


def _insist(number: int) -> None:
    """Ends the process for certain, some seconds from now: a terminal that is gone or stuck can hold up the clean way
    for ever."""
    timer = threading.Timer(PATIENCE, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()
