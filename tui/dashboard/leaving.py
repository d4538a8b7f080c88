"""How the dashboard ends or stands aside that is told to from outside: by a signal, by the loss of its terminal."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
import threading
from functools import partial

import psutil
from textual.app import App

PATIENCE = 3.0
"""Seconds that the dashboard has for leaving cleanly once it was told to."""


def leave_on_signals(app: App[None]) -> None:
    """SIGHUP, SIGTERM and SIGQUIT end the dashboard cleanly, even while it waits for a terminal that nobody reads."""
    loop = asyncio.get_running_loop()

    def leave(number: int, _: object) -> None:
        _insist(number)
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))

    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, leave)


def leave_without_terminal(app: App[None]) -> None:
    """Ends the dashboard when its terminal is gone, which textual does not notice; to be called now and then."""
    watched = select.poll()
    watched.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]
    if watched.poll(0):
        _insist(signal.SIGHUP)
        app.exit(return_code=128 + signal.SIGHUP)


def can_be_taken_up_again() -> bool:
    """Whether a shell that controls jobs waits for the process group of the dashboard: it can say `fg`."""
    for parent in psutil.Process().parents():
        try:
            if os.getpgid(parent.pid) != os.getpgrp():
                return os.getsid(parent.pid) == os.getsid(0)
        except OSError:
            return False
    return False


def _insist(number: int) -> None:
    """Ends the process for certain, some seconds from now: a terminal that is gone or stuck can hold up the clean way
    for ever."""
    timer = threading.Timer(PATIENCE, os._exit, (128 + number,))
    timer.daemon = True
    timer.start()
